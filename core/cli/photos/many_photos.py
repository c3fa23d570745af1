"""Where the readings of many photos go."""

from pathlib import Path

LINES_FILE = "readings.jsonl"


def open_reading_lines(out: Path):
    """`readings.jsonl`, to which each photo's line goes as soon as it is read: what is done stays, whatever comes after."""
    from core.files import make_folder, open_lines

    make_folder(out)
    return open_lines(out / LINES_FILE)


def output_folders(paths: list[Path], out: Path | None, several: bool) -> list[Path | None]:
    """`out` for one photo; for several a folder each, named by the photo and numbered where two have one name."""
    if out is None:
        return [None] * len(paths)
    if not several:
        return [out]
    taken: set[str] = set()
    folders = []
    for path in paths:
        stem = path.stem.strip(". ") or "photo"
        name, number = stem, 1
        # Compared in lower case, since some file systems do.
        while name.lower() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.lower())
        folders.append(out / name)
    return folders
