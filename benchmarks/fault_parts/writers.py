"""All that writes files: what `full_disk` lets run out of room."""

import os
import shutil
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

DOWNLOAD = (".part", ".melascope-download.json")


@dataclass(frozen=True)
class Writer:
    """Something that writes into a folder.

    Args:
        write: writes into it; returns what it said when it failed, "" when it did not.
        prepare: fills the folder before the disk is full.
        kept: endings of hidden files that stay when it fails.
        goes_on: the same again, with room, must end well.
    """

    write: Callable[[Path], str]
    prepare: Callable[[Path], object] = lambda folder: None
    kept: tuple[str, ...] = ()
    goes_on: bool = False


def writers(scratch: Path, model: str) -> dict[str, Writer]:
    """All there are: name -> writer."""
    tests = Path(__file__).resolve().parents[2] / "tests"
    places = [str(place) for place in (tests.parent, tests, tests / "cluster")]
    sys.path += places
    # Workers of Ray import the small backbone, too.
    os.environ["PYTHONPATH"] = os.pathsep.join(places)
    import on_workers
    import small_backbone
    import stand_in_archive

    from core.archive.dataverse import DATAVERSE_VARIABLE
    from core.archive.isic import ARCHIVE_VARIABLE
    from core.data.drawn import draw_ham10000
    from core.teaching.case_sets.shipped import read_lists
    from core.training.recipes import find_recipe
    from core.trust.measure_table import MEASURES

    os.environ["MELASCOPE_CACHE"] = str(scratch / "cache")
    data = draw_ham10000(scratch / "ham10000")
    photos = sorted(data.rglob("*.jpg"))[:6]
    pictures = {case.id: stand_in_archive.jpeg() for case in read_lists()["hard-pairs"].cases}
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

    space = on_workers.SmallSpace(
        recipe="honest",
        backbone=small_backbone.NAME,
        space={"label_smoothing": [0.0, 0.1]},
        trials=2,
        fewest=1,
        fixed={"frozen_epochs": 1, "epochs": 1, "batch_size": 8},
        train={"init": "random", "image_size": 64},
    )

    def sweep(folder: Path) -> None:
        from core.cluster.ray_runtime import on_ray
        from core.cluster.sweep import SWEEP_FILE, run_sweep

        out, said = folder / "sweep", []
        with on_ray(workers=2):
            table = run_sweep(space, data, out, resume=(out / SWEEP_FILE).exists(), say=said.append)
        if len(table) < len(space.draw_trials()):
            raise ValueError(" ".join(said) or "Unexpected: a trial is missing, and nobody said so.")

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

    def recipes(verb: str) -> Callable[[Path], str]:
        """A command that makes a model of another in the folder of models."""

        def write(folder: Path) -> str:
            os.environ["MELASCOPE_WEIGHTS"] = str(folder / "models")
            try:
                return command(verb, data, "--model", "One", "--name", "Clinic")(folder)
            finally:
                del os.environ["MELASCOPE_WEIGHTS"]

        return write

    def get(*words: str) -> Callable[[Path], str]:
        """A command that fetches, from a stand-in for the archives on this machine."""

        def write(folder: Path) -> str:
            with stand_in_archive.standing_in() as stand_in:
                stand_in.photos = pictures
                stand_in_archive.fill_dataverse(stand_in, data)
                os.environ |= dict.fromkeys((ARCHIVE_VARIABLE, DATAVERSE_VARIABLE), stand_in.address)
                os.environ["MELASCOPE_DATA"] = str(folder / "data")
                try:
                    return command(*words)(folder)
                finally:
                    for name in (ARCHIVE_VARIABLE, DATAVERSE_VARIABLE, "MELASCOPE_DATA"):
                        del os.environ[name]

        return write

    def get_unforeseen(folder: Path) -> str:
        """As where another process fills the disk meanwhile: nothing is known beforehand."""
        plenty = shutil.disk_usage(folder)._replace(free=2**40)
        with mock.patch("core.archive.dataverse.shutil.disk_usage", return_value=plenty):
            return get("data", "get", "{}/ham10000")(folder)

    def measure_one(name: str) -> Writer:
        return Writer(command("measure", "{}/Trained", "--data", data, "--only", name), copy(trained, "Trained"))

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
        "recalibrate": Writer(recipes("recalibrate"), copy(models, "models")),
        "adapt": Writer(recipes("adapt"), copy(models, "models")),
        **{f"measure, {name}": measure_one(name) for name in MEASURES},
        "cases get": Writer(get("cases", "get", "hard-pairs"), kept=DOWNLOAD, goes_on=True),
        "data get": Writer(get("data", "get", "{}/ham10000"), kept=DOWNLOAD, goes_on=True),
        "data get, not foreseen": Writer(get_unforeseen, kept=DOWNLOAD, goes_on=True),
        "data lesions": Writer(command("data", "lesions", data, "--all", "--out", "{}/lesions.csv")),
        "unpacked photos": Writer(plainly(unpack)),
        "train": Writer(plainly(train)),
        "sweep": Writer(plainly(sweep), goes_on=True),
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
