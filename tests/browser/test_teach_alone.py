"""Quiz and reader study in a real browser, from start to end: at each state no serious fault, and nothing sticks out."""

import re

import pytest
from made_up_classroom import KEY, ClassServer, check_accessible
from test_journeys import NARROW, WIDE, check_fits, check_no_errors, choose, wait_until_idle

from core.data.drawn import draw_ham10000
from core.data.ham10000 import read_table
from core.diagnoses import NAMES
from core.teaching.case_sets.file import write_case_set
from core.teaching.case_sets.sources import choose_cases

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return draw_ham10000(tmp_path_factory.mktemp("alone") / "ham10000", size=(600, 450))


@pytest.fixture(scope="module")
def pairs(photos):
    """Two melanomas and two nevi, in turn."""
    table = read_table(photos).drop_duplicates("lesion_id")
    ids = [
        i for pair in zip(*(table[table.dx == code].image_id[:2] for code in ("mel", "nv")), strict=True) for i in pair
    ]
    return choose_cases(table, ids, "Two pairs")


@pytest.fixture(scope="module")
def class_server(tmp_path_factory, photos, drawn_bundle_folder):
    with ClassServer(tmp_path_factory.mktemp("server"), photos, drawn_bundle_folder.parent) as server:
        yield server


@pytest.fixture
def check(tmp_path):
    """A function that looks at a page in every width and scheme."""

    def check_looks(page, name: str) -> None:
        wait_until_idle(page)
        before = page.viewport_size
        for viewport in (WIDE, NARROW):
            page.set_viewport_size(viewport)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.wait_for_timeout(800)  # charts draw themselves anew, and colours fade
                check_accessible(page)
                check_fits(page)
                page.screenshot(path=tmp_path / f"{name}-{viewport['width']}-{scheme}.png", full_page=True)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(before)
        check_no_errors(page)

    return check_looks


def take_set(page, cases) -> None:
    page.get_by_text("A set from a file").click()
    page.locator(".stFileUploader input[type=file]").first.set_input_files(
        {"name": "pairs.cases.json", "mimeType": "application/json", "buffer": write_case_set(cases)}
    )
    page.get_by_text(f"Photos: all {len(cases)} are here").wait_for()
    wait_until_idle(page)


def diagnose(page, code: str, button: str) -> None:
    page.get_by_role("radiogroup", name="Your diagnosis").get_by_text(NAMES[code], exact=True).click()
    page.get_by_role("button", name=button, exact=True).click()


def test_a_quiz_from_start_to_result(visit, class_server, pairs, check):
    page = visit(f"{class_server.address}/?section=Quiz#key={KEY}", WIDE)
    page.get_by_role("textbox", name="Nickname").wait_for()
    take_set(page, pairs)
    page.get_by_role("textbox", name="Nickname").fill("Ada")
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("heading", name="A new quiz").wait_for()
    check(page, "quiz-begin")
    page.get_by_role("button", name="Start").click()
    for number, case in enumerate(pairs.cases, 1):
        page.get_by_text(f"case {number} of {len(pairs)}").wait_for()
        page.get_by_role("button", name="Answer", exact=True).wait_for()
        if number == 1:
            check(page, "quiz-question")
            assert "The network:" not in page.locator(".stMain").inner_text()
        diagnose(page, "nv", "Answer")
        page.get_by_role("heading", name=re.compile("The network:")).wait_for()
        if number == 1:
            check(page, "quiz-network")
            assert f"{NAMES[case.truth]}, by" not in page.locator(".stMain").inner_text()
        diagnose(page, "mel", "Answer again")
        page.get_by_text(f"{NAMES[case.truth]}, by").wait_for()
        if number == 1:
            page.get_by_role("img", name="The network's map").wait_for()
            check(page, "quiz-truth")
        page.get_by_role("button", name="Results" if number == len(pairs) else "Next case").click()
    page.get_by_role("heading", name="What came of it").wait_for()
    check(page, "quiz-result")
    page.get_by_role("button", name="Back to all quizzes").click()
    page.get_by_role("heading", name="You so far").wait_for()
    check(page, "quiz-learner")


def test_a_reader_study_from_start_to_analysis(visit, class_server, pairs, check):
    leader = visit(f"{class_server.address}/?section=Reader+study#key={KEY}", WIDE)
    leader.get_by_role("heading", name="Open a study").wait_for()
    take_set(leader, pairs)
    choose(leader, "Order", "sequential")
    wait_until_idle(leader)
    check(leader, "study-open")
    leader.get_by_role("button", name="Open the study").click()
    leader.get_by_role("heading", name=re.compile("^Study ")).wait_for()
    leader.wait_for_function("() => location.search.includes('lead=')")
    code = re.search(r"lead=(\w+)", leader.url).group(1)
    places = 2 * len(pairs)
    for nickname, viewport, wrong in (("Ada", NARROW, 2), ("Bo", WIDE, 5)):
        reader = visit(f"{class_server.address}/?study={code}", viewport)
        reader.get_by_role("textbox", name="Nickname").fill(nickname)
        if nickname == "Ada":
            check(reader, "study-join")
        reader.get_by_test_id("stCheckbox").locator("label").click()
        reader.get_by_role("button", name="Join the study").click()
        for place in range(1, places + 1):
            reader.get_by_text(f"Reading {place} of {places}").wait_for()
            wait_until_idle(reader)
            if nickname == "Ada" and place <= 2:
                check(reader, f"study-reading-{place}")
            diagnose(reader, "mel" if place in (wrong, wrong + 1) else "nv", "Send and go on")
        reader.get_by_text("readings are done").wait_for()
        if nickname == "Ada":
            check(reader, "study-done")
    leader.reload()
    leader.get_by_role("heading", name="Analysis").wait_for()
    check(leader, "study-analysis")
