"""Fifty visitors at once, each with an own photo, own facts and own network: whose answer comes to whom, and after how long.

    python -m benchmarks.sessions --data HAM10000_FOLDER

Real websocket clients against a real server of this machine. An answer is crossed where a visitor is sent the probabilities of
another's photo, facts or network. A photo is answered first with no facts, then with the patient's. Targets: none crossed; the worst
answer within 10 s on two cores. With `--memory`, ten readings of each network one after the other: the server needs at most 450 MB.
"""

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from benchmarks.side_by_side import free_port, tell
from benchmarks.streamlit_client import Visitor
from core.bundle import load_bundle
from core.data.images import read_photo
from core.data.patient import SEXES, SITES, Facts
from core.reading import encode_photo, read_encoded
from core.trust.signals.opinion import form_opinion, read_signals
from core.webapp.shared.charts import describe_differential

MOST_MB = 450
MODELS = ("Ensemble", "EfficientNetB0", "MobileNetV2", "MobileNetV3Small")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="HAM10000 folder")
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument(
        "--memory",
        action="store_true",
        help="Instead: forty visitors one after the other, ten of each network, and the server's memory.",
    )
    asked = parser.parse_args()
    if asked.memory:
        asked.visitors = 10 * len(MODELS)
    chance = random.Random(0)
    photos = sorted(Path(asked.data).rglob("ISIC_*.jpg"))
    chance.shuffle(photos)
    bundles = {name: load_bundle(name) for name in MODELS}
    signals = {name: read_signals(bundle.folder, bundle.card) for name, bundle in bundles.items()}
    visits, expected = [], []
    for path in photos:
        name = MODELS[len(visits) % len(MODELS)]
        facts = Facts(chance.randrange(20, 90, 5), chance.choice(SEXES), chance.choice(SITES))
        encoded = encode_photo(bundles[name], read_photo(path))
        if form_opinion(signals[name], encoded, None).refused:
            continue  # the photo gate answers in its place
        visits.append((path, facts, name))
        # What is sent of nobody, which comes first, and of the patient.
        answers = (read_encoded(encoded, of, explain=False) for of in (Facts(), facts))
        expected.append(tuple(describe_differential(answer.probabilities).encode() for answer in answers))
        if len(visits) == asked.visitors:
            break
    if asked.memory:
        _tell_memory(visits, expected)
        return
    with server() as (address, process):
        results = asyncio.run(_visit_all(address, visits, expected))
        memory = resident_megabytes(process.pid)
    lost = sum(not came for _, came, _ in results)
    crossed = sum(wrong for *_, wrong in results)
    seconds = [s for s, *_ in results]
    tell(
        f"crossed answers of {len(visits)} sessions at once",
        crossed + lost,
        "0",
        crossed + lost == 0,
        crossed=crossed,
        missing=lost,
    )
    tell(
        f"worst answer of {len(visits)} sessions at once, seconds",
        max(seconds),
        "<= 10",
        max(seconds) <= 10,
        median_s=round(statistics.median(seconds), 2),
        cores=os.cpu_count(),
        server_mb=memory,
    )


def _tell_memory(visits: list, expected: list[tuple]) -> None:
    """Resident memory of a server after ten readings of each network, each by a visitor who then leaves."""

    async def visit_in_turn(address: str) -> int:
        came = 0
        for visit, own in zip(visits, expected, strict=True):
            visitor = Visitor(address)
            await visitor.come()
            _, answered, _ = await _visit(visitor, *visit, own, expected)
            came += answered
        return came

    with server() as (address, process):
        came = asyncio.run(visit_in_turn(address))
        memory = resident_megabytes(process.pid)
    tell(
        f"resident memory of the server after {came} readings, ten of each network, in MB",
        memory,
        "<= 450",
        memory <= MOST_MB and came == len(visits),
    )


async def _visit_all(address: str, visits: list, expected: list[tuple]) -> list[tuple[float, bool, bool]]:
    visitors = [Visitor(address) for _ in visits]
    for visitor in visitors:
        await visitor.come()
    return await asyncio.gather(
        *(_visit(v, *visit, own, expected) for v, visit, own in zip(visitors, visits, expected, strict=True))
    )


async def _visit(visitor: Visitor, path: Path, facts: Facts, model: str, own: tuple, expected: list[tuple]):
    """Seconds from the upload to the first answer, whether both answers came, and whether somebody else's did.

    Facts are asked for when there is a photo.
    """
    visitor.set("-model", string_value=model)
    await visitor.upload("uploader", path.name, path.read_bytes())
    seconds, first = await visitor.rerun(lambda message: own[0] in message)
    visitor.set("-age", double_value=facts.age)
    visitor.set("-sex", string_value=facts.sex)
    visitor.set("-site", string_value=facts.site)
    _, second = await visitor.rerun(lambda message: own[1] in message)
    others = {answer for pair in expected for answer in pair} - set(own)
    await visitor.leave()
    return seconds, own[0] in first and own[1] in second, any(other in first + second for other in others)


@contextmanager
def server():
    """The app on a free port of this machine, with its models loaded by nobody yet."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    command += ["--browser.gatherUsageStats=false"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.1)
        yield f"127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait()


def resident_megabytes(pid: int) -> int:
    """Of a process, by Linux; 0 elsewhere."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1000


if __name__ == "__main__":
    main()
