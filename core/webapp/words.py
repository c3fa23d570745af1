"""Text for places that read Markdown. Numbers in words: `core.wording`."""

import re


def plain(text: str) -> str:
    """Text as it stands, for places that read Markdown: a file's name may hold stars, brackets or dollar signs."""
    text = re.sub(r"([\\`*_\[\]$~<>|#])", r"\\\1", text)
    return re.sub(r":(?=\w)", r"\\:", text)
