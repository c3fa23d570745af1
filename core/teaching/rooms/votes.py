"""Taking a vote: once a case and round, at its time, and never lost nor counted twice when a phone sends it again."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.diagnoses import CODES, NAMES
from core.teaching.people import Refused, read_confidence, read_milliseconds
from core.teaching.rooms.door import find_row, who_is
from core.teaching.rooms.room import Student, open_round
from core.teaching.rooms.steps import STEPS
from core.teaching.store.database import Store
from core.teaching.store.tables import RoomCaseRow, RoomRow, VoteRow


@dataclass(frozen=True)
class Receipt:
    """A vote that is kept.

    Args:
        number: of the vote, in the order of arrival.
        again: whether it had been kept before, and was sent again.
    """

    number: int
    again: bool


def cast_vote(
    store: Store,
    code: str,
    token: str,
    position: int,
    round: int,
    diagnosis: str,
    confidence: int,
    milliseconds: float | None = None,
) -> Receipt:
    """Keeps a vote; when this returns it is on the disk.

    The same vote sent again is answered as the first time, also when the round is over by then.

    Args:
        token: of the student.
        position: of the case that the phone showed, from 0.
        round: that the phone showed.
        diagnosis: code.
        confidence: per cent.
        milliseconds: from the photo to the answer, by the phone's clock.

    Raises:
        Refused: a stranger, an answer that is none, one that differs from the first, one too late, or for another case.
        StoreBusy: the database did not answer; send it again.
    """
    if diagnosis not in CODES:
        raise Refused(f"The diagnosis {diagnosis!r:.40} is not known. Expected one of: {', '.join(CODES)}.")
    if not all(type(number) is int and 0 <= number < 1000 for number in (position, round)):
        raise Refused(f"Case {position!r:.40}, round {round!r:.40} is no vote. Reload the page and vote again.")
    confidence, milliseconds = read_confidence(confidence), read_milliseconds(milliseconds)

    def work(session: Session) -> Receipt:
        # The locks: a vote falls before the teacher's next step or after it, and one that is sent twice at once counts once.
        room = find_row(session, code, lock=True, shared=True)
        who = who_is(session, room, token, lock=True)
        if not isinstance(who, Student):
            raise Refused(f"Only those who have joined room {room.code} vote in it. Join with a nickname first.")
        first = session.scalar(
            select(VoteRow).where(VoteRow.student_id == who.id, VoteRow.position == position, VoteRow.round == round)
        )
        if first is not None:
            if first.diagnosis == diagnosis and first.confidence == confidence:
                return Receipt(first.id, again=True)
            raise Refused(
                f"You have answered case {position + 1} already: {NAMES[first.diagnosis]}, {first.confidence} % sure. The first answer "
                "counts."
            )
        _check_open(session, room, position, round)
        vote = VoteRow(
            room_id=room.id,
            student_id=who.id,
            position=position,
            round=round,
            diagnosis=diagnosis,
            confidence=confidence,
            milliseconds=milliseconds,
            at=store.clock.now(),
        )
        session.add(vote)
        session.flush()
        return Receipt(vote.id, again=False)

    return store.write(work)


def _check_open(session: Session, room: RoomRow, position: int, round: int) -> None:
    if room.over:
        raise Refused(f"The room {room.code} is over; votes are no longer taken.")
    if position != room.position:
        raise Refused(f"The class is at case {room.position + 1} now; the vote on case {position + 1} is not kept.")
    case = session.get_one(RoomCaseRow, (room.id, room.position))
    steps = tuple(room.steps)
    if round and round == open_round(steps, room.step, case.furthest):
        return
    taken = [place for place, name in enumerate(steps) if STEPS[name].round == round]
    if not taken or not round:
        raise Refused(f"Room {room.code} has no such vote.")
    when = "is over" if case.furthest >= taken[0] else "has not begun"
    raise Refused(f"Voting on case {position + 1} {when}; this vote is not kept.")
