"""The card that travels with weights: data, split, recipe, scores, input contract. Reading one needs no network."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from core.calibration import Calibration
from core.data.patient import FactsEncoder
from core.decisions import EVEN, Terms
from core.designs import NetworkDesign
from core.diagnoses import CODES
from core.estimates.in_files import from_text, to_text
from core.files import locked, write_text
from core.folders import model_folder, weights_root
from core.schemas.kind import InvalidRecord, Kind

CARD_FILE = "card.json"
WEIGHTS_FILE = "model.weights.h5"
# The training's epochs.
HISTORY_FILE = "history.csv"
FORMAT = 2
# What no card of ours comes near, so that one from elsewhere cannot fill the memory: bytes of the file, and pixels of a photo's side.
MOST_BYTES, MOST_PIXELS = 256 * 2**20, 4096
# The backbone of a model that is the mean of others.
ENSEMBLE = "Ensemble"
# The part of a set of folds that its scores are of: each photo as the one network answers it that never saw its lesion.
OUT_OF_FOLD = "out of fold"


class InvalidBundle(ValueError):
    """A weights folder that is missing, damaged or does not fit its card."""


class DamagedFile(InvalidBundle):
    """A file beside the card that is not the one that the card names: damaged, lost, exchanged or never bound."""


@dataclass(frozen=True)
class Card:
    """Everything a reader of a model's numbers must know; written as `card.json`.

    Args:
        name: folder and display name.
        backbone: key into `BACKBONES`.
        network: the choices of its design as they were written (see `design`); of an ensemble {"members": [model names]}.
        image_size: side of the square input, pixels.
        age_mean, age_sd: of the training ages, years.
        calibration: turns logits into probabilities; fitted on validation.
        weights: {"file", "sha256", "dtype", "bytes", "parameters"}; of an ensemble also "members": {name: its `probabilities_sha256`}, no
            file, and a digest over those of the members' probabilities, which its logits are made of.
        split: {"kind", "leaky", "seed", "hash", "train": [image ids], "validation": [...], "test": [...]}; of one network of a
            cross-validation also "fold": [which, of how many], of a set of them "folds": [[which, of how many], ...].
        recipe: the recipe's fields, plus "name".
        data: {"name", "citation", "photos": {part: n}, "lesions": {part: n}, "notes": [...]}.
        scores: part -> metric -> `Estimate`, of a kind that names the rule where a decision rule gave it, and "photos" and
            "lesions" counts; the part's own `confidence` text says how the interval was made.
        training: {"device", "seconds", "epochs", "best_epoch", "init", "class_weights", "seed", "versions"}.
        pretraining: where the encoder's first weights came from, in words.
        licence: of the weights.
        limits: sentences about what the model must not be used for.
        speed: {"forward_ms": ..., "device": ...} or empty.
        files: name -> SHA-256 of each further file that a reading rests on, such as "gate.json"; see `bind_files`.
        terms: what the decision rules need to know of the model; the power was chosen on validation.
    """

    name: Annotated[str, Meta(min_length=1)]
    backbone: Annotated[str, Meta(min_length=1)]
    network: dict
    image_size: Annotated[int, Meta(ge=1, le=MOST_PIXELS)]
    age_mean: Annotated[float, Meta(ge=0, le=150)]
    age_sd: Annotated[float, Meta(gt=0, le=150)]
    calibration: Calibration
    weights: dict
    split: dict
    recipe: dict
    data: dict
    scores: dict[str, dict]
    training: dict
    pretraining: str
    licence: str
    limits: list
    speed: dict = field(default_factory=dict)
    terms: Terms = EVEN
    classes: list = field(default_factory=lambda: list(CODES))
    pixels: str = "RGB, 0..255; largest centre square, antialiased resize; normalisation is inside the network"
    created: str = ""
    files: dict = field(default_factory=dict)
    format: int = FORMAT

    @property
    def facts_encoder(self) -> FactsEncoder:
        return FactsEncoder(self.age_mean, self.age_sd)

    @property
    def probabilities_sha256(self) -> str:
        """SHA-256 over weights, calibration and the decision rules' terms: what all that rests on probabilities belongs to."""
        numbers = (self.calibration.temperature, *self.calibration.biases, self.terms.power, *self.terms.shares)
        text = "\n".join([self.weights["sha256"], *map(repr, numbers)])
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def input_sha256(self) -> str:
        """SHA-256 over what turns a photo and facts into the network's input, and logits into diagnoses."""
        told = [self.backbone, self.network, self.image_size, self.age_mean, self.age_sd, self.classes, self.pixels]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    @property
    def calibrated_shares(self) -> tuple[float, ...]:
        """How common the diagnoses were where the probabilities hold, (7,): among the photos of the calibration, else of the training."""
        counts = (self.data.get("photos_per_class") or {}).get("validation") or self.terms.shares
        there = [max(float(count), 1e-3) for count in counts]
        return tuple(count / sum(there) for count in there)

    @property
    def design(self) -> NetworkDesign:
        """What is built of the backbone.

        Raises:
            ValueError: the card is of an ensemble, or names a choice that there is not.
        """
        return NetworkDesign.from_card(self.network)

    @property
    def members(self) -> tuple[str, ...]:
        """Names of an ensemble's members, or of a set's folds; none where this is one network."""
        return tuple(self.network.get("members", ()))

    @property
    def is_ensemble(self) -> bool:
        """Whether this is the mean of different models, which may be sets of folds themselves."""
        return self.backbone == ENSEMBLE

    @property
    def is_fold_set(self) -> bool:
        """Whether this is the card of a cross-validation's networks, read by their mean; see `core.evaluation.fold_set`."""
        return "folds" in self.split

    @property
    def held_out_part(self) -> str:
        """What its scores are of: the test part, or of a set of folds every photo by the network that was trained without it."""
        return OUT_OF_FOLD if self.is_fold_set else "test"

    @property
    def held_out_scores(self) -> dict:
        """Its scores on the photos that it was held out from; empty where there are none."""
        return self.scores.get(self.held_out_part) or {}

    @property
    def parameters(self) -> int:
        return int(self.weights["parameters"])

    @property
    def megabytes(self) -> float:
        return self.weights["bytes"] / 1e6

    def part_of(self, image_id: str) -> str | None:
        """Which part of the split ("train", "validation", "test") an image id is in, or None."""
        return next((p for p in ("train", "validation", "test") if image_id in self.split.get(p, ())), None)


