"""A case set as one file: JSON with ids, truths, facts and licences, never a photo. It may come from anywhere."""

import json
from pathlib import Path

from core.data.patient import Facts, InvalidFacts
from core.teaching.case_sets.record import CaseSet, InvalidCaseSet, TeachingCase

FORMAT, VERSION = "melascope-cases", 1
SUFFIX = ".cases.json"
MAX_SET_BYTES = 5_000_000  # a thousand cases need some 500 KB
_SET_KEYS = {"title", "description", "made_from", "cases"}
_CASE_KEYS = {"id", "truth", "confirmed", "licence", "attribution", "facts", "source", "sha256", "why", "group"}
_FACT_KEYS = {"age", "sex", "site"}
_MEND = "Expected a case set that was saved on the Teach page, or made by `python -m core cases lists`."


def write_case_set(cases: CaseSet) -> bytes:
    """The bytes of a file; the same for the same set."""
    return (json.dumps(set_to_record(cases), indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def set_to_record(cases: CaseSet) -> dict:
    """A set as plain values."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "title": cases.title,
        "description": cases.description,
        **({"made_from": dict(cases.made_from)} if cases.made_from else {}),
        "cases": [case_record(case) for case in cases.cases],
    }


def case_record(case: TeachingCase) -> dict:
    """A case as plain values; what is empty or unknown is left out."""
    facts = {k: v for k, v in vars(case.facts).items() if v is not None and v != "unknown"}
    record = {"id": case.id, "truth": case.truth, "confirmed": case.confirmed, "facts": facts}
    record |= {k: v for k in ("source", "sha256", "why", "group") if (v := getattr(case, k))}
    return record | {"licence": case.licence, "attribution": case.attribution}


def read_case_set(source: bytes | str | Path) -> CaseSet:
    """Reads a file that nobody has checked.

    Args:
        source: the file's bytes, or its path.

    Raises:
        InvalidCaseSet: no such file, too large, not JSON, another kind or version of file, or a case that cannot be.
    """
    data, name = _bytes_of(source)
    try:
        record = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InvalidCaseSet(f"{name} is not JSON ({str(error)[:80]}). {_MEND}") from None
    return set_from_record(record, name)


def set_from_record(record: object, name: str = "The case set") -> CaseSet:
    """The set of plain values; the opposite of `set_to_record`. Raises as `read_case_set` does."""
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        came = record.get("format", "no format") if isinstance(record, dict) else type(record).__name__
        raise InvalidCaseSet(f"{name} is no case set: its format is {came!r:.60}. {_MEND}")
    if record.get("version") != VERSION:
        raise InvalidCaseSet(
            f"{name} has version {record.get('version')!r:.40} of the format; this version reads {VERSION}. Update Melascope."
        )
    _only_keys(record, _SET_KEYS | {"format", "version"}, name)
    cases = record.get("cases")
    if not isinstance(cases, list):
        raise InvalidCaseSet(f"{name} has no list of cases. {_MEND}")
    made_from = record.get("made_from", {})
    if not isinstance(made_from, dict) or not all(isinstance(v, str) and len(v) < 200 for v in made_from.values()):
        raise InvalidCaseSet(f"made_from of {name} is not a list of short texts. {_MEND}")
    made = tuple(case_from_record(case, f"Case {n} of {name}") for n, case in enumerate(cases, start=1))
    return CaseSet(record.get("title", ""), made, record.get("description", ""), made_from)


def case_from_record(record: object, where: str) -> TeachingCase:
    """A case of plain values; `where` names it in errors."""
    if not isinstance(record, dict):
        raise InvalidCaseSet(
            f"{where} is a {type(record).__name__}. Expected its parts: {', '.join(sorted(_CASE_KEYS))}."
        )
    _only_keys(record, _CASE_KEYS, where)
    lacking = [k for k in ("id", "truth", "confirmed", "licence", "attribution") if k not in record]
    if lacking:
        raise InvalidCaseSet(
            f"{where} has no {', '.join(lacking)}. Add {'it' if len(lacking) == 1 else 'them'} to the file."
        )
    facts = record.get("facts", {})
    if not isinstance(facts, dict):
        raise InvalidCaseSet(f"The facts of {where} are a {type(facts).__name__}. Expected age, sex and site.")
    _only_keys(facts, _FACT_KEYS, f"The facts of {where}")
    try:
        return TeachingCase(**{**record, "facts": Facts(**facts)})
    except InvalidFacts as error:
        raise InvalidCaseSet(f"{where} has facts that cannot be: {error}") from None
    except InvalidCaseSet as error:
        raise InvalidCaseSet(f"{where}: {error}") from None


def _only_keys(record: dict, known: set[str], where: str) -> None:
    foreign = sorted(set(record) - known)
    if foreign:
        raise InvalidCaseSet(
            f"{where} has parts that nobody knows: {', '.join(map(str, foreign[:5]))[:120]}. Expected only: {', '.join(sorted(known))}."
        )


def _bytes_of(source: bytes | str | Path) -> tuple[bytes, str]:
    if isinstance(source, bytes):
        data, size, name = source, len(source), "The file"
    else:
        path = Path(source)
        name = path.name
        try:
            size = path.stat().st_size
            data = path.read_bytes() if size <= MAX_SET_BYTES else b""
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise InvalidCaseSet(f"{path} cannot be read ({why}). {_MEND}") from None
    if size > MAX_SET_BYTES:
        raise InvalidCaseSet(f"{name} has {size / 1e6:,.0f} MB. Expected at most {MAX_SET_BYTES / 1e6:.0f} MB. {_MEND}")
    return data, name
