"""A class in real browsers: a teacher, a wall and three phones at once; a phone drops out, the server is killed, nothing is lost."""

import re

import pytest
from made_up_classroom import KEY, ClassServer, check_accessible
from test_journeys import NARROW, WIDE, check_fits, check_no_errors, wait_until_idle

from core.data.drawn import draw_ham10000
from core.data.ham10000 import read_table
from core.diagnoses import NAMES
from core.teaching.case_sets.file import write_case_set
from core.teaching.case_sets.sources import choose_cases
from core.teaching.rooms import door as rooms
from core.teaching.rooms.lead import step_on
from core.teaching.rooms.steps import PLAIN_LESSON
from core.teaching.store.database import open_store

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

STUDENTS = ("Ada", "Bo", "Cy")
WAITS = 200  # seconds, at most, on a busy machine


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return draw_ham10000(tmp_path_factory.mktemp("class") / "ham10000", size=(600, 450))


@pytest.fixture(scope="module")
def cases(photos):
    table = read_table(photos)
    why = dict.fromkeys(table.image_id, "Chosen for the blue veil.")
    ids = table[table.dx.isin(["mel", "nv"])].drop_duplicates("lesion_id").image_id[:3]
    return choose_cases(table, ids, "Three drawn cases", why=why)


@pytest.fixture
def class_server(tmp_path, photos, drawn_bundle_folder):
    with ClassServer(tmp_path, photos, drawn_bundle_folder.parent) as server:
        yield server


def another_window(page, address: str):
    """A window of the same browser, which keeps what the first one keeps."""
    window = page.context.new_page()
    window.set_default_timeout(WAITS * 1000)
    window.goto(address)
    return window


def words(page) -> str:
    return page.locator(".stMain").inner_text()


def open_room(teacher, cases) -> str:
    """Opens a room with a set from a file; returns its code."""
    teacher.get_by_role("heading", name="Open a room").wait_for()
    teacher.get_by_text("A set from a file").click()
    teacher.locator(".stFileUploader input[type=file]").first.set_input_files(
        {"name": "three.cases.json", "mimeType": "application/json", "buffer": write_case_set(cases)}
    )
    teacher.get_by_text(f"Photos: all {len(cases)} are here").wait_for()
    wait_until_idle(teacher)
    check_accessible(teacher)
    teacher.get_by_role("button", name="Open the room").click()
    teacher.get_by_role("heading", name=re.compile("Room .*Three drawn cases")).wait_for()
    teacher.wait_for_function("() => location.search.includes('desk=')")
    return re.search(r"desk=(\w+)", teacher.url).group(1)


def join(phone, nickname: str) -> None:
    phone.get_by_role("textbox", name="Nickname").fill(nickname)
    phone.get_by_role("button", name="Join").click()
    phone.get_by_text("case 1 of 3").wait_for()


def answer(phone, code: str, button: str = "Send") -> None:
    phone.get_by_role("radiogroup").get_by_text(NAMES[code], exact=True).click()
    phone.get_by_role("button", name=button, exact=True).click()


def click_next(wall, heading):
    wall.get_by_role("button", name="Next").click()
    wall.get_by_role("heading", name=heading).wait_for()
    wait_until_idle(wall)


