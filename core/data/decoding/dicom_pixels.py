"""A DICOM photo's frames, decoded to the 8 bits a channel that a screen and a network see.

Reference: DICOM PS3.3 C.7.6.3.1.2 (photometric interpretation), C.11.2.1.2 (windowing); PS3.5 annex A (encapsulated pixels).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from core.data.decoding.colour_space import ADOBE_RGB
from core.data.decoding.decode_limits import MAX_PROFILE, MAX_SIDE, check_count
from core.data.decoding.dicom_file import JPEG, LOSSLESS_JPEG, DicomFile, missing_extra, quietly
from core.data.decoding.jpeg_file import check_whole, inspect_jpeg
from core.data.decoding.pixel_depth import check_range
from core.data.decoding.unreadable import damaged, other_kind

if TYPE_CHECKING:
    from pydicom import Dataset

# JPEG 2000: tiles and quality layers of one picture; encoders write one tile or some hundred, and 12 layers at most.
_MAX_TILES, _MAX_LAYERS = 4096, 100
_J2K_START = b"\xff\x4f\xff\x51"
_UNREADABLE = "its pixels end too early or cannot be decoded"


def decode_frames(file: DicomFile, name: str) -> Iterator[tuple[Image.Image, bytes]]:
    """Decodes one frame after the other.

    Yields:
        The frame, "RGB" or "L", and its ICC profile; empty without one.

    Raises:
        UnreadablePhoto: damaged pixels, a frame of another size than the header's, or a codec that is not installed.
    """
    decode = {JPEG: _jpeg_frames, LOSSLESS_JPEG: _lossless_jpeg_frames}.get(file.syntax.plugin, _plugin_frames)
    frames = decode(file, name)
    for _ in range(file.frames):
        frame = quietly(lambda: next(frames, None), name, _UNREADABLE)
        if frame is None:
            raise damaged(name, "it has fewer frames than its header says")
        yield frame


def _jpeg_frames(file: DicomFile, name: str) -> Iterator[tuple[Image.Image, bytes]]:
    """JPEG as any other JPEG photo is read: bounded, strictly checked, its markers telling its colours."""
    told = _profile(file.header)
    for data in _fragments(file):
        jpeg = inspect_jpeg(data, name)
        _check_size(jpeg.size, file, name)
        check_whole(jpeg, name)
        picture = Image.open(io.BytesIO(jpeg.data), formats=("JPEG",))
        says_colours = "jfif" in picture.info or "adobe_transform" in picture.info
        if file.colours == "RGB" and picture.mode == "RGB" and not says_colours:
            # The header alone tells that nothing was converted; "YCbCr" asks the decoder for the channels as they are.
            picture.draft("YCbCr", picture.size)
            picture.load()
            picture = Image.merge("RGB", picture.split()) if picture.mode == "YCbCr" else picture
        else:
            picture.draft(None, (MAX_SIDE, MAX_SIDE))
            picture.load()
        yield _checked_colours(picture, file, name), told or jpeg.profile


def _lossless_jpeg_frames(file: DicomFile, name: str) -> Iterator[tuple[Image.Image, bytes]]:
    """Lossless JPEG of 8 bits, which libjpeg reads and no part of Pillow's checks knows."""
    import simplejpeg

    if int(file.header.BitsStored) > 8:
        raise other_kind(name, "a lossless JPEG of more than 8 bits")
    profile, grey = _profile(file.header), not file.colours.startswith(("RGB", "YBR"))
    for data in _fragments(file):
        _check_size(_jpeg_size(data), file, name)
        _check_end(data, name)
        pixels = simplejpeg.decode_jpeg(data, "GRAY" if grey else "RGB", strict=True)
        if file.colours == "PALETTE COLOR":
            yield _from_palette(pixels[..., 0], file.header), profile
            continue
        picture = Image.fromarray(pixels[..., 0] if grey else pixels)
        if file.colours.startswith("YBR") and b"Adobe" not in data[:1024] and b"JFIF" not in data[:1024]:
            # libjpeg takes lossless colours without a marker for RGB.
            picture = Image.merge("YCbCr", picture.split()).convert("RGB")
        yield _checked_colours(picture, file, name), profile


