"""The paper's result tables and figures as data, with what its notebooks printed and footnotes where the two part.

Reference: Nguyen, Bui, Do 2022, Sensors 22:7530, CC BY 4.0; see paper_tables/LICENSE.md.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.diagnoses import CODES
from core.estimates import Estimate
from core.evaluation.results import Results

FOLDER = Path(__file__).parent / "paper_tables"
CITATION = (
    "V. D. Nguyen, N. D. Bui, H. K. Do, Skin Lesion Classification on Imbalanced Data Using Deep Learning with Soft Attention, Sensors "
    "2022, 22(19), 7530, doi:10.3390/s22197530, CC BY 4.0. Runs: the authors' published notebooks (MIT)."
)
WHY_LOWER = (
    (
        "**By photo or by lesion.** The paper splits by photo. Of its 10 % held-out photos 42 % (of melanomas 73 %) "
        "show a lesion that also has a photo in training: the network may recognise it. Here no lesion is in two parts."
    ),
    (
        "**One set for choosing and reporting.** The paper has no test set: the photos that chose learning rate, "
        "stopping and the best epoch are those in its tables. The best epoch of its headline run is 0.899, the mean of "
        "its last 20 epochs 0.880. Here validation photos choose, and test photos are read once."
    ),
    (
        "**Chance.** One run each, on different photos, without intervals. The same network again gave 0.899 and 0.891, "
        "or 0.886 and 0.877; for 996 photos the interval of 0.899 is 0.878 to 0.916."
    ),
    (
        "**Which number stands in front.** Two of three photos are nevi, so always answering *nevus* has accuracy 0.67. "
        "The paper's headline is accuracy and micro AUC, and its balanced accuracy (Eq. 13) counts specificity in. Here "
        "mean sensitivity comes first."
    ),
)
OWN_RUNS = (
    "What the paper leaves open (attention or none, with and without the patient's facts, class weights, the size of the leak, Adam's "
    "epsilon, shortcuts) this project asked itself: see *Experiment* in the list below. Backbones without a *Melascope* value were not "
    "trained here; `python -m core train` does."
)
FOOTNOTES: dict[str, str] = {
    "M1": (
        "NASNetLarge MD 0.84 is 0.8645 in its run; NASNetMobile AD 0.84 is 0.8762, so AD beats MD; MobileNetV3Large AD "
        "0.85 is not an AD run; ResNet152 is of another split."
    ),
    "M2": (
        "Cells left blank are filled in the version of record: NASNetLarge 0.56 (stopped after 7 epochs), "
        "MobileNetV3Small 0.83, which is MobileNetV2's value (its own is 0.6707)."
    ),
    "M3": (
        "The text says metadata is better; that fails for ResNet50 (0.70 < 0.76), ResNet152 (0.57 < 0.81) and "
        "MobileNetV2 (0.81 < 0.83). ResNet50 is not twice as good as ResNet152."
    ),
    "M4": (
        "vasc repeats nv in six rows of Table A3 (ResNet152 0.75 is 0.14). InceptionResNetV2's bkl 0.83 is 0.84 and its "
        "mean 0.81 is 0.78. The six rows' true macro F1: ResNet152 0.38, MobileNetV3Large 0.77, NASNetMobile 0.76, "
        "NASNetLarge 0.81, MobileNetV2 0.74, MobileNetV3Small 0.70."
    ),
    "M5": (
        "Table A4: MobileNetV3Large's row is its F1 row, its recalls stand in NASNetLarge's row; DenseNet201 AD nv and "
        "vasc are F1 values."
    ),
    "M6": (
        "Headline accuracy, per-class rows and confusion matrix of one model are different runs: InceptionResNetV2 "
        "0.8986 (Table 5), 0.8906 (A3, A4, Figures 13, 15), 0.8886 (Figures 11, 16); DenseNet201 0.8855 (tables, "
        "Figures 12, 14), 0.8765 (Figures 10, 16)."
    ),
    "M7": (
        "Table A5: MobileNetV3Large's accuracy is of another network than its other rows; balanced accuracy is Eq. 13; "
        "values are cut, not rounded."
    ),
    "M8": (
        "Table 6: parameters are of the plain network; '11 times fewer' is 8.7 (18 with the network that reached 0.86); "
        "'prediction time' is training seconds per epoch, and InceptionResNetV2's 3500 s equals a run without a GPU, so "
        "'30 times faster' has no basis."
    ),
    "M9": (
        "Table 7: AD 0.971, 0.93 and 0.95 are means of Datta's published AUCs (own macro 0.930, 0.953, 0.901); "
        "MobileNetV3Small 0.67 is an accuracy (own macro 0.732); MD 0.99 is micro (macro 0.981 and 0.978). The text "
        "says 0.974 and 0.971, the conclusion 0.975."
    ),
    "M10": (
        "Table 8: the 'no weight' runs are weighted. The three weight vectors are proportional; what differs is Adam's "
        "epsilon of 0.1, which turns the scale of the weights into a learning rate. MobileNetV3's 'original' 0.80 "
        "matches no run."
    ),
    "M11": (
        "Table 9: precision 0.86 and F1 0.86 occur in no run (best macro 0.81, 0.82, 0.81); other rows used other data; "
        "Datta's 0.93 is on 828 photos, 80 % nevi."
    ),
    "M12": (
        "Text on recall: 0.56 and 0.69 for DenseNet201 and InceptionResNetV2 AD are exchanged. vasc is one of the "
        "smallest classes, not one of the largest."
    ),
    "M13": (
        "Figures 10 and 11: the nv cells were retouched to 630 and 620; true are 633 and 622, since rows must sum to "
        "666."
    ),
    "M14": (
        "Figures 12 to 15: the 'AD' bars are models without augmentation; the value axes start at 0.4, 0.3, 0.5 and 0. "
        "Here all start at 0."
    ),
    "M15": (
        "Table 4: NASNetMobile's depth 308 is 389 in Keras; MobileNetV3's depths have no source; depths are of uncut "
        "networks; MobileNet is never used."
    ),
    "M16": (
        "Table A1 and Figure 3 disagree (Inception-ResNet-C x5 and x8; dense block 3 x12 and x48), and the code cuts "
        "elsewhere."
    ),
    "M17": (
        "Equations: 5 and 6 are swapped for Figures 10 and 11; 11 adds TN to the denominator of F1; 12 is one against "
        "the rest while the tables print the share of right answers; 13 averages sensitivity and specificity."
    ),
    "M18": (
        "The test set of 857 photos and the 18 015 augmented photos occur in no notebook; batch size, patience and "
        "learning-rate floor are not those of the runs."
    ),
    "M19": ("Figure 5 is cited as Table 5; 'local' is the body site; Figure 15 is cited for AUC."),
    "M20": ("Only 10 patients of unknown sex were left: the rows without age were dropped."),
    "M21": (
        "References: Inception-ResNet-v2 is cited as [18] and [19]; [26] is missing, [29] equals [31]; Young et al. "
        "have 0.88 in Table 9 and 0.85 in Table 1."
    ),
}


@dataclass(frozen=True)
class PaperTable:
    """One of the paper's result tables.

    Args:
        file: in `FOLDER`.
        printed: column of the printed value.
        run: column of what the notebook printed, or None.
        footnotes: keys of `FOOTNOTES`.
        how: one sentence on how to read it.
    """

    title: str
    file: str
    printed: str | None
    run: str | None
    footnotes: tuple[str, ...]
    how: str


TABLES: dict[str, PaperTable] = {
    "Table 5": PaperTable(
        "Accuracy of all models",
        "table5_accuracy.csv",
        "accuracy_printed",
        "accuracy_run",
        ("M1", "M2", "M3", "M6", "M18"),
        "Printed is the paper, run is its notebook, Melascope is a held-out test by lesion; compare a row's first two before its third.",
    ),
    "Table 6": PaperTable(
        "A mobile against two large networks",
        "table6_mobile_vs_large.csv",
        "value_printed",
        "value_run",
        ("M8", "M15"),
        "Each row is one quantity of one network; times of different computers cannot be compared, so Melascope gives none here.",
    ),
    "Table 7": PaperTable(
        "Area under the ROC curve",
        "table7_auc.csv",
        "auc_printed",
        "auc_macro_run",
        ("M9",),
        "The column averaging says which of three AUCs was printed; only macro against macro is a fair comparison.",
    ),
    "Table 8": PaperTable(
        "Accuracy by loss",
        "table8_loss_accuracy.csv",
        "accuracy_printed",
        "accuracy_run",
        ("M10",),
        "The column loss_run says which weights were really used.",
    ),
    "Table 9": PaperTable(
        "Against other published work",
        "table9_comparison.csv",
        None,
        None,
        ("M11", "M21"),
        "Rows used different photos and splits: this table ranks nothing.",
    ),
    "Table A3": PaperTable(
        "F1 by diagnosis",
        "tableA3_f1.csv",
        "f1_printed",
        "f1_run",
        ("M4", "M6", "M17"),
        "match says whether the printed value is that of the run.",
    ),
    "Table A4": PaperTable(
        "Recall (sensitivity) by diagnosis",
        "tableA4_recall.csv",
        "recall_printed",
        "recall_run",
        ("M5", "M6", "M12"),
        "match says whether the printed value is that of the run.",
    ),
    "Table A5": PaperTable(
        "The mobile networks",
        "tableA5_mobile.csv",
        "value_printed",
        "value_run",
        ("M7", "M17"),
        "Balanced accuracy (Eq. 13) is the paper's own definition; the usual balanced accuracy is the macro sensitivity.",
    ),
}
# Metric of Table A5 and of the other tables -> the name in `metrics.scores`.
_METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy_eq13": "one_vs_rest_balanced_accuracy",
    "precision_macro": "macro_precision",
    "f1_macro": "macro_f1",
    "sensitivity_macro": "balanced_accuracy",
    "specificity_macro": "macro_specificity",
    "auc_macro": "auc_macro",
}
# Figures 10 and 11, corrected (footnote M13): rows true, columns predicted.
CONFUSIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "DenseNet201": (
        (20, 4, 5, 0, 2, 2, 0),
        (1, 38, 2, 1, 2, 7, 0),
        (4, 3, 86, 1, 6, 9, 0),
        (0, 1, 1, 9, 0, 1, 0),
        (0, 2, 4, 0, 74, 31, 0),
        (1, 2, 12, 1, 16, 633, 1),
        (0, 0, 0, 0, 0, 1, 13),
    ),
    "InceptionResNetV2": (
        (29, 2, 0, 0, 1, 1, 0),
        (4, 43, 0, 0, 0, 4, 0),
        (5, 2, 88, 1, 2, 11, 0),
        (0, 1, 0, 11, 0, 0, 0),
        (1, 4, 1, 1, 79, 25, 0),
        (0, 5, 13, 3, 20, 622, 3),
        (0, 0, 0, 0, 0, 1, 13),
    ),
}
# Kinds of Figure 17: title -> (true, predicted).
ERROR_KINDS: dict[str, tuple[str, str]] = {
    "Missed melanoma": ("mel", "nv"),
    "False alarm": ("nv", "mel"),
    "Melanoma found": ("mel", "mel"),
    "Nevus let be": ("nv", "nv"),
}


def read_paper_table(name: str) -> pd.DataFrame:
    """A table as it stands in its CSV file, numbers as numbers.

    Args:
        name: a key of `TABLES`.
    """
    return pd.read_csv(FOLDER / TABLES[name].file)


def read_notebook_runs() -> pd.DataFrame:
    """Every run of the authors' notebooks, indexed by its name."""
    return pd.read_csv(FOLDER / "notebook_results.csv").set_index("run")


