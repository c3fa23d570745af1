"""What came of a quiz, and of all quizzes of a learner."""

from dataclasses import dataclass
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.teaching.advice import Advice, advice_from_record
from core.teaching.answers import Answered, last_answer
from core.teaching.people import Refused
from core.teaching.quiz.faulty import undo
from core.teaching.quiz.learner import find_learner
from core.teaching.reliance import Reliance, reliance
from core.teaching.scores import Point, Share, network_point, point, share
from core.teaching.store.database import Store
from core.teaching.store.tables import QuizAnswerRow, QuizCaseRow, QuizRow


@dataclass(frozen=True)
class Fault:
    """An answer of the network that was made wrong.

    Args:
        position: of the case. image_id: of its photo.
        shown: what the learner was told. really: what the network had said.
        caught: whether the learner took it for faulty; None where not asked.
    """

    position: int
    image_id: str
    shown: Advice
    really: Advice
    caught: bool | None


@dataclass(frozen=True)
class QuizResults:
    """A quiz that is over.

    Args:
        answered: every case.
        faults: what was made wrong, always told; empty where nothing was.
        caught: of the faulty answers, those that were taken for faulty. suspected: of the others, those that were.
        before, after: the learner, first and last answers. network: on the same cases, as it was shown.
        seconds: median time of a first answer; None where no time was told.
        model: name of the network that the learner was shown; empty where no case was answered.
    """

    answered: tuple[Answered, ...]
    faults: tuple[Fault, ...]
    caught: Share
    suspected: Share
    reliance: Reliance
    before: Point
    after: Point
    network: Point
    seconds: float | None
    model: str


@dataclass(frozen=True)
class LearnerScore:
    """How well a learner reads by oneself: first answers, each case the first time that it came.

    Args:
        cases: that were answered.
        point: sensitivity and specificity with Wilson's intervals, to stand beside a model's curve.
        right: answers that name the very diagnosis.
        confidence: mean, 0 to 1; above the share of right answers a learner is surer than right; None without cases.
        model: name of the network of the last quiz; empty without cases.
    """

    cases: int
    point: Point
    right: Share
    confidence: float | None
    model: str


def quiz_results(store: Store, token: str, quiz: int, target: str = "mel") -> QuizResults:
    """The results of a quiz.

    Args:
        target: key of `answers.TARGETS`.

    Raises:
        Refused: no such quiz of this learner, or cases are left: results would tell their truth.
    """

    def work(session: Session):
        learner = find_learner(session, token)
        row = session.get(QuizRow, quiz) if type(quiz) is int and 0 < quiz < 2**63 else None
        if row is None or row.learner_id != learner.id:
            raise Refused(f"There is no quiz {quiz!r:.20} of yours. Begin a new one.")
        if not row.over:
            raise Refused("The quiz is not over: answer the cases that are left, and the results follow.")
        return _cases(session, row)

    rows = store.read(work)
    answered = tuple(one for one, _, _ in rows)
    suspicions = [(advice.faulty, suspects) for _, advice, suspects in rows if suspects is not None]
    times = [one.milliseconds / 1000 for one in answered if one.milliseconds is not None]
    return QuizResults(
        answered=answered,
        faults=tuple(
            Fault(position, one.case, advice, undo(advice), suspects)
            for position, (one, advice, suspects) in enumerate(rows)
            if advice.faulty
        ),
        caught=share([suspects for faulty, suspects in suspicions if faulty]),
        suspected=share([suspects for faulty, suspects in suspicions if not faulty]),
        reliance=reliance(answered),
        before=point("before the network", answered, target),
        after=point("after the network", answered, target, last_answer),
        network=network_point(answered, target),
        seconds=median(times) if times else None,
        model=rows[-1][1].model if rows else "",
    )


def learner_score(store: Store, token: str, target: str = "mel") -> LearnerScore:
    """Of all quizzes of a learner.

    Args:
        target: key of `answers.TARGETS`.

    Raises:
        Refused: no such learner.
    """

    def work(session: Session) -> list[tuple[Answered, Advice]]:
        learner = find_learner(session, token)
        quizzes = session.scalars(select(QuizRow).where(QuizRow.learner_id == learner.id).order_by(QuizRow.id))
        return [(one, advice) for quiz in quizzes for one, advice, _ in _cases(session, quiz)]

    firsts: dict[str, Answered] = {}
    model = ""
    for one, advice in store.read(work):
        model = advice.model
        # A case whose truth was told once is remembered, not read.
        firsts.setdefault(one.case, one)
    answered = list(firsts.values())
    return LearnerScore(
        cases=len(answered),
        point=point("you", answered, target),
        right=share([one.first == one.truth for one in answered]),
        confidence=sum(one.confidence or 0 for one in answered) / len(answered) / 100 if answered else None,
        model=model,
    )


def _cases(session: Session, quiz: QuizRow) -> list[tuple[Answered, Advice, bool | None]]:
    """The cases that were answered twice, in order: the answers, the advice that was shown, the suspicion."""
    answers: dict[int, dict[int, QuizAnswerRow]] = {}
    for row in session.scalars(select(QuizAnswerRow).where(QuizAnswerRow.quiz_id == quiz.id)):
        answers.setdefault(row.position, {})[row.round] = row
    shown = []
    cases = select(QuizCaseRow).where(QuizCaseRow.quiz_id == quiz.id).order_by(QuizCaseRow.position)
    for case in session.scalars(cases):
        first, second = (answers.get(case.position, {}).get(number) for number in (1, 2))
        advice = advice_from_record(case.advice)
        if first is None or second is None or advice is None:
            continue
        one = Answered(
            person="you",
            case=case.case["id"],
            truth=case.case["truth"],
            first=first.diagnosis,
            confidence=first.confidence,
            advice=advice.answer,
            second=second.diagnosis,
            second_confidence=second.confidence,
            milliseconds=first.milliseconds,
        )
        shown.append((one, advice, second.suspects_fault))
    return shown
