"""`read`: one photo or many through one model, to files or to standard output."""

import json
import sys
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from core.cli.engine_option import EngineOption
from core.cli.on_ray.ray_option import RayOption, WorkersOption
from core.cli.photos.many_photos import open_reading_lines, output_folders
from core.cli.photos.questions import Questions, ask
from core.cli.photos.shown import show_many, show_one
from core.cli.terminal import plain_errors, progress, quiet_libraries, say, say_error, sentence
from core.data.photo_list import PhotoList, list_photos

EPILOG = """Example: python -m core read mole.jpg --model MobileNetV2 --age 55 --sex female --site back --out reading

Many: python -m core read photos/ --model MobileNetV2 --out readings"""


@plain_errors
def read(
    photos: Annotated[
        list[str],
        typer.Argument(
            metavar="PHOTO",
            help="Photos, or folders of photos. With --ray also lists (.csv or .parquet) and addresses such as s3://bucket/folder.",
            show_default=False,
        ),
    ],
    model: Annotated[
        str, typer.Option(help="A shipped model's name (see `models`), or a model's folder.", show_default=False)
    ],
    age: Annotated[str, typer.Option(help="In years, 0 to 120, or unknown.")] = "unknown",
    sex: Annotated[str, typer.Option(help="female, male or unknown.")] = "unknown",
    site: Annotated[
        str, typer.Option(help='Body site, such as back, face or "lower extremity", or unknown.')
    ] = "unknown",
    method: Annotated[
        str,
        typer.Option(
            "--explain",
            help="soft-attention, grad-cam, grad-cam++, score-cam or smoothgrad; the last two load TensorFlow.",
        ),
    ] = "grad-cam",
    target: Annotated[
        str | None,
        typer.Option(
            "--class", help="Diagnosis to explain: akiec, bcc, bkl, df, mel, nv or vasc; the top one if not given."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for reading.json, attention.png and heatmap.png; a folder a photo if there are several, and readings.jsonl "
            "with one line a photo."
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print the reading as JSON and nothing else: an array for several photos or a folder."
        ),
    ] = False,
    prevalence: Annotated[
        str,
        typer.Option(
            help="Where the photo comes from: ham10000 (probabilities as calibrated), screening, referral, or a share of melanoma, such "
            "as 0.02. Re-weights the probabilities by Bayes' rule, beside the calibrated ones."
        ),
    ] = "ham10000",
    threshold: Annotated[
        float | None,
        typer.Option(
            help="Yours, on the probability of melanoma, such as 0.2: adds what the rule costs decides, at the place of --prevalence."
        ),
    ] = None,
    crop: Annotated[
        str,
        typer.Option(
            help="Square of the photo to read: auto (the suggested one, where the photo frames its lesion otherwise than training "
            "photos), X,Y,SIZE in pixels, or none (the whole photo; a different framing is only said)."
        ),
    ] = "none",
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Read also what the photo gate refuses, or cannot judge because it is damaged, and DICOM photos that say that text is "
            "burned into them.",
        ),
    ] = False,
    ask_jury: Annotated[
        bool, typer.Option("--jury/--no-jury", help="Ask the other models too, which lie beside the model's folder.")
    ] = True,
    use_header: Annotated[
        bool,
        typer.Option(
            "--header-facts",
            help="Take from a DICOM header what --age, --sex and --site leave out. Otherwise it is only shown.",
        ),
    ] = False,
    dicom: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the reading as DICOM: attention.dcm, heatmap.dcm, reading.dcm and capture.dcm; photo.dcm, too, where the "
            "photo came as another file. A folder a photo if there are several."
        ),
    ] = None,
    keep_identity: Annotated[
        bool,
        typer.Option(
            "--keep-identity", help="Write the patient of a DICOM photo into those files. Otherwise nobody's."
        ),
    ] = False,
    engine: EngineOption = None,
    ray: RayOption = None,
    workers: WorkersOption = None,
) -> None:
    """Read a lesion: seven probabilities, where the network looked, and how far to trust it.

    For research and teaching; not a medical device. A photo that cannot be read is reported, the others are read, and the
    exit code is then 1. A photo that the gate refuses gets a line that says why, and no diagnosis, and so does every photo where the
    gate itself is damaged; the exit code is 1 if it was asked for by its own name. Whatever else of the model's files is damaged is
    said beside the answer, and the exit code is then 1. Other files in a folder are named and passed over.

    With --ray the readings go into Parquet files of 1,024 photos under --out, without pictures; started again, the command goes on
    after the last whole one.
    """
    if out is None and not as_json and dicom is None:
        raise ValueError("Nowhere to put the reading. Give --out FOLDER, --dicom FOLDER, or --json to print it.")
    if keep_identity and dicom is None:
        raise ValueError("--keep-identity is for the files that --dicom writes. Give --dicom FOLDER, or leave it out.")
    if dicom is not None and crop.strip().lower() != "none":
        raise ValueError(
            f"--crop {crop} cannot go with --dicom: maps in DICOM files lie over the whole photo. Leave one of the two out."
        )
    questions = ask(
        model,
        age,
        sex,
        site,
        method=method,
        target=target,
        prevalence=prevalence,
        threshold=threshold,
        force=force,
        jury=ask_jury,
        use_header=use_header,
        keep_identity=keep_identity,
        crop=crop,
    )
    if ray is not None:
        if out is None or as_json or dicom is not None:
            raise ValueError(
                "With --ray the readings go into Parquet files. Give --out FOLDER, and leave out --json and --dicom."
            )
        from core.cluster.ray_runtime import check_ray

        check_ray()
        from core.cli.on_ray.read_parts import read_in_parts

        if read_in_parts(questions, photos, out, ray, workers):
            raise typer.Exit(1)
        return
    _check_places(photos, out, dicom)
    listed = list_photos(map(Path, photos))
    several = len(photos) > 1 or Path(photos[0]).is_dir() or len(questions.open(listed.paths[0])) > 1
    for line in listed.skipped_lines():
        say(line)
    readings = _read_all(questions, listed.paths, out, dicom, several)
    written = " and ".join(str(place) for place in (out, dicom) if place is not None)
    if as_json:
        typer.echo(json.dumps(readings.records if several else readings.records[0], indent=1, allow_nan=False))
    elif several:
        show_many(readings.records, written)
    else:
        show_one(readings.records[0], written)
    if _tell_faults(readings, listed):
        raise typer.Exit(1)


