"""The table of many photos' answers: for a file with every digit, and as a reader's report of them."""

from collections.abc import Sequence

from core.diagnoses import CODES, MALIGNANT, NAMES
from core.trust.batch.row import BatchRow


def table_rows(rows: Sequence[BatchRow], threshold: float | None, calibrated_only: bool = False) -> list[dict]:
    """A dict a photo, for a CSV file: what was not read has empty cells, and an error.

    Args:
        threshold: on the probability of melanoma; None leaves the column empty.
        calibrated_only: compares it with the probability as calibrated; see `core.webapp.shared.operating_point`.
    """
    return [
        {
            "photo": row.photo,
            "likeliest": row.top if row.probabilities else None,
            **{code: row.probabilities[code] if row.probabilities else None for code in CODES},
            "malignant": row_malignancy(row),
            "melanoma_threshold": threshold,
            "possible_melanoma": possible_melanoma(row, threshold, calibrated_only),
            "set_90": None if row.set is None else " ".join(row.set),
            "gate": row.gate or None,
            "age": row.facts.age,
            "sex": row.facts.sex,
            "site": row.facts.site,
            "crop": str(row.crop) if row.crop else None,
            "framed_as_training": None if row.error else row.framed,
            "remarks": " ".join(row.remarks) or None,
            "error": row.error or None,
        }
        for row in rows
    ]


def row_malignancy(row: BatchRow) -> float | None:
    """Sum of the malignant diagnoses' probabilities; None without an answer."""
    if row.probabilities is None:
        return None
    return sum(row.probabilities[code] for code, malignant in zip(CODES, MALIGNANT, strict=True) if malignant)


def possible_melanoma(row: BatchRow, threshold: float | None, calibrated_only: bool = False) -> bool | None:
    """Whether melanoma reaches a threshold; None without an answer or a threshold."""
    probabilities = row.calibrated if calibrated_only else row.probabilities
    return None if probabilities is None or threshold is None else probabilities["mel"] >= threshold


def tally(rows: Sequence[BatchRow], threshold: float | None, calibrated_only: bool = False) -> dict[str, int]:
    """How many photos of which kind, for one line above the table."""
    counts = {"read": 0, "possible melanoma": 0, "refused": 0, "not read": 0}
    for row in rows:
        if row.error:
            counts["not read"] += 1
        elif row.probabilities is None:
            counts["refused"] += 1
        else:
            counts["read"] += 1
            counts["possible melanoma"] += bool(possible_melanoma(row, threshold, calibrated_only))
    return counts


def row_title(row: BatchRow) -> str:
    """What a row says first: the likeliest diagnosis' name, or why there is none."""
    return NAMES.get(row.top, row.top)
