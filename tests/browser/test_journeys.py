"""The app in a real browser: from upload to overlay, on wide and narrow screens, from cold links, and with bad input."""

import io
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from core.data.drawn import draw_lesion
from core.diagnoses import CODES, NAMES
from core.webapp.shared.frame import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
expect = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip install -e .[test])").expect
expect.set_options(timeout=60_000)  # a page is drawn by the server, and that can be busy

WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
SIZE = (300, 200)  # of the drawn photo: not square, so that the network sees a part of it


@pytest.fixture(scope="module")
def photo() -> bytes:
    file = io.BytesIO()
    Image.fromarray(draw_lesion("mel", SIZE)[0]).save(file, "PNG")
    return file.getvalue()


def upload(page, content: bytes, name: str = "lesion.png", kind: str = "image/png"):
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": kind, "buffer": content})


def wait_for_reading(page):
    page.get_by_text("All seven diagnoses").wait_for()
    page.get_by_text("mattered most").wait_for()
    wait_until_idle(page)


def picture(page, alt: str) -> str:
    """The address of a picture, which Streamlit makes from its content."""
    return page.get_by_role("img", name=alt).get_attribute("src")


def choose(page, label: str, option: str):
    box = page.get_by_role("combobox", name=re.compile(label))
    # A list that opens while the page still scrolls to it closes again.
    box.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box.click()
    page.get_by_role("option", name=option, exact=True).click()


def box_of(locator) -> dict:
    """Where an element is, once it stands still: a page that is drawn anew takes it away for a moment."""
    seen = None
    for _ in range(300):
        now = locator.bounding_box()
        if now is not None and now == seen:
            return now
        seen = now
        locator.page.wait_for_timeout(100)
    raise AssertionError(f"{locator} never stands still; last at {seen}")


def wait_until_idle(page):
    """Until the server has drawn all that the last change asked for."""
    page.wait_for_function("() => document.querySelector('.stApp').dataset.testScriptState === 'notRunning'")


def check_no_errors(page):
    assert page.get_by_test_id("stException").count() == 0
    assert page.get_by_text("Traceback").count() == 0


def check_fits(page):
    """Nothing sticks out sideways."""
    width = page.evaluate("() => document.documentElement.scrollWidth")
    main = page.evaluate("() => { const m = document.querySelector('.stMain'); return m.scrollWidth - m.clientWidth }")
    assert width <= page.viewport_size["width"] and main <= 0


def test_from_upload_to_overlay(visit, server, photo, scratch):
    page = visit(server, WIDE)
    page.get_by_text("What you will see").wait_for()
    upload(page, photo)
    wait_for_reading(page)
    page.get_by_label("Age in years").fill("70")
    page.get_by_label("Age in years").press("Enter")
    choose(page, "Sex", "female")
    choose(page, "Body site", "back")

    # The answer: seven bars, each with its full name.
    chart = page.locator(".st-key-differential")
    for name in NAMES.values():
        chart.get_by_text(name).first.wait_for()
    page.get_by_text("Malignant or pre-malignant").first.wait_for()

    # Photo, answer and map on one screen.
    for shown in (
        page.get_by_role("img", name="The photo as it was given").first,
        page.get_by_role("img", name="Grad-CAM for"),
        page.get_by_role("heading", level=3).nth(1),
    ):
        box = box_of(shown)
        assert box["y"] >= 0 and box["y"] + box["height"] <= WIDE["height"]

    # Another class, at once.
    before = picture(page, "Grad-CAM for")
    top = page.get_by_role("heading", level=3).first.inner_text().split(" · ")[0]
    page.get_by_role("button", name="Which map").click()
    other = next(NAMES[code] for code in CODES if NAMES[code] != top)
    choose(page, "Explain the diagnosis", other)
    page.get_by_role("img", name=f"Grad-CAM for {other}").wait_for()
    assert picture(page, "Grad-CAM for") != before
    page.keyboard.press("Escape")
    wait_until_idle(page)
    check_viewer(page, other)

    # Downloads: of the photo's own size, and of what is shown.
    page.get_by_role("button", name="Downloads").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Reading as JSON").click()
    reading = json.loads(download.value.path().read_text())
    assert reading["facts"] == {"age": 70.0, "sex": "female", "site": "back"}
    assert (
        NAMES[reading["target"]] == other
        and NAMES[reading["top"]] == page.get_by_role("heading", level=3).first.inner_text().split(" · ")[0]
    )
    assert list(reading["probabilities"]) == list(CODES) and sum(reading["probabilities"].values()) == pytest.approx(1)
    with page.expect_download() as download:
        page.get_by_role("button", name="Grad-CAM as PNG").click()
    overlay = Image.open(download.value.path())
    assert overlay.size == SIZE and not overlay.info.get("exif")

    check_no_errors(page)
    check_fits(page)
    kept = [p for p in scratch.rglob("*") if p.is_file() and p.read_bytes()[:8] == photo[:8]]
    assert not kept, "nothing that is uploaded is kept on disk"


