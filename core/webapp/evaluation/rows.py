"""An evaluation as rows of tables: what the page draws and its report holds."""

import pandas as pd

from core.decisions import SCORED, rule_of
from core.diagnoses import CODES, MALIGNANT, NAMES
from core.estimates import Estimate
from core.evaluation.metrics import DECIDED
from core.webapp.shared.evaluations import Evaluated, kept_subgroups
from core.wording import cut, interval

ANY = "any"
# Metric -> what it is called; the two balanced accuracies must never be mistaken for one another.
METRICS = {
    "balanced_accuracy": "Balanced accuracy (mean sensitivity)",
    "one_vs_rest_balanced_accuracy": "One-vs-rest balanced accuracy (paper, Eq. 13)",
    "accuracy": "Accuracy",
    "majority_baseline": "Accuracy of always answering the commonest class",
    "macro_f1": "F1, macro",
    "macro_precision": "Precision, macro",
    "macro_specificity": "Specificity, macro",
    "auc_macro": "AUC, macro",
    "auc_weighted": "AUC, weighted by photos",
    "auc_micro": "AUC, micro",
    "melanoma_nevus_auc": "AUC, melanoma against nevus",
    "malignancy_auc": "AUC, malignant against benign",
    "melanoma_sensitivity_at_90_specificity": "Melanoma sensitivity at 90 % specificity",
    "melanoma_sensitivity_at_95_specificity": "Melanoma sensitivity at 95 % specificity",
    "melanoma_specificity_at_90_sensitivity": "Melanoma specificity at 90 % sensitivity",
    "melanoma_specificity_at_95_sensitivity": "Melanoma specificity at 95 % sensitivity",
    "kappa": "Cohen's kappa",
    "mcc": "Matthews correlation",
    "ece": "Expected calibration error of the answer (lower is better)",
    "macro_ece": "Expected calibration error, mean over diagnoses",
    "malignancy_ece": "Expected calibration error of malignancy",
    "malignancy_mean_probability": "Malignancy: mean probability said",
    "malignancy_share": "Malignancy: true share",
    "melanoma_slope": "Calibration slope of melanoma (1 is right, below is too bold)",
    "melanoma_intercept": "Calibration intercept of melanoma (0 is right)",
    "malignancy_slope": "Calibration slope of malignancy",
    "malignancy_intercept": "Calibration intercept of malignancy",
    "brier": "Brier score, 0 to 2 (lower is better)",
    "log_loss": "Log loss, nats (lower is better)",
}
PER_CLASS = {
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "precision": "Precision",
    "f1": "F1",
    "auc": "AUC",
    "average_precision": "Average precision",
}


def headline_rows(models: dict[str, Evaluated]) -> list[dict]:
    """Every summary score of the models, one row a score, with the decision rule that gives it."""
    return [
        {"Score": label, "Rule": rule_of(metric) if metric in DECIDED else ""}
        | {name: interval(model.results.evaluation.metrics.get(metric)) for name, model in models.items()}
        for metric, label in METRICS.items()
    ]


def rule_rows(models: dict[str, Evaluated]) -> list[dict]:
    """The scores that need a decision, under each rule."""
    return [
        {"Score": METRICS[metric], "Rule": rule}
        | {name: interval(model.results.evaluation.under(rule).metrics.get(metric)) for name, model in models.items()}
        for metric in DECIDED
        for rule in SCORED
    ]


def calibration_rows(model: Evaluated) -> list[dict]:
    """What was said of each diagnosis on average, and what came true."""
    rows = []
    for code in CODES:
        scores = model.results.evaluation.per_class[code]
        rows.append(
            {
                "Diagnosis": NAMES[code],
                "Photos": scores["photos"],
                "Mean probability": interval(scores["mean_probability"]),
                "True share": interval(scores["share"]),
                "Calibration error": interval(scores["ece"]),
            }
        )
    metrics = model.results.evaluation.metrics
    names = ("malignancy_mean_probability", "malignancy_share", "malignancy_ece")
    rows.append(
        {
            "Diagnosis": "Any malignant or pre-malignant",
            "Photos": sum(r["Photos"] for r, m in zip(rows, MALIGNANT, strict=True) if m),
        }
        | dict(
            zip(
                ("Mean probability", "True share", "Calibration error"),
                (interval(metrics[n]) for n in names),
                strict=True,
            )
        )
    )
    return rows


