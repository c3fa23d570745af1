"""A case as one file that another machine can read again: the photo's pixels, the facts, the reading, and what read it.

A bundle is a zip of two members: `photo.png`, the pixels without loss and without anything else (no EXIF, no name), and
`case.json`. Replaying it reads the photo again and compares the digits; where they differ it says what else does: weights,
versions, or only the last bits of another processor's arithmetic.

A bundle may come from anywhere. Nothing in it is unpacked to disk, only members of these two names are read, each up to a
bound, and whatever is amiss ends in one sentence.
"""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from core.card import Card, InvalidBundle, read_card
from core.data.images import MAX_BYTES, MAX_SIDE, UnreadablePhoto, photo_hash, read_photo
from core.data.patient import Facts
from core.diagnoses import CODES, NAMES
from core.folders import weights_root
from core.serving.engines import FORMER
from core.trust.case_record import CASE_FILE, FORMAT, InvalidCase, check_record
from core.trust.zip_member import ZIP_FAULTS, one_line, read_member

if TYPE_CHECKING:  # at run time these would load TensorFlow
    from core.bundle import Bundle
    from core.reading import LesionReading

PHOTO_FILE = "photo.png"
# A photo at the bound of `read_photo` as PNG that hardly compresses.
MAX_PHOTO = MAX_SIDE * MAX_SIDE * 3 + 1_000_000
MAX_CASE = 1_000_000  # bytes of JSON; a case needs some ten thousand
MAX_MEMBERS = 16
# Digits that pages and reports show; what differs less is another processor's rounding.
SAME_DIGITS = 5e-5


@dataclass(frozen=True, eq=False)
class CaseFile:
    """What a bundle holds.

    Args:
        photo: (H, W, 3) uint8 RGB.
        record: of `case.json`.
        facts: the patient's.
    """

    photo: np.ndarray
    record: dict
    facts: Facts

    @property
    def model(self) -> str:
        return self.record["reading"]["model"]

    @property
    def weights(self) -> str:
        """SHA-256 of the weights that gave the reading."""
        return self.record["reading"]["card"]["sha256"]

    @property
    def probabilities(self) -> dict[str, float]:
        return self.record["reading"]["probabilities"]


@dataclass(frozen=True)
class Replay:
    """How a case came out here.

    Args:
        verdict: "identical" (to the last bit), "same digits", "different" or "not replayed".
        probabilities: code -> probability here; None when not replayed.
        largest: largest difference of a probability; None likewise.
        differences: sentences on what differs: weights, versions, calibration.
    """

    verdict: str
    probabilities: dict[str, float] | None
    largest: float | None
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        return self.verdict in ("identical", "same digits")

    @property
    def words(self) -> str:
        """The verdict as a sentence."""
        if self.verdict == "identical":
            return "Replayed: identical to the last bit."
        if self.verdict == "same digits":
            return (
                f"Replayed: the same digits (largest difference {self.largest:.1e}, the rounding of another processor)."
            )
        if self.verdict == "different":
            return f"Replayed with a different result: a probability differs by {self.largest:.4f}."
        return "Not replayed."


def write_case(photo: np.ndarray, reading: "LesionReading", more: dict | None = None) -> bytes:
    """A case bundle.

    Args:
        photo: (H, W, 3) uint8 RGB, that was read.
        reading: of it.
        more: what else is to be kept, as plain values, such as the 90 % set; replay does not ask for it.

    Returns:
        The bytes of a zip file, the same for the same case.
    """
    record = {
        "format": FORMAT,
        "photo_sha256": photo_hash(photo),
        "reading": reading.to_json(),
        **({"more": more} if more else {}),
    }
    record["reading"].pop("seconds", None)  # differ from run to run
    png = io.BytesIO()
    Image.fromarray(photo).save(png, "PNG")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as bundle:
        for name, content, how in (
            (CASE_FILE, json.dumps(record, indent=1, allow_nan=False).encode(), zipfile.ZIP_DEFLATED),
            (PHOTO_FILE, png.getvalue(), zipfile.ZIP_STORED),
        ):
            # Without a date, which would say when the patient was seen.
            bundle.writestr(zipfile.ZipInfo(name), content, how)
    return file.getvalue()


def read_case(source: bytes | str | Path) -> CaseFile:
    """Reads a case bundle that nobody has checked.

    Args:
        source: the bundle's bytes, or its path.

    Raises:
        InvalidCase: no bundle, a member missing, too large, damaged or locked, or a photo that is not the one that was read.
    """
    data, name = _bytes_of(source)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            members = bundle.infolist()
            if len(members) > MAX_MEMBERS:
                raise InvalidCase(
                    f"{name} holds {len(members)} files. Expected a case bundle of {CASE_FILE} and {PHOTO_FILE}."
                )
            case, png = (
                read_member(bundle, member, bound, name, InvalidCase) for member, bound in _wanted(members, name)
            )
    except InvalidCase:
        raise
    except ZIP_FAULTS as error:
        raise InvalidCase(
            f"{name} is not a whole zip file ({one_line(error)}). Expected a case bundle; save or copy it again."
        ) from None
    record, facts = check_record(case, name)
    try:
        if not png.startswith(b"\x89PNG\r\n"):
            raise InvalidCase(f"{PHOTO_FILE} in {name} is not a PNG file. Save the case again where it was read.")
        photo = read_photo(png, f"{PHOTO_FILE} in {name}")
    except UnreadablePhoto as error:
        raise InvalidCase(str(error)) from None
    if photo_hash(photo) != record["photo_sha256"]:
        raise InvalidCase(
            f"The photo in {name} is not the one that was read: its pixels were changed. Save the case again."
        )
    return CaseFile(photo, record, facts)