def check_viewer(page, name: str):
    """By keyboard and mouse: zoom, wipe, side by side, photo alone, contours, strength."""
    stage = page.get_by_role("group", name="Photo and maps")
    stage.focus()
    for _ in range(3):
        stage.press("+")
    expect(stage).to_have_attribute("data-zoomed", "true")
    world = stage.locator(".world").first
    before = world.get_attribute("style")
    stage.press("ArrowRight")
    expect(world).not_to_have_attribute("style", before)
    stage.press("0")
    expect(stage).to_have_attribute("data-zoomed", "false")
    box = box_of(stage)
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 3)
    page.wait_for_timeout(500)
    page.mouse.wheel(0, -240)
    page.wait_for_function("e => e.dataset.zoomed === 'true'", arg=stage.element_handle())
    stage.press("0")
    stage.press("v")
    expect(stage).to_have_attribute("data-view", "wipe")
    wipe = page.get_by_role("slider", name="Wipe")
    wipe.focus()
    wipe.press("ArrowRight")
    expect(wipe).to_have_attribute("aria-valuenow", "55")
    page.get_by_role("button", name="Side by side").click()
    expect(stage.locator(".pane:visible")).to_have_count(2)
    page.get_by_role("button", name="Over", exact=True).click()
    page.get_by_label("Contours").check()
    contours = picture(page, f"Grad-CAM for {name}")
    page.get_by_label("Contours").uncheck()
    assert picture(page, f"Grad-CAM for {name}") != contours
    page.get_by_role("button", name="Photo", exact=True).click()
    expect(page.get_by_role("img", name=f"Grad-CAM for {name}")).to_have_count(0)
    stage.focus()
    stage.press("m")
    page.get_by_role("img", name="soft attention").wait_for()
    page.get_by_role("button", name="Grad-CAM", exact=True).first.click()


def test_the_photo_comes_along_to_compare_and_all_fits_a_phone(visit, server, photo):
    page = visit(server, NARROW)
    upload(page, photo)
    wait_for_reading(page)
    check_fits(page)
    # After an upload the page goes to photo and answer: both lines of the answer are on the first screen, and the rest below them.
    page.wait_for_function("() => document.querySelector('.stMain').scrollTop > 100")
    wait_until_idle(page)
    # What is above it may change for a moment yet.
    page.wait_for_function("() => document.querySelector('.st-key-case').getBoundingClientRect().top >= 0")
    answer = box_of(page.locator(".st-key-answer"))
    photo_box = box_of(page.get_by_role("img", name="The photo as it was given").first)
    assert photo_box["y"] >= 0 and photo_box["y"] + photo_box["height"] <= answer["y"]
    assert answer["y"] + answer["height"] <= NARROW["height"]
    for later in ("Which map", "Frame the lesion"):
        assert box_of(page.get_by_role("button", name=later))["y"] > answer["y"] + answer["height"]
    # What the photo's place has no room for is a tap away.
    expect(page.get_by_role("button", name="Side by side")).not_to_be_visible()
    page.get_by_role("button", name="More ways of looking").click()
    page.get_by_role("button", name="Side by side").click()
    check_fits(page)
    page.get_by_role("link", name="Compare backbones").click()
    page.get_by_text("Where each network looked").wait_for()
    page.get_by_text("mattered most").wait_for()
    check_fits(page)
    check_no_errors(page)
    page.get_by_role("link", name="Models").click()
    page.get_by_text("Random weights, for tests only.").wait_for()
    check_fits(page)
    check_no_errors(page)