def _checked_colours(picture: Image.Image, file: DicomFile, name: str) -> Image.Image:
    """A JPEG frame whose channels are those of the header, and no negative."""
    if file.colours == "PALETTE COLOR":
        raise other_kind(name, "a JPEG with a palette", "which loses colours")
    if picture.mode != ("L" if file.colours in ("MONOCHROME1", "MONOCHROME2") else "RGB"):
        raise damaged(name, "its pixels have other colours than its header says")
    return _negative(picture) if file.colours == "MONOCHROME1" else picture


def _plugin_frames(file: DicomFile, name: str) -> Iterator[tuple[Image.Image, bytes]]:
    from pydicom.pixels import get_decoder

    decoder = get_decoder(file.header.file_meta.TransferSyntaxUID)
    plugin = file.syntax.plugin
    if plugin:
        if plugin not in decoder.available_plugins:
            raise missing_extra(name, file.syntax.package)
        for data in _fragments(file):
            _check_codestream(data, file, name)
    profile = _profile(file.header)
    # Of plain pixels that sit in the upper bits, pydicom would clear just these.
    shift = _unused_low_bits(file.header) if not plugin else 0
    options = {"correct_unused_bits": not shift}
    for pixels, facts in decoder.iter_array(file.header, decoding_plugin=plugin, raw=False, as_rgb=True, **options):
        pixels = pixels >> shift if shift else pixels
        if pixels.shape[:2] != file.size[::-1]:
            raise damaged(name, "a frame has another size than its header says")
        yield _eight_bits(pixels, facts, file, name), profile


def _fragments(file: DicomFile) -> Iterator[bytes]:
    from pydicom.encaps import generate_frames

    header, offsets = file.header, None
    if "ExtendedOffsetTable" in header and "ExtendedOffsetTableLengths" in header:
        offsets = (header.ExtendedOffsetTable, header.ExtendedOffsetTableLengths)
    return generate_frames(header.PixelData, number_of_frames=file.frames, extended_offsets=offsets)


def _check_size(announced: tuple[int, int], file: DicomFile, name: str) -> None:
    """A decoder allocates what the codestream announces, so that must be what the header announced."""
    if announced != file.size:
        raise damaged(name, "a frame has another size than its header says")


def _check_end(data: bytes, name: str) -> None:
    """Whether a codestream has its end marker: without one CharLS counts two thousand million missing bits, for 5 seconds."""
    if not data.rstrip(b"\0").endswith(b"\xff\xd9"):
        raise damaged(name)


