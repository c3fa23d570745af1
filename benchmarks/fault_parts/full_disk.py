"""Each writer on a file system that runs full while it writes: a sentence, and no file that is neither as it was nor whole."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.side_by_side import tell

# How much of what a writer needs there is room for.
SHARES = (0.0, 0.2, 0.5, 0.8, 0.95)
PAGE = 4096


@dataclass(frozen=True)
class Writer:
    """Something that writes into a folder.

    Args:
        write: writes into it; returns what it said when it failed, "" when it did not.
        prepare: fills the folder before the disk is full.
    """

    write: Callable[[Path], str]
    prepare: Callable[[Path], object] = lambda folder: None


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
        if said and ("full" not in said or "Traceback" in said or "Unexpected" in said):
            faults.append(f"said {said!r}")
        for path in files_in(place):
            content = path.read_bytes()
            if content != old.get(path) and (wrong := unsound(path)):
                faults.append(f"{path.relative_to(place)} {wrong}")
        faults += [f"{path.relative_to(place)} is gone" for path in old if not path.exists()]
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


def writers(scratch: Path, model: str) -> dict[str, Writer]:
    """All there are: name -> writer."""
    import sys

    sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))
    import small_backbone

    from core.data.drawn import draw_ham10000
    from core.training.recipes import find_recipe

    os.environ["MELASCOPE_CACHE"] = str(scratch / "cache")
    data = draw_ham10000(scratch / "ham10000")
    photos = sorted(data.rglob("*.jpg"))[:6]
    small = small_backbone.small_bundle(scratch / "Small")
    recipe = replace(find_recipe("honest"), epochs=1, frozen_epochs=1)

    def train(folder: Path) -> Path:
        from core.training.trainer import train as train_network

        out = folder / "Trained"
        train_network(
            recipe,
            backbone=small_backbone.NAME,
            init="random",
            image_size=64,
            batch_size=8,
            folder=data,
            out=out,
        )
        return out

    def cache(folder: Path) -> None:
        from core.data.ham10000 import read_table
        from core.data.image_cache import cache_images

        cache_images(read_table(data), 64, folder / "cache")

    def part(folder: Path) -> None:
        import pyarrow as pa

        from core.cluster.parts import Parts

        Parts(folder / "parts", 1024, {"work": "read"}).write(
            0, pa.table({"row": list(range(1024)), "record": [os.urandom(300).hex() for _ in range(1024)]})
        )

    def save(folder: Path) -> None:
        from core.bundle import load_bundle, save_bundle

        bundle = load_bundle(small)
        save_bundle(bundle.classifier, bundle.card, folder / "Saved")

    def votes(folder: Path) -> None:
        from core.teaching.store.database import open_store
        from core.teaching.store.tables import LearnerRow

        store = open_store(str(folder / "teaching.sqlite3"))
        kept: list[str] = []
        try:
            for number in range(300):
                name = f"{number}-" + "x" * 200
                store.write(
                    lambda s, name=name: s.add(LearnerRow(token_hash=name, nickname=name, made_at=0, expires_at=9**15))
                )
                kept.append(name)
        finally:
            there = store.read(lambda session: {row.nickname for row in session.query(LearnerRow)})
            store.close()
            if not set(kept) <= there:
                raise RuntimeError("Unexpected: what was said to be kept is not there.")

    def begun(folder: Path) -> None:
        from core.teaching.store.database import open_store

        open_store(str(folder / "teaching.sqlite3")).close()

    def unpack(folder: Path) -> None:
        from core.archive.unpack import unpack_photos

        unpack_photos(archive, folder / "unpacked")

    archive = scratch / "photos.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in photos:
            packed.write(path, path.name)
    trained = train(scratch)
    if said := command("evaluate", trained, "--data", data)(scratch):
        raise RuntimeError(said)
    models = scratch / "models"
    for name in ("One", "Two"):
        shutil.copytree(trained, models / name)

    def join(folder: Path) -> str:
        shelf = folder / "models"
        os.environ["MELASCOPE_WEIGHTS"] = str(shelf)
        try:
            return command("ensemble", "One", "Two", "--data", data)(folder)
        finally:
            del os.environ["MELASCOPE_WEIGHTS"]

    def copy(source: Path, name: str) -> Callable[[Path], object]:
        return lambda folder: shutil.copytree(source, folder / name)

    read = ("read", "--model", model, "--no-jury", "--force")
    return {
        "read, one photo": Writer(command(*read, photos[0], "--out", "{}/out")),
        "read, several photos": Writer(command(*read, *photos, "--out", "{}/out")),
        "read --dicom": Writer(command(*read, photos[0], "--dicom", "{}/out")),
        "evaluate": Writer(command("evaluate", small, "--data", data, "--split", "all", "--out", "{}/out")),
        "export --format onnx": Writer(command("export", small, "--format", "onnx", "--out", "{}/out")),
        "calibrate": Writer(command("calibrate", "{}/Trained", "--data", data), copy(trained, "Trained")),
        "ensemble": Writer(join, copy(models, "models")),
        "measure, the sets": Writer(
            command("measure", "{}/Trained", "--data", data, "--only", "set"), copy(trained, "Trained")
        ),
        "measure, the look-alikes": Writer(
            command("measure", "{}/Trained", "--data", data, "--only", "lookalikes"), copy(trained, "Trained")
        ),
        "data lesions": Writer(command("data", "lesions", data, "--all", "--out", "{}/lesions.csv")),
        "unpacked photos": Writer(plainly(unpack)),
        "train": Writer(plainly(train)),
        "a model's folder": Writer(plainly(save)),
        "decoded photos": Writer(plainly(cache)),
        "read --ray, a part": Writer(plainly(part)),
        "rooms' database": Writer(plainly(votes), begun),
    }


def command(*words: object) -> Callable[[Path], str]:
    """A command of the CLI, in whose words {} is the folder."""

    def write(folder: Path) -> str:
        from typer.testing import CliRunner

        from core.__main__ import app

        result = CliRunner().invoke(app, [str(word).replace("{}", str(folder)) for word in words])
        return result.output if result.exit_code else ""

    return write


def plainly(work: Callable[[Path], object]) -> Callable[[Path], str]:
    """A function of the library, and its error as the command line says it."""

    def write(folder: Path) -> str:
        from core.cli.terminal import sentence

        try:
            work(folder)
        except Exception as error:  # noqa: BLE001 - what it says is judged
            return sentence(error)
        return ""

    return write
