"""What is asked of students, learners and readers: a nickname, perhaps how experienced they are, and consent. Nothing else."""

import unicodedata
from typing import Any

from core.teaching.text import JOINERS, clean_text

LONGEST_NICKNAME = 30
# Experience with dermoscopy, in the bands of reader studies (Tschandl 2020; Chanda 2024): key -> words.
EXPERIENCE: dict[str, str] = {
    "": "not told",
    "student": "student",
    "under 1": "less than one year",
    "1 to 4": "1 to 4 years",
    "5 to 10": "5 to 10 years",
    "over 10": "more than 10 years",
}
# Of an answer, in per cent. From it and the diagnosis follows how suspicious a reader was; see `scores.suspicion`.
CONFIDENCES = (0, 100)
LONGEST_READING = 24 * 3600 * 1000  # milliseconds; what is longer was left open, and says nothing


class Refused(ValueError):
    """A request that cannot be met; the sentence is for the person who sent it."""


def read_nickname(typed: object) -> str:
    """A nickname on one line.

    Raises:
        Refused: empty, too long, or with characters that cannot be seen.
    """
    return clean_text(typed, "The nickname", LONGEST_NICKNAME, Refused, empty=False)


def fold(nickname: str) -> str:
    """What makes two nicknames the same: neither case nor width nor accents' coding nor joiners tell people apart."""
    return "".join(c for c in unicodedata.normalize("NFKC", nickname).casefold() if c not in JOINERS)[:120]


def read_experience(given: str) -> str:
    """A key of `EXPERIENCE`.

    Raises:
        Refused: another word.
    """
    if given not in EXPERIENCE:
        raise Refused(
            f"The experience {given!r:.40} is not known. Expected one of: {', '.join(k for k in EXPERIENCE if k)}."
        )
    return given


def read_confidence(given: Any) -> int:
    """Per cent, 0 to 100.

    Raises:
        Refused: anything else.
    """
    low, high = CONFIDENCES
    whole = (
        isinstance(given, int | float) and not isinstance(given, bool) and given == given and float(given).is_integer()
    )
    if not whole or not low <= given <= high:
        raise Refused(f"The confidence {given!r:.40} is not possible. Expected whole per cent from {low} to {high}.")
    return int(given)


def read_milliseconds(given: Any) -> int | None:
    """How long an answer took, by the clock of the phone; what cannot be is None: an odd clock must not cost an answer."""
    fits = isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given <= LONGEST_READING
    return round(given) if fits else None
