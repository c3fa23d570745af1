"""What a room is, with all that is secret in it, and who may ask about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.teaching.advice import Advice
from core.teaching.case_sets.record import TeachingCase
from core.teaching.rooms.steps import STEPS, Step


@dataclass(frozen=True)
class Visitor:
    """Anybody: somebody without a token of this room."""


@dataclass(frozen=True)
class Teacher:
    """Whoever has the room's secret."""


@dataclass(frozen=True)
class Student:
    """Whoever has a token of the room.

    Args:
        id: in the database.
        nickname: as typed.
        arm: one of `steps.ARMS`.
    """

    id: int
    nickname: str
    arm: str


Who = Visitor | Teacher | Student


@dataclass(frozen=True)
class Vote:
    """An answer to a case.

    Args:
        id: in the order of arrival.
        student: id of who voted.
        round: 1 before the network's answer, 2 after it.
        diagnosis: code.
        confidence: per cent.
        milliseconds: from the photo to the answer, by the phone's clock; None where not told.
    """

    id: int
    student: int
    round: int
    diagnosis: str
    confidence: int
    milliseconds: int | None


@dataclass(frozen=True)
class Room:
    """A room at one moment. Nothing of it may reach a student but through `visible`.

    Args:
        code, title: of the room.
        steps: names of its steps.
        arms: of its students.
        position: of the case that is shown, from 0.
        step: place of the step in `steps`.
        furthest: the furthest step that the class has seen of this case.
        over: whether the teacher has ended it.
        version: counts what the teacher does.
        cases: how many there are.
        case, advice: of the case that is shown; advice None where the network was not asked.
        photo_key: what phones ask its photo by.
        votes: on this case.
        students: id -> nickname.
    """

    code: str
    title: str
    steps: tuple[str, ...]
    arms: tuple[str, ...]
    position: int
    step: int
    furthest: int
    over: bool
    version: int
    cases: int
    case: TeachingCase
    advice: Advice | None
    photo_key: str
    votes: tuple[Vote, ...] = ()
    students: Mapping[int, str] = field(default_factory=dict)

    @property
    def step_name(self) -> str:
        return self.steps[self.step]

    @property
    def open_round(self) -> int:
        """The round of votes that is open now, or 0."""
        return 0 if self.over else open_round(self.steps, self.step, self.furthest)

    @property
    def closed_rounds(self) -> tuple[int, ...]:
        """The rounds of votes on this case that have been open and will not open again."""
        passed = self.steps[: self.furthest + 1 if self.over else self.furthest]
        return tuple(STEPS[name].round for name in passed if STEPS[name].round)


def open_round(steps: tuple[str, ...], step: int, furthest: int) -> int:
    """The round of votes that a step takes, or 0: no round opens again once the class has seen what comes after it."""
    at: Step = STEPS[steps[step]]
    return at.round if step >= furthest else 0
