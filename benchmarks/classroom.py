"""A class of sixty phones on this machine: ten cases with two votes, phones that drop out, a server that is killed in the middle.

    python -m benchmarks.classroom

Phones and wall are real websocket clients of a real class server (see `phones.py`); they run on the same machine and take their share of
it. Photos are drawn. Targets: at the reveal every vote is on the wall and every phone shows the truth within 1 s; no vote is lost.
"""

import argparse
import asyncio
import contextlib
import csv
import io
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from benchmarks.phones import Phone
from core.diagnoses import CODES, NAMES
from core.teaching.advice import Advice
from core.teaching.case_sets.sources import choose_cases
from core.teaching.class_server import ADDRESS_VARIABLE, KEY_VARIABLE, server_command
from core.teaching.credentials import hash_secret, make_secret
from core.teaching.rooms.door import OpenRoom, open_room
from core.teaching.rooms.results import export_votes
from core.teaching.store.database import open_store
from core.teaching.store.place import DATABASE_VARIABLE

STEPS = ("photo", "facts", "vote", "network", "second vote", "truth")
THINKS = 3.0  # seconds, at most, before a vote
DROPS, KILLED = (2, 4), 5  # cases, from 0


class Server:
    """A class server that can be killed."""

    def __init__(self, port: int, folder: Path, photos: Path):
        self.address, self._port = f"http://localhost:{port}", port
        self._log = (folder / "server.log").open("ab")
        self._environment = {
            **os.environ,
            DATABASE_VARIABLE: str(folder / "teaching.sqlite3"),
            "HAM10000_DIR": str(photos),
            ADDRESS_VARIABLE: self.address,
            KEY_VARIABLE: hash_secret(make_secret()),
        }
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        command = server_command("localhost", self._port)
        self.process = subprocess.Popen(command, env=self._environment, stdout=self._log, stderr=subprocess.STDOUT)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=5):
                return
            time.sleep(0.1)
        raise SystemExit("The server did not start.")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def seconds(self) -> float:
        """Processor time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phones", type=int, default=60)
    parser.add_argument("--cases", type=int, default=10)
    parser.add_argument("--port", type=int, default=8733)
    asked = parser.parse_args()
    from core.data.drawn import draw_ham10000
    from core.data.ham10000 import read_table

    random.seed(1)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        photos = draw_ham10000(folder / "ham10000")
        os.environ[DATABASE_VARIABLE] = str(folder / "teaching.sqlite3")
        table = read_table(photos)
        cases = choose_cases(table, table.drop_duplicates("lesion_id").image_id[: asked.cases], "Load run")
        advice = {case.id: _advice(random.choice(CODES)) for case in cases.cases}
        store = open_store()
        room = open_room(store, cases, advice, steps=STEPS)
        server = Server(asked.port, folder, photos)
        server.start()
        try:
            told = asyncio.run(lesson(server, room, asked.phones, [case.truth for case in cases.cases]))
        finally:
            server.kill()
        kept = list(csv.DictReader(io.StringIO(export_votes(store, room.code, room.secret).decode("utf-8-sig"))))
        store.close()
    once = {(v["nickname"], v["case"], v["round"]) for v in kept}
    wanted = asked.phones * asked.cases * 2
    told["votes"] = {"expected": wanted, "kept": len(once), "twice": len(kept) - len(once), "lost": wanted - len(once)}
    reveal = told["reveal to phone"]["most"] <= 1 and told["reveal to wall with all votes"]["most"] <= 1
    told["met"] = reveal and told["votes"]["lost"] == 0 and told["votes"]["twice"] == 0
    sys.stdout.write(json.dumps({"benchmark": "a class of phones", **told}, indent=1) + "\n")


async def lesson(server: Server, room: OpenRoom, count: int, truths: list[str]) -> dict:
    """The lesson; returns seconds by what was waited for."""
    wall = Phone(server.address, f"wall={room.code}", {f"teacher {room.code}": room.secret})
    await wall.open()
    await wall.until(lambda p: p.widget("Next"))
    phones = [Phone(server.address, f"room={room.code}") for _ in range(count)]
    begun = time.perf_counter()
    await asyncio.gather(*(_join(phone, f"phone {n}") for n, phone in enumerate(phones)))
    joined = time.perf_counter() - begun
    waits: dict[str, list[float]] = {}
    await wall.press("Next")
    await wall.until(lambda p: "Case 1 of" in p.text)
    used, since = server.seconds(), time.perf_counter()
    await asyncio.sleep(5)
    idle = (server.seconds() - used) / (time.perf_counter() - since)
    down = 0.0
    for case, truth in enumerate(truths):
        for step in ("Patient", "Vote"):
            await _next(wall, case, step)
        waits.setdefault("vote opens on phone", []).extend(await _all_see(wall, phones, lambda p: p.widget("Send")))
        voting = [
            asyncio.create_task(_vote(phone, case, waits, drops=case in DROPS and n % 3 == 0))
            for n, phone in enumerate(phones)
        ]
        if case == KILLED:
            await asyncio.sleep(THINKS / 2)
            server.kill()
            for phone in [wall, *phones]:
                await phone.drop()
            began = time.perf_counter()
            await asyncio.to_thread(server.start)
            down = time.perf_counter() - began
            await asyncio.gather(*voting, return_exceptions=True)
            await asyncio.gather(*(phone.open() for phone in [wall, *phones]))
            await asyncio.gather(*(_vote_if_lost(phone, case) for phone in phones))
            await wall.until(lambda p: p.widget("Next"))
        else:
            await asyncio.gather(*voting)
        await wall.until(lambda p: f"{count} of {count}" in p.text)
        for step in ("Network", "Vote again"):
            await _next(wall, case, step)
        await asyncio.gather(*(phone.until(lambda p: p.widget("Send the second answer")) for phone in phones))
        await asyncio.gather(*(_vote(phone, case, waits, again=True) for phone in phones))
        words = f"**{NAMES[truth]}**, by"
        clicked, used = time.perf_counter(), server.seconds()
        await wall.press("Next")
        seen = await asyncio.gather(*(phone.until(lambda p, words=words: words in p.text) for phone in phones))
        waits.setdefault("reveal to phone", []).extend(at - clicked for at in seen)
        shown = await wall.until(lambda p, words=words: words in p.text and _tally(p.text) == 2 * count)
        waits.setdefault("reveal to wall with all votes", []).append(shown - clicked)
        waits.setdefault("server's processor time of a reveal", []).append(server.seconds() - used)
        if case + 1 < len(truths):
            await _next(wall, case + 1, "Photo")
    for phone in [wall, *phones]:
        await phone.drop()
    return {
        "phones": count,
        "cases": len(truths),
        "all joined in s": round(joined, 2),
        "server's processor while all wait, cores": round(idle, 2),
        "server down for s": round(down, 2),
        **{what: _summary(values) for what, values in waits.items()},
        "bytes to a phone": round(statistics.median(phone.size for phone in phones)),
        "machine": f"{os.cpu_count()} cores, shared with the phones; Python {sys.version.split()[0]}",
    }


async def _join(phone: Phone, nickname: str) -> None:
    await phone.open()
    await phone.until(lambda p: p.widget("Join"))
    await phone.fill("Nickname", string_value=nickname)
    await phone.press("Join")
    await phone.until(lambda p: "case 1 of" in p.text)


async def _next(wall: Phone, case: int, step: str) -> None:
    await wall.press("Next")
    await wall.until(lambda p: f"Case {case + 1} of" in p.text and f"· {step}\n" in f"{p.text}\n")


async def _all_see(wall: Phone, phones: list[Phone], what) -> list[float]:
    """Seconds from when the wall showed it until each phone did; one that was first counts as 0."""
    begun = wall.at
    return [max(0.0, at - begun) for at in await asyncio.gather(*(phone.until(what) for phone in phones))]


async def _vote(phone: Phone, case: int, waits: dict, *, again: bool = False, drops: bool = False) -> None:
    await asyncio.sleep(random.uniform(0, THINKS))
    button, kept = ("Send the second answer", "You said after the network") if again else ("Send", "You said:")
    sent = time.perf_counter()
    await phone.vote(NAMES[random.choice(CODES)], random.choice(range(50, 101, 5)), button)
    if drops:
        # At once, so that some votes arrive and some do not; the phone cannot know which.
        await asyncio.sleep(random.uniform(0, 0.1))
        await phone.drop()
        await asyncio.sleep(random.uniform(0.5, 2))
        await phone.open()
        await _vote_if_lost(phone, case)
        return
    waits.setdefault("vote to 'it is kept'", []).append(
        await phone.until(lambda p: kept in p.text and not p.widget(button)) - sent
    )


async def _vote_if_lost(phone: Phone, case: int) -> None:
    await phone.until(lambda p: f"case {case + 1} of" in p.text and ("You said:" in p.text or p.widget("Send")))
    if "You said:" not in phone.text:
        await phone.vote(NAMES[random.choice(CODES)], 50)
        await phone.until(lambda p: "You said:" in p.text)


def _tally(text: str) -> int:
    """Votes in the histograms on the wall."""
    return sum(int(n) for block in text.split("##### The class")[1:] for n in _numbers(block.split("#####")[0]))


def _numbers(block: str) -> list[str]:
    return [part.split("<")[0] for part in block.split('class="value">')[1:] if part.split("<")[0].isdigit()]


def _advice(code: str) -> Advice:
    return Advice("Drawn", {c: 0.7 if c == code else 0.05 for c in CODES})


def _summary(values: list[float]) -> dict:
    ordered = sorted(values)
    return {
        "median": round(statistics.median(ordered), 3),
        "95 of 100": round(ordered[int(0.95 * (len(ordered) - 1))], 3),
        "most": round(ordered[-1], 3),
    }


if __name__ == "__main__":
    main()
