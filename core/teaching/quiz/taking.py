"""Taking a quiz: beginning, answering, going on after a break. Where a learner is follows from the answers that are kept."""

import secrets
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.diagnoses import CODES, NAMES
from core.teaching.advice import Advice
from core.teaching.case_sets.file import case_record, kept_case
from core.teaching.case_sets.record import CaseSet, TeachingCase
from core.teaching.credentials import make_salt, photo_key
from core.teaching.people import Refused, read_confidence, read_milliseconds
from core.teaching.quiz.faulty import spoil
from core.teaching.quiz.learner import LEARNER_DAYS, find_learner
from core.teaching.quiz.repetition import rating_of, review
from core.teaching.quiz.visible import FIRST, SECOND, QuizAnswer, QuizView, quiz_visible, stage_of
from core.teaching.store.database import Store, days
from core.teaching.store.tables import CardRow, QuizAnswerRow, QuizCaseRow, QuizRow

PLAIN, FAULTY, DUE = "plain", "faulty", "due"
# Kinds of quiz: key -> title.
KINDS: dict[str, str] = {
    PLAIN: "Quiz",
    FAULTY: "Catch the faulty AI",
    DUE: "Cases that are due again",
}
MOST_QUIZ_CASES = 100
FAULTY_SHARE = 0.3
_ROUNDS = {FIRST: 1, SECOND: 2}


def begin_quiz(
    store: Store,
    token: str,
    cases: CaseSet,
    advice: Mapping[str, Advice],
    kind: str = PLAIN,
    *,
    faulty_share: float = FAULTY_SHARE,
    seed: int | None = None,
) -> QuizView:
    """Begins a quiz and shows its first case.

    Args:
        token: of the learner.
        advice: id of a case -> the network's answer, for every case.
        kind: key of `KINDS`.
        faulty_share: of the answers that "faulty" makes wrong, see `faulty.spoil`.
        seed: chooses which; drawn when None.

    Raises:
        Refused: no such learner or kind, too many cases, or cases that the network was not asked about.
    """
    if kind not in KINDS:
        raise Refused(f"Unknown kind of quiz {kind!r:.40}. Expected one of: {', '.join(KINDS)}.")
    if len(cases) > MOST_QUIZ_CASES:
        raise Refused(f"The case set has {len(cases)} cases. A quiz takes {MOST_QUIZ_CASES} at most: choose some of them.")
    lacking = [case.id for case in cases.cases if case.id not in advice]
    if lacking:
        raise Refused(
            f"The network was not asked about {', '.join(lacking[:5])}. Get these photos, or leave the cases out."
        )
    given = {case.id: advice[case.id] for case in cases.cases}
    if kind == FAULTY:
        given = spoil(cases, given, faulty_share, secrets.randbits(32) if seed is None else seed)

    def work(session: Session) -> QuizView:
        now = store.clock.now()
        learner = find_learner(session, token, lock=True)
        learner.expires_at = max(learner.expires_at, now + days(LEARNER_DAYS))
        quiz = QuizRow(
            learner_id=learner.id,
            title=cases.title,
            kind=kind,
            faulty_share=faulty_share if kind == FAULTY else 0.0,
            salt=make_salt(),
            over=False,
            made_at=now,
        )
        session.add(quiz)
        session.flush()
        for position, case in enumerate(cases.cases):
            row = QuizCaseRow(
                quiz_id=quiz.id, position=position, case=case_record(case), advice=given[case.id].to_record()
            )
            session.add(row)
        session.flush()
        return _view(session, quiz, 0)

    return store.write(work)


def show_quiz(store: Store, token: str, quiz: int, position: int | None = None) -> QuizView:
    """A case of a quiz.

    Args:
        token: of the learner.
        quiz: its number.
        position: of a case that was answered, to see it again; None for the one that comes next (the last, when all are answered).

    Raises:
        Refused: no such quiz of this learner, or a case whose turn has not come.
    """

    def work(session: Session) -> QuizView:
        row = _find_quiz(session, token, quiz)
        due = _next(session, row)
        if position is None:
            return _view(session, row, min(due, _count(session, row) - 1))
        if type(position) is not int or not 0 <= position <= min(due, _count(session, row) - 1):
            raise Refused(f"Case {position!r:.20} of this quiz has not come yet. Answer case {due + 1} first.")
        return _view(session, row, position)

    return store.read(work)


