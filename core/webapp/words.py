"""Numbers as people read them: probabilities, intervals, sizes, times."""

import re

UNKNOWN = "not measured"
_FRACTIONS = ((1, 10), (1, 5), (1, 4), (1, 3), (2, 5), (1, 2), (3, 5), (2, 3), (3, 4), (4, 5), (9, 10))


def percent(share: float) -> str:
    """A probability as whole per cent, honest at both ends: never 0 % or 100 %."""
    if share < 0.005:
        return "<1 %"
    return ">99 %" if share >= 0.995 else f"{share * 100:.0f} %"


def frequency(share: float) -> str:
    """A probability as a natural frequency, which people judge better than per cent.

    Reference: G. Gigerenzer, U. Hoffrage, "How to improve Bayesian reasoning without instruction", Psychol Rev 1995.
    """
    if share < 0.01:
        return "fewer than 1 in 100"
    if share < 0.095:
        return f"about 1 in {round(1 / share)}"
    if share >= 0.95:
        return "more than 19 in 20"
    # Of two that are equally near, the larger: a risk is not talked down.
    part, whole = min(_FRACTIONS, key=lambda f: (round(abs(f[0] / f[1] - share), 9), -f[0] / f[1]))
    return f"about {part} in {whole}"


def interval(score: dict | None) -> str:
    """A score of a card with its 95 % interval, such as "0.66 (0.62 to 0.70)"."""
    if not score or score.get("value") is None:
        return UNKNOWN
    text = f"{score['value']:.2f}"
    if score.get("low") is None or score.get("high") is None:
        return text
    return f"{text} ({score['low']:.2f} to {score['high']:.2f})"


def milliseconds(seconds: float) -> str:
    """A short time, such as "45 ms" or "1.2 s"."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def duration(seconds: float) -> str:
    """A long time, such as "50 s", "12 min" or "3.5 h"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def listed(names: list[str]) -> str:
    """Names as a sentence lists them: "a", "a and b", "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def plain(text: str) -> str:
    """Text as it stands, for places that read Markdown: a file's name may hold stars, brackets or dollar signs."""
    text = re.sub(r"([\\`*_\[\]$~<>|#])", r"\\\1", text)
    return re.sub(r":(?=\w)", r"\\:", text)
