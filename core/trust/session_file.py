"""A session's cases as one file: each as a case bundle that replays, with its label, its note, and the whole photo where a square was read.

The file is a zip of `session.json`, `case-1.zip` and so on, and `whole-1.png` where that case's photo was cropped. It may come from
anywhere: nothing in it is unpacked to disk, only members of these names are read, each up to a bound, and whatever is amiss ends in one
sentence, before any case of it is taken over.
"""

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct
from PIL import Image

from core.data.framing.crop import Crop
from core.data.images import MAX_BYTES, UnreadablePhoto, photo_hash, read_photo
from core.schemas.kind import InvalidRecord, Kind
from core.trust.replay import MAX_PHOTO, CaseFile, InvalidCase, read_case
from core.trust.zip_member import ZIP_FAULTS, one_line, read_member

FORMAT = 1
SESSION_FILE = "session.json"
MAX_CASES = 100
# All cases of a session: a hundred photos of a dermatoscope as PNG.
MAX_SESSION_BYTES = 400_000_000
MAX_LABEL, MAX_NOTE = 120, 4000  # characters
_MAX_RECORD = 2_000_000
_BOUNDS = f"A label has at most {MAX_LABEL} characters, a note {MAX_NOTE}, a crop is [X, Y, SIZE] or null."
_AGAIN = "Export the session again on the page *This session*."


class _Line(Struct):
    """What `session.json` says of a case; a crop is X, Y and SIZE."""

    label: Annotated[str, Meta(max_length=MAX_LABEL)]
    note: Annotated[str, Meta(max_length=MAX_NOTE)]
    crop: tuple[int, int, int] | None


class _Session(Struct):
    """`session.json`."""

    format: int
    cases: Annotated[list[_Line], Meta(max_length=MAX_CASES)]


_SESSION = Kind("session", _Session, FORMAT, closed=False)


class InvalidSession(ValueError):
    """A session file that cannot be read; the message says what came, what was expected and how to fix it."""


@dataclass(frozen=True, eq=False)
class SessionCase:
    """One case of a session.

    Args:
        case: a case bundle, from `core.trust.replay.write_case`.
        label, note: the reader's words.
        crop: the square of the whole photo that the bundle's photo is; None where it is all of it.
        whole: the whole photo as PNG where it was cropped, else b"".
    """

    case: bytes
    label: str = ""
    note: str = ""
    crop: Crop | None = None
    whole: bytes = b""


def write_session(cases: Sequence[SessionCase]) -> bytes:
    """A session file.

    Raises:
        InvalidSession: more cases, or more bytes, than such a file holds.
    """
    size = sum(len(one.case) + len(one.whole) for one in cases)
    if len(cases) > MAX_CASES or size > MAX_SESSION_BYTES:
        raise InvalidSession(
            f"These are {len(cases)} cases of {size / 1e6:,.0f} MB. A session file holds at most {MAX_CASES} cases and "
            f"{MAX_SESSION_BYTES / 1e6:.0f} MB: remove some, and export the others as another file."
        )
    for one in cases:
        if len(one.case) > MAX_BYTES:
            raise InvalidSession(
                f"The case {one.label!r} has {len(one.case) / 1e6:,.0f} MB as a file. Expected at most {MAX_BYTES / 1e6:.0f} MB: read a "
                "square of its photo, or remove it from the session."
            )
    record = {
        "format": FORMAT,
        "cases": [
            {"label": one.label, "note": one.note, "crop": one.crop.to_json() if one.crop else None} for one in cases
        ],
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as bundle:
        # Without dates, which would say when patients were seen.
        bundle.writestr(zipfile.ZipInfo(SESSION_FILE), json.dumps(record, indent=1).encode(), zipfile.ZIP_DEFLATED)
        for number, one in enumerate(cases, start=1):
            bundle.writestr(zipfile.ZipInfo(_case_name(number)), one.case)
            if one.crop is not None:
                bundle.writestr(zipfile.ZipInfo(_whole_name(number)), one.whole)
    return file.getvalue()


def read_session(data: bytes, name: str = "The session file") -> list[tuple[SessionCase, CaseFile]]:
    """Reads a session file that nobody has checked, with what each case's bundle holds.

    Raises:
        InvalidSession: no session file, or one of its cases is missing, too large, damaged, or not what it says.
    """
    if len(data) > MAX_SESSION_BYTES + _MAX_RECORD:
        raise InvalidSession(
            f"{name} has {len(data) / 1e6:,.0f} MB. Expected a session file of at most {MAX_SESSION_BYTES / 1e6:.0f} MB."
        )
    if not data:
        raise InvalidSession(f"{name} is empty (0 bytes). {_AGAIN}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            members = {member.filename: member for member in bundle.infolist()}
            if SESSION_FILE not in members:
                came = ", ".join(list(members)[:5]) or "nothing"
                raise InvalidSession(
                    f"{name} holds no {SESSION_FILE}; found: {came[:200]}. Expected a file from *Export the session*; a single case is "
                    "opened by *Replay a saved case*."
                )
            if len(bundle.infolist()) > 2 * MAX_CASES + 1 or len(members) != len(bundle.infolist()):
                raise InvalidSession(f"{name} holds {len(bundle.infolist())} files, too many or of one name. {_AGAIN}")
            lines = _check_record(read_member(bundle, members[SESSION_FILE], _MAX_RECORD, name, InvalidSession), name)
            return [_read_case(bundle, members, number, line, name) for number, line in enumerate(lines, start=1)]
    except InvalidSession:
        raise
    except ZIP_FAULTS as error:
        raise InvalidSession(f"{name} is not a whole zip file ({one_line(error)}). {_AGAIN}") from None


def _read_case(
    bundle: zipfile.ZipFile, members: dict, number: int, line: _Line, name: str
) -> tuple[SessionCase, CaseFile]:
    where = f"case {number} of {name}"

    def read(member: str, bound: int) -> bytes:
        if member not in members:
            raise InvalidSession(f"{member} is missing in {name}. {_AGAIN}")
        return read_member(bundle, members[member], bound, name, InvalidSession)

    content, crop = read(_case_name(number), MAX_BYTES), line.crop
    try:
        case_file = read_case(content)
        if crop is None:
            return SessionCase(content, line.label, line.note), case_file
        square, png = Crop(*crop), read(_whole_name(number), MAX_PHOTO)
        same = photo_hash(square.cut(read_photo(png, where))) == case_file.record["photo_sha256"]
    except (InvalidCase, UnreadablePhoto, ValueError) as error:
        raise InvalidSession(f"In {where}: {error}") from None
    if not same:
        raise InvalidSession(f"The whole photo of {where} is not the one that was cropped. {_AGAIN}")
    return SessionCase(content, line.label, line.note, square, png), case_file


def _check_record(content: bytes, name: str) -> list[_Line]:
    try:
        return _SESSION.read(content, f"{SESSION_FILE} in {name}", f"{_BOUNDS} {_AGAIN}").cases
    except InvalidRecord as error:
        raise InvalidSession(str(error)) from None


def encode_whole(photo) -> bytes:
    """A whole photo, (H, W, 3) uint8 RGB, as PNG: pixels and nothing else."""
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "PNG")
    return file.getvalue()


def _case_name(number: int) -> str:
    return f"case-{number}.zip"


def _whole_name(number: int) -> str:
    return f"whole-{number}.png"
