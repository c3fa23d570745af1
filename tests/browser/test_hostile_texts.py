"""Texts that somebody else wrote (a model's card, its folder's name, a photo's name, a label) are shown as text, and run nothing."""

import io
import json
import shutil

import pytest
from PIL import Image
from test_journeys import check_no_errors, upload, wait_for_reading, wait_until_idle

from core.data.drawn import draw_lesion

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

# As an element, as an end of what stands around it, and as Markdown.
HOSTILE = (
    "x<img src=x onerror='window.ran=1'></style></title><script>window.ran=1</script>[go](javascript:window.ran=1)"
)
# What a file system and the shelf take as a name.
NAME = "<img src=x onerror='window.ran=1'>"


@pytest.fixture(scope="module")
def hostile_server(tmp_path_factory, drawn_bundle_folder, serve):
    root = tmp_path_factory.mktemp("hostile")
    folder = shutil.copytree(drawn_bundle_folder, root / "shelf" / NAME)
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    card |= {"name": NAME, "licence": HOSTILE, "pretraining": HOSTILE, "limits": [HOSTILE], "created": HOSTILE}
    card["data"] |= {"name": HOSTILE}
    card["recipe"] |= {"name": HOSTILE, "about": HOSTILE, "notes": [HOSTILE]}
    card["speed"] = {"forward_ms": 1.0, "device": HOSTILE}
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    with serve(root / "shelf", root / "tmp") as address:
        yield address


def check_nothing_ran(page):
    check_no_errors(page)
    assert page.evaluate("() => window.ran") is None
    assert page.locator("img[src=x], [onerror], a[href^='javascript']").count() == 0


def test_a_hostile_card_photo_and_label_are_shown_as_text(visit, hostile_server):
    file = io.BytesIO()
    Image.fromarray(draw_lesion("mel", (120, 90))[0]).save(file, "PNG")
    page = visit(hostile_server)
    page.locator("input[type=file]").wait_for(state="attached")
    upload(page, b"no photo", f"{NAME}.png")
    page.get_by_role("alert").filter(has_text="onerror").wait_for()
    check_nothing_ran(page)
    upload(page, file.getvalue(), f"{NAME}.png")
    wait_for_reading(page)
    check_nothing_ran(page)
    page.get_by_role("link", name="This session").click()
    label = page.get_by_label("Label").first
    label.fill(HOSTILE[:60])
    label.press("Enter")
    page.wait_for_timeout(1000)
    wait_until_idle(page)
    check_nothing_ran(page)
    page.get_by_role("link", name="Models").click()
    page.get_by_text("Random weights, for tests only.").or_(page.get_by_text("onerror").first).first.wait_for()
    wait_until_idle(page)
    check_nothing_ran(page)
