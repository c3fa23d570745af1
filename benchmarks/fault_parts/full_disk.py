"""Each writer on a file system that runs full while it writes: a sentence, and no file that is neither as it was nor whole."""

import contextlib
import io
import json
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.fault_parts.writers import Writer, writers
from benchmarks.side_by_side import tell

# How much of what a writer needs there is room for.
SHARES = (0.0, 0.2, 0.5, 0.8, 0.95)
PAGE = 4096


def measure(model: str, only: str = "") -> None:
    """Prints for each writer how it ended at each share of the room that it needs.

    Args:
        only: beginning of the names of those that are measured.
    """
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "disk"
        place.mkdir()
        for name, writer in writers(Path(scratch), model).items():
            if not name.startswith(only):
                continue
            with disk(place, 512 * 2**20):
                writer.prepare(place)
                before = {path: path.read_bytes() for path in files_in(place)}
                if said := writer.write(place):
                    raise RuntimeError(f"{name} fails with room enough: {said}")
                need = sum(path.stat().st_size for path in files_in(place) if path.read_bytes() != before.get(path))
            faults, silent = [], 0
            for share in SHARES:
                fault, told = try_once(place, writer, int(share * need))
                faults += [f"{share:.0%}: {one}" for one in fault]
                silent += not told
            tell(
                f"full disk: {name}: files half-written or words missing",
                len(faults),
                "0",
                not faults,
                tries=len(SHARES),
                needs_kb=need // 1024,
                had_room_after_all=silent,
                **({"faults": faults} if faults else {}),
            )


def try_once(place: Path, writer: Writer, room: int) -> tuple[list[str], bool]:
    """Faults seen with some bytes of room, and whether the writer said anything."""
    with disk(place, 512 * 2**20):
        writer.prepare(place)
        old = {path: path.read_bytes() for path in files_in(place)}
        fill(place, room)
        said = writer.write(place)
        faults = []
        room_wanted = "full" in said or "Make room" in said
        if said and (not room_wanted or "Traceback" in said or "Unexpected" in said):
            faults.append(f"said {said!r}")
        for path in files_in(place):
            content = path.read_bytes()
            goes_on = writer.kept and path.name.startswith(".") and path.name.endswith(writer.kept)
            if content != old.get(path) and not goes_on and (wrong := unsound(path)):
                faults.append(f"{path.relative_to(place)} {wrong}")
        faults += [f"{path.relative_to(place)} is gone" for path in old if not path.exists()]
        if said and writer.goes_on:
            (place / "filler").unlink()
            if again := writer.write(place):
                faults.append(f"does not go on with room again: {again!r}")
    return faults, bool(said)


@contextlib.contextmanager
def disk(place: Path, size: int) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path, room: int) -> None:
    """Leaves so many bytes, in whole pages."""
    there = os.statvfs(place)
    rest = there.f_bavail * there.f_frsize - max(room // PAGE, 1) * PAGE
    with open(place / "filler", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, rest)


def files_in(place: Path) -> list[Path]:
    return [p for p in sorted(place.rglob("*")) if p.is_file() and p.name != "filler"]


def unsound(path: Path) -> str:
    """What is wrong with a file, by its kind; empty when it is whole."""
    import h5py
    import pyarrow.parquet

    content = path.read_bytes()
    readers: dict[str, Callable[[], object]] = {
        ".json": lambda: json.loads(content),
        ".jsonl": lambda: [
            json.loads(line) for line in content.decode().splitlines(keepends=True) if line.endswith("\n")
        ],
        ".png": lambda: Image.open(io.BytesIO(content)).load(),
        ".zip": lambda: zipfile.ZipFile(io.BytesIO(content)).testzip(),
        ".h5": lambda: h5py.File(io.BytesIO(content)).visititems(lambda name, item: None),
        ".npz": lambda: [np.load(io.BytesIO(content))[key] for key in np.load(io.BytesIO(content)).files],
        ".npy": lambda: np.load(io.BytesIO(content)),
        ".parquet": lambda: pyarrow.parquet.read_table(io.BytesIO(content)),
        ".dcm": lambda: (
            __import__("pydicom").dcmread(io.BytesIO(content)).PixelData
            if path.name != "reading.dcm"
            else __import__("pydicom").dcmread(io.BytesIO(content)).ContentSequence
        ),
        ".csv": lambda: content.endswith(b"\n") or 1 / 0,
        ".onnx": lambda: __import__("onnx").load_from_string(content),
    }
    if path.name.startswith("."):
        return "is left behind, hidden"
    try:
        readers.get(path.suffix, lambda: None)()
    except Exception as error:  # noqa: BLE001 - whatever a reader says of a torn file
        return f"is torn ({type(error).__name__})"
    return ""
