"""Every page by axe-core, light and dark, wide and narrow: no serious or critical fault; and the keyboard goes as the eye does."""

import re

import pytest
from test_journeys import NARROW, WIDE, wait_until_idle

from core.webapp.shared.frame import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

GRAVE = ("serious", "critical")
# Sections that a page opens by its address, beside the first of each.
SECTIONS = (
    "evaluation?section=Confusion",
    "evaluation?section=Curves",
    "evaluation?section=Subgroups",
    "melanoma_nevus?view=Failures",
    "melanoma_nevus?view=Hard+pairs",
    "melanoma_nevus?view=Black-nevus+lab",
    "teach?section=Quiz",
    "teach?section=Reader+study",
    "teach?section=Case+sets",
)
LOOKS = [
    pytest.param(WIDE, "light", id="wide light"),
    pytest.param(NARROW, "dark", id="narrow dark"),
    pytest.param(WIDE, "dark", id="wide dark"),
    pytest.param(NARROW, "light", id="narrow light"),
]


def addresses() -> list[str]:
    pages = ["" if path == "app.py" else path.removeprefix("pages/").removesuffix(".py") for path, *_ in PAGES]
    return [*pages, *SECTIONS]


def grave_faults(page) -> list[str]:
    """What axe-core finds, a line a place."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    found = axe.run(page).response["violations"]
    return [
        f"{one['id']}: {' '.join(node['target'][0] if isinstance(node['target'][0], str) else node['target'][0])} "
        f"{node['html'][:160]} {(node['any'] or node['all'] or node['none'])[0]['message'][:160]}"
        for one in found
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]


def settle(page):
    wait_until_idle(page)
    page.wait_for_function("() => !document.querySelector('[data-testid=stSpinner], [data-stale=true]')")
    page.wait_for_timeout(600)  # charts draw themselves, and colours fade in


@pytest.mark.parametrize(("viewport", "scheme"), LOOKS)
def test_no_page_has_a_serious_fault(visit, evaluated, viewport, scheme):
    page = visit(evaluated, viewport, color_scheme=scheme)
    faults = []
    for address in addresses():
        page.goto(f"{evaluated}/{address}")
        page.locator(".stMainBlockContainer h1").wait_for()
        settle(page)
        faults += [f"{address or 'home'}: {fault}" for fault in grave_faults(page)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(("viewport", "scheme"), LOOKS[:2])
def test_the_answer_has_no_serious_fault(visit, server, viewport, scheme):
    page = visit(server, viewport, color_scheme=scheme)
    page.get_by_test_id("stButtonGroup").get_by_text("Drawn example", exact=True).click()
    page.get_by_text("All seven diagnoses").wait_for()
    settle(page)
    faults = grave_faults(page)
    assert not faults, "\n".join(faults)


def test_on_a_phone_the_keyboard_comes_to_the_cases_before_the_controls(visit, evaluated):
    page = visit(f"{evaluated}/melanoma_nevus?view=Failures", NARROW)
    page.get_by_role("link", name=re.compile("^ISIC_")).first.wait_for()
    settle(page)
    if not page.evaluate("() => CSS.supports('reading-flow', 'flex-visual')"):
        pytest.skip("needs a browser that knows reading-flow")
    # A page that is drawn anew while the keyboard walks takes the focus away: then it walks again.
    assert "case" in [first_of_both(page) for _ in range(3)]


def first_of_both(page) -> str:
    """What Tab comes to first from the title: a case, or the controls."""
    page.locator(".stMainBlockContainer h1").click()
    for _ in range(80):
        page.keyboard.press("Tab")
        place = page.evaluate(
            "() => { const e = document.activeElement; return e.closest('.st-key-choice') ? 'choice' : "
            "/^ISIC_/.test(e.textContent) && e.tagName === 'A' ? 'case' : '' }"
        )
        if place:
            return place
    return ""