def _check_places(photos: list[str], out: Path | None, dicom: Path | None) -> None:
    """Stops before anything is read where photos are not of this machine, or nothing could be written."""
    from core.files import check_folder_takes

    addresses = [photo for photo in photos if "://" in photo]
    if addresses:
        raise ValueError(
            f"{addresses[0]} is an address, not a photo of this machine. Give --ray to read what is there."
        )
    for folder in (out, dicom):
        if folder is not None:
            check_folder_takes(folder)
    if dicom is not None:
        from core.interchange import check_writer

        check_writer()


@dataclass
class _Readings:
    """What came of the photos, in their order.

    Args:
        records: a reading each, or what was wrong.
        origins: the file of each.
        failed: files that could not be read.
    """

    records: list[dict] = field(default_factory=list)
    origins: list[Path] = field(default_factory=list)
    failed: int = 0


def _read_all(
    questions: Questions, paths: list[Path], out: Path | None, dicom: Path | None, several: bool
) -> _Readings:
    """Reads every file; of several, one that cannot be read is reported and the others go on."""
    from core.card import InvalidBundle
    from core.files import write_line
    from core.reading.read_each import read_each

    readings = _Readings()
    jobs = list(zip(paths, output_folders(paths, out, several), output_folders(paths, dicom, several), strict=True))
    # What libraries may print must not get between the lines of --json.
    with quiet_libraries(), redirect_stdout(sys.stderr), progress("Reading") as update, ExitStack() as open_files:
        lines = open_files.enter_context(open_reading_lines(out)) if out is not None and several else None
        update(0, len(paths))
        for number, (path, outcome) in enumerate(zip(paths, read_each(questions.read, jobs), strict=True)):
            update(number + 1, len(paths))
            if isinstance(outcome, Exception):
                if isinstance(outcome, InvalidBundle) or not several:
                    raise outcome
                say_error(outcome)
                readings.failed += 1
                outcome = [{"error": sentence(outcome)}]
            for record in outcome:
                record = {"photo": str(path), **record} if several else record
                readings.records.append(record)
                readings.origins.append(path)
                if lines:
                    write_line(lines, json.dumps(record, allow_nan=False))
    return readings


def _tell_faults(readings: _Readings, listed: PhotoList) -> bool:
    """Says what could not be read, what was refused and what is damaged; whether there was any of it."""
    # Of a folder, what is no dermoscopic photo may lie there; what was named should have been read.
    told = zip(readings.origins, readings.records, strict=True)
    refused = sum(path in listed.named and _refused(record) for path, record in told)
    if readings.failed:
        say_error(f"{readings.failed} of {len(listed.paths)} photos could not be read.")
    if refused:
        say_error(f"{refused} of the photos that were named {'was' if refused == 1 else 'were'} refused by the gate.")
    faults = list(dict.fromkeys(fault for record in readings.records for fault in record.get("faults", ())))
    for fault in faults:
        say_error(f"Damaged: {fault}")
    return bool(readings.failed or refused or faults)


def _refused(record: dict) -> bool:
    """Whether the gate kept a photo from being read."""
    return "probabilities" not in record and (record.get("gate") or {}).get("verdict") == "refuse"
