"""A student's own answers, beside truths that have been told: what a phone shows at the end."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.teaching.answers import Answered
from core.teaching.people import Refused
from core.teaching.rooms.door import find_row, who_is
from core.teaching.rooms.paired import pair_answers
from core.teaching.rooms.room import Student
from core.teaching.store.database import Store
from core.teaching.store.tables import RoomCaseRow, VoteRow


def own_answers(store: Store, code: str, token: str) -> tuple[Answered, ...]:
    """The answers of the holder of a token to the cases whose truth the class has seen; for `reliance` and `scores`.

    Raises:
        Refused: no such room, or somebody who is no student of it.
    """

    def work(session: Session) -> tuple[Answered, ...]:
        room = find_row(session, code)
        who = who_is(session, room, token)
        if not isinstance(who, Student):
            raise Refused(f"Only those who have joined room {room.code} have answers in it.")
        votes: dict[int, dict[int, VoteRow]] = {}
        for vote in session.scalars(select(VoteRow).where(VoteRow.student_id == who.id)):
            votes.setdefault(vote.position, {})[vote.round] = vote
        told = (RoomCaseRow.room_id == room.id, RoomCaseRow.furthest == len(room.steps) - 1)
        cases = session.scalars(select(RoomCaseRow).where(*told).order_by(RoomCaseRow.position))
        return tuple(
            pair_answers(who.nickname, who.arm, case, votes[case.position]) for case in cases if case.position in votes
        )

    return store.read(work)
