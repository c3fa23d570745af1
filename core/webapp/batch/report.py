"""One report of a batch: a table of all photos, then their pictures."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image

from core.card import Card
from core.diagnoses import NAMES
from core.interchange import describe_facts
from core.trust.batch.row import BatchRow
from core.trust.batch.table import possible_melanoma, row_malignancy, row_title, tally
from core.webapp.batch.run import BatchSettings
from core.webapp.reports.html import report_html
from core.webapp.reports.parts import Heading, Notice, Part, Pictures, Rows, Text
from core.webapp.shared.frame import NOTICE
from core.webapp.shared.shelf import balanced_accuracy_of
from core.wording import cut, interval, percent

TITLE = "Melascope: many photos"


def batch_report(
    asked: BatchSettings, card: Card | None, rows: Sequence[BatchRow], threshold: float | None, calibrated_only: bool
) -> str:
    """The report as one HTML file."""
    counts = tally(rows, threshold, calibrated_only)
    parts: list[Part] = [
        Notice(NOTICE),
        Text(
            f"{len(rows)} photos: {counts['read']} read, {counts['possible melanoma']} at or above the melanoma threshold, "
            f"{counts['refused']} refused by the photo gate, {counts['not read']} not read."
        ),
        Text(_asked_words(asked, card, threshold)),
        Heading("All photos"),
        Rows(tuple(_cells(row, threshold, calibrated_only) for row in rows)),
        Heading("Pictures"),
        Pictures(tuple((_pixels(row), f"{row.photo}: {_short(row)}") for row in rows if row.thumbnail)),
    ]
    return report_html(TITLE, parts)


def _asked_words(asked: BatchSettings, card: Card | None, threshold: float | None) -> str:
    network = (
        f"{asked.model}, balanced accuracy on held-out lesions {interval(balanced_accuracy_of(card))}"
        if card
        else asked.model
    )
    sentences = [f"Network: {network}."]
    sentences.append(
        f"Re-weighted to where the photos come from: {asked.mixture}."
        if asked.mixture
        else "Probabilities as calibrated."
    )
    sentences.append("No melanoma threshold." if threshold is None else f"Melanoma threshold: {cut(threshold)}.")
    if asked.crop == "auto":
        sentences.append("Of photos framed otherwise than training photos the suggested square was read.")
    if asked.force:
        sentences.append("Photos that the gate refuses were read all the same.")
    return " ".join(sentences)


def _cells(row: BatchRow, threshold: float | None, calibrated_only: bool) -> dict:
    melanoma = possible_melanoma(row, threshold, calibrated_only)
    share = row_malignancy(row)
    return {
        "Photo": row.photo,
        "Answer": _short(row),
        "Melanoma": percent(row.probabilities["mel"]) + (", at the threshold or above" if melanoma else "") if row.probabilities else "",
        "Malignant": "" if share is None else percent(share),
        "90 % set": "" if row.set is None else ", ".join(NAMES[code] for code in row.set),
        "Facts": describe_facts(row.facts),
        "Remarks": " ".join([row.error, *row.remarks]).strip(),
    }  # fmt: skip


def _short(row: BatchRow) -> str:
    return f"{row_title(row)}, {percent(row.probabilities[row.top])}" if row.probabilities else row_title(row)


def _pixels(row: BatchRow) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(row.thumbnail)))
