"""An answer beside the truth and the network's: what classes, quizzes and reader studies are scored from."""

from collections.abc import Callable
from dataclasses import dataclass

from core.diagnoses import CODES, MALIGNANT

MALIGNANT_CODES = frozenset(code for code, malignant in zip(CODES, MALIGNANT, strict=True) if malignant)
# What is to be found: key -> (words, codes that have it).
TARGETS: dict[str, tuple[str, frozenset[str]]] = {
    "mel": ("melanoma", frozenset({"mel"})),
    "malignant": ("malignant lesion", MALIGNANT_CODES),
}


@dataclass(frozen=True)
class Answered:
    """One person's answers to one case.

    Args:
        person: who; answers of one person are not independent.
        case: id.
        truth: code.
        first: code, before the network's answer; None where there was no answer.
        confidence: of the first, per cent.
        advice: the network's answer, as it was shown; None where none was.
        second: code, after it; None where nobody asked, or there was no answer.
        second_confidence: of the second, per cent.
        milliseconds: of the first answer.
    """

    person: str
    case: str
    truth: str
    first: str | None
    confidence: int | None = None
    advice: str | None = None
    second: str | None = None
    second_confidence: int | None = None
    milliseconds: int | None = None

    @property
    def last(self) -> str | None:
        """The answer that counts in the end."""
        return self.second or self.first


def suspicion(diagnosis: str, confidence: int, target: str = "mel") -> float:
    """How much an answer speaks for the target, -100 (surely not) to 100 (surely): confidence with the sign of the answer.

    Orders answers for a ROC, as the ratings of reader studies do; the number itself means no probability.

    Args:
        target: key of `TARGETS`.
    """
    return float(confidence if diagnosis in TARGETS[target][1] else -confidence)


def first_answer(one: Answered) -> str | None:
    return one.first


def last_answer(one: Answered) -> str | None:
    return one.last


Which = Callable[[Answered], str | None]
