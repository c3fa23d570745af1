"""`read`: one photo or many through one model, to files or to standard output."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, redirect_stdout
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.cli.engine_option import EngineOption
from core.cli.photo_list import SHOWN, list_photos
from core.cli.terminal import plain_errors, progress, quiet_libraries, results, say, say_error, sentence
from core.prevalence import find_mixture
from core.wording import percent

EPILOG = """Example: python -m core read mole.jpg --model MobileNetV2 --age 55 --sex female --site back --out reading

Many: python -m core read photos/ --model MobileNetV2 --out readings"""
FILES = ("attention.png", "heatmap.png", "reading.json")
DICOM_FILES = ("photo.dcm", "attention.dcm", "heatmap.dcm", "reading.dcm", "capture.dcm")
HEADER = "The DICOM header says"
LINES_FILE = "readings.jsonl"
REFUSED = "Not read. --force reads it anyway; what is said of such a photo means little."


@plain_errors
def read(
    photos: Annotated[
        list[Path], typer.Argument(metavar="PHOTO", help="Photos, or folders of photos.", show_default=False)
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
) -> None:
    """Read a lesion: seven probabilities, where the network looked, and how far to trust it.

    For research and teaching; not a medical device. A photo that cannot be read is reported, the others are read, and the
    exit code is then 1. A photo that the gate refuses gets a line that says why, and no diagnosis, and so does every photo where the
    gate itself is damaged; the exit code is 1 if it was asked for by its own name. Whatever else of the model's files is damaged is
    said beside the answer, and the exit code is then 1. Other files in a folder are named and passed over.
    """
    from core.card import InvalidBundle
    from core.files import write_line

    if out is None and not as_json and dicom is None:
        raise ValueError("Nowhere to put the reading. Give --out FOLDER, --dicom FOLDER, or --json to print it.")
    if keep_identity and dicom is None:
        raise ValueError("--keep-identity is for the files that --dicom writes. Give --dicom FOLDER, or leave it out.")
    ask = _Questions(model, age, sex, site, method, target, force, ask_jury, use_header, keep_identity, prevalence)
    for folder in (out, dicom):
        if folder is not None:
            from core.files import check_folder_takes

            check_folder_takes(folder)
    if dicom is not None:
        from core.interchange import check_writer

        check_writer()
    listed = list_photos(photos)
    paths = listed.paths
    several = len(photos) > 1 or photos[0].is_dir() or len(ask.open(paths[0])) > 1
    for line in listed.skipped_lines():
        say(line)
    places = zip(_output_folders(paths, out, several), _output_folders(paths, dicom, several), strict=True)
    records, origins, failed = [], [], 0
    # What libraries may print must not get between the lines of --json.
    with quiet_libraries(), redirect_stdout(sys.stderr), progress("Reading") as update, ExitStack() as open_files:
        lines = open_files.enter_context(_open_lines(out)) if out is not None and several else None
        for number, (path, (folder, dicom_folder)) in enumerate(zip(paths, places, strict=True)):
            update(number, len(paths))
            try:
                found = ask.read(path, folder, dicom_folder)
            except InvalidBundle:
                raise
            except Exception as error:  # one photo's fault must not cost the others their reading
                if not several:
                    raise
                say_error(error)
                failed += 1
                found = [{"error": sentence(error)}]
            for record in found:
                records.append({"photo": str(path), **record} if several else record)
                origins.append(path)
                if lines:
                    write_line(lines, json.dumps(records[-1], allow_nan=False))
        update(len(paths), len(paths))
    written = " and ".join(str(place) for place in (out, dicom) if place is not None)
    if as_json:
        typer.echo(json.dumps(records if several else records[0], indent=1, allow_nan=False))
    elif several:
        _show_many(records, written)
    else:
        _show_one(records[0], written)
    # Of a folder, what is no dermoscopic photo may lie there; what was named should have been read.
    refused = sum(path in listed.named and _refused(record) for path, record in zip(origins, records, strict=True))
    if failed:
        say_error(f"{failed} of {len(paths)} photos could not be read.")
    if refused:
        say_error(f"{refused} of the photos that were named {'was' if refused == 1 else 'were'} refused by the gate.")
    faults = list(dict.fromkeys(fault for record in records for fault in record.get("faults", ())))
    for fault in faults:
        say_error(f"Damaged: {fault}")
    if failed or refused or faults:
        raise typer.Exit(1)


class _Questions:
    """What is asked about each photo, checked at once; the models themselves are loaded for the first readable photo."""

    def __init__(
        self,
        model: str,
        age: str,
        sex: str,
        site: str,
        method: str,
        target: str | None,
        force: bool,
        ask_jury: bool,
        use_header: bool,
        keep_identity: bool,
        prevalence: str,
    ):
        from core.card import find_bundle, read_card
        from core.data.patient import Facts
        from core.diagnoses import index_of
        from core.explain import find_explainer

        known_age = None if age.strip().lower() in ("", "unknown") else age
        self.facts = Facts(known_age, sex.strip().lower(), site.strip().lower().replace("_", " "))
        if target is not None:
            index_of(target)
        find_explainer(method)
        card = read_card(find_bundle(model))
        self.mixture = find_mixture(prevalence, card.calibrated_shares)
        self.model, self.method, self.target = model, method, target
        self.force, self.ask_jury = force, ask_jury
        self.use_header, self.keep_identity = use_header, keep_identity
        self.opened: dict[Path, tuple] = {}
        self.jury_notes: list[str] = []
        self.jury_faults: list[str] = []

    @cached_property
    def bundle(self):
        from core.bundle import load_bundle
        from core.reading import warm_up
        from core.trust.signals.eye import open_eye

        bundle = load_bundle(self.model)
        with ThreadPoolExecutor(2) as pool:
            # Nobody asks how this ended: what is wrong with the eye is said when a photo comes to the gate.
            pool.submit(open_eye, bundle.folder)
            # Else the first reading's seconds would be those of compiling the network.
            warm = pool.submit(warm_up, bundle)
            # Meanwhile, what judges the answer, with pandas.
            import core.trust.signals.opinion  # noqa: F401
        warm.result()
        return bundle

    @cached_property
    def signals(self):
        from core.trust.signals.opinion import read_signals

        return read_signals(self.bundle.folder, self.bundle.card)

    @cached_property
    def jurors(self) -> list:
        """The networks that vote: those beside the model, itself among them if it is a network of its own."""
        from core.bundle import load_bundle
        from core.card import CARD_FILE, InvalidBundle, read_card
        from core.trust.signals.jury import votes

        found, members = [], {member.folder.resolve(): member for member in self.bundle.members}
        for path in sorted(Path(self.bundle.folder).resolve().parent.glob(f"*/{CARD_FILE}")):
            try:
                card = read_card(path.parent)
                if path.parent == Path(self.bundle.folder).resolve():
                    found += [self.bundle] if votes(card) else []
                elif votes(card):
                    found.append(members.get(path.parent.resolve()) or load_bundle(path.parent))
            except InvalidBundle as error:
                self.jury_faults.append(f"Not on the jury: {error}")
        if len(found) < 2:
            self.jury_notes.append(
                f"No jury: there are not two networks in {Path(self.bundle.folder).resolve().parent}."
            )
        return found

    def open(self, path: Path) -> tuple:
        """The photos in a file, each once read: one, or the frames of a DICOM file."""
        from core.interchange import read_photos

        if path not in self.opened:
            self.opened = {path: read_photos(path, force=self.force)}
        return self.opened[path]

    def read(self, path: Path, folder: Path | None, dicom: Path | None = None) -> list[dict]:
        """Reads a file's photos, writes their files if there are folders for them, and returns a record of each."""
        for place, names in ((folder, FILES), (dicom, DICOM_FILES)):
            if place is not None and path.resolve() in [(place / name).resolve() for name in names]:
                raise ValueError(f"{path} would be overwritten by its own reading. Choose another folder.")
        photos = self.open(path)
        self.opened = {}
        if len(photos) == 1:
            return [self._read_photo(path, photos[0], folder, dicom)]
        records = []
        for number, photo in enumerate(photos, 1):
            places = (place / f"frame-{number}" if place is not None else None for place in (folder, dicom))
            records.append({"frame": number, **self._read_photo(path, photo, *places)})
        return records

    def _read_photo(self, path: Path, read, folder: Path | None, dicom: Path | None) -> dict:
        from core.explain import encode_png
        from core.files import write_bytes, write_text

        photo, (facts, told) = read.pixels, self._facts(read)
        from core.reading import encode_photo, read_encoded
        from core.trust.signals.opinion import form_gate, form_opinion

        bundle = self.bundle
        encoded = encode_photo(bundle, photo)
        gate = form_gate(self.signals, encoded)
        reading = None
        if self.force or gate is None or not gate.stops:
            reading = read_encoded(encoded, facts, method=self.method, target=self.target, mixture=self.mixture)
            reading = replace(reading, seconds=_with_encoding(reading.seconds, encoded.seconds))
        opinion = form_opinion(
            self.signals, encoded, reading, gate=gate, jury=lambda: self._jury(encoded, facts, reading)
        )
        record = (reading.to_json() if reading else self._refusal(facts)) | opinion.to_json()
        record["notes"] = [*read.notes, *told, *record["notes"]]
        record["trust_notes"] = [*record["trust_notes"], *dict.fromkeys(self.jury_notes)]
        record["faults"] = [*record["faults"], *dict.fromkeys(self.jury_faults)]
        if read.source is not None:
            record["header_facts"] = vars(read.facts)
        if dicom is not None and reading is not None:
            record["notes"] += self._write_dicom(path, read, reading, record["gate"], dicom)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            if reading:
                write_bytes(folder / "attention.png", encode_png(reading.attention_overlay))
                write_bytes(folder / "heatmap.png", encode_png(reading.heatmap_overlay))
            write_text(folder / "reading.json", json.dumps(record, indent=1, allow_nan=False) + "\n")
        return record

    def _facts(self, photo) -> tuple:
        """The facts about a photo's patient, and what is to be said of those in its header."""
        from core.data.patient import Facts
        from core.interchange import describe_facts

        given, told, known = self.facts, photo.facts, describe_facts(photo.facts)
        if not known:
            return given, ()
        if not self.use_header:
            return given, (
                f"{HEADER}: {known}. Not used; --header-facts takes what --age, --sex and --site leave out.",
            )
        facts = Facts(
            told.age if given.age is None else given.age,
            told.sex if given.sex == "unknown" else given.sex,
            told.site if given.site == "unknown" else given.site,
        )
        return facts, (f"{HEADER}: {known}. Used where --age, --sex and --site say nothing; please check.",)

    def _write_dicom(self, path: Path, photo, reading, gate: dict | None, folder: Path) -> list[str]:
        """Writes a reading as DICOM; returns what is to be said of that."""
        from core.files import write_together
        from core.interchange import BURNED_IN, CAPTURE, make_objects, read_identity

        identity = read_identity(path) if self.keep_identity and photo.source else None
        remarks = gate["reasons"] if gate and gate["verdict"] != "ok" else ()
        objects = make_objects(reading, photo, identity=identity, remarks=remarks)
        write_together(folder, objects)
        return [] if CAPTURE in objects else [BURNED_IN]

    def _jury(self, encoded, facts, reading):
        """What all networks say, or None where fewer than two vote."""
        from core.reading import encode_photo, encoded_for_members, read_encoded
        from core.trust.signals.jury import convene

        if not self.ask_jury or len(self.jurors) < 2:
            return None
        opinions, shared = {}, encoded_for_members(encoded)
        for juror in self.jurors:
            if juror is self.bundle:
                opinions[juror.name] = reading.probabilities
            else:
                # An ensemble's members have encoded the photo already.
                seen = shared.get(juror.name) if juror in self.bundle.members else None
                seen = seen or encode_photo(juror, encoded.photo, explain=False)
                said = read_encoded(seen, facts, explain=False)
                opinions[juror.name] = said.probabilities
        return convene(opinions)

    def _refusal(self, facts) -> dict:
        """The record of a photo that was not read."""
        from core.reading import NOTICE

        card = self.bundle.card
        return {
            "model": self.bundle.name,
            "facts": vars(facts),
            "notes": [REFUSED],
            "card": {"sha256": card.weights["sha256"]},
            "notice": NOTICE,
        }