def our_score(name: str, row: pd.Series, results: Results) -> Estimate | None:
    """What belongs beside a row of a table; None where this project measured nothing like it.

    Args:
        name: a key of `TABLES`.
        row: of `read_paper_table`.
        results: of a model with the row's backbone.
    """
    # The paper answers the likeliest diagnosis: beside its numbers stand those of the same rule.
    likeliest = results.evaluation.under("likeliest")
    metrics, per_class = likeliest.metrics, likeliest.per_class
    # AD saw photos alone, MD was trained like ours on photo and facts: only MD has a counterpart.
    if row.get("arm") == "AD":
        return None
    if name == "Table 5" or (name == "Table 6" and row["quantity"] == "accuracy"):
        return metrics["accuracy"]
    if name == "Table 7":
        return metrics["auc_macro"]
    if name in ("Table A3", "Table A4"):
        if row["diagnosis"] == "mean":
            return metrics["macro_f1" if name == "Table A3" else "balanced_accuracy"]
        return per_class[row["diagnosis"]]["f1" if name == "Table A3" else "sensitivity"]
    if name == "Table A5":
        return metrics[_METRICS[row["metric"]]]
    return None


def one_against_rest(results: Results, code: str) -> list[list[int]]:
    """The 2 x 2 of Figure 8: rows true (the diagnosis, another), columns predicted."""
    c = CODES.index(code)
    true, called = results.y_true == c, results.y_pred == c
    return [
        [int((true & called).sum()), int((true & ~called).sum())],
        [int((~true & called).sum()), int((~true & ~called).sum())],
    ]


def chosen_cases(results: Results, each: int = 2) -> pd.DataFrame:
    """Figure 17 by rule: of each kind the most confident answers, one photo a lesion."""
    table = results.table.assign(confidence=results.probabilities.max(axis=1))
    parts = []
    for kind, (true, predicted) in ERROR_KINDS.items():
        rows = table[(table.dx == true) & (results.y_pred == CODES.index(predicted))]
        rows = rows.sort_values("confidence", ascending=False, kind="stable").drop_duplicates("lesion_id").head(each)
        parts.append(rows.assign(kind=kind))
    columns = [
        "kind",
        "image_id",
        "lesion_id",
        "confidence",
        "mel",
        "nv",
        "age",
        "sex",
        "localization",
        "dataset",
        "dx_type",
    ]
    return pd.concat(parts, ignore_index=True)[columns]
