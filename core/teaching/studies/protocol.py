"""The protocol of a reader study: cases, arms, order and questions."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.teaching.answers import TARGETS
from core.teaching.case_sets.record import CaseSet
from core.teaching.text import clean_text

# What an arm may show beside the photo.
SHOWS = ("facts", "network", "map")
# crossover: all cases in one arm, a pause, all in the other, arms in turn over readers. sequential: each case in both arms at once.
DESIGNS = ("crossover", "sequential")
CASE_ORDERS = ("random", "fixed")
# Type of a question -> how the ISIC Archive's studies call it. None takes free text, in which names would be written.
QUESTION_TYPES: dict[str, str] = {
    "diagnosis": "diagnosis",
    "confidence": "number",
    "choice": "select",
    "scale": "number",
}
MOST_STUDY_CASES, MOST_QUESTIONS, MOST_CHOICES = 500, 20, 20
# Lowest and highest of a scale's ends.
_SCALE = (-1000, 1000)


class InvalidProtocol(ValueError):
    """A protocol that cannot be used; the message says where, what came and what was expected."""


@dataclass(frozen=True)
class Arm:
    """A way to read: what stands beside the photo, of `SHOWS`. Raises `InvalidProtocol`."""

    name: str
    shows: tuple[str, ...]

    def __post_init__(self):
        _set_text(self, "name", 40, empty=False)
        for what in self.shows:
            _one_of(what, "shows", SHOWS)
        if "map" in self.shows and "network" not in self.shows:
            raise InvalidProtocol(
                "shows has the map without the network's answer. Add 'network', or leave the map out."
            )


@dataclass(frozen=True)
class StudyQuestion:
    """What is asked of each case.

    Args:
        id: in exports.
        prompt: what readers see.
        type: key of `QUESTION_TYPES`.
        choices: of a "choice".
        low, high: ends of a "scale".
        required: whether it must be answered.

    Raises:
        InvalidProtocol: a question that cannot be.
    """

    id: str
    prompt: str
    type: str
    choices: tuple[str, ...] = ()
    low: int = 1
    high: int = 5
    required: bool = True

    def __post_init__(self):
        _one_of(self.type, "type", tuple(QUESTION_TYPES))
        _set_text(self, "id", 40, empty=False)
        _set_text(self, "prompt", 500, empty=False)
        if not self.id.replace("_", "").isalnum() or not self.id.isascii():
            raise InvalidProtocol(f"id is {self.id!r}. Expected letters, digits and `_`.")
        if self.type == "choice":
            self._check_choices()
        elif self.choices:
            raise InvalidProtocol(f"type is {self.type!r} and choices are given. Leave them out.")
        if self.type != "scale" and (self.low, self.high) != (1, 5):
            raise InvalidProtocol(f"type is {self.type!r} and low or high is given. Leave it out.")
        if not _SCALE[0] <= self.low < self.high <= _SCALE[1]:
            raise InvalidProtocol(
                f"low is {self.low} and high is {self.high}. Expected the low end below the high end, both from {_SCALE[0]} to {_SCALE[1]}."
            )

    def _check_choices(self) -> None:
        if not 2 <= len(self.choices) <= MOST_CHOICES:
            raise InvalidProtocol(f"choices has {len(self.choices)} entries. Expected 2 to {MOST_CHOICES}.")
        choices = tuple(clean_text(one, "A choice", 100, InvalidProtocol, empty=False) for one in self.choices)
        if len(set(choices)) < len(choices):
            raise InvalidProtocol("choices has the same choice twice.")
        object.__setattr__(self, "choices", choices)


@dataclass(frozen=True)
class Protocol:
    """A study.

    Args:
        name, description: of it.
        target: what is to be found, key of `answers.TARGETS`.
        cases: with their truths.
        arms: one or two.
        design: one of `DESIGNS`.
        washout_days: least pause between the two sessions of a crossover.
        case_order: one of `CASE_ORDERS`.
        seed: of all orders.
        repeats: cases that come a second time in each arm, to see whether a reader says the same again.
        questions: of each case; one asks the diagnosis and one the confidence, from which the ROC is made.
        consent: what readers agree to before they begin; "" asks nothing.
        kept_days: after so many days the study goes by itself.

    Raises:
        InvalidProtocol: parts that cannot be, or that do not go together.
    """

    name: str
    cases: CaseSet
    arms: tuple[Arm, ...]
    questions: tuple[StudyQuestion, ...]
    description: str = ""
    target: str = "mel"
    design: str = "crossover"
    washout_days: float = 14
    case_order: str = "random"
    seed: int = 0
    repeats: int = 0
    consent: str = ""
    kept_days: float = 365

    def __post_init__(self):
        _set_text(self, "name", 100, empty=False)
        _set_text(self, "description", 2000)
        _set_text(self, "consent", 4000)
        _one_of(self.target, "target", tuple(TARGETS))
        _one_of(self.design, "order.design", DESIGNS)
        _one_of(self.case_order, "order.cases", CASE_ORDERS)
        if len(self.cases) > MOST_STUDY_CASES:
            raise InvalidProtocol(f"cases has {len(self.cases)} cases. Expected at most {MOST_STUDY_CASES}.")
        if not 0 <= self.repeats <= len(self.cases):
            raise InvalidProtocol(f"repeats is {self.repeats}. Expected a whole number from 0 to {len(self.cases)}.")
        _each_once("arms has the name", [arm.name.casefold() for arm in self.arms])
        _each_once("questions has the id", [q.id for q in self.questions])
        for kind in ("diagnosis", "confidence"):
            asked = [q for q in self.questions if q.type == kind]
            if len(asked) != 1 or not asked[0].required:
                raise InvalidProtocol(
                    f"questions has {len(asked)} of type {kind!r}. Expected one, required: the ROC is made from it."
                )
        positive = sum(case.truth in TARGETS[self.target][1] for case in self.cases.cases)
        if not 2 <= positive <= len(self.cases) - 2:
            raise InvalidProtocol(
                f"cases has {positive} with the target {self.target!r} of {len(self.cases)}. Expected two or more with it and two or more "
                "without, or nothing can be analysed."
            )

    def question(self, kind: str) -> StudyQuestion:
        """The first question of a type."""
        return next(q for q in self.questions if q.type == kind)


def _set_text(record: object, name: str, longest: int, *, empty: bool = True) -> None:
    """Cleans a text of a frozen record that is being made."""
    object.__setattr__(record, name, clean_text(getattr(record, name), name, longest, InvalidProtocol, empty=empty))


def _one_of(value: str, name: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InvalidProtocol(f"{name} is {value!r:.60}. Expected one of: {', '.join(known)}.")


def _each_once(where: str, names: Sequence[str]) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidProtocol(f"{where} {twice[0]!r} twice. Expected each once.")
