"""A choice by its name, and the sentence for a name that no table has."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")


def check_choice(kind: str, name: object, known: Iterable[str]) -> None:
    """Stops at a name that is not known.

    Args:
        kind: in the sentence, such as "recipe".

    Raises:
        ValueError: no such name; the message lists those there are.
    """
    if name not in (names := tuple(known)):
        raise ValueError(f"Unknown {kind} {name!r}. Expected one of: {', '.join(names)}.")


def find_choice(kind: str, name: str, table: Mapping[str, T]) -> T:
    """The row of a table; raises as `check_choice` does."""
    check_choice(kind, name, table)
    return table[name]
