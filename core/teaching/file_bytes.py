"""The bytes of a small file that somebody brings, or whose path they give."""

from pathlib import Path


def read_bounded(source: bytes | str | Path, most: int, error: type[ValueError], expected: str) -> tuple[bytes, str]:
    """A file's bytes, never more than a bound, and what to call it in sentences.

    Args:
        source: the bytes, or a path.
        most: bytes.
        error: what is raised.
        expected: a sentence on what to bring instead.

    Raises:
        ValueError: (or `error`) no such file, one that cannot be read, or one that is too large.
    """
    if isinstance(source, bytes):
        data, size, name = source, len(source), "The file"
    else:
        path = Path(source)
        name = path.name
        try:
            size = path.stat().st_size
            data = path.read_bytes() if size <= most else b""
        except (OSError, ValueError) as fault:
            why = getattr(fault, "strerror", None) or fault
            raise error(f"{path} cannot be read ({why}). {expected}") from None
    if size > most:
        raise error(f"{name} has {size / 1e6:,.0f} MB. Expected at most {most / 1e6:.0f} MB. {expected}")
    return data, name
