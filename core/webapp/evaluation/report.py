"""A model's evaluation as the parts of a report, which needs no network, no server and no photos."""

from datetime import date

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
from core.webapp.reports.parts import Drawing, Heading, Notice, Part, Rows, Text
from core.webapp.shared.evaluations import Evaluated, kept_curve
from core.webapp.shared.frame import NOTICE
from core.webapp.shared.theme import SHORT_NAMES
from core.webapp.shared.words import part_words
from core.wording import cut


def evaluation_parts(model: Evaluated) -> list[Part]:
    """All that the report of one model holds, top to bottom, after its title."""
    from core.webapp.evaluation import drawings  # Matplotlib loads when a report is asked for

    results, card = model.results, model.card
    evaluation = results.evaluation
    likeliest = evaluation.under("likeliest")
    parts: list[Part] = [
        Notice(NOTICE),
        Text(
            f"{evaluation.photos:,} photos ({part_words(evaluation.split.get('part'))}) of {evaluation.lesions:,} lesions. "
            f"{evaluation.confidence} Report of {date.today().isoformat()}.",
        ),
        *(Notice(warning) for warning in evaluation.warnings),
        Heading("Scores"),
        Rows(headline_rows({model.name: model})),
        Heading("Under each decision rule"),
        Rows(rule_rows({model.name: model})),
        Heading("By diagnosis"),
        Text(
            "Rule likeliest. Dot: the share of a diagnosis' photos that the network named; whiskers: 95 % interval.",
        ),
        Drawing(
            drawings.plot_sensitivities({NAMES[c]: likeliest.per_class[c]["sensitivity"] for c in CODES}),
            "Sensitivity of each diagnosis; the table below holds its numbers.",
        ),
        Rows(class_rows(model)),
        Heading("Confusion matrix"),
        Text(
            "Rule likeliest. Rows: true; columns: predicted; colour: share of the row. Framed: melanoma called nevus, and back.",
        ),
        Drawing(drawings.plot_confusion(likeliest.confusion), _confusion_words(likeliest.confusion)),
    ]
    operating = operating_rows(model)
    if operating:
        parts += [
            Heading("Operating point for melanoma"),
            Text(operating_words(model)),
            Rows(operating),
        ]
    for kind, title in (("roc", "ROC curves"), ("pr", "Precision-recall curves")):
        curves = [(SHORT_NAMES[c], c, curve) for c in CODES if (curve := kept_curve(model, kind, c)) is not None]
        parts += [
            Heading(title),
            Text(
                "Ring: where the network works when it answers its likeliest diagnosis.",
            ),
            Drawing(
                drawings.plot_curves(curves, kind), f"{title}, one a diagnosis, and melanoma's with its 95 % band."
            ),
        ]
    parts += [
        Heading("Calibration"),
        Text("On the dotted line, what is said with 70 % comes true 7 times in 10. Larger dots hold more photos."),
        Drawing(
            drawings.plot_reliability(reliability(results), {code: reliability_of(results, code) for code in CODES}),
            "What came true against what was said; the table below holds its numbers.",
        ),
        Rows(calibration_rows(model)),
        Heading("Probability of melanoma"),
        Text("Bars up: photos of melanoma; bars down: all others."),
        Drawing(
            drawings.plot_distribution(*score_distribution(results, "mel"), "mel"),
            "How the probability of melanoma spreads over photos of melanoma and over all others.",
        ),
    ]
    for grouping in GROUPINGS:
        parts += [Heading(grouping), Rows(subgroup_rows(model, grouping))]
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
        Heading("What was measured"),
        Rows([{"": name, "Value": value} for name, value in facts.items()]),
    ]


def operating_words(model: Evaluated) -> str:
    """How the threshold on p(melanoma) was chosen; "" without one."""
    point = model.results.evaluation.operating_point
    if not point:
        return ""
    return (
        f"Called melanoma from a probability of melanoma of {cut(point['threshold'])} on: {point['rule']}. No photo helped to "
        "choose the threshold that it is scored at."
    )


def report_title(model: Evaluated) -> str:
    return f"{model.name}: evaluation"


def _confusion_words(confusion: list) -> str:
    rows = (
        f"{NAMES[true]}: "
        + ", ".join(f"{count} called {NAMES[answer].lower()}" for answer, count in zip(CODES, row, strict=True) if count)
        for true, row in zip(CODES, confusion, strict=True)
        if any(row)
    )
    return f"Confusion matrix, true diagnoses first. {'; '.join(rows)}."
