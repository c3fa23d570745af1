"""What a teacher does with a room: on, back, to a case, the end, and away with it. All of it asks for the room's secret."""

from collections.abc import Mapping

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core.teaching.advice import Advice
from core.teaching.people import Refused
from core.teaching.rooms.door import find_teachers_row
from core.teaching.rooms.look import load_room
from core.teaching.rooms.room import Teacher
from core.teaching.rooms.visible import View, visible
from core.teaching.store.database import Store
from core.teaching.store.tables import RoomCaseRow, RoomRow


def step_on(store: Store, code: str, secret: str, seen: int | None = None) -> View:
    """On to the next step, or to the next case after the last step; stays at the very end.

    Args:
        seen: `View.version` that the teacher's page showed; a click on an older one changes nothing, so that two quick clicks, or
            one that was sent twice, are one step.

    Raises:
        Refused: no such room, a wrong secret, or the room is over.
    """

    def work(session: Session, row: RoomRow) -> None:
        if row.step + 1 < len(row.steps):
            _go(session, row, row.position, row.step + 1)
        elif row.position + 1 < _count(session, row):
            _go(session, row, row.position + 1, 0)

    return _lead(store, code, secret, work, seen)


def step_back(store: Store, code: str, secret: str, seen: int | None = None) -> View:
    """Back to the step before, or to the last step of the case before. Votes stay, and no round opens again that was passed.

    Args, Raises: as `step_on`.
    """

    def work(session: Session, row: RoomRow) -> None:
        if row.step:
            _go(session, row, row.position, row.step - 1)
        elif row.position:
            _go(session, row, row.position - 1, len(row.steps) - 1)

    return _lead(store, code, secret, work, seen)


def go_to(store: Store, code: str, secret: str, position: int, step: str = "photo") -> View:
    """To a step of a case.

    Raises:
        Refused: no such room, case or step, a wrong secret, or the room is over.
    """

    def work(session: Session, row: RoomRow) -> None:
        cases = _count(session, row)
        if not isinstance(position, int) or not 0 <= position < cases or step not in row.steps:
            raise Refused(
                f"Room {row.code} has no step {step!r:.40} of case {position!r:.20}. It has {cases} cases, from 0, and the steps "
                f"{', '.join(row.steps)}."
            )
        _go(session, row, position, row.steps.index(step))

    return _lead(store, code, secret, work)


def end_room(store: Store, code: str, secret: str) -> View:
    """Ends the lesson: nobody joins or votes any more; results stay until the room goes.

    Raises:
        Refused: no such room, or a wrong secret.
    """

    def work(session: Session, row: RoomRow) -> None:
        row.over = True

    return _lead(store, code, secret, work, ended=True)


def set_advice(store: Store, code: str, secret: str, advice: Mapping[str, Advice]) -> View:
    """Keeps what the network says of cases, for those whose network step the class has not reached.

    Args:
        advice: id of a case -> answer.

    Raises:
        Refused: no such room, a wrong secret, the room is over, or the class has seen an answer to such a case.
    """

    def work(session: Session, row: RoomRow) -> None:
        network = row.steps.index("network") if "network" in row.steps else len(row.steps) - 1
        for case in session.scalars(select(RoomCaseRow).where(RoomCaseRow.room_id == row.id)):
            given = advice.get(case.case["id"])
            if given is None or case.advice == given.to_record():
                continue
            if case.furthest >= network:
                raise Refused(
                    f"The class has seen the network's step of case {case.position + 1}; its answer stays as it is."
                )
            case.advice = given.to_record()

    return _lead(store, code, secret, work)


def delete_room(store: Store, code: str, secret: str) -> None:
    """Deletes a room with its students and all their answers.

    Raises:
        Refused: no such room, or a wrong secret.
    """

    def work(session: Session) -> None:
        row = find_teachers_row(session, code, secret, lock=True)
        session.execute(delete(RoomRow).where(RoomRow.id == row.id))

    store.write(work)


def _lead(store: Store, code: str, secret: str, work, seen: int | None = None, *, ended: bool = False) -> View:
    def run(session: Session) -> View:
        row = find_teachers_row(session, code, secret, lock=True)
        if row.over and not ended:
            raise Refused(
                f"The room {row.code} is over. Its results can be seen until it goes; open a new room to go on."
            )
        if seen is None or seen == row.version:
            work(session, row)
            row.version += 1
            session.flush()
        return visible(load_room(session, row), Teacher())

    return store.write(run)


def _go(session: Session, row: RoomRow, position: int, step: int) -> None:
    row.position, row.step = position, step
    case = session.get_one(RoomCaseRow, (row.id, position))
    case.furthest = max(case.furthest, step)


def _count(session: Session, row: RoomRow) -> int:
    return session.scalars(select(func.count()).select_from(RoomCaseRow).where(RoomCaseRow.room_id == row.id)).one()
