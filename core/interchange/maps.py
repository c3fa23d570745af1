"""A map of where a network looked, as a DICOM Parametric Map at the size of its source image.

Reference: DICOM PS3.3 A.75 (Parametric Map IOD), C.7.6.16 (functional groups).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from core import __version__
from core.data.images import centre_square
from core.interchange.evidence import MAKER, new_uid, reference
from core.interchange.read import DicomSource

if TYPE_CHECKING:
    from pydicom import Dataset

# Larger sources get maps of a half, a third, ... of their size: a map has 49 to 400 cells, and 4 bytes a pixel.
MAX_MAP_SIDE = 2048
SINGLE_FRAME = "1.2.840.10008.5.1.4.1.1.77.1.4"
# Outside of what the network saw.
UNSEEN = -1.0


def map_size(source_size: tuple[int, int]) -> tuple[int, int]:
    """Width and height of a map: the source's, or a whole fraction of it."""
    step = -(-max(source_size) // MAX_MAP_SIDE)
    return -(-source_size[0] // step), -(-source_size[1] // step)


def enlarge_map(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A map at the size of its source: bilinear between its cells' centres.

    Args:
        values: (h, w), 0..1.
        size: width and height, pixels.

    Returns:
        (height, width) float32; `UNSEEN` outside of the centre square, which is all that a network sees.
    """
    out = np.full(size[::-1], UNSEEN, "float32")
    top, left, side = centre_square(*size[::-1])
    square = cv2.resize(values.astype("float32"), (side, side), interpolation=cv2.INTER_LINEAR)
    out[top : top + side, left : left + side] = np.clip(square, 0, 1)
    return out


def make_map(
    values: np.ndarray,
    label: str,
    meaning: str,
    evidence: Dataset,
    source: DicomSource,
    model: str,
    weights: str,
    number: int,
) -> Dataset:
    """A Parametric Map.

    Args:
        values: (height, width) float32, from `enlarge_map`.
        label: of 16 capitals, digits and underscores at most.
        meaning: what the values say, in words; 64 characters at most.
        evidence: from `make_evidence`, for a source of the map's size.
        number: of the instance in its series.
    """
    import highdicom as hd
    from pydicom.sr.coding import Code

    evidence = _placed(evidence)
    mapping = hd.pm.RealWorldValueMapping(
        lut_label=label,
        lut_explanation=meaning,
        unit=Code("1", "UCUM", "no units"),
        value_range=(0.0, 1.0),
        slope=1.0,
        intercept=0.0,
        quantity_definition=Code("130404", "DCM", "Saliency"),
    )
    ds = hd.pm.ParametricMap(
        source_images=[evidence],
        pixel_array=values[None],
        series_instance_uid=new_uid(),
        series_number=9000 + number,
        sop_instance_uid=new_uid(),
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=model[:64],
        software_versions=__version__,
        device_serial_number=weights,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        voi_lut_transformations=[hd.VOILUTTransformation(window_center=0.5, window_width=1.0)],
        content_label=label,
        content_description=meaning,
        series_description=f"{MAKER}: {meaning}. Not a diagnosis."[:64],
    )
    ds.Laterality = ""
    ds.FloatPixelPaddingValue = ds.FloatPixelPaddingRangeLimit = UNSEEN
    # A photo has no millimetres: the plane's unit is its pixel.
    shared = ds.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    for keyword in ("PixelSpacing", "SliceThickness", "SpacingBetweenSlices"):
        if keyword in shared:
            del shared[keyword]
    _refer(ds, source)
    return ds


def _refer(ds: Dataset, source: DicomSource) -> None:
    """Gives the references their true class, and the frame where there may be one."""
    (instance,) = ds.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    (derivation,) = ds.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence
    (image,) = derivation.SourceImageSequence
    instance.ReferencedSOPClassUID = image.ReferencedSOPClassUID = source.class_uid
    if source.referenced_frame:
        image.ReferencedFrameNumber = source.referenced_frame
    ds.SourceImageSequence = [reference(source)]


def _placed(evidence: Dataset) -> Dataset:
    """The source in a plane of its own: a Parametric Map must lie in a frame of reference, and photos have none."""
    from copy import deepcopy

    placed = deepcopy(evidence)
    # Of a class of several frames highdicom would want all of them.
    placed.SOPClassUID = SINGLE_FRAME
    placed.FrameOfReferenceUID = new_uid()
    placed.ImagePositionPatient, placed.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    placed.PixelSpacing, placed.SliceThickness = [1, 1], 1
    return placed
