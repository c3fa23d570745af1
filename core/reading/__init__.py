"""What one photo and one patient's facts give. NumPy alone: an engine answers."""

from core.reading.encoded import (
    EncodedPhoto,
    Recent,
    encode_photo,
    encoded_for,
    gradients_of,
    join_encoded,
    shrunk,
)
from core.reading.lesion import METHOD, READING_NOTICE, Elsewhere, LesionReading, read_encoded, read_lesion
from core.reading.speed import measure_speed, warm_up

__all__ = [
    "METHOD",
    "READING_NOTICE",
    "EncodedPhoto",
    "Elsewhere",
    "LesionReading",
    "Recent",
    "encode_photo",
    "encoded_for",
    "gradients_of",
    "join_encoded",
    "measure_speed",
    "read_encoded",
    "read_lesion",
    "shrunk",
    "warm_up",
]
