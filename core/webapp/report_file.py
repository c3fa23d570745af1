"""A model's evaluation as one HTML file that needs no network, no server and no photos."""

from datetime import date
from html import escape

import pandas as pd

from core.diagnoses import CODES, NAMES
from core.evaluation.curves import reliability, score_distribution
from core.evaluation.subgroups import GROUPINGS
from core.webapp.charts import per_class_chart
from core.webapp.evaluation_charts import confusion_chart, curve_chart, distribution_chart, reliability_chart
from core.webapp.evaluation_rows import class_rows, headline_rows, subgroup_rows
from core.webapp.evaluations import Evaluated, kept_curve
from core.webapp.export import figure_config
from core.webapp.frame import NOTICE

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #18272b; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: .9rem; }
td, th { border: 1px solid #d5dfe0; padding: .3rem .6rem; text-align: left; }
th { background: #f2f6f6; } .notice { border-left: 4px solid #0b6b72; padding: .5rem 1rem; background: #f2f6f6; }
@media print { h2 { break-before: page; } }
"""


def build_report(model: Evaluated) -> str:
    """The report of one model, about 5 MB: Plotly itself is inside."""
    results, card = model.results, model.card
    evaluation = results.evaluation
    parts = [
        f"<h1>{escape(model.name)}: evaluation</h1>",
        f"<p class='notice'>{escape(NOTICE)}</p>",
        (
            f"<p>{evaluation.photos:,} photos ({escape(str(evaluation.split.get('part')))} part) of {evaluation.lesions:,} lesions. "
            f"{escape(evaluation.confidence)} Report of {date.today().isoformat()}.</p>"
        ),
        *(f"<p class='notice'>{escape(warning)}</p>" for warning in evaluation.warnings),
        "<h2>Scores</h2>",
        _table(headline_rows({model.name: model})),
        "<h2>By diagnosis</h2>",
        _figure(per_class_chart(evaluation.per_class), "sensitivity", first=True),
        _table(class_rows(model)),
        "<h2>Confusion matrix</h2><p>Rows: true; columns: predicted; colour: share of the row.</p>",
        _figure(confusion_chart(evaluation.confusion), "confusion"),
    ]
    for kind, title in (("roc", "ROC curves"), ("pr", "Precision-recall curves")):
        curves = [(NAMES[c], c, curve) for c in CODES if (curve := kept_curve(model, kind, c)) is not None]
        parts += [f"<h2>{title}</h2>", _figure(curve_chart(curves, kind, bands=False), kind)]
    melanoma = kept_curve(model, "roc", "mel")
    if melanoma:
        parts.append(_figure(curve_chart([("Melanoma, with its 95 % band", "mel", melanoma)], "roc"), "roc melanoma"))
    parts += ["<h2>Calibration</h2>", _figure(reliability_chart([(model.name, reliability(results))]), "reliability")]
    parts.append(_figure(distribution_chart(*score_distribution(results, "mel"), "mel"), "melanoma scores"))
    for grouping in GROUPINGS:
        parts += [f"<h2>{escape(grouping)}</h2>", _table(subgroup_rows(model, grouping))]
    parts += [
        "<h2>What was measured</h2>",
        _table(
            [
                {"": "Weights, SHA-256", "Value": evaluation.weights_sha256},
                {"": "Split", "Value": f"{evaluation.split.get('kind')}, seed {evaluation.split.get('seed')}"},
                {"": "Split hash", "Value": str(evaluation.split.get("hash"))},
                {"": "Temperature", "Value": f"{evaluation.temperature:.4f}"},
                {"": "Data", "Value": str(card.data.get("citation") or evaluation.data.get("name"))},
                {"": "Licence", "Value": card.licence},
                {"": "Limits", "Value": " ".join(map(str, card.limits))},
            ]
        ),
    ]
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(model.name)}: evaluation</title>"
        f"<meta name='viewport' content='width=device-width'><style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _table(rows: list[dict]) -> str:
    return pd.DataFrame(rows).to_html(index=False, escape=True, border=0)


def _figure(figure, name: str, first: bool = False) -> str:
    figure.update_layout(template="plotly_white")
    return figure.to_html(
        full_html=False,
        include_plotlyjs=first,
        config=figure_config(name, "SVG"),
        default_width="100%",
        div_id=name.replace(" ", "-"),
    )
