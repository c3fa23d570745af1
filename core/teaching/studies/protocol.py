"""The protocol of a reader study: cases, arms, order and questions."""

from dataclasses import dataclass

from core.teaching.case_sets.record import CaseSet

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


class InvalidProtocol(ValueError):
    """A protocol that cannot be used; the message says where, what came and what was expected."""


@dataclass(frozen=True)
class Arm:
    """A way to read: what stands beside the photo."""

    name: str
    shows: tuple[str, ...]


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
    """

    id: str
    prompt: str
    type: str
    choices: tuple[str, ...] = ()
    low: int = 1
    high: int = 5
    required: bool = True


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

    def question(self, kind: str) -> StudyQuestion:
        """The first question of a type."""
        return next(q for q in self.questions if q.type == kind)
