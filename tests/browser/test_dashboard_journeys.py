"""The dashboards in a real browser, without photos: matrix cell to cases, two models compared; threshold to failures to reading."""

import re

import pytest
from test_journeys import NARROW, box_of, check_fits, check_no_errors, wait_until_idle

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.mark.slow
def test_a_cell_opens_its_cases_and_two_models_compare(visit, evaluated):
    page = visit(f"{evaluated}/evaluation?section=Confusion")
    page.locator(".stPlotlyChart .nsewdrag").first.wait_for()
    wait_until_idle(page)
    box = box_of(page.locator(".stPlotlyChart .nsewdrag").first)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function("() => location.search.includes('true=Dermatofibroma&predicted=Dermatofibroma')")
    wait_until_idle(page)
    page.get_by_text("Compare two", exact=True).click()
    page.get_by_text("McNemar's test, by lesion").wait_for()
    page.wait_for_function("() => location.search.includes('Compare')")
    page.get_by_text("Report", exact=True).click()
    for kind in ("HTML", "PDF"):
        page.get_by_role("button", name=re.compile(rf"Report of .* \({kind}")).wait_for()
    check_no_errors(page)

    phone = visit(f"{evaluated}/evaluation?section=Subgroups", NARROW)
    phone.get_by_text("whiskers: 95 % interval over its lesions").wait_for()
    wait_until_idle(phone)
    check_fits(phone)
    check_no_errors(phone)


@pytest.mark.slow
def test_a_threshold_by_keyboard_leads_to_its_failures_and_to_the_reading_page(visit, evaluated):
    page = visit(f"{evaluated}/melanoma_nevus")
    page.get_by_text("At a threshold of 30.0 %").wait_for()
    slider = page.get_by_role("slider", name=re.compile("Threshold"))
    slider.focus()
    slider.press("ArrowRight")
    page.get_by_text("At a threshold of 30.1 %").wait_for()
    page.wait_for_function("() => location.search.includes('threshold=0.301')")
    page.get_by_text("Failures", exact=True).click()
    page.get_by_text(re.compile("at a threshold of 30.1 %")).first.wait_for()
    page.get_by_role("link", name=re.compile("^ISIC_")).first.wait_for()
    page.wait_for_function("() => location.search.includes('view=Failures')")
    check_no_errors(page)

    # The same link on a phone, and from there to the reading page.
    phone = visit(page.url, NARROW)
    phone.get_by_text(re.compile("at a threshold of 30.1 %")).first.wait_for()
    phone.get_by_text("Nevus called melanoma", exact=True).click()
    phone.get_by_text(re.compile("photos of .*at a threshold of 30.1 %")).first.wait_for()
    check_fits(phone)
    check_no_errors(phone)
    phone.get_by_role("link", name="Read a lesion with a threshold of 30.1 %").click()
    phone.get_by_text("What you will see").wait_for()
    phone.wait_for_function("() => location.search.includes('melanoma-from=0.301')")


@pytest.mark.slow
def test_maps_and_paper_pages_draw(visit, evaluated):
    page = visit(f"{evaluated}/paper")
    page.locator(".stPlotlyChart .main-svg").first.wait_for()
    page.get_by_text("Why honest numbers are lower").wait_for()
    check_fits(page)
    check_no_errors(page)
    page.get_by_role("link", name="Maps").click()
    page.get_by_role("heading", name="Do the maps mean anything?").wait_for()
    page.get_by_text("core measure").first.wait_for()
    check_no_errors(page)
