"""What one photo and one patient's facts give: probabilities, where the network looked, and overlays. NumPy alone: an engine answers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from core import __version__
from core.data.images import fit_image, photo_hash
from core.data.patient import Facts
from core.diagnoses import CODES, MALIGNANT, index_of
from core.explain import EXPLAINERS, Heatmap, explain, find_explainer, overlay
from core.prevalence import Mixture
from core.serving.engines import has_gpu

if TYPE_CHECKING:
    from core.bundle import Bundle

METHOD = "grad-cam"
NOTICE = "For research and teaching. Not a diagnosis."
# What a photo remembers: of what is large, enough for a control that changes one thing; of answers, all that a page asks at a time
# (the gate, the facts, what if), before and after a change.
RECENT = 2
# Two overlays before and after a change, and the photo that they lie on.
OVERLAYS = 5
ANSWERS = 12


class Recent:
    """The last few answers to a question, so that a control which leaves a part of the reading alone does not redo it."""

    def __init__(self, size: int):
        self._size, self._kept = size, {}

    @property
    def bytes(self) -> int:
        """Of the arrays among the answers."""
        return sum(a.nbytes for a in list(self._kept.values()) if isinstance(a, np.ndarray))

    def get(self, key: Hashable, make: Callable[[], object]):
        """The answer kept under `key`, made first if it is not."""
        answer = self._kept.pop(key, None)
        if answer is None:
            answer = make()
        self._kept[key] = answer  # last: what was asked longest ago goes first
        for old in list(self._kept)[: -self._size]:
            self._kept.pop(old, None)
        return answer


@dataclass(frozen=True, eq=False)
class EncodedPhoto:
    """A photo that a network's encoder has seen: all that later questions need, whatever the facts and the class.

    Args:
        photo: (H, W, 3) uint8 RGB.
        image: (S, S, 3) float32, what the network saw of it.
        feature_map: (h, w, C) float32.
        gradients: (7, h, w, C), of every logit with respect to the feature map; None if not asked for, or if they
            change with the facts (see `Engine.gradients_need_facts`).
        photo_hash: see `core.data.images.photo_hash`.
        model: the bundle's name.
        weights: SHA-256 of the bundle's weights.
        seconds: "encode", and "gradients" if there are any.
        answers: of the head by facts, and of others by what was asked.
        changing_gradients: those that change with the facts, by facts.
        overlays: those of bounded size, by map and opacity, with the photo at that size; read-only arrays.
    """

    photo: np.ndarray
    image: np.ndarray
    feature_map: np.ndarray
    gradients: np.ndarray | None
    photo_hash: str
    model: str
    weights: str
    seconds: dict[str, float]
    answers: Recent = field(default_factory=lambda: Recent(ANSWERS), repr=False)
    changing_gradients: Recent = field(default_factory=lambda: Recent(RECENT), repr=False)
    overlays: Recent = field(default_factory=lambda: Recent(OVERLAYS), repr=False)


@dataclass(frozen=True, eq=False)
class Elsewhere:
    """Probabilities re-weighted by Bayes' rule to the mixture of diagnoses where a photo comes from.

    Args:
        mixture: there.
        probabilities: diagnosis code -> probability there, in output order.
    """

    mixture: Mixture
    probabilities: dict[str, float]

    @property
    def top(self) -> str:
        return max(CODES, key=self.probabilities.get)

    @property
    def malignancy(self) -> float:
        return sum(p for p, malignant in zip(self.probabilities.values(), MALIGNANT, strict=True) if malignant)

    def to_json(self) -> dict:
        """As plain values."""
        return {
            **self.mixture.to_json(),
            "probabilities": self.probabilities,
            "top": self.top,
            "malignancy": self.malignancy,
        }


@dataclass(frozen=True, eq=False)
class LesionReading:
    """What a network says about one photo and one patient. NumPy and plain values only.

    Args:
        model: the bundle's name.
        facts: as given.
        probabilities: diagnosis code -> calibrated probability, in output order.
        top: code of the likeliest diagnosis.
        malignancy: sum of the malignant diagnoses' probabilities.
        target: code of the diagnosis that `heatmap` explains.
        method: key into `EXPLAINERS`, of `heatmap`.
        attention: (h, w), 0..1, the network's own attention; all zero when a note says why. None if not asked for.
        heatmap: (h, w), 0..1; likewise.
        attention_overlay, heatmap_overlay: (H, W, 3) uint8 RGB, read-only. None if not asked for.
        notes: sentences that belong beside the result.
        seconds: "encode", "head", "attention", "heatmap", "overlay", "total".
        engine: key into `ENGINES`, of what did the work.
        versions: of the software.
        elsewhere: what the probabilities are where the photo comes from; None where they stay as they were calibrated.
        card: "sha256" of the weights, "split_hash", "split_kind", "temperature" and "biases".
    """

    model: str
    facts: Facts
    probabilities: dict[str, float]
    top: str
    malignancy: float
    target: str
    method: str
    attention: np.ndarray | None
    heatmap: np.ndarray | None
    attention_overlay: np.ndarray | None
    heatmap_overlay: np.ndarray | None
    notes: tuple[str, ...]
    seconds: dict[str, float]
    engine: str
    versions: dict[str, str]
    card: dict
    elsewhere: Elsewhere | None = None

    @property
    def here(self) -> dict[str, float]:
        """The probabilities where the photo comes from: re-weighted if the reader said where, else as calibrated."""
        return self.elsewhere.probabilities if self.elsewhere else self.probabilities

    def to_json(self) -> dict:
        """The reading as plain values for `json.dumps`: no pictures, no file name, nothing from EXIF."""
        return {
            "model": self.model,
            "probabilities": self.probabilities,
            "top": self.top,
            "malignancy": self.malignancy,
            "prevalence": self.elsewhere.to_json() if self.elsewhere else None,
            "facts": {"age": self.facts.age, "sex": self.facts.sex, "site": self.facts.site},
            "target": self.target,
            "method": self.method,
            "notes": list(self.notes),
            "seconds": {step: round(seconds, 6) for step, seconds in self.seconds.items()},
            "card": self.card,
            "engine": self.engine,
            "versions": self.versions,
            "notice": NOTICE,
        }


def warm_up(bundle: Bundle) -> None:
    """Readies a bundle's engine, so that the first photo does not wait for it."""
    bundle.engine.ready()


