"""What a phone is sent, byte by byte: nothing of truth, votes and network before their time, whatever it asks for."""

import asyncio
import json
import re
import urllib.error
import urllib.request

import pytest

from benchmarks.phones import Phone
from core.diagnoses import CODES, NAMES
from core.teaching.advice import Advice
from core.teaching.case_sets.record import CONFIRMED
from core.teaching.rooms.door import open_room
from core.teaching.rooms.lead import step_on
from core.teaching.rooms.look import look
from core.teaching.rooms.steps import RELIANCE_LESSON
from core.teaching.store.database import open_store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# Words that only the network's answer has.
NETWORK = "Oracle"


@pytest.fixture
def classroom(tmp_path, photos, drawn_bundle_folder):
    from made_up_classroom import ClassServer

    with ClassServer(tmp_path, photos, drawn_bundle_folder.parent) as server:
        store = open_store(server.database)
        yield server, store
        store.close()


def said(phone: Phone) -> str:
    """All that was sent to the phone since it was last asked, as text that keeps every byte."""
    text = b"".join(phone.received).decode("latin-1")
    phone.received.clear()
    return text


async def join(server, code: str, nickname: str) -> Phone:
    phone = Phone(server.address, f"room={code}")
    phone.keep_bytes = True
    await phone.open()
    await phone.until(lambda p: p.widget("Join"))
    await phone.fill("Nickname", string_value=nickname)
    await phone.press("Join")
    await phone.until(lambda p: "case 1 of 3" in p.text)
    return phone


def test_no_message_tells_anything_before_its_time(classroom, cases):
    server, store = classroom
    advice = {c.id: Advice(NETWORK, {code: 0.4 if code == "df" else 0.1 for code in CODES}) for c in cases.cases}
    room = open_room(store, cases, advice, steps=RELIANCE_LESSON)
    case = cases.cases[0]
    hidden = {
        "truth": [f"{NAMES[case.truth]}**, by", CONFIRMED[case.confirmed], "blue veil"],
        "names": [*(c.id[-7:] for c in cases.cases), cases.title, room.secret, "Bo the other"],
        "network": [NETWORK, "The network"],
        "votes": ["The class"],
    }
    opens = {"network": {"network", "map", "second vote", "truth"}, "truth": {"truth"}, "votes": {"truth"}}

    def check(text: str, step: str) -> None:
        for what, marks in hidden.items():
            if step not in opens.get(what, ()):
                assert not [mark for mark in marks if mark in text], (step, what)

    async def lesson() -> None:
        ada, bo = await join(server, room.code, "Ada"), await join(server, room.code, "Bo the other")
        said(bo)
        for place, step in enumerate(RELIANCE_LESSON):
            if place:
                view = look(store, room.code, room.secret)
                step_on(store, room.code, room.secret, view.version)
            for phone in (ada, bo):
                await phone.until(lambda p, place=place: _is_at(p, place))
            if step in ("vote", "second vote"):
                button = "Send" if step == "vote" else "Send the second answer"
                await bo.until(lambda p, button=button: p.widget(button))
                await bo.vote(NAMES["vasc"], 35, button)
                await bo.until(lambda p, button=button: not p.widget(button))
                await asyncio.sleep(2)  # the other phone asks again meanwhile
                assert "35 % sure" not in said(ada), "what another said"
                continue
            await asyncio.sleep(1)  # all that belongs to the step
            text = said(ada)
            assert text, step
            check(text, step)
        assert "It is kept" not in ada.text
        for phone in (ada, bo):
            await phone.drop()

    asyncio.run(lesson())


def _is_at(phone: Phone, place: int) -> bool:
    from core.teaching.rooms.steps import STEPS

    return f"· {STEPS[RELIANCE_LESSON[place]].title}\n" in f"{phone.text}\n"


def test_no_address_tells_a_student_anything(classroom, cases):
    server, store = classroom
    advice = {c.id: Advice(NETWORK, {code: 0.4 if code == "df" else 0.1 for code in CODES}) for c in cases.cases}
    room = open_room(store, cases, advice, steps=RELIANCE_LESSON)
    marks = ["blue veil", NETWORK, cases.title, *(c.id[-7:] for c in cases.cases), room.secret]

    async def ask(query: str, kept: dict[str, str]) -> str:
        page = Phone(server.address, query, kept)
        page.keep_bytes = True
        await page.open()
        await asyncio.sleep(2)
        await page.drop()
        return said(page)

    async def attack() -> None:
        ada = await join(server, room.code, "Ada")
        token = {"phone": ada.kept["phone"]}
        await ada.until(lambda p: p.pictures)
        for url in ada.pictures:
            with urllib.request.urlopen(f"{server.address}{url}", timeout=20) as answer:
                photo, headers = answer.read(), str(answer.headers)
            assert photo[:2] == b"\xff\xd8"
            assert not [m for m in marks if m in photo.decode("latin-1") + headers + url]
            # An address with another end is no photo of another case.
            stem, end = re.fullmatch(r"(.*/)([0-9a-f]+\..*)", url).groups()
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(f"{server.address}{stem}{'0' * (len(end) - 4)}{end[-4:]}", timeout=20)
        guessed = {**token, f"teacher {room.code}": ada.kept["phone"]}
        for query, kept in (
            (f"wall={room.code}", token),
            (f"desk={room.code}", token),
            (f"desk={room.code}", guessed),
            (f"room={room.code}&desk={room.code}&section=Class", token),
            ("section=Class", token),
            ("section=Case+sets", {**token, "class key": "guessed"}),
            (f"study={room.code}", token),
        ):
            text = await ask(query, kept)
            assert not [mark for mark in marks if mark in text], query
        await ada.drop()

    asyncio.run(attack())
    for path in ("/evaluation", "/models", "/_stcore/health", "/weights/Drawn/card.json", "/media/../teaching.sqlite3"):
        try:
            with urllib.request.urlopen(f"{server.address}{path}", timeout=20) as answer:
                content = answer.read().decode("latin-1")
        except urllib.error.HTTPError as error:
            content = error.read().decode("latin-1")
        assert not [mark for mark in marks if mark in content], path
        assert "SQLite format" not in content
        assert not content.startswith("{") or "calibration" not in json.dumps(content)
