"""One of many photos, and its answer: the gate's verdict, probabilities, the 90 % set, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from core.data.framing.crop import Crop
from core.data.framing.framed import frame_photo
from core.data.patient import Facts
from core.reading import encode_photo, read_encoded, shrunk
from core.trust.signals.opinion import form_gate
from core.trust.signals.prediction_set import build_set

if TYPE_CHECKING:
    from core.bundle import Bundle
    from core.prevalence import Mixture
    from core.trust.signals.opinion import Signals

NOT_READ, REFUSED = "not read", "refused"
THUMBNAIL_SIDE, THUMBNAIL_QUALITY = 112, 80


@dataclass(frozen=True, eq=False)
class BatchRow:
    """What is said of one photo.

    Args:
        photo: its name.
        facts: as they counted.
        error: why it could not be read; "" where it could.
        gate: "ok", "warn", "refuse" or "unusable"; "" where the gate was never measured or was not asked.
        remarks: the gate's reasons, what of the photo could not be followed, and how it is framed.
        probabilities: code -> probability where the photo comes from; None of a photo that was not read or was refused.
        calibrated: the same as they were calibrated, with which a network's own operating point is compared.
        set: the codes of the 90 % set; None where it was never measured.
        framed: whether the photo frames its lesion as training photos do.
        crop: the square that was read; None for the whole photo.
        thumbnail: a JPEG of what was read; b"" of what is no photo.
    """

    photo: str
    facts: Facts
    error: str = ""
    gate: str = ""
    remarks: tuple[str, ...] = ()
    probabilities: dict[str, float] | None = None
    calibrated: dict[str, float] | None = None
    set: tuple[str, ...] | None = None
    framed: bool = True
    crop: Crop | None = None
    thumbnail: bytes = b""

    @property
    def top(self) -> str:
        """Code of the likeliest diagnosis; `NOT_READ` or `REFUSED` where there is none."""
        if self.error:
            return NOT_READ
        return max(self.probabilities, key=self.probabilities.__getitem__) if self.probabilities else REFUSED


def read_row(
    bundle: Bundle,
    signals: Signals,
    photo: np.ndarray,
    name: str,
    facts: Facts,
    *,
    crop: Crop | str,
    mixture: Mixture | None = None,
    force: bool = False,
    notes: tuple[str, ...] = (),
) -> BatchRow:
    """Reads one photo as the reading page and `read` do, without maps.

    Args:
        signals: what was measured of the network.
        photo: (H, W, 3) uint8 RGB.
        crop: see `frame_photo`.
        force: reads also what the gate refuses.
        notes: what of the photo could not be followed.

    Raises:
        ValueError: the network's answer is not finite, or a square that this photo does not have.
    """
    framed = frame_photo(photo, crop)
    encoded = encode_photo(bundle, framed.pixels, explain=False)
    gate = form_gate(signals, encoded)
    remarks = (*(gate.reasons if gate else ()), *notes, *framed.framing.reasons)
    row = BatchRow(
        name,
        facts,
        gate=gate.verdict if gate else "",
        remarks=tuple(dict.fromkeys(remarks)),
        framed=not framed.framing.differs,
        crop=framed.crop,
        thumbnail=thumbnail(framed.pixels),
    )
    if gate is not None and gate.stops and not force:
        return row
    reading = read_encoded(encoded, facts, explain=False, mixture=mixture)
    record = signals.records.get("set")
    codes = build_set(reading.probabilities, record).codes if record else None
    return replace(row, probabilities=reading.here, calibrated=reading.probabilities, set=codes)


def thumbnail(photo: np.ndarray) -> bytes:
    """A photo as a small JPEG: pixels and nothing else."""
    small = shrunk(photo, THUMBNAIL_SIDE)
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, THUMBNAIL_QUALITY]
    )
    return data.tobytes()
