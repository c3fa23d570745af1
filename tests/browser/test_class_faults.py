"""A class in real browsers when a phone goes away: its network swallows a vote, sleeps and wakes; its back button leaves the room."""

import asyncio
import threading

import pytest
from made_up_classroom import ClassServer, check_accessible
from test_class_journey import another_window, answer, join
from test_journeys import NARROW, check_no_errors

from core.data.drawn import draw_ham10000
from core.data.ham10000 import read_table
from core.diagnoses import NAMES
from core.teaching.case_sets.sources import choose_cases
from core.teaching.rooms import door as rooms
from core.teaching.rooms.lead import delete_room, end_room, step_on
from core.teaching.rooms.look import look
from core.teaching.rooms.steps import PLAIN_LESSON
from core.teaching.store.database import open_store

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]


class Line:
    """A phone's way to the server, on a port of its own, which can swallow all that is sent."""

    def __init__(self, server: str):
        self._to, self._lines, self._swallows = int(server.rsplit(":", 1)[1]), set(), False
        self._loop, ready = asyncio.new_event_loop(), threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(60)
        self.address = f"http://localhost:{self._port}"

    def swallow(self) -> None:
        self._swallows = True

    def wake(self) -> None:
        """All that was open is gone, and what is opened now works."""
        self._loop.call_soon_threadsafe(self._break_off)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(asyncio.start_server(self._carry, "127.0.0.1", 0))
        self._port = self._server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()

    async def _end(self) -> None:
        self._server.close()
        self._break_off()
        if rest := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(rest, timeout=30)
        await asyncio.sleep(0.1)  # transports close their sockets in the loop's next turns

    def _break_off(self) -> None:
        for line in self._lines:
            line.transport.abort()
        self._lines.clear()
        self._swallows = False

    async def _carry(self, phone, to_phone) -> None:
        server, to_server = await asyncio.open_connection("localhost", self._to)
        self._lines |= {to_phone, to_server}
        await asyncio.gather(self._pass_on(phone, to_server), self._pass_on(server, to_phone))

    async def _pass_on(self, source, target) -> None:
        try:
            while sent := await source.read(65536):
                if not self._swallows:
                    target.write(sent)
                    await target.drain()
        except OSError:
            pass
        finally:
            target.close()


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return draw_ham10000(tmp_path_factory.mktemp("faults") / "ham10000", size=(600, 450))


@pytest.fixture(scope="module")
def class_server(tmp_path_factory, photos, drawn_bundle_folder):
    with ClassServer(tmp_path_factory.mktemp("server"), photos, drawn_bundle_folder.parent) as server:
        yield server


@pytest.fixture
def store(class_server):
    opened = open_store(class_server.database)
    yield opened
    opened.close()


@pytest.fixture
def room(store, photos):
    table = read_table(photos)
    cases = choose_cases(table, table.drop_duplicates("lesion_id").image_id[:3], "Three drawn cases")
    return rooms.open_room(store, cases, {}, steps=PLAIN_LESSON)


@pytest.fixture
def line(class_server):
    opened = Line(class_server.address)
    yield opened
    opened.close()


def on(store, room, times=1) -> None:
    for _ in range(times):
        step_on(store, room.code, room.secret)


def test_a_vote_that_its_phones_network_swallowed_is_told_to_be_missing(visit, line, store, room):
    phone = visit(f"{line.address}/?room={room.code}", NARROW)
    join(phone, "Ada")
    on(store, room, 2)
    phone.get_by_role("radiogroup").get_by_text(NAMES["mel"], exact=True).click()
    send = phone.get_by_role("button", name="Send", exact=True).element_handle()
    line.swallow()
    send.evaluate("e => e.click()")  # at once: a phone that nobody answers soon takes no click
    phone.wait_for_timeout(1500)  # the phone has sent it
    on(store, room)
    line.wake()
    phone.get_by_text("No answer of yours came in time.").wait_for()
    check_accessible(phone)
    check_no_errors(phone)
    assert not look(store, room.code, room.secret).tally[1]
    on(store, room, 5)
    phone.get_by_text("case 2 of 3 · Vote").wait_for()
    answer(phone, "nv")
    phone.get_by_text("It is kept.").wait_for()
    assert look(store, room.code, room.secret).tally[1] == {"nv": 1}


def test_the_back_button_in_a_vote_leads_back_to_it(visit, class_server, store, room):
    phone = visit(class_server.address, NARROW)
    phone.get_by_role("textbox", name="Code").fill(room.code.lower())
    phone.get_by_role("button", name="Go on").click()
    join(phone, "Ada")
    on(store, room, 2)
    phone.get_by_role("radiogroup").get_by_text(NAMES["mel"], exact=True).click()
    phone.go_back()
    phone.get_by_role("button", name=f"Back to room {room.code}").click()
    phone.get_by_role("button", name="Send", exact=True).wait_for()
    answer(phone, "mel")
    phone.get_by_text("It is kept.").wait_for()
    again = another_window(phone, f"{class_server.address}/?room={room.code}")
    again.get_by_text("It is kept.").wait_for()
    assert look(store, room.code, room.secret).nicknames == ("Ada",)


def test_a_room_that_ends_and_goes_in_a_vote_is_a_sentence_each(visit, class_server, store, room):
    phone = visit(f"{class_server.address}/?room={room.code}", NARROW)
    join(phone, "<b>👩\u200d⚕️</b>")
    on(store, room, 2)
    phone.get_by_role("button", name="Send", exact=True).wait_for()
    end_room(store, room.code, room.secret)
    phone.get_by_text("the lesson is over").wait_for()
    phone.get_by_text("No answer of yours came in time.").wait_for()
    delete_room(store, room.code, room.secret)
    phone.reload()
    phone.get_by_text(f"There is no room '{room.code}'").wait_for()
    check_no_errors(phone)
