"""What is to be said of a data set's folder before anything is made of it: one list for `data check`, `train` and `evaluate`."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.data.ham10000 import Dataset
from core.data.patient import SITES
from core.data.photo_files import LOOKED_AT, same_picture
from core.data.split import lesions_unknown
from core.data.tables.vocabulary import COARSE
from core.diagnoses import CODES, NAMES

NAMED = 5
# Among so many photos, some lesion should have two.
FEW = 20


@dataclass(frozen=True)
class Finding:
    """One thing that the user of a folder should know.

    Args:
        text: what is so, and how to mend it.
        items: the photos or words that it is about.
        wrong: False for what is merely so, and needs no mend.
    """

    text: str
    items: tuple[str, ...] = ()
    wrong: bool = True

    @property
    def sentence(self) -> str:
        """The text with its first items."""
        if not self.items:
            return self.text
        more = f" and {len(self.items) - NAMED:,} more" if len(self.items) > NAMED else ""
        return f"{self.text} ({', '.join(self.items[:NAMED])}{more})"


def list_findings(dataset: Dataset) -> tuple[Finding, ...]:
    """Everything to be said of a folder without decoding its photos: what is wrong first."""
    findings = (*_of_photos(dataset), *_of_lesions(dataset), *_of_diagnoses(dataset), *_of_facts(dataset))
    return tuple(sorted(findings, key=lambda finding: not finding.wrong))


def count_unknown(table: pd.DataFrame) -> dict[str, int]:
    """How many photos lack each fact."""
    return {
        "age": int(table.age.isna().sum()),
        "sex": int((table.sex == "unknown").sum()),
        "localization": int((table.localization == "unknown").sum()),
    }


def _of_photos(dataset: Dataset) -> list[Finding]:
    table, files, folder, findings = dataset.table, dataset.files, dataset.folder, []
    missing = tuple(table.image_id[table.path == ""])
    if missing:
        mend = "Complete the download, or remove these rows from the table."
        if files.archives:
            packed = ", ".join(files.archives[:NAMED])
            mend = f"Still packed: {packed}. Unpack {'it' if len(files.archives) == 1 else 'them'} into {folder}."
        # In these folders lie other pictures than the photos.
        namesakes = sorted({str(Path(p).parent.relative_to(folder)) for i in missing for p in files.photos.get(i, ())})
        if namesakes:
            mend += f" Pictures of their names in {', '.join(namesakes[:NAMED])} are not the photos, by that folder's other pictures."
        findings.append(
            Finding(f"{len(missing):,} missing photos: the table has rows for which there is no file. {mend}", missing)
        )
    if dataset.without_row:
        findings.append(
            Finding(
                f"{len(dataset.without_row):,} photos without a row in {dataset.source.name}: they are not used. Add their rows (is the "
                "table whole?), or move these files out of the folder.",
                dataset.without_row,
            )
        )
    findings += _of_clashes(dataset)
    if files.deeper:
        findings.append(
            Finding(
                f"Photos lie one folder deeper than in the download, and were found there: {', '.join(files.deeper[:NAMED])}. "
                "To mend it, move them up one folder.",
                wrong=False,
            )
        )
    if dataset.source.parent != folder:
        findings.append(
            Finding(f"The table was found one folder deeper: {dataset.source.relative_to(folder)}.", wrong=False)
        )
    if dataset.rows.joined:
        findings.append(Finding(f"Lesions and facts come from {', '.join(dataset.rows.joined)}.", wrong=False))
    if dataset.rows.not_dermoscopic:
        findings.append(
            Finding(
                f"{sum(dataset.rows.not_dermoscopic.values()):,} pictures are not dermoscopic by the table's image_type: "
                f"{_counted(dataset.rows.not_dermoscopic)}. Melascope is for dermoscopic photos; remove their rows."
            )
        )
    return findings


def _of_clashes(dataset: Dataset) -> list[Finding]:
    clashes = dataset.clashes
    if not clashes:
        return []
    places = sorted({str(Path(path).parent.relative_to(dataset.folder)) for c in clashes for path in c.others})
    used = sorted({str(Path(c.used).parent.relative_to(dataset.folder)) for c in clashes})
    if all(same_picture(c.used, other) for c in clashes[:LOOKED_AT] for other in c.others):
        text = f"{len(clashes):,} photos are there twice, resized or saved again, in {', '.join(places)}. Used: {', '.join(used)}."
        return [Finding(text, wrong=False)]
    return [
        Finding(
            f"{len(clashes):,} photos share their names with other pictures in {', '.join(places)}, such as heatmaps or masks. Used as "
            f"photos: those in {', '.join(used)}. Move {', '.join(places)} out of {dataset.folder}.",
            tuple(c.image_id for c in clashes),
        )
    ]


def _of_lesions(dataset: Dataset) -> list[Finding]:
    table, findings = dataset.table, []
    unknown = lesions_unknown(table)
    count = int(unknown.sum())
    if count == len(table):
        findings.append(
            Finding(
                f"The lesions are unknown: none of {count:,} photos has a lesion_id in {dataset.source.name}. Each counts as a lesion "
                "of its own, and intervals may be too narrow. (A photo's own name or number is no lesion_id.) A split by lesion cannot be "
                "made: add a lesion_id column, or train with "
                "`--split paper`, which is by photo and named leaky."
            )
        )
    elif count:
        findings.append(
            Finding(
                f"{count:,} of {len(table):,} photos have no lesion_id: each counts as a lesion of its own. Two photos of one lesion among "
                "them may stand on both sides of a split.",
                tuple(table.image_id[unknown]),
                wrong=False,
            )
        )
    elif not table.lesion_id.duplicated().any() and len(table) >= FEW:
        findings.append(
            Finding(
                f"No two of the {len(table):,} photos have the same lesion_id. If it is a number of the photo or of the row, not of "
                "the lesion, a split by lesion is one by photo, and its scores are too high: correct the column.",
                wrong=False,
            )
        )
    torn = table.groupby("lesion_id").dx.nunique()
    torn = torn[torn > 1]
    if len(torn):
        findings.append(
            Finding(
                f"{len(torn):,} lesions have photos with different diagnoses. Each counts under its first one; correct the table.",
                tuple(torn.index),
            )
        )
    return findings


def _of_diagnoses(dataset: Dataset) -> list[Finding]:
    findings = []
    there = [code for code in CODES if (dataset.table.dx == code).any()]
    if len(there) == 1:
        findings.append(
            Finding(
                f"Every photo has one diagnosis, {there[0]} ({NAMES[there[0]]}): no network learns to tell diagnoses apart from them, and "
                "scores that compare diagnoses cannot be had. Add photos of other diagnoses, or look whether the table is whole."
            )
        )
    elif len(there) < len(CODES):
        absent = ", ".join(code for code in CODES if code not in there)
        findings.append(Finding(f"No photo shows {absent}.", wrong=False))
    left_out = {word: len(ids) for word, ids in dataset.rows.left_out.items()}
    if left_out:
        findings.append(
            Finding(
                f"Left out, since they are none of the seven diagnoses: {sum(left_out.values()):,} rows: {_counted(left_out)}.",
                wrong=False,
            )
        )
    return findings


def _of_facts(dataset: Dataset) -> list[Finding]:
    table, rows, findings = dataset.table, dataset.rows, []
    for column, words in rows.unmapped.items():
        expected = {
            "sex": "female, male or unknown",
            "age": "years",
            "localization": ", ".join(SITES),
            "lesion_id": "a name of its own for each lesion",
        }[column]
        findings.append(
            Finding(
                f"{column} has {sum(words.values()):,} values that cannot be read, and count as unknown: {_counted(words)}. "
                f"Expected {expected}."
            )
        )
    if rows.coarse:
        read_as = {f"{word} as {COARSE[word]}": count for word, count in rows.coarse.items()}
        findings.append(
            Finding(f"Body sites of the ISIC Archive read as HAM10000's: {_counted(read_as)}.", wrong=False)
        )
    newborn = int((table.age == 0).sum())
    if newborn:
        findings.append(
            Finding(
                f"{newborn:,} photos have age 0. They stay 0 years; where 0 was written for unknown, leave these cells empty.",
                wrong=False,
            )
        )
    facts = {fact: count for fact, count in count_unknown(table).items() if count}
    if facts:
        findings.append(Finding(f"Unknown facts (kept, marked as unknown): {_counted(facts)}.", wrong=False))
    return findings


def _counted(counts: dict[str, int]) -> str:
    """Words with their counts, the commonest first, each shown once: "M 12, F 9"."""
    most = sorted(counts.items(), key=lambda item: -item[1])
    more = f" and {len(most) - 2 * NAMED:,} more" if len(most) > 2 * NAMED else ""
    return ", ".join(f"{word} {count:,}" for word, count in most[: 2 * NAMED]) + more
