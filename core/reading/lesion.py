"""A reading: probabilities, where the network looked, and overlays."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core import __version__
from core.data.patient import Facts
from core.diagnoses import CODES, MALIGNANT, index_of
from core.explain import EXPLAINERS, Heatmap, explain, find_explainer, overlay
from core.prevalence import Mixture
from core.reading.encoded import EncodedPhoto, encode_photo, gradients_of, shrunk

if TYPE_CHECKING:
    from core.bundle import Bundle

METHOD = "grad-cam"
READING_NOTICE = "For research and teaching. Not a diagnosis."


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
        return max(CODES, key=self.probabilities.__getitem__)

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
            "notice": READING_NOTICE,
        }


def read_lesion(
    bundle: Bundle,
    photo: np.ndarray,
    facts: Facts | None = None,
    *,
    method: str = METHOD,
    target: str | None = None,
    opacity: float = 0.7,
    explain: bool = True,
    paint: bool = True,
    side: int | None = None,
    mixture: Mixture | None = None,
) -> LesionReading:
    """Reads a lesion: what the network says, and where it looked.

    Args:
        photo: (H, W, 3) uint8 RGB, from `read_photo`.
        facts, method, target, opacity, explain, paint, side, mixture: see `read_encoded`.

    Raises:
        ValueError: unknown method or target, or the network's answer is not finite.
    """
    start = time.perf_counter()
    _check_asked(method, target)
    encoded = encode_photo(bundle, photo, explain=explain)
    reading = read_encoded(
        encoded,
        facts,
        method=method,
        target=target,
        opacity=opacity,
        explain=explain,
        paint=paint,
        side=side,
        mixture=mixture,
    )
    seconds = reading.seconds | {"encode": encoded.seconds["encode"]}
    if explain:
        seconds["heatmap"] += encoded.seconds.get("gradients", 0.0)
    return replace(reading, seconds=seconds | {"total": time.perf_counter() - start})


def read_encoded(
    encoded: EncodedPhoto,
    facts: Facts | None = None,
    *,
    method: str = METHOD,
    target: str | None = None,
    opacity: float = 0.7,
    explain: bool = True,
    paint: bool = True,
    side: int | None = None,
    mixture: Mixture | None = None,
) -> LesionReading:
    """Reads a photo that the encoder has seen: only the head runs, and what was asked before is remembered.

    Args:
        facts: about the patient; nothing is known when None.
        method: key into `EXPLAINERS`.
        target: code of the diagnosis to explain; the likeliest when None.
        opacity: of the overlays' colours, 0..1.
        explain: False leaves out attention, heatmap and overlays.
        paint: False leaves out the overlays alone.
        side: of the overlays at most, pixels, for a screen; the photo's own resolution when None.
        mixture: of diagnoses where the photo comes from; None leaves the probabilities as they were calibrated.

    Raises:
        ValueError: unknown method or target, or the network's answer is not finite.
    """
    start = time.perf_counter()
    facts, bundle = facts or Facts(), encoded.bundle
    _check_asked(method, target)
    seconds = {"encode": 0.0}

    metadata = bundle.card.facts_encoder.encode(facts)
    lap = time.perf_counter()
    logits, attention_map = encoded.answers.get(facts, lambda: bundle.engine.head(encoded.feature_map, metadata))
    seconds["head"] = time.perf_counter() - lap
    probabilities = _probabilities(logits, bundle)
    top = CODES[int(probabilities.argmax())]
    target = target or top

    attention = heatmap = attention_overlay = heatmap_overlay = None
    if explain:
        lap = time.perf_counter()
        attention = _ask("soft-attention", encoded, facts, target, attention_map)
        seconds["attention"] = time.perf_counter() - lap
        lap = time.perf_counter()
        heatmap = attention if method == attention.method else _ask(method, encoded, facts, target, attention_map)
        seconds["heatmap"] = time.perf_counter() - lap
    if attention and heatmap and paint:
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


def _check_asked(method: str, target: str | None) -> None:
    find_explainer(method)
    if target is not None:
        index_of(target)


def _probabilities(logits: np.ndarray, bundle: Bundle) -> np.ndarray:
    """Calibrated probabilities, (7,) float64."""
    if not np.isfinite(logits).all():
        raise ValueError(
            f"{bundle.name} gave logits that are not finite: its weights are damaged. Restore them or train again."
        )
    return bundle.card.calibration.probabilities(logits)


def _ask(method: str, encoded: EncodedPhoto, facts: Facts, target: str, attention_map: np.ndarray) -> Heatmap:
    return explain(
        method,
        encoded.bundle.engine,
        encoded.feature_map,
        encoded.bundle.card.facts_encoder.encode(facts),
        index_of(target),
        attention=attention_map,
        gradients=gradients_of(encoded, facts) if find_explainer(method).needs_gradient else None,
    )


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
    for shown in (attention, heatmap) if heatmap is not attention else (attention,):
        if shown and shown.note:
            notes.append(f"{EXPLAINERS[shown.method].title}: {shown.note}")
    if not bundle.engine.uses_metadata and facts != Facts():
        notes.append(f"{bundle.name} looks at the photo only: age, sex and site did not count.")
    if bundle.card.split.get("leaky"):
        notes.append(
            f"{bundle.name} was trained on a leaky split (a replication of the paper): its published scores flatter it."
        )
    return (*notes, *bundle.engine_notes)
