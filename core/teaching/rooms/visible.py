"""What somebody may see of a room: the one place that decides it."""

from collections import Counter
from dataclasses import dataclass, replace

from core.data.patient import Facts
from core.teaching.advice import Advice
from core.teaching.rooms.room import Room, Student, Teacher, Visitor, Vote, Who
from core.teaching.rooms.steps import FACTS, MAP, NETWORK, STEPS, TRUTH, VOTES, seen_at


@dataclass(frozen=True)
class View:
    """What one person sees of a room at one moment; what is not to be seen is None or empty.

    Args:
        code, position, cases, step, over, version: where the room is; the same for all.
        title: of the room; may give truths away.
        photo_key: what the photo is asked by; see `photos.find_photo`.
        licence, attribution: of the photo.
        facts: of the patient.
        open_round: the round of votes that this person may answer in now, or 0.
        own: this person's answers to this case.
        missed: rounds of this case that ended without an answer of this student.
        network: the network's answer.
        map: whether the network's map is shown.
        truth, confirmed, why: code of the diagnosis, how it was confirmed, why the case was chosen.
        faulty: whether the network's answer was made wrong on purpose; None before the truth.
        tally: round -> code -> votes.
        answered: how many have answered in the round that is open or was last.
        students: how many have joined.
        image_id: of the photo.
        nicknames: of the students, in the order in which they joined.
    """

    code: str
    position: int
    cases: int
    step: str
    over: bool
    version: int
    students: int
    title: str | None = None
    photo_key: str | None = None
    licence: str | None = None
    attribution: str | None = None
    facts: Facts | None = None
    open_round: int = 0
    own: tuple[Vote, ...] = ()
    missed: tuple[int, ...] = ()
    network: Advice | None = None
    map: bool = False
    truth: str | None = None
    confirmed: str | None = None
    why: str | None = None
    faulty: bool | None = None
    tally: dict[int, dict[str, int]] | None = None
    answered: int = 0
    image_id: str | None = None
    nicknames: tuple[str, ...] = ()


def visible(room: Room, who: Who) -> View:
    """What `who` may see of the room now.

    A visitor sees that there is such a room and where it is. A student sees what the steps up to the present one show to the
    student's arm, and the own answers. The teacher sees all of the case that is shown. Nobody sees other cases.

    Raises:
        TypeError: somebody of no known kind.
    """
    outside = View(
        room.code,
        room.position,
        room.cases,
        room.step_name,
        room.over,
        room.version,
        len(room.students),
        answered=_answered(room),
    )
    if isinstance(who, Visitor):
        return outside
    if isinstance(who, Teacher):
        everything = frozenset(what for step in STEPS.values() for what in step.shows)
        inside = replace(
            outside,
            title=room.title,
            image_id=room.case.id,
            nicknames=tuple(room.students.values()),
            open_round=room.open_round,
        )
        return _with(inside, room, everything)
    if isinstance(who, Student):
        own = tuple(vote for vote in room.votes if vote.student == who.id)
        answered = {vote.round for vote in own}
        inside = replace(
            outside,
            own=own,
            open_round=room.open_round if room.open_round not in answered else 0,
            missed=tuple(number for number in room.closed_rounds if number not in answered),
            title=room.title if room.over else None,
        )
        return _with(inside, room, seen_at(room.steps, room.step, who.arm))
    raise TypeError(f"{type(who).__name__} is nobody who asks about rooms.")


def _with(view: View, room: Room, seen: frozenset[str]) -> View:
    """The view with what `seen` allows; a student at the step of the truth sees `why`, and whether the network was made wrong."""
    case, advice = room.case, room.advice
    told = TRUTH in seen
    return replace(
        view,
        photo_key=room.photo_key,
        licence=case.licence,
        attribution=case.attribution,
        facts=case.facts if FACTS in seen else None,
        # That an answer was made wrong is told with the truth and not before.
        network=(advice if told else advice.disguised()) if advice and NETWORK in seen else None,
        map=MAP in seen,
        truth=case.truth if told else None,
        confirmed=case.confirmed if told else None,
        why=case.why if told else None,
        faulty=bool(advice and advice.faulty) if told else None,
        tally=_tally(room) if VOTES in seen else None,
    )


def _tally(room: Room) -> dict[int, dict[str, int]]:
    return {
        number: dict(Counter(vote.diagnosis for vote in room.votes if vote.round == number))
        for number in sorted({STEPS[name].round for name in room.steps} - {0})
    }


def _answered(room: Room) -> int:
    """Votes in the round that is open, or in the last one that was."""
    rounds = [STEPS[name].round for name in room.steps[: room.step + 1] if STEPS[name].round]
    return sum(vote.round == rounds[-1] for vote in room.votes) if rounds else 0
