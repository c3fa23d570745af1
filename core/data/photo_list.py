"""The photos that `read` was asked for, and what in their folders it passes over, and why."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

# What systems scatter in every folder, besides hidden files, is not worth a line.
CLUTTER = ("thumbs.db", "desktop.ini", "__macosx")
SHOWN_LINES = 20
NAMED = 5
_TEXT_START = 512


@dataclass(frozen=True)
class PhotoList:
    """Photos in the order in which they are read.

    Args:
        paths: of the photos.
        named: those that were asked for themselves, not as part of a folder.
        skipped: a line for each file in a folder that is not read: its name, and why.
    """

    paths: list[Path] = field(default_factory=list)
    named: set[Path] = field(default_factory=set)
    skipped: list[str] = field(default_factory=list)

    def skipped_lines(self) -> list[str]:
        """What to say of the files that are not read; long lists are cut."""
        lines = [f"Skipped {line}" for line in self.skipped[:SHOWN_LINES]]
        more = len(self.skipped) - SHOWN_LINES
        return [*lines, f"Skipped {more:,} more files."] if more > 0 else lines


def list_photos(asked: Iterable[Path]) -> PhotoList:
    """Photos, and the photos in folders by name, whatever their names end in.

    Raises:
        ValueError: a folder without photos.
    """
    from core.data.decoding.photo_formats import ACCEPTED, holds_photo

    listed = PhotoList()
    for path in asked:
        if not path.is_dir():
            listed.paths.append(path)
            listed.named.add(path)
            continue
        entries = sorted(p for p in path.iterdir() if not p.name.startswith(".") and p.name.lower() not in CLUTTER)
        photos = [p for p in entries if p.is_file() and holds_photo(p)]
        skipped = [f"{p.name}: {_why(p)}" for p in entries if p not in set(photos)]
        if not photos:
            there = f" It holds: {'; '.join(skipped[:NAMED])}" if skipped else ""
            raise ValueError(f"{path} holds no photos. Expected {ACCEPTED}, whatever its name ends in.{there}")
        listed.paths.extend(photos)
        listed.skipped.extend(skipped)
    return listed


def _why(path: Path) -> str:
    """Why an entry of a folder is not read."""
    from core.data.decoding.photo_formats import sniff_format

    if path.is_dir():
        return "a folder. To read what is in it, name it."
    try:
        with open(path, "rb") as file:
            start = file.read(_TEXT_START)
    except OSError as error:
        return f"cannot be opened ({error.strerror})."
    if not start:
        return "empty (0 bytes)."
    kind = sniff_format(path)
    if kind is not None:
        return f"{kind.name}, which is not read. {kind.advice}"
    if all(byte >= 32 or byte in b"\t\n\r\f" for byte in start):
        return "text, not a photo."
    return "not a photo in a known format."
