"""Opening a room, joining it, and telling who somebody is by what they hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.teaching.advice import Advice
from core.teaching.case_sets.file import case_record
from core.teaching.case_sets.record import CaseSet
from core.teaching.credentials import (
    CODE_LENGTH,
    hash_secret,
    is_secret,
    make_code,
    make_salt,
    make_secret,
    read_code,
)
from core.teaching.people import Refused, fold, read_experience, read_nickname
from core.teaching.rooms.room import Student, Teacher, Visitor, Who
from core.teaching.rooms.steps import ARMS, PLAIN_LESSON, WITH_AI, check_steps
from core.teaching.store.database import Store, days
from core.teaching.store.tables import RoomCaseRow, RoomRow, StudentRow

KEPT_DAYS, MOST_ROOM_DAYS = 30, 366
MOST_ROOM_CASES, MOST_STUDENTS = 100, 300
_CODE_TRIES = 20


@dataclass(frozen=True)
class OpenRoom:
    """A room that was just opened; the secret is told this once.

    Args:
        code: for the students.
        secret: of the teacher.
        expires_at: when the room and all answers in it go, milliseconds since 1970.
    """

    code: str
    secret: str
    expires_at: int


@dataclass(frozen=True)
class Ticket:
    """What a student's phone keeps.

    Args:
        token: of this student in this room.
        nickname: as it stands in the room.
        arm: with or without AI.
    """

    token: str
    nickname: str
    arm: str


def open_room(
    store: Store,
    cases: CaseSet,
    advice: Mapping[str, Advice] | None = None,
    *,
    steps: Sequence[str] = PLAIN_LESSON,
    arms: Sequence[str] = (WITH_AI,),
    kept_days: float = KEPT_DAYS,
    code: str = "",
) -> OpenRoom:
    """Opens a room; rooms whose time is over go at this occasion.

    Args:
        cases: to be shown in this order.
        advice: id of a case -> the network's answer; more can follow, see `lead.set_advice`.
        steps: some of `steps.STEPS`.
        arms: students take them in turn, in the order in which they join.
        kept_days: after so many days the room goes by itself.
        code: one that the teacher wants; a free one is drawn when empty.

    Raises:
        Refused: a code that is taken or cannot be one, or values that cannot be.
        ValueError: steps that are none.
    """
    steps, arms, advice = check_steps(steps), tuple(arms), advice or {}
    if not arms or set(arms) - set(ARMS) or len(set(arms)) != len(arms):
        raise Refused(
            f"The arms are {', '.join(map(str, arms)) or 'none'}. Expected one or both of: {', '.join(ARMS)}."
        )
    if len(cases) > MOST_ROOM_CASES:
        raise Refused(f"The case set has {len(cases)} cases. A room takes {MOST_ROOM_CASES} at most: choose some of them.")
    if not 0 < kept_days <= MOST_ROOM_DAYS:
        raise Refused(f"A room cannot be kept for {kept_days} days. Expected more than 0 and at most {MOST_ROOM_DAYS}.")
    if code and not (read_code(code) == code.strip().upper() and 4 <= len(read_code(code)) <= 12):
        raise Refused(f"{code!r:.40} cannot be a code. Expected 4 to 12 letters and digits, such as {make_code()}.")
    store.purge()
    secret = make_secret()
    for _ in range(_CODE_TRIES):
        wanted = read_code(code) or make_code()
        try:
            return store.write(
                lambda session, wanted=wanted: _insert(
                    store, session, wanted, secret, cases, advice, steps, arms, kept_days
                )
            )
        except IntegrityError:
            if code:
                raise Refused(
                    f"The code {wanted} is taken by another room. Choose another one, or leave it to chance."
                ) from None
    raise Refused("No free code was found. Delete rooms that are over.")


def _insert(store, session: Session, code, secret, cases, advice, steps, arms, kept_days) -> OpenRoom:
    now = store.clock.now()
    room = RoomRow(
        code=code,
        secret_hash=hash_secret(secret),
        salt=make_salt(),
        title=cases.title,
        steps=list(steps),
        arms=list(arms),
        position=0,
        step=0,
        over=False,
        version=1,
        opened_at=now,
        expires_at=now + days(kept_days),
    )
    session.add(room)
    session.flush()
    for position, case in enumerate(cases.cases):
        given = advice.get(case.id)
        session.add(
            RoomCaseRow(
                room_id=room.id,
                position=position,
                case=case_record(case),
                advice=given.to_record() if given else None,
                furthest=0 if position == 0 else -1,
            )
        )
    return OpenRoom(code, secret, room.expires_at)


def join_room(
    store: Store, code: str, nickname: str, *, token: str = "", experience: str = "", consent: bool = False
) -> Ticket:
    """Lets a student in.

    Args:
        code: as typed.
        nickname: free within the room.
        token: drawn by the phone before it asks (`credentials.make_secret`), so that asking again after a lost answer changes
            nothing; drawn here when empty.
        experience: key of `people.EXPERIENCE`.
        consent: whether the answers may be used beyond the lesson.

    Raises:
        Refused: no such room, one that is over or full, or a nickname that is taken or cannot be.
    """
    nickname, experience, token = read_nickname(nickname), read_experience(experience), token or make_secret()

    def work(session: Session) -> Ticket:
        # The lock makes students join one after the other: arms in turn, and no more than there is room for.
        room = find_row(session, code, lock=True)
        known = session.scalar(select(StudentRow).where(StudentRow.token_hash == hash_secret(token)))
        if known is not None and known.room_id == room.id:
            return Ticket(token, known.nickname, known.arm)
        if known is not None or len(token) < 16:
            raise Refused("This phone's token cannot be used here. Reload the page to get a new one.")
        if room.over or room.expires_at < store.clock.now():
            raise Refused(f"The room {room.code} is over. Ask your teacher for a new code.")
        joined = session.scalars(
            select(func.count()).select_from(StudentRow).where(StudentRow.room_id == room.id)
        ).one()
        if joined >= MOST_STUDENTS:
            raise Refused(f"The room {room.code} is full: {joined} have joined.")
        taken = select(StudentRow.id).where(StudentRow.room_id == room.id, StudentRow.nickname_folded == fold(nickname))
        if session.scalar(taken) is not None:
            raise Refused(f"The nickname {nickname} is taken in this room. Choose another one.")
        arm = room.arms[joined % len(room.arms)]
        session.add(
            StudentRow(
                room_id=room.id,
                token_hash=hash_secret(token),
                nickname=nickname,
                nickname_folded=fold(nickname),
                arm=arm,
                experience=experience,
                consent=bool(consent),
                joined_at=store.clock.now(),
            )
        )
        return Ticket(token, nickname, arm)

    return store.write(work)


def who_is(session: Session, room: RoomRow, token: str | None, *, lock: bool = False) -> Who:
    """The teacher, a student of this room, or a visitor: by secret or token alone.

    Args:
        lock: keeps what the same student sends at the same moment waiting until the transaction ends.
    """
    if not token:
        return Visitor()
    if is_secret(token, room.secret_hash):
        return Teacher()
    asked = select(StudentRow).where(StudentRow.token_hash == hash_secret(token), StudentRow.room_id == room.id)
    student = session.scalar(asked.with_for_update() if lock else asked)
    return Student(student.id, student.nickname, student.arm) if student is not None else Visitor()


def find_row(session: Session, code: str, *, lock: bool = False, shared: bool = False) -> RoomRow:
    """The row of a room.

    Args:
        code: as typed.
        lock: keeps others from changing the room until the transaction ends.
        shared: lets others hold the same lock: many may vote at once, while no step is taken.

    Raises:
        Refused: there is no such room.
    """
    wanted = select(RoomRow).where(RoomRow.code == read_code(code))
    room = session.scalar(wanted.with_for_update(read=shared) if lock else wanted)
    if room is None:
        raise Refused(
            f"There is no room {str(code).strip()[:20]!r}. A code has {CODE_LENGTH} letters and digits; a room goes some time after "
            "its lesson."
        )
    return room


def find_teachers_row(session: Session, code: str, secret: str, *, lock: bool = False) -> RoomRow:
    """The row of a room, for its teacher.

    Raises:
        Refused: there is no such room, or the secret is not its own.
    """
    room = find_row(session, code, lock=lock)
    if not is_secret(secret, room.secret_hash):
        raise Refused(f"Only the teacher of room {room.code} can do this: the secret is not the room's.")
    return room
