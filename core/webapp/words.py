"""Text for places that read Markdown. Numbers in words: `core.wording`."""

import re

# Where a bare address is taken for a link: web addresses by their beginning, e-mail addresses by their sign. Escapes do not help here:
# addresses are sought in the text that is left when they are gone. A word joiner, which nobody sees, does.
_ADDRESS = re.compile(r":(?=//)|\bwww(?=\.)|@", re.IGNORECASE)
_JOINER = "\u2060"


def plain(text: str) -> str:
    """Text as it stands, for places that read Markdown: a file's name may hold stars, brackets or dollar signs."""
    text = re.sub(r"([\\`*_\[\]$~<>|#])", r"\\\1", text)
    text = re.sub(r":(?=\w)", r"\\:", text)
    return _ADDRESS.sub(lambda found: found[0] + _JOINER, text)