def measure_speed(bundle: Bundle, runs: int = 30) -> dict:
    """Times the network on one photo at a time, for the card.

    Returns:
        "forward_ms": median milliseconds of encoder and head together; "device": in words.
    """
    warm_up(bundle)
    network, metadata = bundle.engine, _metadata(bundle, Facts())
    image = np.full((bundle.card.image_size, bundle.card.image_size, 3), 128, "float32")
    laps = []
    for _ in range(runs):
        start = time.perf_counter()
        network.head(network.encode(image), metadata)
        laps.append(time.perf_counter() - start)
    return {
        "forward_ms": round(1000 * float(np.median(laps)), 1),
        "device": "a GPU" if network.name == "tensorflow" and has_gpu() else f"a CPU with {os.cpu_count()} cores",
        "engine": network.name,
        "batch": 1,
        "runs": runs,
    }


def encode_photo(bundle: Bundle, photo: np.ndarray, *, explain: bool = True) -> EncodedPhoto:
    """Runs the heavy part of a network on a photo, once.

    Args:
        photo: (H, W, 3) uint8 RGB, from `read_photo`.
        explain: whether to prepare the gradients of all seven classes, which makes changing the class instant.
    """
    network = bundle.engine
    start = time.perf_counter()
    image = fit_image(photo, bundle.card.image_size)
    feature_map = network.encode(image)
    seconds = {"encode": time.perf_counter() - start}
    gradients = None
    if explain and not network.gradients_need_facts:
        start = time.perf_counter()
        gradients = network.gradients(feature_map, _metadata(bundle, Facts()))
        seconds["gradients"] = time.perf_counter() - start
    return EncodedPhoto(
        photo, image, feature_map, gradients, photo_hash(photo), bundle.name, bundle.card.weights["sha256"], seconds
    )


def join_encoded(bundle: Bundle, members: Sequence[EncodedPhoto]) -> EncodedPhoto:
    """A photo as an ensemble sees it, of what its members have made of it: nothing is encoded again.

    Args:
        members: of `bundle.members`, in their order, of one photo.

    Raises:
        ValueError: they are of other networks, or of several photos.
    """
    if [e.weights for e in members] != [m.card.weights["sha256"] for m in bundle.members]:
        raise ValueError(f"{bundle.name} was given photos encoded by others than its members, in their order.")
    if len({e.photo_hash for e in members}) > 1:
        raise ValueError(f"{bundle.name} was given several photos. Give the one photo as each member has encoded it.")
    first = members[0]
    return EncodedPhoto(
        first.photo,
        first.image,
        np.concatenate([e.feature_map for e in members], axis=-1),
        None,
        first.photo_hash,
        bundle.name,
        bundle.card.weights["sha256"],
        {"encode": sum(e.seconds["encode"] for e in members)},
    )


