"""One member of a zip file that nobody has checked: read up to a bound, or refused by a sentence."""

import lzma
import struct
import zipfile
import zlib

# All that zipfile and its decompressors raise over damaged bytes: NotImplementedError for a method or version that a flipped bit
# names, ValueError and OverflowError for dates and sizes, struct.error for a header that is cut, LZMAError and OSError inside.
ZIP_FAULTS = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError,
    OverflowError, IndexError, KeyError, MemoryError,
)  # fmt: skip
# Reading a part at a time keeps a member that lies about its size from filling the memory.
_PART = 1 << 20


def read_member(
    bundle: zipfile.ZipFile, member: zipfile.ZipInfo, bound: int, name: str, refused: type[ValueError]
) -> bytes:
    """A member's bytes.

    Args:
        bound: bytes that it may have at most.
        name: what to call the file in an error.
        refused: the error to raise.

    Raises:
        refused: too large, locked or damaged.
    """
    too_large = refused(f"{member.filename} in {name} unpacks to more than {bound / 1e6:.0f} MB, which was not tried.")
    if member.flag_bits & 0x1:
        raise refused(f"{member.filename} in {name} is locked with a password. Save the case again without one.")
    if member.file_size > bound:
        raise too_large
    parts, size = [], 0
    try:
        with bundle.open(member) as file:
            while part := file.read(_PART):
                size += len(part)
                if size > bound:
                    raise too_large
                parts.append(part)
    except refused:
        raise
    except ZIP_FAULTS as error:
        raise refused(
            f"{member.filename} in {name} is damaged ({one_line(error)}). Save or copy the case again."
        ) from None
    return b"".join(parts)


def one_line(error: Exception) -> str:
    """What a library said, on one line; some say nothing."""
    return " ".join(str(error).split()) or type(error).__name__
