"""Questioning an answer in a real browser: sections open on demand, the case is kept and replayed."""

import io
import zipfile

import pytest
from PIL import Image
from test_journeys import NARROW, check_fits, check_no_errors, upload, wait_for_reading, wait_until_idle

from core.data.drawn import draw_lesion

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def photo() -> bytes:
    """A photo with EXIF that must not travel."""
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = "Secret Patient"
    Image.fromarray(draw_lesion("mel", (240, 200))[0]).save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.mark.parametrize(
    "viewport", [pytest.param(None, id="wide"), pytest.param(NARROW, id="narrow", marks=pytest.mark.slow)]
)
def test_from_answer_to_question_to_report_to_replay(visit, server, photo, viewport):
    page = visit(server, viewport) if viewport else visit(server)
    upload(page, photo, "Erika Mustermann.jpg", "image/jpeg")
    wait_for_reading(page)
    assert page.get_by_text("Facts withheld").count() == 0, "nothing is drawn before it is looked at"
    page.get_by_text("What if the facts were others").click()
    page.get_by_text("Facts withheld: ").wait_for()
    page.get_by_text("How far to trust it").click()
    page.get_by_text("A jury needs two networks").wait_for()
    page.get_by_text("Your threshold for melanoma").click()
    page.get_by_text("The network orders nothing").wait_for()
    page.get_by_text("Keep the case").click()
    files = {}
    for label in ("Report as HTML", "Report as PDF", "Case bundle to replay"):
        button = page.get_by_role("button", name=label)
        button.wait_for()
        wait_until_idle(page)
        with page.expect_download() as download:
            button.click()
        files[label] = download.value.path().read_bytes()
    assert files["Report as PDF"].startswith(b"%PDF") and b"data:image/jpeg" in files["Report as HTML"]
    case = files["Case bundle to replay"]
    unpacked = b"".join(zipfile.ZipFile(io.BytesIO(case)).read(n) for n in zipfile.ZipFile(io.BytesIO(case)).namelist())
    for content in (*files.values(), unpacked):
        assert b"Secret Patient" not in content and b"Mustermann" not in content
    page.get_by_text("Photo, network and place").click()
    page.get_by_text("Replay a saved case").first.click()
    page.get_by_text("Case bundle (.zip)").wait_for()
    page.locator("input[type=file]").last.set_input_files(
        {"name": "c.zip", "mimeType": "application/zip", "buffer": case}
    )
    page.get_by_text("Replayed: identical to the last bit.").wait_for()
    check_no_errors(page)
    check_fits(page)


def test_the_readers_threshold_comes_along_in_the_address(visit, server, photo):
    page = visit(f"{server}/?melanoma-from=0.001")
    upload(page, photo, "lesion.jpg", "image/jpeg")
    page.get_by_text("at or above your threshold").first.wait_for()
    check_no_errors(page)