_CARD = Kind("card", Card, FORMAT)


def find_bundle(name: str | Path) -> Path:
    """Turns a model's name, or a path to its folder, into that folder.

    Raises:
        InvalidBundle: there is no such model; the message lists those there are.
    """
    for folder in (model_folder(str(name)), Path(name)):
        if (folder / CARD_FILE).is_file():
            return folder
    shipped = ", ".join(card.name for card in list_cards()) or "none"
    raise InvalidBundle(
        f"No model {str(name)!r}: {model_folder(str(name))} has no {CARD_FILE}. Shipped models: {shipped}. "
        "Give one of these names, or the folder of a model that `train` wrote."
    )


def read_card(folder: str | Path, *, renew: bool = False) -> Card:
    """Reads and checks `card.json`; touches no weights.

    Args:
        renew: also takes a card of format 1, with its temperature as its calibration: what `calibrate` begins with.

    Raises:
        InvalidBundle: the card is missing, is not JSON, or is not one of this version's cards.
    """
    path = Path(folder) / CARD_FILE
    if path.is_file() and path.stat().st_size > MOST_BYTES:
        raise InvalidBundle(
            f"{path} has {path.stat().st_size / 2**20:,.0f} MB; expected a card, at most {MOST_BYTES >> 20} MB."
        )
    try:
        record = from_text(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidBundle(f"{path} is missing. A model folder needs {CARD_FILE} beside its weights.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidBundle(
            f"{path} cannot be read as JSON ({error}). Restore it from the repository or train again."
        ) from None
    old = isinstance(record, dict) and record.get("format") == 1
    if old and renew and not (record.get("network") or {}).get("members"):
        calibration = {"temperature": record.pop("temperature", None) or 1.0}
        record |= {"format": FORMAT, "calibration": calibration, "terms": asdict(EVEN)}
    try:
        card = _CARD.convert(record, path, _renewal(record, path.parent))
        if card.weights and not isinstance(card.weights.get("sha256"), str):
            raise InvalidRecord(
                f"{path} is not a complete card: weights has no sha256. {_renewal(record, path.parent)}"
            )
    except InvalidRecord as error:
        raise InvalidBundle(str(error)) from None
    if card.classes != list(CODES):
        raise InvalidBundle(f"{path} lists the classes {card.classes}; expected {list(CODES)} in this order.")
    if card.files.get(CARD_FILE, card.input_sha256) != card.input_sha256:
        raise InvalidBundle(
            f"{path} is damaged or was edited: how photos and facts become the network's input (image_size, age_mean, age_sd, network or "
            "another of these entries) is no longer what the model was measured with. Restore it from the repository, or train again."
        )
    return card


def _renewal(record: object, folder: Path) -> str:
    """The sentence with the command that makes a card anew."""
    record = record if isinstance(record, dict) else {}
    network, recipe = ({}, {}) if not record else (record.get("network"), record.get("recipe"))
    members = network.get("members") if isinstance(network, dict) else None
    if members:
        return (
            f"Renew its members, then run `python -m core ensemble {' '.join(map(str, members))} --data HAM10000_FOLDER "
            f"--name {folder.name}`, then `evaluate` and `measure`."
        )
    if record.get("format") == 1:
        return (
            f"Its probabilities are not calibrated by diagnosis: run `python -m core calibrate {folder.name} --data HAM10000_FOLDER`, then "
            "`evaluate` and `measure`."
        )
    name = recipe.get("name") if isinstance(recipe, dict) else None
    return (
        f"Restore it from where the model came from, or train again: `python -m core train {name or 'RECIPE'} --data HAM10000_FOLDER --out "
        f"{folder}`."
    )


def write_card(card: Card, folder: str | Path) -> Path:
    """Writes `card.json`, whole or not at all."""
    record = {**vars(card), "calibration": asdict(card.calibration), "terms": asdict(card.terms)}
    return write_text(Path(folder) / CARD_FILE, to_text(record, ensure_ascii=False) + "\n")


def change_card(folder: str | Path, **changes) -> Card:
    """Writes a card anew with some of its fields changed; a change made by another process meanwhile is kept."""
    with locked(folder):
        card = replace(read_card(folder), **changes)
        write_card(card, folder)
    return card


def bind_files(folder: str | Path, names: Iterable[str]) -> Card:
    """Writes into a model's card which files beside it were measured, by SHA-256: from now on no others pass for them.

    Args:
        names: of files in the folder, in "/" notation.
    """
    folder = Path(folder)
    digests = {name: sha256_of(folder / name) for name in names}
    with locked(folder):
        card = read_card(folder)
        # The card cannot hold its own checksum; it holds that of what must not change under the files measured with it.
        digests[CARD_FILE] = card.input_sha256
        card = replace(card, files=dict(sorted({**card.files, **digests}.items())))
        write_card(card, folder)
    return card


def read_bound(folder: str | Path, name: str, card: Card) -> bytes:
    """The bytes of a file that a reading rests on, if they are those that the card names.

    Raises:
        FileNotFoundError: there is no such file, and the card names none: it was never made.
        DamagedFile: there should be one and is none, or it is not the one that the card names.
    """
    path, expected = Path(folder) / name, card.files.get(name)
    if path.exists() and not (path.is_file() or path.is_dir()):
        # A pipe or a device would be waited for without end.
        raise DamagedFile(f"{short_name(path)} is no plain file.")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if expected is None:
            raise
        raise DamagedFile(f"{short_name(path)} is lost: the card of {card.name} names it.") from None
    except OSError as error:
        raise DamagedFile(f"{short_name(path)} cannot be read ({error.strerror}).") from None
    if expected is None:
        raise DamagedFile(
            f"{short_name(path)} is not bound to the card of {card.name}: nothing says that it belongs to this model."
        )
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected:
        raise DamagedFile(
            f"{short_name(path)} is damaged or was exchanged: SHA-256 {digest[:12]}, but the card of {card.name} names {expected[:12]}."
        )
    return content


def short_name(path: Path) -> str:
    """A model's file by its folder and name: such sentences stand on pages and in files that go to others."""
    return f"{path.parent.name}/{path.name}"


def list_cards(root: str | Path | None = None) -> list[Card]:
    """Cards of the models under `root`, by name; folders with a broken card are left out."""
    root = Path(root) if root else weights_root()
    cards = []
    for path in sorted(root.glob(f"*/{CARD_FILE}")):
        try:
            cards.append(read_card(path.parent))
        except InvalidBundle:
            continue
    return cards


def sha256_of(path: str | Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
