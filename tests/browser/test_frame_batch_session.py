"""In a real browser: the lesion is framed, many photos are read, a session is taken along, and the server dies and comes back."""

import io
import os
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import serving
from PIL import Image
from test_journeys import (
    NARROW,
    WIDE,
    box_of,
    check_fits,
    check_no_errors,
    expect,
    upload,
    wait_for_reading,
    wait_until_idle,
)

from core.data.drawn import SKIN, draw_lesion

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
LOOKS = [
    pytest.param(WIDE, "light", id="wide-light"),
    pytest.param(NARROW, "dark", id="narrow-dark", marks=pytest.mark.slow),
]
# Where pictures of the pages go, for whoever wants to look at them.
SEEN = os.environ.get("MELASCOPE_TEST_PICTURES")


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def circle() -> bytes:
    """A drawn lesion, small and off centre in a dermatoscope's circle."""
    photo = np.empty((450, 600, 3), "uint8")
    photo[:] = SKIN
    photo[60:190, 210:340] = draw_lesion("mel", (130, 130))[0]
    y, x = np.mgrid[:450, :600]
    photo[np.hypot(y - 225, x - 300) > 218] = 5
    return png(photo)


@pytest.fixture(scope="module")
def plain() -> bytes:
    return png(draw_lesion("nv", (300, 225))[0])


def look(page, name: str) -> None:
    if SEEN:
        Path(SEEN).mkdir(parents=True, exist_ok=True)
        wait_until_idle(page)
        page.wait_for_timeout(700)
        page.screenshot(path=f"{SEEN}/{name}-{page.viewport_size['width']}.png", full_page=False)


@pytest.mark.parametrize(("viewport", "scheme"), LOOKS)
def test_a_lesion_is_framed_by_button_mouse_and_keys(visit, server, circle, viewport, scheme):
    page = visit(server, viewport, color_scheme=scheme)
    upload(page, circle)
    wait_for_reading(page)
    page.get_by_text("Framed otherwise than training photos.").wait_for()
    assert page.get_by_text("None", exact=True).count() == 0
    look(page, "framing")
    page.get_by_role("button", name="Set the square").click()
    square = page.get_by_role("group", name="The square that is read")
    square.wait_for()
    wait_until_idle(page)
    look(page, "framer")
    told = page.get_by_text("pixels, ").filter(has_text="from the left")
    before = told.inner_text()
    square.focus()
    square.press("ArrowRight")
    square.press("Shift+ArrowDown")
    square.press("+")
    expect(told).not_to_have_text(before)
    square.scroll_into_view_if_needed()
    box = box_of(square)
    moved = told.inner_text()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 - 15, box["y"] + box["height"] / 2 + 10, steps=4)
    page.mouse.up()
    after = box_of(square)
    assert told.inner_text() != moved and abs(after["x"] - box["x"] + 15) < 3 and abs(after["width"] - box["width"]) < 1
    corner = box_of(square.locator("i.se"))
    page.mouse.move(corner["x"] + 8, corner["y"] + 8)
    page.mouse.down()
    page.mouse.move(corner["x"] - 22, corner["y"] - 22, steps=4)
    page.mouse.up()
    assert box_of(square)["width"] < after["width"] - 20
    side = int(re.match(r"(\d+) x", told.inner_text())[1])
    check_fits(page)
    page.get_by_role("button", name="Read this square").click()
    page.get_by_text(f"Read is a square of {side} x {side} pixels").wait_for()
    wait_for_reading(page)
    expect(page.get_by_text("Framed otherwise")).to_have_count(0)
    look(page, "framed")
    page.get_by_role("button", name="Whole photo", exact=True).first.click()
    page.get_by_text("Read is a square").first.wait_for(state="hidden")
    check_no_errors(page)
    check_fits(page)


@pytest.mark.parametrize(("viewport", "scheme"), LOOKS)
def test_many_photos_become_a_table_and_a_case_opens(visit, server, circle, plain, viewport, scheme):
    page = visit(f"{server}/batch", viewport, color_scheme=scheme)
    photos = page.locator("input[type=file]").first
    photos.wait_for(state="attached")
    wait_until_idle(page)
    photos.set_input_files(
        [
            {"name": "circle.png", "mimeType": "image/png", "buffer": circle},
            {"name": "plain.png", "mimeType": "image/png", "buffer": plain},
            {"name": "torn.png", "mimeType": "image/png", "buffer": plain[:500]},
        ]
    )
    page.get_by_role("button", name="Read 3 photos").wait_for()
    page.locator("input[type=file]").nth(1).set_input_files(
        {"name": "facts.csv", "mimeType": "text/csv", "buffer": b"photo;age;sex;site\nplain;31;female;back\n"}
    )
    page.get_by_text("Facts for 1 of 3 photos.").wait_for()
    page.get_by_role("button", name="Read 3 photos").click()
    page.get_by_text("1 not read").wait_for()
    page.get_by_role("button", name="Report as HTML").wait_for()
    page.get_by_test_id("stDataFrame").scroll_into_view_if_needed()
    look(page, "batch")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    text = download.value.path().read_text("utf-8-sig")
    assert text.splitlines()[0].startswith("photo,likeliest,") and "circle.png" in text and "torn.png" in text
    with page.expect_download() as download:
        page.get_by_role("button", name="Report as HTML").click()
    assert "plain.png" in download.value.path().read_text("utf-8")
    check_no_errors(page)
    check_fits(page)
    # A click in the box before the second row opens that photo.
    page.get_by_test_id("stDataFrame").scroll_into_view_if_needed()
    page.wait_for_timeout(800)
    box = box_of(page.get_by_test_id("stDataFrame"))
    page.mouse.click(box["x"] + 16, box["y"] + 36 + 56 + 28)
    page.get_by_text("From the batch.").first.wait_for(state="attached")
    wait_for_reading(page)
    expect(page.get_by_label("Age in years")).to_have_value("31")
    page.get_by_role("link", name="Many photos").click()
    page.get_by_text("1 not read").wait_for()
    check_no_errors(page)


