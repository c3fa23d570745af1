"""What came of a lesson: each case's votes, reliance on the network, class against network; for the teacher."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.teaching.advice import advice_from_record
from core.teaching.answers import Answered, last_answer
from core.teaching.reliance import Reliance, reliance
from core.teaching.rooms.door import find_teachers_row
from core.teaching.rooms.paired import pair_answers
from core.teaching.rooms.room import Vote
from core.teaching.scores import Point, majority_point, network_point, point, points_of_people
from core.teaching.store.database import Store
from core.teaching.store.tables import RoomCaseRow, StudentRow, VoteRow
from core.teaching.tables import write_csv

COLUMNS = (
    *("sequence", "case", "image", "truth", "network", "network_faulty", "nickname", "arm", "experience", "consent"),
    *("round", "diagnosis", "right", "confidence", "milliseconds"),
)


@dataclass(frozen=True)
class CaseResult:
    """One case: round -> code -> votes, beside truth and network."""

    position: int
    image_id: str
    truth: str
    network: str | None
    faulty: bool
    tally: dict[int, dict[str, int]]


@dataclass(frozen=True)
class RoomResults:
    """A lesson.

    Args:
        cases: that the class has reached, in order.
        students: how many have joined. voters: how many have voted.
        answered: all answers, for further scores.
        reliance: of those who saw the network's answer.
        before, after: the class with its first and with its last answers, all together.
        each: a point a student, first answers. majority: the class as one.
        network: on the same cases.
        model: name of the network that gave the answers, the first where there were several; empty without any.
    """

    cases: tuple[CaseResult, ...]
    students: int
    voters: int
    answered: tuple[Answered, ...]
    reliance: Reliance
    before: Point
    after: Point
    each: tuple[Point, ...]
    majority: Point
    network: Point
    model: str


def room_results(store: Store, code: str, secret: str, target: str = "mel") -> RoomResults:
    """The results up to now, for the teacher.

    Args:
        target: key of `answers.TARGETS`: what is to be found.

    Raises:
        Refused: no such room, or a wrong secret.
    """
    cases, students, votes = store.read(lambda session: _load(session, code, secret))
    answered = _answered(cases, students, votes)
    return RoomResults(
        cases=tuple(_case_result(row, votes.get(row.position, [])) for row in cases),
        students=len(students),
        voters=len({one.person for one in answered}),
        answered=answered,
        reliance=reliance(answered),
        before=point("class, first answers", answered, target),
        after=point("class, last answers", answered, target, last_answer),
        each=tuple(points_of_people(answered, target)),
        majority=majority_point(answered, target),
        network=network_point(_with_all_advice(cases, answered), target),
        model=next((advice.model for row in cases if (advice := advice_from_record(row.advice))), ""),
    )


def export_votes(store: Store, code: str, secret: str) -> bytes:
    """All votes as CSV, in the order of arrival.

    Raises:
        Refused: no such room, or a wrong secret.
    """
    cases, students, votes = store.read(lambda session: _load(session, code, secret))
    rows = []
    for case in cases:
        advice, truth = advice_from_record(case.advice), case.case["truth"]
        for vote in votes.get(case.position, []):
            who = students[vote.student]
            told = (advice.answer, advice.faulty) if advice else (None, None)
            rows.append(
                (
                    *(vote.id, case.position + 1, case.case["id"], truth, *told),
                    *(who.nickname, who.arm, who.experience, who.consent),
                    *(vote.round, vote.diagnosis, vote.diagnosis == truth, vote.confidence, vote.milliseconds),
                )
            )
    return write_csv(COLUMNS, sorted(rows))


def _load(session: Session, code: str, secret: str):
    row = find_teachers_row(session, code, secret)
    reached = (RoomCaseRow.room_id == row.id, RoomCaseRow.furthest >= 0)
    cases = session.scalars(select(RoomCaseRow).where(*reached).order_by(RoomCaseRow.position)).all()
    students = {s.id: s for s in session.scalars(select(StudentRow).where(StudentRow.room_id == row.id))}
    votes: dict[int, list[Vote]] = {}
    for v in session.scalars(select(VoteRow).where(VoteRow.room_id == row.id).order_by(VoteRow.id)):
        kept = Vote(v.id, v.student_id, v.round, v.diagnosis, v.confidence, v.milliseconds)
        votes.setdefault(v.position, []).append(kept)
    return cases, students, votes


def _answered(cases, students, votes) -> tuple[Answered, ...]:
    answered = []
    for case in cases:
        theirs: dict[int, dict[int, Vote]] = {}
        for vote in votes.get(case.position, []):
            theirs.setdefault(vote.student, {})[vote.round] = vote
        for student, by_round in theirs.items():
            who = students[student]
            answered.append(pair_answers(who.nickname, who.arm, case, by_round))
    return tuple(answered)


def _with_all_advice(cases, answered: tuple[Answered, ...]) -> list[Answered]:
    """The network's answer to every case that somebody answered, whoever saw it."""
    there = {one.case for one in answered}
    rows = [(case.case["id"], case.case["truth"], advice_from_record(case.advice)) for case in cases]
    return [
        Answered("network", case, truth, None, advice=advice.answer)
        for case, truth, advice in rows
        if advice and case in there
    ]


def _case_result(row: RoomCaseRow, votes: list[Vote]) -> CaseResult:
    advice = advice_from_record(row.advice)
    tally = {
        number: dict(Counter(v.diagnosis for v in votes if v.round == number)) for number in {v.round for v in votes}
    }
    return CaseResult(
        row.position,
        row.case["id"],
        row.case["truth"],
        advice.answer if advice else None,
        bool(advice and advice.faulty),
        tally,
    )