def encoded_for_members(bundle: Bundle, encoded: EncodedPhoto) -> dict[str, EncodedPhoto]:
    """An ensemble's encoded photo as each of its members has encoded it, by the member's name: nothing is encoded again.

    The gradients are left out; `gradients_of` makes them where they are asked for.
    """
    found, start = {}, 0
    for member in bundle.members:
        end = start + member.engine.feature_shape[-1]
        found[member.name] = EncodedPhoto(
            encoded.photo,
            encoded.image,
            np.ascontiguousarray(encoded.feature_map[..., start:end]),
            None,
            encoded.photo_hash,
            member.name,
            member.card.weights["sha256"],
            {"encode": 0.0},
        )
        start = end
    return found


def read_lesion(
    bundle: Bundle,
    photo: np.ndarray | None,
    facts: Facts | None = None,
    *,
    method: str = METHOD,
    target: str | None = None,
    encoded: EncodedPhoto | None = None,
    opacity: float = 0.5,
    explain: bool = True,
    side: int | None = None,
    mixture: Mixture | None = None,
) -> LesionReading:
    """Reads a lesion: what the network says, and where it looked.

    Args:
        photo: (H, W, 3) uint8 RGB, from `read_photo`; None takes the encoded photo's.
        facts: about the patient; nothing is known when None.
        method: key into `EXPLAINERS`.
        target: code of the diagnosis to explain; the likeliest when None.
        encoded: what `encode_photo` gave for this photo and bundle; then the encoder does not run again.
        opacity: of the overlays' colours, 0..1.
        explain: False leaves out attention, heatmap and overlays.
        side: of the overlays at most, pixels, for a screen; the photo's own resolution when None.
        mixture: of diagnoses where the photo comes from; None leaves the probabilities as they were calibrated.

    Raises:
        ValueError: unknown method or target, `encoded` is of another photo or model, or the network's answer is not
            finite.
    """
    start = time.perf_counter()
    facts = facts or Facts()
    find_explainer(method)
    if target is not None:
        index_of(target)
    fresh = encoded is None
    if fresh:
        if photo is None:
            raise ValueError("There is neither a photo nor an encoded photo. Give read_lesion one of them.")
        encoded = encode_photo(bundle, photo, explain=explain)
    else:
        _check_fit(bundle, photo, encoded)
    seconds = {"encode": encoded.seconds["encode"] if fresh else 0.0}

    metadata = _metadata(bundle, facts)
    lap = time.perf_counter()
    logits, attention_map = encoded.answers.get(facts, lambda: bundle.engine.head(encoded.feature_map, metadata))
    seconds["head"] = time.perf_counter() - lap
    probabilities = _probabilities(logits, bundle)
    top = CODES[int(probabilities.argmax())]
    target = target or top

    attention = heatmap = attention_overlay = heatmap_overlay = None
    if explain:
        lap = time.perf_counter()
        attention = _ask("soft-attention", bundle, encoded, facts, target, attention_map)
        seconds["attention"] = time.perf_counter() - lap
        lap = time.perf_counter()
        heatmap = (
            attention if method == attention.method else _ask(method, bundle, encoded, facts, target, attention_map)
        )
        seconds["heatmap"] = time.perf_counter() - lap + (encoded.seconds.get("gradients", 0.0) if fresh else 0.0)
        lap = time.perf_counter()
        attention_overlay = _overlay(encoded, attention, opacity, side)
        heatmap_overlay = _overlay(encoded, heatmap, opacity, side)
        seconds["overlay"] = time.perf_counter() - lap
    seconds["total"] = time.perf_counter() - start

    return LesionReading(
        model=bundle.name,
        facts=facts,
        probabilities=dict(zip(CODES, probabilities.tolist(), strict=True)),
        top=top,
        malignancy=float(probabilities[list(MALIGNANT)].sum()),
        target=target,
        method=method,
        attention=attention.values if attention else None,
        heatmap=heatmap.values if heatmap else None,
        attention_overlay=attention_overlay,
        heatmap_overlay=heatmap_overlay,
        notes=_notes(bundle, facts, attention, heatmap),
        seconds=seconds,
        engine=bundle.engine.name,
        versions={"melascope": __version__, **bundle.engine.versions},
        card={
            "sha256": bundle.card.weights["sha256"],
            "split_hash": bundle.card.split.get("hash", ""),
            "split_kind": bundle.card.split.get("kind", ""),
            "temperature": bundle.card.calibration.temperature,
            "biases": list(bundle.card.calibration.biases),
        },
        elsewhere=_elsewhere(bundle, probabilities, mixture),
    )


