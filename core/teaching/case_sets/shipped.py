"""The case sets that come with Melascope, as `python -m core cases lists` wrote them."""

from collections.abc import Mapping
from pathlib import Path

from core.files import make_folder, write_bytes
from core.teaching.case_sets.file import SUFFIX, read_case_set, write_case_set
from core.teaching.case_sets.record import CaseSet

FOLDER = Path(__file__).parent / "lists"


def read_lists(folder: Path = FOLDER) -> dict[str, CaseSet]:
    """Key -> list, by key.

    Raises:
        InvalidCaseSet: a file is damaged.
    """
    return {path.name.removesuffix(SUFFIX): read_case_set(path) for path in sorted(folder.glob(f"*{SUFFIX}"))}


def write_lists(lists: Mapping[str, CaseSet], folder: Path = FOLDER) -> list[Path]:
    """Writes a file a list; returns their paths."""
    make_folder(folder)
    return [write_bytes(folder / f"{key}{SUFFIX}", write_case_set(cases)) for key, cases in lists.items()]
