"""A session's cases to a file and back."""

from core.data.images import photo_hash, read_photo
from core.trust.batch.row import thumbnail
from core.trust.replay import CaseFile, write_case
from core.trust.session_file import SessionCase, encode_whole, read_session, write_session
from core.webapp.shared.session.cases import KeptCase


def export_session(cases: list[KeptCase]) -> bytes:
    """The session file of these cases.

    Raises:
        InvalidSession: too many or too large.
    """
    return write_session([_packed(one) for one in cases])


def import_session(data: bytes, name: str) -> list[KeptCase]:
    """The cases in a session file.

    Raises:
        InvalidSession: no session file, or a damaged one; then none of its cases is taken.
    """
    return [_unpacked(one, case_file, number) for number, (one, case_file) in enumerate(read_session(data, name), start=1)]


def _packed(one: KeptCase) -> SessionCase:
    whole = read_photo(one.photo, one.name)
    case = one.case
    if one.reading is not None:
        case = write_case(one.crop.cut(whole) if one.crop else whole, one.reading)
    return SessionCase(case, one.label, one.note, one.crop, encode_whole(whole) if one.crop else b"")


def _unpacked(one: SessionCase, case_file: CaseFile, number: int) -> KeptCase:
    whole = one.whole or encode_whole(case_file.photo)
    hashed = photo_hash(read_photo(whole)) if one.whole else case_file.record["photo_sha256"]
    top = max(case_file.probabilities, key=case_file.probabilities.__getitem__)
    return KeptCase(
        whole, hashed, "The session file's photo", case_file.facts, one.crop, case_file.model, top, case_file.probabilities,
        thumbnail(case_file.photo), case=one.case, label=one.label or f"Case {number}", note=one.note,
    )  # fmt: skip
