"""What a projector may show: what students see, each arm by itself, and nothing of what only the teacher knows."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.teaching.rooms.door import find_teachers_row
from core.teaching.rooms.look import load_room
from core.teaching.rooms.room import Student
from core.teaching.rooms.visible import View, visible
from core.teaching.store.database import Store

NOBODY = 0  # ids begin at 1: a projector has no answers of its own


@dataclass(frozen=True)
class Projection:
    """A room as a wall full of people may see it.

    Args:
        arms: arm -> what its students see.
        nicknames: of who has joined, in their order.
        steps: names of the room's steps.
    """

    arms: dict[str, View]
    nicknames: tuple[str, ...]
    steps: tuple[str, ...]

    @property
    def view(self) -> View:
        """What the first arm sees; where the room is, is the same for all."""
        return next(iter(self.arms.values()))


def project(store: Store, code: str, secret: str) -> Projection:
    """The room as it may be projected; asks for the teacher's secret, as a projector is the teacher's.

    Raises:
        Refused: no such room, or a wrong secret.
    """

    def work(session: Session) -> Projection:
        room = load_room(session, find_teachers_row(session, code, secret))
        return Projection(
            {arm: visible(room, Student(NOBODY, "", arm)) for arm in room.arms},
            tuple(room.students.values()),
            room.steps,
        )

    return store.read(work)
