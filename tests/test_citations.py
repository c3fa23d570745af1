"""What code and documents cite of docs/reproduction.md is there."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
DOCUMENT = REPOSITORY / "docs" / "reproduction.md"
PLACES = ("core", "pages", "experiments", "benchmarks", "tests", "docs")
CITATION = re.compile(r"docs/reproduction\.md,\s+(?:#\s*)?sections?\s+([\d, and]*\d)")


def texts():
    for place in PLACES:
        for path in sorted((REPOSITORY / place).rglob("*")):
            if path.suffix in (".py", ".md") and path not in (DOCUMENT, Path(__file__)):
                yield path, path.read_text(encoding="utf-8")
    yield REPOSITORY / "README.md", (REPOSITORY / "README.md").read_text(encoding="utf-8")


def sections(text: str) -> set[int]:
    return {int(n) for n in re.findall(r"^## (\d+)\. ", text, flags=re.MULTILINE)}


def test_every_cited_section_exists():
    known, cited = sections(DOCUMENT.read_text(encoding="utf-8")), 0
    for path, text in texts():
        mentions = text.count("docs/reproduction.md,")
        found = CITATION.findall(text)
        assert len(found) == mentions, f"{path} cites docs/reproduction.md without a section number."
        for numbers in found:
            missing = {int(n) for n in re.findall(r"\d+", numbers)} - known
            assert not missing, (
                f"{path} cites section {sorted(missing)} of docs/reproduction.md, which has {sorted(known)}."
            )
            cited += 1
    assert cited >= 20


def test_no_document_is_cited_that_the_tree_does_not_have():
    for path, text in texts():
        assert "REPRODUCTION" not in text, f"{path} cites REPRODUCTION. The document is docs/reproduction.md."


def test_sections_are_numbered_in_order_and_cite_one_another_rightly():
    text = DOCUMENT.read_text(encoding="utf-8")
    numbers = [int(n) for n in re.findall(r"^## (\d+)\. ", text, flags=re.MULTILINE)]
    assert numbers == list(range(len(numbers)))
    for cited in re.findall(r"sections? ((?:\d+)(?:(?:, | and )\d+)*)", text):
        assert {int(n) for n in re.findall(r"\d+", cited)} <= set(numbers)
