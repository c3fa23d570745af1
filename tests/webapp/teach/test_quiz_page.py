"""A quiz on its page: from start to end, gone on with in the middle, and what was made wrong told at the end."""

import pytest
from made_up_teaching import make_advice
from teach_pages import address, choose_set, press, words

from core.diagnoses import NAMES
from core.teaching.quiz.taking import FAULTY, PLAIN


@pytest.fixture
def quiz(teacher, lesion_pair, monkeypatch):
    """A function that begins a quiz of a kind, whose network is always right but for what is made wrong."""
    right = {case.id: make_advice(case.truth) for case in lesion_pair.cases}
    monkeypatch.setattr("core.webapp.teach.quiz.take.gather_advice", lambda cases, name, shelf: right)

    def begin(kind):
        page = teacher(own=lesion_pair, section="Quiz")
        name(page, "Ada")
        choose_set(page, "quiz", lesion_pair)
        page.button_group(key="quiz kind").set_value(kind)
        page.run()
        return press(page, "Start")

    return begin


def name(page, nickname):
    next(field for field in page.text_input if field.label == "Nickname").input(nickname)
    return press(page, "Begin")


def answer(page, code, button="Answer", suspects=None):
    page.radio[0].set_value(code)
    if suspects is not None:
        page.radio[1].set_value(suspects)
    return press(page, button)


def test_a_quiz_tells_nothing_early_and_at_the_end_what_was_made_wrong(quiz, lesion_pair):
    page = quiz(FAULTY)
    shown = []
    for place, case in enumerate(lesion_pair.cases):
        assert f"case {place + 1} of {len(lesion_pair)}" in words(page)
        assert "The network:" not in words(page) and "**, by" not in words(page) and case.id[-7:] not in words(page)
        answer(page, case.truth)
        assert (
            "The network:" in words(page)
            and "**, by" not in words(page)
            and "made wrong on purpose." not in words(page)
        )
        shown.append(f"The network: {NAMES[case.truth]}" in words(page))
        answer(page, case.truth, "Answer again", suspects="no" if shown[-1] else "yes")
        assert f"**{NAMES[case.truth]}**, by" in words(page)
        press(page, "Next case" if place + 1 < len(lesion_pair) else "Results")
    wrong = shown.count(False)
    assert wrong and "The faulty answers" in words(page)
    assert f"Made wrong: {wrong} answers" in words(page)
    assert words(page).count("; caught") == wrong, "each with what the network really said"
    assert not page.exception


def test_a_quiz_goes_on_where_it_was_left(quiz, teacher, lesion_pair):
    page = quiz(PLAIN)
    first = lesion_pair.cases[0]
    answer(page, first.truth)
    number, token = address(page, "quiz"), page.session_state["kept in the browser"]["learner"]
    again = teacher({"learner": token}, section="Quiz", quiz=number)
    assert f"You said: **{NAMES[first.truth]}**" in words(again) and "The network:" in words(again)
    answer(again, "nv", "Answer again")
    again = teacher({"learner": token}, section="Quiz", quiz=number)
    assert f"case 2 of {len(lesion_pair)}" in words(again)


def test_a_quiz_of_somebody_else_is_a_sentence(quiz, teacher):
    page = quiz(PLAIN)
    number = address(page, "quiz")
    other = teacher(section="Quiz")
    name(other, "Bo")
    token = other.session_state["kept in the browser"]["learner"]
    stranger = teacher({"learner": token}, section="Quiz", quiz=number)
    assert stranger.warning and not stranger.exception and "case 1 of" not in words(stranger)


def test_forgetting_deletes_who_one_was(quiz, teacher):
    page = quiz(PLAIN)
    token = page.session_state["kept in the browser"]["learner"]
    home = teacher({"learner": token}, section="Quiz")
    home.checkbox[0].check().run()
    press(home, "Delete")
    assert "Nickname" in [field.label for field in home.text_input]
    gone = teacher({"learner": token}, section="Quiz")
    assert gone.warning and "Nickname" in [field.label for field in gone.text_input]


def test_missing_photos_are_offered_before_a_nickname_is_asked_and_the_choice_stands(
    teacher, lesion_pair, tmp_path, monkeypatch
):
    monkeypatch.setenv("HAM10000_DIR", str(tmp_path))
    page = choose_set(teacher(own=lesion_pair, section="Quiz"), "quiz", lesion_pair)
    assert all(case.id[-7:] in words(page).split("Missing: ")[1] for case in lesion_pair.cases) and not page.exception
    name(page, "Ada")
    assert page.selectbox(key="case set quiz").value == f"own {lesion_pair.title}"


def test_a_quiz_stands_beside_the_curve_of_its_own_network_not_of_the_first(quiz, teacher, lesion_pair, monkeypatch):
    asked = []
    monkeypatch.setattr("core.webapp.teach.quiz.results.find_evaluated", asked.append)
    page = quiz(PLAIN)
    for place, case in enumerate(lesion_pair.cases):
        answer(page, case.truth)
        answer(page, case.truth, "Answer again")
        press(page, "Next case" if place + 1 < len(lesion_pair) else "Results")
    own = make_advice("mel").model
    assert asked and set(asked) == {own}
    assert f"{own} has no evaluation on this computer" in words(page) and not page.exception
    asked.clear()
    press(page, "Back to all quizzes")
    assert asked and set(asked) == {own}
