"""The network alone, by the Open Inference Protocol V2: tensors in, logits, probabilities and attention out, no photo gate."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.bundle import Bundle
from core.data.images import UnreadablePhoto, fit_image, read_photo
from core.data.patient import Facts
from core.diagnoses import CODES
from core.reading import READING_NOTICE
from core.service.admission import expect_time
from core.service.inference.tensors import TEXT, InferRequest, TensorKind
from core.service.refusals import CANNOT_BE, MALFORMED, NOT_NOW, RequestRefused

if TYPE_CHECKING:
    from core.data.patient import FactsEncoder

# Of one request.
MOST_IMAGES = 64


def inputs_of(bundle: Bundle) -> tuple[TensorKind, ...]:
    """The tensors that a network takes: `image` or `photo`, and what is known of each one's patient."""
    size = bundle.card.image_size
    return (
        TensorKind("image", (-1, size, size, 3), ("UINT8", "FP32"), "RGB, 0 to 255, the photo's centre square."),
        TensorKind("photo", (-1,), (TEXT,), "Photo files instead of images; as base64 where they stand in the JSON."),
        TensorKind("age", (-1,), ("FP32", "FP64", "INT32", "INT64"), "In years; below 0 where it is unknown."),
        TensorKind("sex", (-1,), (TEXT,), "female, male or unknown."),
        TensorKind("site", (-1,), (TEXT,), "Body site, or unknown."),
    )


def outputs_of(bundle: Bundle) -> tuple[TensorKind, ...]:
    """The tensors that a network gives."""
    height, width, _ = bundle.engine.feature_shape
    return (
        TensorKind("probabilities", (-1, len(CODES)), ("FP32",), f"Calibrated, in the order {', '.join(CODES)}."),
        TensorKind("logits", (-1, len(CODES)), ("FP32",), "As the network gives them."),
        TensorKind("attention", (-1, height, width), ("FP32",), "The network's own attention."),
    )


def infer(bundle: Bundle, asked: InferRequest, in_json: bool, deadline: float) -> dict[str, np.ndarray]:
    """What a network says of some images.

    Args:
        in_json: whether photos stand in the JSON, as base64.
        deadline: of `time.monotonic`.

    Returns:
        Output's name -> its tensor.

    Raises:
        RequestRefused: tensors that do not fit one another, numbers that cannot be, a photo that cannot be read, or damaged weights.
    """
    given = asked.inputs
    if ("image" in given) == ("photo" in given):
        raise RequestRefused(MALFORMED, "Expected either the input image or the input photo.")
    count = len(given["image"] if "image" in given else given["photo"])
    if not 0 < count <= MOST_IMAGES:
        raise RequestRefused(MALFORMED, f"The batch has {count} images. Expected 1 to {MOST_IMAGES}.")
    for name, values in given.items():
        if len(values) != count:
            raise RequestRefused(MALFORMED, f"The input {name} has {len(values)} rows, and there are {count} images.")
    if "image" in given:
        images = np.asarray(given["image"])
        if not (np.isfinite(images).all() and images.min() >= 0 and images.max() <= 255):
            raise RequestRefused(
                MALFORMED, "The input image holds numbers that are no colours. Expected 0 to 255, and no NaN."
            )
    else:
        images = _decode(given["photo"], bundle.card.image_size, in_json, deadline)
    metadata = _metadata(given, count, bundle.card.facts_encoder)
    expect_time(deadline)
    feature_maps = bundle.engine.encode(np.asarray(images, "float32"))
    logits, attention = bundle.engine.head(feature_maps, metadata)
    if not np.isfinite(logits).all():
        raise RequestRefused(NOT_NOW, f"{bundle.name} gave logits that are not finite: its weights are damaged. Restore them.")
    return {
        "probabilities": bundle.card.calibration.probabilities(logits),
        "logits": logits,
        "attention": attention,
    }


def response_of(bundle: Bundle, asked: InferRequest) -> dict:
    """A response's JSON but for its outputs."""
    record = {
        "model_name": bundle.name,
        "model_version": weights_version(bundle),
        "parameters": {"classes": ",".join(CODES), "notice": READING_NOTICE},
    }
    return record if asked.identity is None else {**record, "id": asked.identity}


def weights_version(bundle: Bundle) -> str:
    """What tells one network of a name from another: the beginning of its weights' SHA-256."""
    return bundle.card.weights["sha256"][:12]


def _decode(photos: Sequence[bytes], size: int, in_json: bool, deadline: float) -> np.ndarray:
    images = []
    for number, photo in enumerate(photos, 1):
        expect_time(deadline)
        try:
            data = base64.b64decode(photo, validate=True) if in_json else photo
            images.append(fit_image(read_photo(data, f"Photo {number}"), size))
        except binascii.Error:
            raise RequestRefused(MALFORMED, f"Photo {number} is no base64. Expected a photo file's bytes so.") from None
        except UnreadablePhoto as error:
            raise RequestRefused(CANNOT_BE, str(error)) from None
    return np.stack(images)


def _metadata(given, count: int, encoder: FactsEncoder) -> np.ndarray:
    """Facts as the network takes them, (B, D); unknown where nothing was given."""
    unknown = [b"unknown"] * count
    rows = []
    for age, sex, site in zip(
        given.get("age", [-1.0] * count), given.get("sex", unknown), given.get("site", unknown), strict=True
    ):
        if np.isnan(age):
            raise RequestRefused(
                MALFORMED, "The input age holds NaN. Expected years, or a number below 0 where it is unknown."
            )
        words = (text.decode("utf-8", "replace").strip().lower().replace("_", " ") for text in (sex, site))
        rows.append(encoder.encode(Facts(None if age < 0 else float(age), *words)))
    return np.stack(rows)