def class_rows(model: Evaluated, rule: str = "likeliest") -> list[dict]:
    """The scores of each diagnosis under a decision rule, with what one photo weighs."""
    rows, scored = [], model.results.evaluation.under(rule)
    for code in CODES:
        scores = scored.per_class[code]
        photos = scores["photos"]
        rows.append(
            {"Diagnosis": NAMES[code], "Photos": photos, "Lesions": scores["lesions"]}
            | {"One photo is": f"{100 / photos:.1f} points" if photos else "absent"}
            | {label: interval(scores[key]) for key, label in PER_CLASS.items()}
        )
    return rows


def operating_rows(model: Evaluated) -> list[dict]:
    """What the threshold on p(melanoma) gives on the scored photos; empty without one.

    Of a set of folds also what thresholds give that the validation slices chose.
    """
    point = model.results.evaluation.operating_point
    if not point:
        return []
    row = {"Model": model.name, "Called melanoma from": cut(point["threshold"])}
    row |= {"Sensitivity": interval(point["sensitivity"]), "Specificity": interval(point["specificity"])}
    slices = point.get("on_slices")
    others = (
        [
            {
                "Model": f"{model.name}, chosen on validation slices",
                "Called melanoma from": cut(slices["threshold"]),
                "Sensitivity": interval(slices["sensitivity"]),
                "Specificity": interval(slices["specificity"]),
            }
        ]
        if slices
        else []
    )
    return [
        row
        | {
            "Sensitivity on validation": interval(Estimate(point["validation"]["sensitivity"])),
            "Specificity on validation": interval(Estimate(point["validation"]["specificity"])),
        },
        *others,
    ]


def subgroup_rows(model: Evaluated, grouping: str) -> list[dict]:
    return [
        {
            grouping: row.name.replace("_", " "),
            "Photos": row.photos,
            "Lesions": row.lesions,
            "Melanomas (lesions)": row.melanomas,
            "Accuracy (rule likeliest)": interval(row.accuracy),
            "Balanced accuracy (rule balanced)": interval(row.balanced_accuracy),
            "Melanoma sensitivity (likeliest)": interval(row.melanoma_sensitivity),
            "Melanoma specificity (likeliest)": interval(row.melanoma_specificity),
            "Caution": row.warning,
        }
        for row in kept_subgroups(model, grouping)
    ]


def case_rows(model: Evaluated, true: str, predicted: str, rule: str = "likeliest") -> pd.DataFrame:
    """The photos of a cell of the confusion matrix, the most confident answer first.

    Args:
        true, predicted: codes, or `ANY`.
        rule: that decided.
    """
    results = model.results
    table, decided = results.table, results.decided(rule)
    kept = (true == ANY or table.dx == true) & (decided == CODES.index(predicted) if predicted != ANY else True)
    rows = table.assign(
        predicted=[CODES[i] for i in decided],
        p_predicted=results.probabilities[range(len(table)), decided],
        p_true=results.probabilities[range(len(table)), results.y_true],
    )
    rows = rows[kept] if not isinstance(kept, bool) else rows
    names = {
        "image_id": "Photo",
        "lesion_id": "Lesion",
        "dx": "True",
        "predicted": "Predicted",
        "p_predicted": "Probability of the answer",
        "p_true": "Probability of the truth",
        "age": "Age",
        "sex": "Sex",
        "localization": "Site",
        "dataset": "Source",
        "dx_type": "Confirmed by",
    }
    return rows.sort_values("p_predicted", ascending=False, kind="stable")[list(names)].rename(columns=names)
