"""How many photos are read side by side, and where their readings go."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.threads import cores, one_core

LINES_FILE = "readings.jsonl"


def read_each(read: Callable[..., list[dict]], jobs: Sequence[tuple]) -> Iterator[list[dict] | Exception]:
    """What came of each job, in their order: records, or the error.

    The first is done alone, since it readies what all the others need; then one a core at a time.
    """

    def attempt(job: tuple) -> list[dict] | Exception:
        try:
            return read(*job)
        except Exception as error:  # noqa: BLE001 - one photo's fault must not cost the others their reading
            return error

    yield attempt(jobs[0])
    pool = ThreadPoolExecutor(cores(), initializer=one_core)
    try:
        yield from pool.map(attempt, jobs[1:])
    finally:
        pool.shutdown(cancel_futures=True)


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