@pytest.mark.parametrize("scheme", ["light"])
def test_a_lesson_with_a_phone_that_drops_out_and_a_server_that_is_killed(visit, class_server, cases, tmp_path, scheme):
    truth = cases.cases[0].truth
    told = f"{NAMES[truth]}, by"
    teacher = visit(f"{class_server.address}/#key={KEY}", WIDE, color_scheme=scheme)
    code = open_room(teacher, cases)
    assert "key" not in teacher.url, "what leads the server does not stay in the address that a wall may show"
    wall = another_window(teacher, f"{class_server.address}/?wall={code}")
    wall.get_by_role("img", name=re.compile("QR code")).wait_for()
    check_accessible(wall)

    phones = [visit(f"{class_server.address}/?room={code}", NARROW, color_scheme=scheme) for _ in STUDENTS]
    check_accessible(phones[0])
    for phone, nickname in zip(phones, STUDENTS, strict=True):
        join(phone, nickname)
    wall.get_by_text("3 joined").first.wait_for()
    wall.screenshot(path=tmp_path / f"door-{scheme}.png")
    for step in ("Photo", "Patient", "Vote"):
        wall.keyboard.press("ArrowRight")
        wall.get_by_role("heading", name=f"Case 1 of 3 · {step}").wait_for()

    # The first vote: one phone loses its network in the middle, closes, and comes back as the same student.
    for phone in phones:
        phone.get_by_role("button", name="Send", exact=True).wait_for()
    check_accessible(phones[0])
    check_fits(phones[0])
    phones[0].screenshot(path=tmp_path / f"vote-{scheme}.png", full_page=True)
    answer(phones[0], "nv")
    answer(phones[1], "mel")
    phones[2].context.set_offline(True)
    for phone in phones[:2]:
        phone.get_by_text("It is kept.").wait_for()
    wall.get_by_text("2 of 3 have answered").wait_for()
    phones[2].context.set_offline(False)
    gone, phones[2] = phones[2], another_window(phones[2], f"{class_server.address}/?room={code}")
    gone.close()
    phones[2].get_by_role("button", name="Send", exact=True).wait_for()
    answer(phones[2], "nv")
    phones[2].get_by_text("It is kept.").wait_for()
    wall.get_by_text("3 of 3 have answered").wait_for()

    # The server is killed; every page finds it again by itself, and every vote is there.
    class_server.kill()
    class_server.start()
    for page in (wall, teacher, *phones):
        page.bring_to_front()
    for phone in phones:
        phone.get_by_text("It is kept.").wait_for()
        assert told not in words(phone)
    wall.get_by_text("3 of 3 have answered").wait_for()
    for step in ("Network", "Map", "Vote again"):
        click_next(wall, f"Case 1 of 3 · {step}")
    wall.get_by_role("img", name="The network's map").wait_for()
    check_accessible(wall)
    wall.screenshot(path=tmp_path / f"wall-map-{scheme}.png")
    assert told not in words(wall)
    for phone in phones:
        phone.get_by_text("The network:").wait_for()
        answer(phone, "mel", "Send the second answer")
        phone.get_by_text("You said after the network").wait_for()
        assert told not in words(phone) and "The class" not in words(phone)

    wall.get_by_role("button", name="Next").click()
    for page in (wall, *phones):
        page.get_by_text(told).wait_for()
        page.get_by_role("heading", name="The class, after the network").wait_for()
        check_no_errors(page)
    check_accessible(phones[0])
    check_fits(phones[0])
    check_accessible(wall)
    phones[0].screenshot(path=tmp_path / f"truth-{scheme}.png", full_page=True)
    wall.screenshot(path=tmp_path / f"wall-truth-{scheme}.png")

    # The desk leads the room still, though its secret came only after the browser had told the killed server what it keeps.
    teacher.get_by_text("3 of 3").first.wait_for()
    teacher.get_by_text(told).first.wait_for()
    check_accessible(teacher)
    teacher.screenshot(path=tmp_path / f"desk-{scheme}.png", full_page=True)
    teacher.get_by_text("Results", exact=True).click()
    teacher.get_by_role("heading", name="Class against network").wait_for()
    wait_until_idle(teacher)
    assert "3 of 3 students have answered" in words(teacher)
    check_accessible(teacher)
    teacher.screenshot(path=tmp_path / f"results-{scheme}.png", full_page=True)
    teacher.set_viewport_size(NARROW)
    teacher.wait_for_timeout(500)
    check_fits(teacher)
    teacher.screenshot(path=tmp_path / f"results-narrow-{scheme}.png", full_page=True)
    check_no_errors(teacher)


def test_a_phone_whose_server_is_killed_right_after_it_joined_goes_on(visit, class_server, cases):
    store = open_store(class_server.database)
    room = rooms.open_room(store, cases, {}, steps=PLAIN_LESSON)
    phone = visit(f"{class_server.address}/?room={room.code}", NARROW)
    join(phone, "Ada")
    class_server.kill()
    step_on(store, room.code, room.secret)
    class_server.start()
    phone.get_by_text("case 1 of 3 · Patient").wait_for()
    step_on(store, room.code, room.secret)
    phone.get_by_role("button", name="Send", exact=True).wait_for()
    answer(phone, "nv")
    phone.get_by_text("It is kept.").wait_for()
    check_no_errors(phone)
    store.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_other_sections_have_no_serious_fault(visit, class_server, tmp_path, scheme):
    for section, seen in (("Class", "Open a room"), ("Quiz", "Nickname"), ("Reader study", "Open a study")):
        page = visit(
            f"{class_server.address}/?section={section.replace(' ', '+')}#key={KEY}", NARROW, color_scheme=scheme
        )
        page.get_by_text(seen).first.wait_for()
        wait_until_idle(page)
        check_accessible(page)
        check_fits(page)
        check_no_errors(page)
        page.screenshot(path=tmp_path / f"{section}-{scheme}.png", full_page=True)
    sets = visit(f"{class_server.address}/?section=Case+sets#key={KEY}", WIDE, color_scheme=scheme)
    sets.get_by_text("Make a set").first.wait_for()
    wait_until_idle(sets)
    check_accessible(sets)
    entrance = visit(class_server.address, NARROW, color_scheme=scheme)
    entrance.get_by_role("heading", name="Join a class").wait_for()
    check_accessible(entrance)