@pytest.mark.parametrize(("viewport", "scheme"), LOOKS)
@pytest.mark.slow
def test_a_session_is_described_exported_and_brought_back(visit, server, plain, viewport, scheme):
    page = visit(server, viewport, color_scheme=scheme)
    upload(page, plain)
    wait_for_reading(page)
    page.get_by_text("Label and note, for this session").click()
    label = page.get_by_label("Label", exact=True)
    label.fill("Round one")
    label.press("Enter")
    wait_until_idle(page)
    page.get_by_role("link", name="This session").click()
    page.get_by_role("button", name="Open this case").wait_for()
    assert page.get_by_label("Label", exact=True).input_value() == "Round one"
    page.get_by_label("Note", exact=True).fill("Seen with a student")
    page.get_by_label("Note", exact=True).press("Tab")
    page.wait_for_timeout(1000)  # until the server has begun: before that it is idle, too
    wait_until_idle(page)
    look(page, "session")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export the session").click()
    file = download.value.path().read_bytes()
    check_fits(page)

    other = visit(f"{server}/session", viewport, color_scheme=scheme)
    other.locator("input[type=file]").wait_for(state="attached")
    wait_until_idle(other)
    other.locator("input[type=file]").set_input_files(
        {"name": "x.zip", "mimeType": "application/zip", "buffer": file[:200]}
    )
    other.get_by_text("is not a whole zip file").wait_for()
    other.locator("input[type=file]").set_input_files(
        {"name": "session.zip", "mimeType": "application/zip", "buffer": file}
    )
    other.get_by_role("button", name="Open this case").wait_for()
    assert other.get_by_label("Note", exact=True).input_value() == "Seen with a student"
    other.get_by_role("button", name="Open this case").click()
    wait_for_reading(other)
    other.get_by_text("the same digits as in the session file").wait_for()
    check_no_errors(other)
    check_fits(other)


@pytest.mark.parametrize(("viewport", "scheme"), LOOKS)
@pytest.mark.slow
def test_a_reload_brings_photo_facts_and_label_back(visit, server, plain, viewport, scheme):
    page = visit(server, viewport, color_scheme=scheme)
    upload(page, plain)
    wait_for_reading(page)
    page.get_by_label("Age in years").fill("61")
    page.get_by_label("Age in years").press("Enter")
    page.wait_for_timeout(1000)  # until the server has begun on it
    wait_until_idle(page)
    said = page.get_by_role("heading", level=3).first.inner_text()
    page.reload()
    wait_for_reading(page)
    expect(page.get_by_label("Age in years")).to_have_value("61")
    expect(page.get_by_role("heading", level=3).first).to_have_text(said, use_inner_text=True)
    expect(page.get_by_text("choose your photo again")).to_have_count(0)
    page.get_by_role("link", name="This session").click()
    page.get_by_role("button", name="Open this case").wait_for()
    stranger = visit(server, viewport)
    stranger.get_by_text("What you will see").wait_for()
    check_no_errors(page)


@pytest.mark.slow
def test_a_killed_server_is_told_in_words_for_everyone_and_what_to_do_when_it_is_back(
    visit, drawn_bundle_folder, plain, tmp_path
):
    with serving(drawn_bundle_folder.parent, tmp_path / "one" / "tmp") as address:
        page = visit(address, NARROW)
        upload(page, plain)
        wait_for_reading(page)
    page.get_by_text("Melascope does not answer").wait_for()
    page.wait_for_timeout(4000)
    look(page, "gone")
    seen = page.evaluate("() => document.body.innerText")
    assert "streamlit run" not in seen.lower() and "yourscript" not in seen.lower()
    with serving(drawn_bundle_folder.parent, tmp_path / "two" / "tmp", port=int(address.rsplit(":", 1)[1])):
        page.get_by_text("choose your photo again").wait_for()
        page.get_by_text("Melascope does not answer").wait_for(state="hidden")
        page.get_by_text("All seven diagnoses").wait_for(state="hidden")
        expect(page.get_by_text("choose your photo again")).to_be_in_viewport()
        look(page, "back")
        upload(page, plain)
        wait_for_reading(page)
        expect(page.get_by_text("choose your photo again")).to_have_count(0)
        check_no_errors(page)
