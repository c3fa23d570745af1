"""A reader study on its pages: from the protocol over two readers, one of whom stops and goes on, to the analysis and the data."""

import pytest
from made_up_teaching import make_advice
from teach_pages import address, choose_set, press, words

from core.diagnoses import NAMES
from core.webapp.teach.asking import the_store


@pytest.fixture
def leader(teacher, lesion_pair, monkeypatch):
    """The page of a leader who has opened a sequential study, and its code."""
    advice = {case.id: make_advice(case.truth) for case in lesion_pair.cases}
    monkeypatch.setattr("core.webapp.teach.study.lead.gather_advice", lambda cases, name, shelf: advice)
    page = teacher(own=lesion_pair, section="Reader study")
    choose_set(page, "study", lesion_pair)
    next(box for box in page.selectbox if box.label == "Order").set_value("sequential")
    page.run()
    press(page, "Open the study")
    return page, address(page, "lead")


def join(window, code, number, nickname):
    page = window({"phone": str(number) * 48}, study=code)
    assert not page.radio, "no case before one has joined"
    page.text_input[0].input(nickname)
    page.checkbox[0].check()
    return press(page, "Join the study")


def read_on(page, truths, wrong=()):
    """Answers the reading that is shown: the truth, but for the places in `wrong`."""
    text = words(page)
    place = int(text.split("Reading **")[1].split(" ")[0])
    advised = next((code for code in ("mel", "nv") if f"The network: {NAMES[code]}" in text), None)
    page.radio[0].set_value(advised if advised and place not in wrong else "nv")
    page.slider[0].set_value(60 + place)
    return press(page, "Send and go on")


def test_a_study_from_protocol_to_analysis_with_a_break_in_the_middle(window, teacher, leader, lesion_pair):
    page, code = leader
    of = 2 * len(lesion_pair)
    readers = {1: "Ada", 2: "Bo"}
    for number, nickname in readers.items():
        reader = join(window, code, number, nickname)
        for place in range(of):
            assert f"Reading **{place + 1} of {of}**" in words(reader)
            assert not [c for c in lesion_pair.cases if c.id[-7:] in words(reader)] and "**, by" not in words(reader)
            if number == 1 and place == 3:
                reader = window({"phone": "1" * 48}, study=code)  # another day
                assert f"Reading **4 of {of}**" in words(reader)
            read_on(reader, lesion_pair, wrong=(4,) if number == 2 else ())
        assert f"All {of} readings are done" in words(reader)
    home = teacher(page.session_state["kept in the browser"], section="Reader study", lead=code)
    text = words(home)
    assert "Analysis" in text and "Area under the ROC, *without AI*" in text, text
    assert "Obuchowski and Rockette's test" in text and "2 readers" in text
    labels = [button.proto.label for button in home.get("download_button")]
    assert {"Readings as CSV (ISIC columns)", "Ratings for iMRMC"} <= set(labels)
    assert not home.exception


def test_a_reader_without_consent_does_not_begin(window, leader):
    _, code = leader
    page = window({"phone": "3" * 48}, study=code)
    page.text_input[0].input("Cy")
    press(page, "Join the study")
    assert page.error and not page.radio


def test_a_study_that_is_deleted_meanwhile_is_a_sentence(window, teacher, leader):
    from core.teaching.studies.study import delete_study

    page, code = leader
    reader = join(window, code, 1, "Ada")
    delete_study(the_store(), code, page.session_state["kept in the browser"][f"leader {code}"])
    reader.run()
    assert reader.error and not reader.exception
    home = teacher(page.session_state["kept in the browser"], section="Reader study", lead=code)
    assert home.error and not home.exception


def test_a_protocol_that_is_none_is_a_sentence(teacher):
    page = teacher(section="Reader study")
    page.button_group(key="protocol how").set_value("Protocol file")
    page.run()
    page.file_uploader(key="protocol file").upload("mine.json", b'{"format": "recipe"}', "application/json")
    page.run()
    assert page.error and not page.exception
    assert "Open the study" not in [button.label for button in page.button]
