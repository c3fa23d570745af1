"""What a case set is: cases in order, each with its truth, how that was confirmed, its facts and its licence. It holds no photo."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from core.data.patient import Facts
from core.diagnoses import CODES
from core.teaching.text import clean_text

# How a diagnosis was confirmed: code, as HAM10000 has it -> words.
CONFIRMED: dict[str, str] = {
    "histo": "histopathology",
    "follow_up": "follow-up: unchanged over time",
    "consensus": "consensus of experts",
    "confocal": "in-vivo confocal microscopy",
    "unknown": "not known how",
}
# Where a case's photo comes from.
ARCHIVE, OWN_PHOTOS = "archive", "own"
SOURCES = (ARCHIVE, OWN_PHOTOS)
HAM10000_LICENCE = "CC BY-NC 4.0"
HAM10000_ATTRIBUTION = "HAM10000: Tschandl, Rosendahl and Kittler 2018, doi:10.1038/sdata.2018.161"
MAX_CASES = 1000
LONGEST_TITLE, LONGEST_TEXT = 120, 500
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class InvalidCaseSet(ValueError):
    """A case set, or a file of one, that cannot be used; the message says what came, what was expected and how to fix it."""


@dataclass(frozen=True)
class TeachingCase:
    """One case.

    Args:
        id: of the photo: its ISIC id, or a teacher's own.
        truth: code of the diagnosis.
        confirmed: key of `CONFIRMED`.
        licence, attribution: of the photo; shown wherever it is.
        facts: of the patient.
        source: "archive" (a photo of the ISIC Archive) or "own" (found by its SHA-256).
        sha256: of the bytes of an own photo's file, in hexadecimal; "" for others.
        why: why the case was chosen; may give the truth away.
        group: cases that belong together, such as "Pair 1"; "" for none.

    Raises:
        InvalidCaseSet: a value that cannot be.
    """

    id: str
    truth: str
    confirmed: str
    licence: str
    attribution: str
    facts: Facts = field(default_factory=Facts)
    source: str = ARCHIVE
    sha256: str = ""
    why: str = ""
    group: str = ""

    def __post_init__(self):
        if not _ID.fullmatch(self.id):
            raise InvalidCaseSet(
                f"{self.id!r:.80} is no id of a photo. Expected letters, digits, `_`, `-` and `.`, 64 at most, such as ISIC_0024306."
            )
        for what, value, known in (
            ("diagnosis", self.truth, CODES),
            ("way of confirming", self.confirmed, tuple(CONFIRMED)),
            ("source", self.source, SOURCES),
        ):
            if value not in known:
                raise InvalidCaseSet(f"{self.id} has the {what} {value!r:.60}. Expected one of: {', '.join(known)}.")
        for what, empty in (("licence", False), ("attribution", False), ("why", True), ("group", True)):
            text = clean_text(getattr(self, what), f"{what} of {self.id}", LONGEST_TEXT, InvalidCaseSet, empty=empty)
            object.__setattr__(self, what, text)
        own = self.source == OWN_PHOTOS
        if own != bool(self.sha256) or (own and not _SHA256.fullmatch(self.sha256)):
            raise InvalidCaseSet(
                f"{self.id} has the source {self.source!r} and the SHA-256 {self.sha256!r:.80}. Expected 64 hexadecimal digits for an own "
                "photo, and none for one of the archive."
            )


@dataclass(frozen=True)
class CaseSet:
    """Cases in the order in which they are shown.

    Args:
        title: shown to the teacher; students see it at the end, as it may give truths away.
        cases: in order; each photo once.
        description: one or two sentences.
        made_from: what a set by rule was made from: {"rule", "model", "predictions_sha256"}; empty for a teacher's own.

    Raises:
        InvalidCaseSet: no cases, too many, or a photo twice.
    """

    title: str
    cases: tuple[TeachingCase, ...]
    description: str = ""
    made_from: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        for what, longest, empty in (("title", LONGEST_TITLE, False), ("description", 2 * LONGEST_TEXT, True)):
            text = clean_text(getattr(self, what), f"The {what} of the case set", longest, InvalidCaseSet, empty=empty)
            object.__setattr__(self, what, text)
        object.__setattr__(self, "cases", tuple(self.cases))
        if not 1 <= len(self.cases) <= MAX_CASES:
            raise InvalidCaseSet(f"{self.title!r} has {len(self.cases):,} cases. Expected 1 to {MAX_CASES:,}.")
        ids = [case.id for case in self.cases]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise InvalidCaseSet(f"{self.title!r} lists {', '.join(twice[:5])} more than once. Keep each photo once.")

    def __len__(self) -> int:
        return len(self.cases)

    def only(self, ids: Iterable[str]) -> "CaseSet":
        """The set with these cases alone, in this order.

        Raises:
            InvalidCaseSet: an id that the set does not have.
        """
        by_id = {case.id: case for case in self.cases}
        ids = list(ids)
        foreign = [i for i in ids if i not in by_id]
        if foreign:
            raise InvalidCaseSet(f"{self.title!r} has no case {', '.join(map(str, foreign[:5]))}.")
        return CaseSet(self.title, tuple(by_id[i] for i in ids), self.description)