def _elsewhere(bundle: Bundle, probabilities: np.ndarray, mixture: Mixture | None) -> Elsewhere | None:
    if mixture is None:
        return None
    there = mixture.apply(probabilities, bundle.card.calibrated_shares)
    return Elsewhere(mixture, dict(zip(CODES, there.tolist(), strict=True)))


def _check_fit(bundle: Bundle, photo: np.ndarray | None, encoded: EncodedPhoto) -> None:
    if encoded.weights != bundle.card.weights["sha256"]:
        raise ValueError(
            f"The encoded photo comes from {encoded.model}, not from these weights of {bundle.name}. "
            "Encode it with encode_photo(bundle, photo)."
        )
    if photo is not None and photo is not encoded.photo and photo_hash(photo) != encoded.photo_hash:
        raise ValueError(
            "The encoded photo is of another photo than the one given. Encode this one with encode_photo(bundle, photo)."
        )


def _metadata(bundle: Bundle, facts: Facts) -> np.ndarray:
    return bundle.card.facts_encoder.encode(facts)


def _probabilities(logits: np.ndarray, bundle: Bundle) -> np.ndarray:
    """Calibrated probabilities, (7,) float64."""
    if not np.isfinite(logits).all():
        raise ValueError(
            f"{bundle.name} gave logits that are not finite: its weights are damaged. Restore them or train again."
        )
    return bundle.card.calibration.probabilities(logits)


def gradients_of(bundle: Bundle, encoded: EncodedPhoto, facts: Facts) -> np.ndarray:
    """Gradients of all seven logits with respect to the feature map, (7, h, w, C); made once for a photo, or once for its facts."""
    if encoded.gradients is not None:
        return encoded.gradients
    return encoded.changing_gradients.get(
        facts, lambda: bundle.engine.gradients(encoded.feature_map, _metadata(bundle, facts))
    )


def _ask(method, bundle, encoded, facts, target, attention_map) -> Heatmap:
    return explain(
        method,
        bundle.engine,
        encoded.feature_map,
        _metadata(bundle, facts),
        index_of(target),
        attention=attention_map,
        gradients=gradients_of(bundle, encoded, facts) if find_explainer(method).per_class else None,
    )


def shrunk(photo: np.ndarray, side: int) -> np.ndarray:
    """A photo (H, W, 3) of at most so many pixels a side."""
    if max(photo.shape[:2]) <= side:
        return photo
    picture = Image.fromarray(photo)
    picture.thumbnail((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(picture)


def _overlay(encoded: EncodedPhoto, heatmap: Heatmap, opacity: float, side: int | None) -> np.ndarray:
    def make():
        picture = overlay(photo, heatmap.values, opacity)
        picture.flags.writeable = False
        return picture

    if side is None:
        # A photo of 12 megapixels has overlays of 36 MB: made for a file, and not kept.
        photo = encoded.photo
        return make()
    photo = encoded.overlays.get(side, lambda: shrunk(encoded.photo, side))
    return encoded.overlays.get((heatmap.values.tobytes(), opacity, side), make)


def _notes(bundle: Bundle, facts: Facts, attention: Heatmap | None, heatmap: Heatmap | None) -> tuple[str, ...]:
    """What a reader must know beside the numbers."""
    notes = []
    for found in (attention, heatmap) if heatmap is not attention else (attention,):
        if found and found.note:
            notes.append(f"{EXPLAINERS[found.method].title}: {found.note}")
    if not bundle.engine.uses_metadata and facts != Facts():
        notes.append(f"{bundle.name} looks at the photo only: age, sex and site did not count.")
    if bundle.card.split.get("leaky"):
        notes.append(
            f"{bundle.name} was trained on a leaky split (a replication of the paper): its published scores flatter it."
        )
    return (*notes, *bundle.engine_notes)
