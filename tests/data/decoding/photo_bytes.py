"""Photos as bytes, written by hand where no program writes what a test needs."""

import io
import struct
import zlib

from PIL import Image

from core.data.drawn import draw_lesion

LESION = draw_lesion("mel", (96, 80), seed=5)[0]


def encoded(picture, format="PNG", **options) -> bytes:
    """A picture as Pillow writes it; pixels are taken too."""
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_with(pixels, *chunks) -> bytes:
    """A PNG with chunks (kind, body) before its pixels."""
    data = encoded(pixels)
    return data[:33] + b"".join(png_chunk(*chunk) for chunk in chunks) + data[33:]


def png_of(width, height, depth, colours, rows: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        png_chunk(*chunk) for chunk in ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


def png16(pixels16) -> bytes:
    """A PNG of 16 bits a channel, (H, W, 3)."""
    height, width = pixels16.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels16)
    return png_of(width, height, 16, 2, rows)


def exif_block(orientation=1, space=None, interop=None) -> bytes:
    """EXIF with a colour space and an interoperability index, big-endian as cameras write it."""
    fields = [(274, 3, 1, struct.pack(">HH", orientation, 0))]
    place = 8 + 2 + 12 * 2 + 4
    inner = [] if space is None else [(40961, 3, 1, struct.pack(">HH", space, 0))]
    if interop is not None:
        after = place + 2 + 12 * (len(inner) + 1) + 4
        inner.append((40965, 4, 1, struct.pack(">I", after)))
    fields.append((34665, 4, 1, struct.pack(">I", place)))

    def directory(entries):
        rows = b"".join(struct.pack(">HHI", tag, kind, count) + value for tag, kind, count, value in entries)
        return struct.pack(">H", len(entries)) + rows + bytes(4)

    block = b"MM\0*" + struct.pack(">I", 8) + directory(fields) + directory(inner)
    if interop is not None:
        block += directory([(1, 2, 4, interop.encode().ljust(4, b"\0"))])
    return b"Exif\0\0" + block