# Each starts a server: a page that reads and one that draws are looked at on every run, the others when there is time.
SOON = ("app.py", "pages/evaluation.py")


@pytest.mark.parametrize(
    "path", [path if path in SOON else pytest.param(path, marks=pytest.mark.slow) for path, *_ in PAGES]
)
def test_a_direct_link_works_on_a_cold_server(visit, cold_server, path):
    page = visit(f"{cold_server}/{'' if path == 'app.py' else Path(path).stem}")
    page.get_by_role("heading", level=1).wait_for()
    page.get_by_text("For research and teaching").first.wait_for()
    for _, label, _ in PAGES:
        page.get_by_role("link", name=label).wait_for()
    wait_until_idle(page)
    check_no_errors(page)
    check_fits(page)


def test_a_bad_upload_gets_a_sentence_and_a_good_one_follows(visit, server, photo):
    page = visit(server)
    upload(page, b"this is text\n" * 40, "renamed.jpg", "image/jpeg")
    page.get_by_text("renamed.jpg is text, not a photo").wait_for()
    check_no_errors(page)
    upload(page, photo)
    wait_for_reading(page)
    # No name is refused by the browser alone, which would leave the answer to the photo before.
    upload(page, b"a list", "notes.txt", "text/plain")
    page.get_by_text("notes.txt is text, not a photo").wait_for()
    page.get_by_text("All seven diagnoses").wait_for(state="hidden")
    upload(page, photo)
    wait_for_reading(page)
    expect(page.get_by_text("renamed.jpg is text")).to_have_count(0)
    page.get_by_label("Age in years").fill("150")
    page.get_by_label("Age in years").press("Enter")
    page.get_by_text("Age 150 is not possible").wait_for()
    check_no_errors(page)
    page.get_by_label("Age in years").fill("50")
    page.get_by_label("Age in years").press("Enter")
    page.get_by_text("Age 150 is not possible").wait_for(state="hidden")
    wait_for_reading(page)


def test_all_can_be_reached_by_keyboard(visit, server):
    page = visit(server)
    page.get_by_text("What you will see").wait_for()
    page.get_by_role("combobox", name=re.compile("Network")).wait_for()
    reached = ""
    for _ in range(40):
        page.keyboard.press("Tab")
        reached += page.evaluate(
            "() => { const e = document.activeElement; return `${e.getAttribute('aria-label') || ''} ${e.innerText || ''}\\n` }"
        )
    for name in (
        "Read a lesion",
        "Compare backbones",
        "Models",
        "Drawn example",
        "Upload",
        "Network",
        "come from",
    ):
        assert name in reached


def test_no_request_leaves_the_machine_and_no_name_becomes_a_link(visit, server):
    page, asked = visit(server), []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.locator("input[type=file]").wait_for(state="attached")
    upload(page, b"no photo", "see www.evil.example and me@evil.example.png")
    said = page.get_by_role("alert").filter(has_text="evil.example")
    said.wait_for()
    wait_until_idle(page)
    assert page.locator("a[href*=evil]").count() == 0
    icon = page.locator("link[rel~=icon]").first.get_attribute("href")
    outside = {url for url in [*asked, icon] if not re.match(r"(https?|wss?)://localhost[:/]|data:|blob:|/|\./", url)}
    assert asked and not outside
