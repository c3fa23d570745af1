"""Looking at a room: what the pages of teacher and students ask for, over and over."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.teaching.advice import advice_from_record
from core.teaching.case_sets.file import kept_case
from core.teaching.case_sets.record import TeachingCase
from core.teaching.credentials import photo_key
from core.teaching.people import Refused
from core.teaching.rooms.door import find_row, who_is
from core.teaching.rooms.room import Room, Student, Teacher, Vote, Who
from core.teaching.rooms.visible import View, visible
from core.teaching.store.database import Store
from core.teaching.store.tables import RoomCaseRow, RoomRow, StudentRow, VoteRow


def look(store: Store, code: str, token: str | None = None) -> View:
    """What the holder of a token sees of a room now.

    Args:
        code: as typed.
        token: a student's, the teacher's secret, or None.

    Raises:
        Refused: there is no such room.
    """
    return visible(*look_at_once(store, code, token))


def look_at_once(store: Store, code: str, token: str | None) -> tuple[Room, Who]:
    """The room with all its secrets and who asks: for a server that shows one room to many at once. Only `visible` may read it.

    Raises:
        Refused: there is no such room.
    """

    def work(session: Session) -> tuple[Room, Who]:
        row = find_row(session, code)
        return load_room(session, row), who_is(session, row, token)

    return store.read(work)


def room_version(store: Store, code: str) -> int:
    """Grows with everything that the teacher does: a page that sees the same number need not look again for that.

    Raises:
        Refused: there is no such room.
    """
    return store.read(lambda session: find_row(session, code).version)


def find_case_photo(store: Store, code: str, token: str, key: str) -> TeachingCase:
    """The case whose photo a page may send to the holder of a token. For the server alone: it holds the truth.

    Args:
        key: `View.photo_key`.

    Raises:
        Refused: no such room, a stranger, or a photo that was not shown yet.
    """

    def work(session: Session) -> TeachingCase:
        row = find_row(session, code)
        who = who_is(session, row, token)
        if not isinstance(who, Student | Teacher):
            raise Refused(f"Only those who have joined room {row.code} see its photos.")
        for case in session.scalars(select(RoomCaseRow).where(RoomCaseRow.room_id == row.id)):
            seen = case.furthest >= 0 or isinstance(who, Teacher)
            if seen and photo_key(row.salt, case.position) == key:
                return kept_case(case.case)
        raise Refused("This photo is not shown now.")

    return store.read(work)


def load_room(session: Session, row: RoomRow) -> Room:
    """The room as it is now, with all its secrets; for `visible`."""
    case = session.get_one(RoomCaseRow, (row.id, row.position))
    # Columns, not objects: sixty phones ask this every second.
    votes = session.execute(
        select(
            VoteRow.id,
            VoteRow.student_id,
            VoteRow.round,
            VoteRow.diagnosis,
            VoteRow.confidence,
            VoteRow.milliseconds,
        )
        .where(VoteRow.room_id == row.id, VoteRow.position == row.position)
        .order_by(VoteRow.id)
    )
    students = session.execute(
        select(StudentRow.id, StudentRow.nickname).where(StudentRow.room_id == row.id).order_by(StudentRow.id)
    )
    cases = select(func.count()).select_from(RoomCaseRow).where(RoomCaseRow.room_id == row.id)
    return Room(
        code=row.code,
        title=row.title,
        steps=tuple(row.steps),
        arms=tuple(row.arms),
        position=row.position,
        step=row.step,
        furthest=case.furthest,
        over=row.over,
        version=row.version,
        cases=session.scalars(cases).one(),
        case=kept_case(case.case),
        advice=advice_from_record(case.advice),
        photo_key=photo_key(row.salt, row.position),
        votes=tuple(Vote(*vote) for vote in votes),
        students={each.id: each.nickname for each in students},
    )
