"""Text for places that read Markdown. Numbers in words: `core.wording`."""

import re
from pathlib import Path

from core.card import OUT_OF_FOLD
from core.folders import REPOSITORY, weights_root

# Where a bare address is taken for a link: web addresses by their beginning, e-mail addresses by their sign. Escapes do not help here:
# addresses are sought in the text that is left when they are gone. A word joiner, which nobody sees, does.
_ADDRESS = re.compile(r":(?=//)|\bwww(?=\.)|@", re.IGNORECASE)
_JOINER = "\u2060"
# A number, its unit and its interval stay on one line: "95 %", "0.661", "(0.624 to 0.699)".
_UNBROKEN = re.compile(r"\([^()]{1,24}\)|[<>]?\d[\d.,]* (%|points?|years)|\d+ in \d+")
# A command to be run; nothing in it is read as Markdown.
COMMAND = re.compile(r"(`(?:python -m core|melascope) [^`\n]+`)")


def unbroken(text: str) -> str:
    """A sentence in which no line's end tears a number from its unit or its interval."""
    return _UNBROKEN.sub(lambda number: number.group().replace(" ", "\u00a0"), text)


def plain(text: str) -> str:
    """Text as it stands, for places that read Markdown: a file's name may hold stars, brackets or dollar signs.

    Our own commands stay commands.

    Where this machine keeps its files is nobody's business who visits a page: models' folders are named from `weights` on, others
    from Melascope's or the home folder on.
    """
    text = _without_places(text)
    parts = COMMAND.split(text)
    parts[::2] = map(_escaped, parts[::2])
    return "".join(parts)


def _escaped(text: str) -> str:
    text = re.sub(r"([\\`*_\[\]$~<>|#])", r"\\\1", text)
    text = re.sub(r":(?=\w)", r"\\:", text)
    return _ADDRESS.sub(lambda address: address[0] + _JOINER, text)


def part_words(part: str | None) -> str:
    """A part of a split, such as "test part"; out-of-fold answers are of no part."""
    return OUT_OF_FOLD if part == OUT_OF_FOLD else f"{part or '?'} part"


def _without_places(text: str) -> str:
    """A sentence of the core without this machine's folders in it."""
    root = weights_root()
    places = {str(root.absolute()): root.name, str(root): root.name, str(REPOSITORY): REPOSITORY.name}
    try:
        places.setdefault(str(Path.home()), "~")
    except RuntimeError:
        pass  # no home folder
    for place, short in places.items():
        if len(place) > 1:
            text = re.sub(rf"(?<![\w/.\\]){re.escape(place)}(?![\w-]|\.\w)", lambda _, short=short: short, text)
    return text
