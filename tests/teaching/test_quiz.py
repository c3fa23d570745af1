"""Quizzes: nothing is shown before an answer, faulty networks are told at the end, cases come again, scores are a learner's own."""

from dataclasses import replace

import pytest
from made_up_teaching import ANSWERS, TRUTHS, make_advice, make_cases

from core.diagnoses import CODES
from core.evaluation.statistics.bootstrap import wilson
from core.teaching.credentials import photo_key
from core.teaching.people import Refused
from core.teaching.quiz import repetition, taking
from core.teaching.quiz.faulty import make_wrong, spoil, undo
from core.teaching.quiz.learner import forget_learner, new_learner
from core.teaching.quiz.results import learner_score, quiz_results
from core.teaching.quiz.taking import FAULTY, answer_case, begin_quiz, due_cases, find_quiz_photo, show_quiz
from core.teaching.store.clock import DAY, Clock
from core.teaching.store.database import Store
from core.teaching.store.place import database_url
from core.teaching.store.tables import CardRow, QuizAnswerRow, QuizCaseRow, QuizRow


@pytest.fixture
def anna(any_store):
    return new_learner(any_store, "Anna")


def take(store, token, view, firsts, seconds=None, confidence=80, suspects=None):
    """Answers a whole quiz; returns the last view."""
    for position in range(view.cases):
        answer_case(store, token, view.quiz, position, 1, firsts[position], confidence, milliseconds=4000)
        said = (seconds or firsts)[position]
        told = None if suspects is None else suspects[position]
        view = answer_case(store, token, view.quiz, position, 2, said, confidence, suspects_fault=told)
    return view


def test_a_quiz_from_beginning_to_end(any_store, anna, cases, advice):
    view = begin_quiz(any_store, anna, cases, advice)
    for position, case in enumerate(cases.cases):
        view = show_quiz(any_store, anna, view.quiz)
        assert (view.position, view.stage) == (position, "first answer")
        assert (view.network, view.truth, view.why, view.faulty, view.map) == (None, None, None, None, False)
        assert (view.licence, view.facts) == (case.licence, case.facts)
        view = answer_case(any_store, anna, view.quiz, position, 1, "mel", 70, milliseconds=1000 * (position + 1))
        assert (view.stage, view.network.answer, view.truth) == ("second answer", ANSWERS[position], None)
        assert show_quiz(any_store, anna, view.quiz) == view, "after a reload"
        view = answer_case(any_store, anna, view.quiz, position, 2, view.network.answer, 70)
        assert (view.stage, view.truth, view.map, view.why) == ("reveal", TRUTHS[position], True, case.why)
        assert view.over is (position == 3)
    found = quiz_results(any_store, anna, view.quiz)
    assert [one.first for one in found.answered] == ["mel"] * 4
    assert [one.last for one in found.answered] == list(ANSWERS)
    assert (found.before.sensitivity.value, found.before.specificity.value) == (1, 0)
    assert (found.after.sensitivity.value, found.after.specificity.hits) == (0, 2)
    assert found.reliance.misled.hits == 1 and found.faults == () and found.seconds == 2.5


def test_the_learners_intervals_are_wilsons(any_store, anna):
    cases = make_cases(["mel", "nv"] * 6)
    view = begin_quiz(any_store, anna, cases, {case.id: make_advice("nv") for case in cases.cases})
    take(any_store, anna, view, ["mel", "nv"] * 5 + ["nv", "mel"])
    point = learner_score(any_store, anna).point
    for one in (point.sensitivity, point.specificity):
        assert (one.hits, one.of) == (5, 6)
        assert (one.low, one.high) == pytest.approx(wilson(5 / 6, 6))


def test_scores_count_a_case_the_first_time_only_and_without_the_network(any_store, anna, cases, advice):
    take(any_store, anna, begin_quiz(any_store, anna, cases, advice), ["nv"] * 4, list(TRUTHS), confidence=60)
    take(any_store, anna, begin_quiz(any_store, anna, cases, advice), list(TRUTHS), confidence=100)
    score = learner_score(any_store, anna)
    assert (score.cases, score.right.hits, score.confidence) == (4, 2, pytest.approx(0.6))
    assert score.point.sensitivity.hits == 0
    assert learner_score(any_store, new_learner(any_store, "Bert")).confidence is None