def _check_codestream(data: bytes, file: DicomFile, name: str) -> None:
    if file.syntax.plugin == "pylibjpeg":
        _check_jpeg2000(data, file, name)
    elif file.syntax.plugin != "pydicom":
        _check_size(_jpeg_size(data), file, name)
        _check_end(data, name)


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height in the frame header of a JPEG or JPEG-LS codestream; zeros without one."""
    place = 2
    while data[place : place + 1] == b"\xff" and place + 9 <= len(data):
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            return int.from_bytes(data[place + 7 : place + 9], "big"), int.from_bytes(
                data[place + 5 : place + 7], "big"
            )
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return 0, 0


def _check_jpeg2000(data: bytes, file: DicomFile, name: str) -> None:
    start = data.find(_J2K_START)
    numbers = [int.from_bytes(data[start + 8 + 4 * i : start + 12 + 4 * i], "big") for i in range(8)]
    right, bottom, left, top, tile_width, tile_height, _, _ = numbers
    components = int.from_bytes(data[start + 40 : start + 42], "big")
    if (
        start < 0
        or not tile_width
        or not tile_height
        or components != (3 if file.colours.startswith(("RGB", "YBR")) else 1)
    ):
        raise damaged(name, "its JPEG 2000 header contradicts the file's")
    _check_size((right - left, bottom - top), file, name)
    check_count(name, -(-right // tile_width) * -(-bottom // tile_height), _MAX_TILES, "tiles")
    coding = data.find(b"\xff\x52", start + 42)
    if coding >= 0:
        check_count(name, int.from_bytes(data[coding + 6 : coding + 8], "big"), _MAX_LAYERS, "quality layers")


def _profile(header: Dataset) -> bytes:
    """The ICC profile that the header holds, or that its colour space stands for."""
    profile = header.get("ICCProfile")
    if profile:
        return bytes(profile)[: MAX_PROFILE + 1]
    return ADOBE_RGB.profile() if str(header.get("ColorSpace") or "").strip().upper() == "ADOBERGB" else b""


def _unused_low_bits(header: Dataset) -> int:
    return max(0, int(header.get("HighBit", header.BitsStored - 1)) + 1 - int(header.BitsStored))


def _eight_bits(pixels: np.ndarray, facts: dict, file: DicomFile, name: str) -> Image.Image:
    bits, signed = int(facts["bits_stored"]), bool(facts["pixel_representation"])
    header = file.header
    if file.colours == "PALETTE COLOR":
        return _from_palette(pixels, header)
    if file.colours in ("MONOCHROME1", "MONOCHROME2"):
        grey = _window(pixels, header, bits, signed)
        picture = Image.fromarray(grey)
        if bits == 16 and not header.get("WindowWidth"):
            check_range(picture, bits, name)
        return _negative(picture) if file.colours == "MONOCHROME1" else picture
    if signed:
        raise other_kind(name, "a colour photo of signed pixels")
    if bits != 8 or pixels.dtype != np.uint8:
        picture = Image.fromarray(_scaled(pixels, 0, 2**bits - 1))
        if bits == 16:
            check_range(picture, bits, name)
        return picture
    return Image.fromarray(pixels)


def _scaled(pixels: np.ndarray, low: float, high: float) -> np.ndarray:
    """Values from low to high as 0 to 255, by a table: a photo of 30 megapixels would take 400 MB as float."""
    codes = np.arange(65536 if pixels.dtype.itemsize == 2 else 256).astype(pixels.dtype.str.replace("i", "u"))
    values = codes.view(pixels.dtype).astype("float64")
    table = np.rint(np.clip((values - low) / (high - low), 0, 1) * 255).astype("uint8")
    return table[pixels.view(codes.dtype)]


def _window(pixels: np.ndarray, header: Dataset, bits: int, signed: bool) -> np.ndarray:
    """Grey by the header's first window, else over the whole scale."""
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    centre, width = (_first(header.get(keyword)) for keyword in ("WindowCenter", "WindowWidth"))
    if centre is not None and width is not None and width > 1:
        slope, intercept = _first(header.get("RescaleSlope")) or 1.0, _first(header.get("RescaleIntercept")) or 0.0
        # Linear: the ends of the window in stored values.
        low, high = (
            (end - intercept) / slope for end in (centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2)
        )
    return _scaled(np.ascontiguousarray(pixels), low, high)


def _first(value: Any) -> float | None:
    if value is None or value == "":
        return None
    return float(value[0] if isinstance(value, (list, tuple)) or hasattr(value, "__getitem__") else value)


def _from_palette(pixels: np.ndarray, header: Dataset) -> Image.Image:
    from pydicom.pixels import apply_color_lut

    colours = apply_color_lut(pixels, header)
    deep = int(header.RedPaletteColorLookupTableDescriptor[2]) == 16
    # Many programs announce 16 bits and fill 8.
    full = 65535 if deep and colours.max(initial=0) > 255 else 255
    return Image.fromarray(_scaled(np.ascontiguousarray(colours), 0, full))


def _negative(picture: Image.Image) -> Image.Image:
    return picture.point([255 - shade for shade in range(256)])
