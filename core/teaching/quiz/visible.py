"""What a learner may see of a quiz: the one place that decides it."""

from dataclasses import dataclass, replace

from core.data.patient import Facts
from core.teaching.advice import Advice
from core.teaching.case_sets.record import TeachingCase

FIRST, SECOND, REVEAL = "first answer", "second answer", "reveal"


@dataclass(frozen=True)
class QuizAnswer:
    """An answer.

    Args:
        round: 1 before the network's answer, 2 after it.
        diagnosis: code.
        confidence: per cent.
        suspects_fault: whether the learner takes the network's answer for one that was made wrong; None where not asked.
        milliseconds: that it took, by the learner's clock; None where not told.
    """

    round: int
    diagnosis: str
    confidence: int
    suspects_fault: bool | None
    milliseconds: int | None


@dataclass(frozen=True)
class QuizView:
    """One case of a quiz as its learner may see it now; what is not to be seen is None.

    Args:
        quiz: number of the quiz.
        kind: see `taking.KINDS`.
        position, cases: which of how many, from 0.
        stage: what is asked now, "first answer" or "second answer", or "reveal".
        over: whether every case has been answered.
        photo_key: what the photo is asked by; see `taking.find_quiz_photo`.
        faulty: whether the network's answer was made wrong; told when the quiz is over.
    """

    quiz: int
    kind: str
    position: int
    cases: int
    stage: str
    over: bool
    photo_key: str
    licence: str
    attribution: str
    facts: Facts
    own: tuple[QuizAnswer, ...]
    network: Advice | None = None
    map: bool = False
    truth: str | None = None
    confirmed: str | None = None
    why: str | None = None
    faulty: bool | None = None


def stage_of(answers: tuple[QuizAnswer, ...]) -> str:
    """What comes next in a case with these answers."""
    rounds = {answer.round for answer in answers}
    return REVEAL if 2 in rounds else SECOND if 1 in rounds else FIRST


def quiz_visible(outside: QuizView, case: TeachingCase, advice: Advice) -> QuizView:
    """The view with what the learner's own answers have opened.

    Args:
        outside: a view that holds no secret.
    """
    view = outside
    if view.stage in (SECOND, REVEAL):
        view = replace(view, network=advice if view.over else advice.disguised())
    if view.stage == REVEAL:
        view = replace(
            view,
            map=True,
            truth=case.truth,
            confirmed=case.confirmed,
            why=case.why,
            faulty=advice.faulty if view.over else None,
        )
    return view
