"""A model's evaluation as one HTML file or one PDF that need no network, no server and no photos."""

from dataclasses import dataclass
from datetime import date
from html import escape

import pandas as pd
import plotly.graph_objects as go

from core.calibration import Calibration
from core.diagnoses import CODES, NAMES
from core.evaluation.curves import reliability, reliability_of, score_distribution
from core.evaluation.subgroups import GROUPINGS
from core.webapp.evaluation.rows import (
    calibration_rows,
    class_rows,
    headline_rows,
    operating_rows,
    rule_rows,
    subgroup_rows,
)
from core.webapp.shared.charts import per_class_chart
from core.webapp.shared.evaluations import Evaluated, kept_curve
from core.webapp.shared.export import figure_config
from core.webapp.shared.frame import NOTICE
from core.webapp.shared.score_charts import confusion_chart, curve_chart, distribution_chart, reliability_chart
from core.webapp.shared.theme import SHORT_NAMES
from core.wording import cut

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #18272b; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: .9rem; }
td, th { border: 1px solid #d5dfe0; padding: .3rem .6rem; text-align: left; }
th { background: #f2f6f6; } .notice { border-left: 4px solid #0b6b72; padding: .5rem 1rem; background: #f2f6f6; }
@media print { h2 { break-before: page; } }
"""


@dataclass(frozen=True, eq=False)
class Part:
    """One piece of a report: a heading, a text, a notice, a table or a figure."""

    kind: str
    text: str = ""
    rows: list | None = None
    figure: go.Figure | None = None


def evaluation_parts(model: Evaluated) -> list[Part]:
    """All that the report of one model holds, top to bottom, after its title and the notice."""
    results, card = model.results, model.card
    evaluation = results.evaluation
    parts = [
        Part(
            "text",
            f"{evaluation.photos:,} photos ({evaluation.split.get('part')} part) of {evaluation.lesions:,} lesions. "
            f"{evaluation.confidence} Report of {date.today().isoformat()}.",
        ),
        *(Part("notice", warning) for warning in evaluation.warnings),
        Part("heading", "Scores"),
        Part("table", rows=headline_rows({model.name: model})),
        Part("heading", "Under each decision rule"),
        Part("table", rows=rule_rows({model.name: model})),
        Part("heading", "By diagnosis"),
        Part(
            "text",
            "Rule likeliest. Dot: the share of a diagnosis' photos that the network named; whiskers: 95 % interval.",
        ),
        Part("figure", "sensitivity", figure=per_class_chart(evaluation.under("likeliest").per_class)),
        Part("table", rows=class_rows(model)),
        Part("heading", "Confusion matrix"),
        Part(
            "text",
            "Rule likeliest. Rows: true; columns: predicted; colour: share of the row. Framed: melanoma called nevus, and back.",
        ),
        Part("figure", "confusion", figure=confusion_chart(evaluation.under("likeliest").confusion)),
    ]
    operating = operating_rows(model)
    if operating:
        parts += [
            Part("heading", "Operating point for melanoma"),
            Part("text", operating_words(model)),
            Part("table", rows=operating),
        ]
    for kind, title in (("roc", "ROC curves"), ("pr", "Precision-recall curves")):
        curves = [(SHORT_NAMES[c], c, curve) for c in CODES if (curve := kept_curve(model, kind, c)) is not None]
        parts += [
            Part("heading", title),
            Part(
                "text",
                "Each diagnosis against the rest. Ring: where the network works when it answers its likeliest diagnosis.",
            ),
            Part("figure", kind, figure=curve_chart(curves, kind, bands=False)),
        ]
        melanoma = kept_curve(model, kind, "mel")
        if melanoma:
            banded = curve_chart([("Melanoma, with its 95 % band", "mel", melanoma)], kind)
            parts.append(Part("figure", f"{kind} melanoma", figure=banded))
    parts += [
        Part("heading", "Calibration"),
        Part(
            "text", "On the dotted line, answers given with 70 % are right 7 times in 10. Larger dots hold more photos."
        ),
        Part("figure", "reliability", figure=reliability_chart([(model.name, reliability(results))])),
        Part("table", rows=calibration_rows(model)),
        *(
            Part(
                "figure",
                f"reliability {code}",
                figure=reliability_chart(
                    [(SHORT_NAMES[code], reliability_of(results, code))],
                    f"probability of {NAMES[code].lower()}",
                    "share that it was",
                ),
            )
            for code in CODES
        ),
        Part("text", "Bars up: photos of melanoma; bars down: all others."),
        Part("figure", "melanoma scores", figure=distribution_chart(*score_distribution(results, "mel"), "mel")),
    ]
    for grouping in GROUPINGS:
        parts += [Part("heading", grouping), Part("table", rows=subgroup_rows(model, grouping))]
    facts = {
        "Weights, SHA-256": evaluation.weights_sha256,
        "Split": f"{evaluation.split.get('kind')}, seed {evaluation.split.get('seed')}",
        "Split hash": str(evaluation.split.get("hash")),
        "Calibration": f"{Calibration(**evaluation.calibration).words}.",
        "Data": str(card.data.get("citation") or evaluation.data.get("name")),
        "Licence": card.licence,
        "Limits": " ".join(map(str, card.limits)),
    }
    return [
        *parts,
        Part("heading", "What was measured"),
        Part("table", rows=[{"": name, "Value": value} for name, value in facts.items()]),
    ]


def operating_words(model: Evaluated) -> str:
    """How the threshold on p(melanoma) was chosen; "" without one."""
    point = model.results.evaluation.operating_point
    if not point:
        return ""
    return (
        f"Called melanoma from a probability of melanoma of {cut(point['threshold'])} on: {point['rule']}. Never chosen on the photos "
        "scored here."
    )


def build_report(model: Evaluated) -> str:
    """The report as HTML, about 5 MB: Plotly itself is inside, so that its figures can be saved and read off."""
    title, body, drawn = escape(f"{model.name}: evaluation"), [], 0
    for part in evaluation_parts(model):
        if part.kind == "table":
            body.append(pd.DataFrame(part.rows).to_html(index=False, escape=True, border=0))
        elif part.kind == "figure":
            body.append(_figure(part.figure, part.text, first=not drawn))
            drawn += 1
        else:
            open_tag, close = {"heading": ("h2", "h2"), "notice": ("p class='notice'", "p")}.get(part.kind, ("p", "p"))
            body.append(f"<{open_tag}>{escape(part.text)}</{close}>")
    head = f"<meta charset='utf-8'><title>{title}</title><meta name='viewport' content='width=device-width'><style>{_STYLE}</style>"
    lead = f"<h1>{title}</h1><p class='notice'>{escape(NOTICE)}</p>"
    return f"<!doctype html><html lang='en'><head>{head}</head><body>{lead}{''.join(body)}</body></html>"


def build_report_pdf(model: Evaluated) -> bytes:
    """The same report as PDF, its figures as vectors."""
    from core.webapp.reports import pdf  # ReportLab takes a moment to load

    make = {"heading": pdf.heading, "text": pdf.paragraph, "notice": pdf.notice}
    parts = [pdf.notice(NOTICE)]
    for part in evaluation_parts(model):
        if part.kind == "table":
            parts.append(pdf.table(part.rows))
        elif part.kind == "figure":
            parts.append(pdf.figure(part.figure))
        else:
            parts.append(make[part.kind](part.text))
    return pdf.build_pdf(f"{model.name}: evaluation", parts)


def _figure(figure: go.Figure, name: str, first: bool) -> str:
    figure.update_layout(template="plotly_white")
    return figure.to_html(
        full_html=False,
        include_plotlyjs=first,
        config=figure_config(name, "SVG"),
        default_width="100%",
        div_id=name.replace(" ", "-"),
    )