# ---- catch the faulty AI ----


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3, 0.5])
def test_a_share_of_right_answers_is_made_wrong_and_is_known_by_nothing_else(share):
    cases = make_cases(["nv", "mel"] * 10)
    advice = {case.id: make_advice(case.truth if n % 4 else "bkl") for n, case in enumerate(cases.cases)}
    spoilt = spoil(cases, advice, share, seed=5)
    faulty = [i for i, said in spoilt.items() if said.faulty]
    assert len(faulty) == max(1, round(share * 20))
    assert spoil(cases, advice, share, seed=5) == spoilt
    truths = {case.id: case.truth for case in cases.cases}
    for i, said in spoilt.items():
        assert undo(said) == advice[i]
        assert max(said.probabilities.values()) == max(advice[i].probabilities.values()), "as sure as before"
        assert (said.answer != truths[i]) if said.faulty else (said == advice[i])
    assert {tuple(i for i, s in spoil(cases, advice, 0.3, seed).items() if s.faulty) for seed in range(9)} != {
        tuple(faulty)
    }


def test_a_wrong_answer_is_the_one_nearest_to_the_networks_own():
    advice = replace(
        make_advice("mel"), probabilities=dict(zip(CODES, [0.02, 0.02, 0.02, 0.02, 0.6, 0.3, 0.02], strict=True))
    )
    wrong = make_wrong(advice)
    assert (wrong.answer, wrong.probabilities["nv"], wrong.probabilities["mel"], wrong.faulty) == ("nv", 0.6, 0.3, True)


def test_faulty_answers_are_told_at_the_end_and_not_before(any_store, anna):
    cases = make_cases(["nv", "mel"] * 5)
    advice = {case.id: make_advice(case.truth) for case in cases.cases}
    view = begin_quiz(any_store, anna, cases, advice, FAULTY, faulty_share=0.3, seed=1)
    with pytest.raises(Refused, match="not over"):
        quiz_results(any_store, anna, view.quiz)
    shown = []
    for position, case in enumerate(cases.cases):
        view = answer_case(any_store, anna, view.quiz, position, 1, case.truth, 80)
        assert view.network.faulty is False and view.faulty is None
        suspects = view.network.answer != case.truth if position < 8 else False
        view = answer_case(any_store, anna, view.quiz, position, 2, case.truth, 80, suspects_fault=suspects)
        shown.append(view.network.answer)
        if position < 9:
            assert view.network.faulty is False and view.faulty is None and view.truth == case.truth
    found = quiz_results(any_store, anna, view.quiz)
    wrong = [n for n, case in enumerate(cases.cases) if shown[n] != case.truth]
    assert [fault.position for fault in found.faults] == wrong and len(wrong) == 3
    assert all(fault.really.answer == cases.cases[fault.position].truth for fault in found.faults)
    assert [fault.caught for fault in found.faults] == [n < 8 for n in wrong]
    assert found.caught.of == 3 and found.suspected.hits == 0 and found.suspected.of == 7
    assert [show_quiz(any_store, anna, view.quiz, n).faulty for n in range(10)] == [n in wrong for n in range(10)]


@pytest.mark.parametrize("share", [0, 0.01, 0.6, 1, -1, float("nan")])
def test_shares_that_cannot_be(share, cases, advice):
    with pytest.raises(ValueError, match="Expected 0.05 to 0.5"):
        spoil(cases, advice, share, 0)


def test_a_network_that_is_never_right_cannot_be_made_wrong(cases):
    advice = {case.id: make_advice("vasc") for case in cases.cases}
    assert spoil(cases, advice, 0.3, 0) == advice


# ---- attacks and bad requests ----


def test_nothing_comes_before_its_turn(any_store, anna, cases, advice):
    view = begin_quiz(any_store, anna, cases, advice)
    for position in (1, 3, 4, -1, "0", None.__class__, 10**12):
        with pytest.raises(Refused):
            show_quiz(any_store, anna, view.quiz, position)
    for position, number in ((0, 2), (1, 1), (0, 3), (0, "1"), ("0", 1), (0, True), (10**12, 1)):
        with pytest.raises(Refused):
            answer_case(any_store, anna, view.quiz, position, number, "nv", 50)
    salt = any_store.read(lambda s: s.query(QuizRow.salt).scalar())
    assert find_quiz_photo(any_store, anna, view.quiz, view.photo_key) == cases.cases[0]
    for key in (photo_key(salt, 1), "ISIC_0000001", ""):
        with pytest.raises(Refused):
            find_quiz_photo(any_store, anna, view.quiz, key)
    assert any_store.read(lambda s: s.query(QuizAnswerRow).count()) == 0


def test_an_answer_sent_twice_is_one_and_another_is_refused(any_store, anna, cases, advice):
    view = begin_quiz(any_store, anna, cases, advice)
    first = answer_case(any_store, anna, view.quiz, 0, 1, "nv", 80)
    assert answer_case(any_store, anna, view.quiz, 0, 1, "nv", 80) == first
    with pytest.raises(Refused, match="first answer counts"):
        answer_case(any_store, anna, view.quiz, 0, 1, "mel", 80)
    answer_case(any_store, anna, view.quiz, 0, 2, "nv", 80)
    answer_case(any_store, anna, view.quiz, 0, 2, "nv", 80)
    assert any_store.read(lambda s: (s.query(QuizAnswerRow).count(), s.query(CardRow).count())) == (2, 1)


