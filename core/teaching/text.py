"""Short texts that people type or files bring: bounded, on one line, without control characters."""

import unicodedata

# Zero width non-joiner and joiner: Persian and Indic words need them, and emoji that are made of several.
JOINERS = "\u200c\u200d"


def clean_text(
    value: object, what: str, longest: int, error: type[ValueError] = ValueError, *, empty: bool = True
) -> str:
    """A text of one line: stripped, white space single.

    Args:
        value: what came.
        what: what it is, for the error's sentence.
        longest: in characters.
        error: what is raised.
        empty: whether it may be empty.

    Raises:
        ValueError: (or `error`) no text, too long, empty where it must not be, or with control characters.
    """
    if not isinstance(value, str):
        raise error(f"{what} is {_short(value)}. Expected a text.")
    text = " ".join(value.split())
    if len(text) > longest:
        raise error(f"{what} has {len(text):,} characters. Expected at most {longest}.")
    if not empty and not text.replace(JOINERS[0], "").replace(JOINERS[1], "").strip():
        raise error(f"{what} is empty. Expected some text.")
    # Cf holds marks that turn the reading direction of what follows on a page; C* also lone surrogates, which no database takes.
    if any(unicodedata.category(c).startswith("C") and c not in JOINERS for c in text):
        raise error(f"{what} holds characters that cannot be seen ({text!r:.60}). Type it again without them.")
    return text


def _short(value: object) -> str:
    return f"{type(value).__name__} {str(value)[:40]!r}"
