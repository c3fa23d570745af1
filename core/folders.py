"""Folders that the environment names."""

import os
import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
WEIGHTS_VARIABLE, CACHE_VARIABLE, DATA_VARIABLE = "MELASCOPE_WEIGHTS", "MELASCOPE_CACHE", "MELASCOPE_DATA"


class CannotWrite(ValueError):
    """A folder or a disk that takes no more files; the sentence says which and what to do."""


def weights_root() -> Path:
    """The folder of models: `MELASCOPE_WEIGHTS`, or `weights/` of the repository; installed without it, `weights/` where one works."""
    if named := named_folder(WEIGHTS_VARIABLE):
        return named
    return REPOSITORY / "weights" if (REPOSITORY / "pyproject.toml").is_file() else Path.cwd() / "weights"


def model_folder(name: str) -> Path:
    """Where a model of this name lies, and where a new one goes if nobody says."""
    return weights_root() / name


def named_folder(variable: str) -> Path | None:
    """The folder that a variable names; None where it is not set.

    What starts a program without a shell (a service, a container) does not turn `~` into the home folder.
    """
    named = os.environ.get(variable, "").strip()
    if not named:
        return None
    try:
        return Path(named).expanduser()
    except RuntimeError:  # no such user, or no home: the folder is of that very name then
        return Path(named)


def cache_root() -> Path:
    """Where decoded photos and feature vectors are kept: `MELASCOPE_CACHE`, or `~/.cache/melascope`. Safe to delete.

    Raises:
        CannotWrite: there is no home folder, and the variable names no other.
    """
    if named := named_folder(CACHE_VARIABLE):
        return named
    try:
        return Path.home() / ".cache" / "melascope"
    except RuntimeError:
        raise CannotWrite(
            "There is no home folder (HOME is not set), so there is no place for decoded photos. Name one: "
            f"{CACHE_VARIABLE}=/some/folder."
        ) from None


def data_root() -> Path:
    """The user's data folder of Melascope: `MELASCOPE_DATA`, or where the system keeps such folders.

    Raises:
        CannotWrite: there is no home folder, and the variable names no other.
    """
    if named := named_folder(DATA_VARIABLE):
        return named.absolute()
    try:
        if os.name == "nt":
            return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "Melascope"
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Application Support" / "Melascope"
        return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "melascope"
    except RuntimeError:
        raise CannotWrite(
            f"There is no home folder (HOME is not set), so there is no place for data. Name one: {DATA_VARIABLE}=/some/folder."
        ) from None


def temporary_fault(error: Exception) -> str:
    """What to do where Python finds no folder for temporary files; empty where an error is of another kind."""
    if not isinstance(error, FileNotFoundError) or "temporary directory" not in str(error):
        return ""
    return f"{error.strerror}. Expected a folder for temporary files that this user may write to: name one by TMPDIR=/some/folder."


def as_disk_fault(error: OSError | RuntimeError) -> OSError | None:
    """What the system said: HDF5 hides it in the text of a `RuntimeError`. None where it said nothing."""
    if isinstance(error, OSError):
        return error
    number = re.search(r"\berrno = (\d+)", str(error))
    return OSError(int(number[1]), os.strerror(int(number[1]))) if number else None
