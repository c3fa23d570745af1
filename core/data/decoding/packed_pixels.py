"""Whether zlib-packed pixels are whole: the decoders of PNG and TIFF stop at the last pixel they need and fill up what is missing."""

import zlib
from collections.abc import Iterable

_STEP = 1 << 20


def unpacked_size(parts: Iterable[bytes], most: int) -> int | None:
    """How many bytes a zlib stream unpacks to; nothing of it is kept.

    Args:
        parts: of the stream, in order.
        most: bytes after which nothing more is unpacked.

    Returns:
        The size, `most` or a little more where there was more; None where the stream contradicts itself or its checksum.
    """
    unpacker, size = zlib.decompressobj(), 0
    try:
        for part in parts:
            waiting = part
            while waiting and size < most and not unpacker.eof:
                size += len(unpacker.decompress(waiting, _STEP))
                waiting = unpacker.unconsumed_tail
            if size >= most or unpacker.eof:
                break
    except zlib.error:
        return None
    return size
