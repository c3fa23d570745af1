"""What loading and reading may end with, as sentences for people."""

from core.webapp.shared.words import plain

# What loading and reading may end with besides the ValueErrors that already are sentences for people.
FAILURES = (ValueError, OSError, ImportError, MemoryError)


def unforeseen(error: Exception) -> str:
    """A sentence about a fault that nobody foresaw."""
    first = (str(error).strip().splitlines() or ["no message"])[0]
    return f"Unexpected {type(error).__name__}: {first}"


def failure(error: Exception) -> str:
    """A sentence for people about what ended a reading."""
    if isinstance(error, MemoryError):
        return "This computer's memory is full. Close other programs, or choose a smaller network."
    if isinstance(error, ImportError):
        return f"TensorFlow cannot be loaded ({plain(str(error))}). Install what Melascope needs: `make run`."
    return plain(str(error))