def answer_case(
    store: Store,
    token: str,
    quiz: int,
    position: int,
    round: int,
    diagnosis: str,
    confidence: int,
    *,
    suspects_fault: bool | None = None,
    milliseconds: float | None = None,
) -> QuizView:
    """Keeps an answer and shows what it opens: the network's answer after the first, the truth after the second.

    The same answer sent again changes nothing. With the second answer the case is scheduled to come again; see `repetition`.

    Args:
        round: 1 before the network's answer, 2 after it.
        suspects_fault: with the second answer of "faulty": whether the network's answer was made wrong.

    Raises:
        Refused: no such quiz, an answer that is none, one that differs from the first, or a case whose turn has not come or is over.
    """
    if diagnosis not in CODES:
        raise Refused(f"The diagnosis {diagnosis!r:.40} is not known. Expected one of: {', '.join(CODES)}.")
    if suspects_fault not in (None, True, False):
        raise Refused(f"{suspects_fault!r:.40} is no answer to whether the network is faulty. Expected yes or no.")
    confidence, milliseconds = read_confidence(confidence), read_milliseconds(milliseconds)

    def work(session: Session) -> QuizView:
        row = _find_quiz(session, token, quiz, lock=True)
        known = type(position) is int and 0 <= position < MOST_QUIZ_CASES
        answers = _answers(session, row, position) if known else ()
        same = next((a for a in answers if a.round == round), None)
        if same is not None:
            if (same.diagnosis, same.confidence) == (diagnosis, confidence):
                return _view(session, row, position)
            raise Refused(
                f"You have answered this already: {NAMES[same.diagnosis]}, {same.confidence} % sure. The first answer counts."
            )
        stage = stage_of(answers)
        if position != _next(session, row) or _ROUNDS.get(stage) != round or type(round) is not int:
            raise Refused("This case is not asked now. Reload the page to see which one is.")
        session.add(
            QuizAnswerRow(
                quiz_id=row.id,
                position=position,
                round=round,
                diagnosis=diagnosis,
                confidence=confidence,
                suspects_fault=suspects_fault if round == 2 and row.kind == FAULTY else None,
                milliseconds=milliseconds,
                at=store.clock.now(),
            )
        )
        session.flush()
        if round == 2:
            _schedule(session, row, position, next(iter(answers)), store.clock.now())
            row.over = _next(session, row) == _count(session, row)
            session.flush()
        return _view(session, row, position)

    return store.write(work)


def find_quiz_photo(store: Store, token: str, quiz: int, key: str) -> TeachingCase:
    """The case whose photo a page may send to the learner. For the server alone: it holds the truth.

    Raises:
        Refused: no such quiz of this learner, or a photo whose turn has not come.
    """

    def work(session: Session) -> TeachingCase:
        row = _find_quiz(session, token, quiz)
        for position in range(min(_next(session, row) + 1, _count(session, row))):
            if photo_key(row.salt, position) == key:
                return kept_case(session.get_one(QuizCaseRow, (row.id, position)).case)
        raise Refused("This photo is not shown now.")

    return store.read(work)


def due_cases(store: Store, token: str, most: int = 20) -> CaseSet | None:
    """The learner's cases that are due again, longest due first; None where none is.

    Raises:
        Refused: no such learner.
    """

    def work(session: Session) -> list[dict]:
        learner = find_learner(session, token)
        due = select(CardRow.case).where(CardRow.learner_id == learner.id, CardRow.due <= store.clock.now())
        return list(session.scalars(due.order_by(CardRow.due, CardRow.case_id).limit(most)))

    rows = store.read(work)
    return CaseSet(KINDS[DUE], tuple(kept_case(case) for case in rows)) if rows else None


def _schedule(session: Session, quiz: QuizRow, position: int, first: QuizAnswer, now: int) -> None:
    case = session.get_one(QuizCaseRow, (quiz.id, position)).case
    kept = session.get(CardRow, (quiz.learner_id, case["id"]))
    rating = rating_of(first.diagnosis == case["truth"], first.confidence)
    card, due = review(kept.card if kept else None, case["id"], rating, now, first.milliseconds)
    session.merge(CardRow(learner_id=quiz.learner_id, case_id=case["id"], case=case, card=card, due=due))


def _find_quiz(session: Session, token: str, number: int, *, lock: bool = False) -> QuizRow:
    learner = find_learner(session, token, lock=lock)
    quiz = session.get(QuizRow, number) if type(number) is int and 0 < number < 2**63 else None
    if quiz is None or quiz.learner_id != learner.id:
        raise Refused(f"There is no quiz {number!r:.20} of yours. Begin a new one.")
    return quiz


def _count(session: Session, quiz: QuizRow) -> int:
    return len(session.scalars(select(QuizCaseRow.position).where(QuizCaseRow.quiz_id == quiz.id)).all())


def _next(session: Session, quiz: QuizRow) -> int:
    """Position of the first case without a second answer."""
    done = select(QuizAnswerRow.position).where(QuizAnswerRow.quiz_id == quiz.id, QuizAnswerRow.round == 2)
    return len(session.scalars(done).all())


def _answers(session: Session, quiz: QuizRow, position: int) -> tuple[QuizAnswer, ...]:
    rows = select(QuizAnswerRow).where(QuizAnswerRow.quiz_id == quiz.id, QuizAnswerRow.position == position)
    return tuple(
        QuizAnswer(r.round, r.diagnosis, r.confidence, r.suspects_fault, r.milliseconds)
        for r in session.scalars(rows.order_by(QuizAnswerRow.id))
    )


def _view(session: Session, quiz: QuizRow, position: int) -> QuizView:
    row = session.get_one(QuizCaseRow, (quiz.id, position))
    case, answers = kept_case(row.case), _answers(session, quiz, position)
    outside = QuizView(
        quiz=quiz.id,
        kind=quiz.kind,
        position=position,
        cases=_count(session, quiz),
        stage=stage_of(answers),
        over=quiz.over,
        photo_key=photo_key(quiz.salt, position),
        licence=case.licence,
        attribution=case.attribution,
        facts=case.facts,
        own=answers,
    )
    advice = Advice(row.advice["model"], row.advice["probabilities"], row.advice["really"])
    return quiz_visible(outside, case, advice)