def replay(case: CaseFile, load: "Callable[[Path], Bundle] | None" = None, root: Path | None = None) -> Replay:
    """Reads a case again and compares.

    Args:
        case: from `read_case`.
        load: folder -> bundle; `core.bundle.load_bundle` when None.
        root: folder of models; the shipped ones when None.
    """
    folder, differences = find_weights(case, root)
    if folder is None:
        return Replay("not replayed", None, None, tuple(differences))
    from core.bundle import load_bundle
    from core.reading import read_lesion

    try:
        bundle = (load or load_bundle)(folder)
    except InvalidBundle as error:
        return Replay("not replayed", None, None, (*differences, str(error)))
    reading = read_lesion(bundle, case.photo, case.facts, explain=False)
    differences += compare_engines(case.record["reading"], reading)
    calibration, before = bundle.card.calibration, case.record["reading"]["card"]
    if "temperature" in before and before["temperature"] != calibration.temperature:
        differences.append(f"The temperature was {before['temperature']}; here it is {calibration.temperature}.")
    # Cases of earlier versions have no biases: their probabilities were calibrated without.
    if before.get("biases", [0.0] * len(CODES)) != list(calibration.biases):
        differences.append("The calibration's biases are others here than when the case was saved.")
    largest = max(abs(reading.probabilities[c] - case.probabilities[c]) for c in CODES)
    verdict = "identical" if largest == 0 else "same digits" if largest < SAME_DIGITS else "different"
    return Replay(verdict, reading.probabilities, largest, tuple(differences))


def find_weights(case: CaseFile, root: Path | None = None) -> tuple[Path | None, list[str]]:
    """The folder of the model with the case's weights, whatever its name; else one of its name, and a sentence that says so."""
    cards: dict[str, Card] = {}
    root = root or weights_root()
    for path in sorted(root.glob("*/card.json")):
        try:
            cards[path.parent.name] = read_card(path.parent)
        except InvalidBundle:
            continue
    same = next((name for name, card in cards.items() if card.weights.get("sha256") == case.weights), None)
    if same is not None:
        return root / same, []
    if case.model in cards:
        here = str(cards[case.model].weights.get("sha256"))
        return root / case.model, [
            f"The weights differ: {case.model} was {case.weights[:12]} when the case was read, and is {here[:12]} here."
        ]
    there = ", ".join(cards) or "none"
    return None, [
        f"The model {case.model} (weights {case.weights[:12]}) is not here; there is: {there}. Restore it into {root.name}/."
    ]


def compare_engines(before: dict, reading: "LesionReading") -> list[str]:
    """Sentences on what did the work then and here; of two engines, how far apart their answers are is said.

    Args:
        before: the reading's record. Those of earlier versions name no engine: it was TensorFlow.
    """
    versions, engine = before.get("versions", {}), before.get("engine", "tensorflow")
    if engine == reading.engine:
        return compare_versions(versions, reading.versions)
    largest = max(abs(reading.probabilities[c] - before["probabilities"][c]) for c in CODES)
    shared = {name: version for name, version in versions.items() if name in reading.versions}
    former = [FORMER[engine]] if engine in FORMER else []
    return [
        *former,
        f"It was read by {engine}, and here by {reading.engine}: a probability differs by {largest:.1e} at most.",
        *compare_versions(shared, reading.versions),
    ]


def compare_versions(before: dict, here: dict) -> list[str]:
    """A sentence for each program whose version differs."""
    return [
        f"{name} was {before[name]} when the case was read; here it is {here.get(name, 'missing')}."
        for name in before
        if here.get(name) != before[name]
    ]


def replay_table(case: CaseFile, replayed: Replay) -> list[dict]:
    """Each diagnosis' probability then and now, for a table."""
    return [
        {"Diagnosis": NAMES[c], "Then": case.probabilities[c], "Now": replayed.probabilities[c]}
        for c in CODES
        if replayed.probabilities
    ]


def _bytes_of(source: bytes | str | Path) -> tuple[bytes, str]:
    if isinstance(source, bytes):
        data, name = source, "The case bundle"
        size = len(data)
    else:
        path = Path(source)
        name = path.name
        try:
            if not path.is_file():
                raise InvalidCase(
                    f"{path} {'is a folder' if path.is_dir() else 'does not exist'}. Expected a case bundle (.zip)."
                )
            size = path.stat().st_size
            data = path.read_bytes() if size <= MAX_BYTES else b""
        except OSError as error:
            raise InvalidCase(f"{path} cannot be read ({error.strerror}). Check the file's permissions.") from None
    if size > MAX_BYTES:
        raise InvalidCase(
            f"{name} has {size / 1e6:,.0f} MB. Expected a case bundle of at most {MAX_BYTES / 1e6:.0f} MB."
        )
    if not data:
        raise InvalidCase(f"{name} is empty (0 bytes). Save the case again.")
    return data, name


def _wanted(members: list[zipfile.ZipInfo], name: str) -> list[tuple[zipfile.ZipInfo, int]]:
    """The two members, with their bounds. Names are compared whole, so paths in them lead nowhere."""
    contents = []
    for file, bound in ((CASE_FILE, MAX_CASE), (PHOTO_FILE, MAX_PHOTO)):
        named = [m for m in members if m.filename == file]
        if len(named) != 1:
            came = ", ".join(m.filename for m in members[:5]) or "nothing"
            raise InvalidCase(
                f"{name} holds {'no' if not named else 'more than one'} {file}; found: {came[:200]}. Expected a case bundle that was saved "
                "on the reading page."
            )
        contents.append((named[0], bound))
    return contents