def test_a_quiz_is_its_learners_alone(any_store, anna, cases, advice):
    view = begin_quiz(any_store, anna, cases, advice)
    eve = new_learner(any_store, "Eve")
    for token in (eve, "", None, "x"):
        for attack in (
            lambda token=token: show_quiz(any_store, token, view.quiz),
            lambda token=token: answer_case(any_store, token, view.quiz, 0, 1, "nv", 50),
            lambda token=token: quiz_results(any_store, token, view.quiz),
            lambda token=token: find_quiz_photo(any_store, token, view.quiz, view.photo_key),
        ):
            with pytest.raises(Refused):
                attack()
    for number in (view.quiz + 1, 0, -1, "1", None, 10**30):
        with pytest.raises(Refused):
            show_quiz(any_store, anna, number)


def test_cases_without_advice_and_kinds_that_are_none(any_store, anna, cases, advice):
    with pytest.raises(Refused, match="not asked about ISIC_0000003"):
        begin_quiz(any_store, anna, cases, {i: a for i, a in advice.items() if i != "ISIC_0000003"})
    with pytest.raises(Refused, match="plain, faulty"):
        begin_quiz(any_store, anna, cases, advice, "exam")
    many = make_cases(["nv"] * 101)
    with pytest.raises(Refused, match="100 at most"):
        begin_quiz(any_store, anna, many, {case.id: make_advice("nv") for case in many.cases})
    for suspects in ("maybe", 2, {}):
        with pytest.raises(Refused):
            answer_case(any_store, anna, 1, 0, 1, "nv", 50, suspects_fault=suspects)


def test_forgetting_a_learner_takes_everything(any_store, anna, cases, advice):
    view = begin_quiz(any_store, anna, cases, advice)
    take(any_store, anna, view, list(TRUTHS))
    forget_learner(any_store, anna)
    kinds = (QuizRow, QuizCaseRow, QuizAnswerRow, CardRow)
    assert any_store.read(lambda s: [s.query(kind).count() for kind in kinds]) == [0] * 4
    with pytest.raises(Refused, match="not known"):
        due_cases(any_store, anna)


# ---- cases that come again ----


def test_ratings():
    names = {
        (right, c): repetition.rating_of(right, c).name for right in (True, False) for c in (0, 49, 50, 89, 90, 100)
    }
    assert {name for (right, _), name in names.items() if not right} == {"Again"}
    assert [names[True, c] for c in (0, 49, 50, 89, 90, 100)] == ["Hard", "Hard", "Good", "Good", "Easy", "Easy"]


def test_what_was_known_comes_later_and_what_was_not_comes_soon():
    due = {
        name: repetition.review(None, "ISIC_1", rating, 0)[1] for name, rating in repetition.Rating.__members__.items()
    }
    assert DAY <= due["Again"] <= due["Hard"] < due["Good"] < due["Easy"]
    card, now, waits = None, 0, []
    for _ in range(4):
        card, later = repetition.review(card, "ISIC_1", repetition.Rating.Good, now)
        waits.append(later - now)
        now = later
    assert waits == sorted(waits) and waits[0] < waits[-1], "the longer known, the later"


def test_cases_come_again_when_they_are_due(tmp_path, cases, advice):
    steady = [0.0]
    store = Store(database_url(str(tmp_path / "t.sqlite3")), clock=Clock(steady=lambda: steady[0]))
    anna = new_learner(store, "Anna")
    assert due_cases(store, anna) is None
    take(store, anna, begin_quiz(store, anna, cases, advice), ["nv", "nv", "nv", "bcc"], confidence=95)
    assert due_cases(store, anna) is None, "not on the same day"
    steady[0] = 2 * 24 * 3600
    again = due_cases(store, anna)
    assert [case.id for case in again.cases] == ["ISIC_0000001"], "the one that was wrong"
    take(store, anna, begin_quiz(store, anna, again, advice, taking.DUE), ["mel"], confidence=95)
    assert due_cases(store, anna) is None
    steady[0] = 60 * 24 * 3600
    assert len(due_cases(store, anna)) == 4
    assert len(due_cases(store, anna, most=2)) == 2
    store.close()


def test_a_learner_who_comes_back_is_kept(tmp_path, cases, advice):
    steady = [0.0]
    store = Store(database_url(str(tmp_path / "t.sqlite3")), clock=Clock(steady=lambda: steady[0]))
    anna, bert = new_learner(store, "Anna"), new_learner(store, "Bert")
    steady[0] = 300 * 24 * 3600
    begin_quiz(store, anna, cases, advice)
    steady[0] = 400 * 24 * 3600
    assert store.purge() == 1
    due_cases(store, anna)
    with pytest.raises(Refused):
        due_cases(store, bert)
    store.close()
