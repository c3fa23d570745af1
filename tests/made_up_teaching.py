"""A small case set and a network's answers to it, made up."""

from core.data.patient import Facts
from core.diagnoses import CODES
from core.teaching.advice import Advice
from core.teaching.case_sets.record import CaseSet, TeachingCase

TRUTHS = ("nv", "mel", "nv", "bcc")
# What the network says: right, wrong, right, wrong.
ANSWERS = ("nv", "nv", "nv", "mel")


def make_advice(answer: str, p: float = 0.7, **further) -> Advice:
    rest = (1 - p) / (len(CODES) - 1)
    return Advice("Drawn", {code: p if code == answer else rest for code in CODES}, **further)


def make_cases(truths=TRUTHS, title="Four cases") -> CaseSet:
    return CaseSet(
        title,
        tuple(
            TeachingCase(
                f"ISIC_{n:07d}",
                code,
                "histo",
                "CC0",
                "Somebody",
                Facts(40.0 + n % 50, "female", "back"),
                why=f"A {code}.",
            )
            for n, code in enumerate(truths)
        ),
    )