def _refused(record: dict) -> bool:
    """Whether the gate kept a photo from being read."""
    return "probabilities" not in record and (record.get("gate") or {}).get("verdict") == "refuse"


def _with_encoding(seconds: dict[str, float], encoding: dict[str, float]) -> dict[str, float]:
    """A reading's seconds, and those of the encoding that went before it."""
    gradients = encoding.get("gradients", 0.0)
    return seconds | {
        "encode": encoding["encode"],
        "heatmap": seconds["heatmap"] + gradients,
        "total": seconds["total"] + encoding["encode"] + gradients,
    }


def _open_lines(out: Path):
    """`readings.jsonl`, to which each photo's line goes as soon as it is read: what is done stays, whatever comes after."""
    from core.files import make_folder, open_lines

    make_folder(out)
    return open_lines(out / LINES_FILE)


def _output_folders(paths: list[Path], out: Path | None, several: bool) -> list[Path | None]:
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


def _ranked(probabilities: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(probabilities.items(), key=lambda item: -item[1])


def _show_one(record: dict, written: str) -> None:
    from core.diagnoses import DIAGNOSES, NAMES
    from core.trust.signals.lookalikes import LookalikeVote

    console = results()
    gate = record["gate"] or {"verdict": "ok", "reasons": []}
    if gate["verdict"] != "ok":
        word = {"refuse": "Refused", "unusable": "No answer"}.get(gate["verdict"], "Take care")
        console.print(f"{word}: {' '.join(gate['reasons'])}", markup=False, style="yellow", soft_wrap=True)
    if "probabilities" in record:
        groups = {d.code: (d.name, "malignant" if d.malignant else "benign") for d in DIAGNOSES}
        table = Table("diagnosis", "group", title=record["model"])
        table.add_column("probability", justify="right")
        for code, probability in _ranked(record["probabilities"]):
            table.add_row(*groups[code], percent(probability), style="bold" if code == record["top"] else "")
        console.print(table)
        console.print(f"Probability that it is malignant: {percent(record['malignancy'])}")
        if there := record["prevalence"]:
            named = ", ".join(
                f"{groups[code][0].lower()} {percent(p)}" for code, p in _ranked(there["probabilities"])[:3]
            )
            shares = ", ".join(f"{code} {percent(share)}" for code, share in there["shares"].items())
            console.print(
                f"{there['title']} ({shares}): {named}; malignant {percent(there['malignancy'])}. The set, the jury and the measured "
                "thresholds rest on the probabilities as calibrated.",
                soft_wrap=True,
                markup=False,
            )
    if record["set"]:
        console.print(f"90 % set: {', '.join(NAMES[code] for code in record['set'])}", soft_wrap=True)
    if record["lookalike_vote"] and "probabilities" in record:
        vote = record["lookalike_vote"]
        console.print(f"Look-alikes: {LookalikeVote(*(vote[key] for key in ('dx', 'count', 'of', 'others'))).words}")
    if record["jury"]:
        jury = record["jury"]
        console.print(
            f"Jury: {round(jury['agreement'] * jury['networks'])} of {jury['networks']} networks say {NAMES[jury['verdict']]}."
        )
    if record["seen_before"]:
        seen = record["seen_before"]
        console.print(f"Seen before: training {seen['kind']} {seen['image_id']}.", markup=False, style="yellow")
    for note in (*record["notes"], *record["trust_notes"]):
        console.print(note, markup=False, style="yellow", soft_wrap=True)
    console.print(
        f"Written to {written}. For research and teaching; not a medical device.", markup=False, soft_wrap=True
    )


def _said_of(name: str, record: dict) -> list[str]:
    """What is to be said of one photo among many: why the gate did not simply let it through, and what of it could not be followed."""
    gate = record.get("gate") or {"verdict": "ok", "reasons": []}
    # A damaged gate is said once, at the end.
    reasons = gate["reasons"] if gate["verdict"] in ("warn", "refuse") else ()
    own = [note.removeprefix(f"{name}: ") for note in record.get("notes", ()) if note.startswith(f"{name}: ")]
    return [f"{name}: {' '.join((*reasons, *own))}"] if reasons or own else []


def _show_many(records: list[dict], written: str) -> None:
    table = Table("photo", "most probable")
    table.add_column("probability", justify="right")
    table.add_column("malignant", justify="right")
    for column in ("90 % set", "photo gate"):
        table.add_column(column)
    notes: dict[str, None] = {}
    of_photos: list[str] = []
    for record in records:
        name = Path(record["photo"]).name.encode("utf-8", "replace").decode()
        of_photos += _said_of(name, record)
        if "error" in record:
            table.add_row(name, "not read", "-", "-", "-", "-", style="red")
            continue
        notes |= dict.fromkeys(record["trust_notes"])
        gate = record["gate"]["verdict"] if record["gate"] else "-"
        if "top" not in record:
            table.add_row(name, "refused", "-", "-", "-", gate, style="yellow")
            continue
        top, within = record["top"], ", ".join(record["set"] or ["-"])
        table.add_row(name, top, percent(record["probabilities"][top]), percent(record["malignancy"]), within, gate)
    console = results()
    console.print(table, markup=False)
    for line in of_photos[:SHOWN]:
        console.print(line, markup=False, style="yellow", soft_wrap=True)
    if len(of_photos) > SHOWN:
        console.print(
            f"{len(of_photos) - SHOWN:,} more remarks on single photos; what was written holds them.", style="yellow"
        )
    for note in notes:
        console.print(note, markup=False, style="yellow", soft_wrap=True)
    console.print(
        f"Written to {written}. For research and teaching; not a medical device.", markup=False, soft_wrap=True
    )
