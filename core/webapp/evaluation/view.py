"""The evaluation page's sections, each drawn from evaluation files alone."""

import streamlit as st

from core.decisions import DECISIONS, SCORED
from core.diagnoses import CODES, MELANOMA, NAMES, NEVUS
from core.evaluation.subgroups import FEW_LESIONS, FEW_MELANOMAS, GROUPINGS
from core.webapp.evaluation.asked import ALL, ask_one, ask_rule, named
from core.webapp.evaluation.cases import draw_cell
from core.webapp.evaluation.report import evaluation_parts, report_title
from core.webapp.evaluation.rows import (
    ANY,
    class_rows,
    headline_rows,
    operating_rows,
    rule_rows,
    subgroup_rows,
)
from core.webapp.reports.html import report_html
from core.webapp.shared.charts import scores_chart
from core.webapp.shared.evaluations import Evaluated, kept_curve, kept_subgroups
from core.webapp.shared.export import draw_figure, draw_table, file_name
from core.webapp.shared.score_cards import draw_score_cards, operating_scores
from core.webapp.shared.score_charts import confusion_chart, curve_chart
from core.webapp.shared.theme import SHORT_NAMES
from core.webapp.shared.words import part_words, plain
from core.wording import cut, interval, listed

SECTIONS = ("Scores", "Confusion", "Curves", "Calibration", "Subgroups", "Compare two", "New clinic", "Report")
# A class so small that one photo moves its sensitivity by two points or more.
SMALL_CLASS = 50


def say_provenance(models: dict[str, Evaluated]) -> None:
    """On what the models were scored, and every warning that must stand beside the numbers."""
    for name, model in models.items():
        evaluation = model.results.evaluation
        part = evaluation.split.get("part", "?")
        held = "held-out " if part == model.card.held_out_part else ""
        st.caption(
            f"**{plain(name)}**: {evaluation.photos:,} {held}photos ({part_words(part)}) of {evaluation.lesions:,} lesions of "
            f"{plain(str(evaluation.data.get('name', '?')))}; split by {plain(str(evaluation.split.get('kind')))}. "
            f"{plain(evaluation.confidence)}"
        )
        for warning in evaluation.warnings:
            st.warning(f"**{plain(name)}**: {plain(warning)}", icon=":material/warning:")


def draw_scores(models: dict[str, Evaluated]) -> None:
    st.subheader("Summary", anchor=False)
    evaluations = {name: model.results.evaluation for name, model in models.items()}
    draw_score_cards({name: one.metrics | operating_scores(one.operating_point) for name, one in evaluations.items()})
    st.caption("Two models whose intervals overlap may still differ: see *Compare two*.")
    with st.expander("Every score"):
        draw_table(headline_rows(models), f"Scores of {listed(list(models))}", "In brackets: 95 % intervals.")
    with st.expander("Each score under each decision rule"):
        st.markdown("\n".join(f"- **{DECISIONS[rule].title}**: {DECISIONS[rule].about}" for rule in SCORED))
        draw_table(rule_rows(models), f"Scores by decision rule of {listed(list(models))}")
    model = ask_one(models)
    st.subheader("By diagnosis", anchor=False)
    rule = ask_rule()
    rows = class_rows(model, rule)
    per_class = model.results.evaluation.under(rule).per_class
    known = {NAMES[c]: per_class[c]["sensitivity"] for c in CODES if per_class[c]["sensitivity"].value is not None}
    draw_figure(
        scores_chart(known, "sensitivity"),
        f"sensitivity {model.name} {rule}",
        f"Rule {rule}. Dot: the share of a diagnosis' photos that the network named; whiskers: its 95 % interval. "
        "Wide whiskers mean few lesions.",
        "; ".join(f"{row['Diagnosis']} {row['Sensitivity']}" for row in rows),
    )
    draw_table(rows, f"Scores by diagnosis of {model.name}, rule {rule}", "Each diagnosis against the rest.")
    small = [f"{NAMES[c]} {100 / n:.1f} points" for c in CODES if 0 < (n := per_class[c]["photos"]) <= SMALL_CLASS]
    if small:
        st.info(
            f"One photo more or less moves the sensitivity of {listed(small)}: read these with their intervals.",
            icon=":material/info:",
        )


def draw_confusion(models: dict[str, Evaluated]) -> None:
    model = ask_one(models)
    results = model.results
    with st.container(horizontal=True):
        rule = ask_rule()
        cells = st.segmented_control(
            "Cells show", ["Counts", "% of the row"], default="Counts", required=True, key="cells", bind="query-params"
        )
    counts = results.evaluation.under(rule).confusion
    mel, nv = MELANOMA, NEVUS
    missed, alarms = counts[mel][nv], counts[nv][mel]
    draw_figure(
        confusion_chart(counts, cells != "Counts"),
        f"confusion {model.name}",
        f"Rule {rule}: {DECISIONS[rule].about} A row is what the lesions are, a column what the network said; the darker, the larger "
        "the share of its row. Framed: melanoma "
        f"called nevus ({missed} of {sum(counts[mel])} melanoma photos missed this way) and nevus called melanoma ({alarms} of "
        f"{sum(counts[nv])}). Click a cell for its cases.",
        f"Confusion matrix of {model.name}, rule {rule}: {missed} melanomas called nevus, {alarms} nevi called melanoma",
        on_select=lambda: _open_cell(f"figure confusion {model.name}"),
        selection_mode="points",
    )
    draw_table(
        [{"True": NAMES[c]} | {SHORT_NAMES[p]: counts[i][j] for j, p in enumerate(CODES)} for i, c in enumerate(CODES)],
        f"Confusion matrix of {model.name}, rule {rule}",
    )
    st.subheader("Cases", anchor=False)
    with st.container(horizontal=True):
        # The first is the default: a default by index would clash with a click, which sets the choice.
        true, predicted = (
            st.selectbox(
                label,
                [first, *(code for code in CODES if code != first), ANY],
                format_func=named,
                key=label.lower(),
                bind="query-params",
                filter_mode=None,
            )
            for label, first in (("True", "mel"), ("Predicted", "nv"))
        )
    draw_cell(model, true, predicted, rule)


def draw_curves(models: dict[str, Evaluated]) -> None:
    options = [*CODES, ALL]
    with st.container(horizontal=True):
        code = st.selectbox(
            "Diagnosis", options, index=options.index("mel"), format_func=named, key="diagnosis", bind="query-params",
            filter_mode=None,
        )  # fmt: skip
    if code == ALL:
        model = ask_one(models)
        asked = [(NAMES[c], c, model) for c in CODES]
    else:
        asked = [(name, code, model) for name, model in models.items()]
    bands = code != ALL
    for kind, title, score in (("roc", "ROC", "auc"), ("pr", "Precision-recall", "average_precision")):
        curves = [
            (f"{label} {interval(model.results.evaluation.per_class[c][score])}", c, curve)
            for label, c, model in asked
            if (curve := kept_curve(model, kind, c)) is not None
        ]
        st.subheader(f"{title}: {named(code)}", anchor=False)
        if not curves:
            st.info("No scored photo has this diagnosis, so there is no curve.", icon=":material/info:")
            continue
        how = (
            "Each threshold gives a point: how many are found (up) for how many false alarms (right); the area under it is the AUC. The "
            "dotted line is guessing."
            if kind == "roc"
            else "For each sensitivity (right), the share of alarms that are right (up). The dotted line is its share of photos, "
            "which guessing reaches; the area is the average precision."
        )
        shade = " Shade: 95 % band, point by point, over resampled lesions." if bands else ""
        marks = [
            (f"{label}: melanoma from {cut(point[0])} on", c, point[1])
            for label, c, model in asked
            if c == "mel" and bands and (point := threshold_point(model, kind)) is not None
        ]
        diamond = " Diamond: the operating point, a threshold on p(melanoma)." if marks else ""
        draw_figure(
            curve_chart(curves, kind, bands, marks),
            f"{kind} {code}",
            f"{how}{shade} Ring: where the network works when it answers its likeliest diagnosis (may lie off the curve).{diamond}",
            "; ".join(label for label, *_ in curves),
        )
    operating = [row for model in models.values() for row in operating_rows(model)] if code == "mel" else []
    if operating:
        st.subheader("Operating point for melanoma", anchor=False)
        draw_table(
            operating,
            "Operating point for melanoma",
            "Sensitivity and specificity on the scored photos, against all other diagnoses.",
        )
        rules = dict.fromkeys(
            m.results.evaluation.operating_point["rule"] for m in models.values() if operating_rows(m)
        )
        st.caption(plain(f"Chosen as {'; '.join(rules)}. No photo helped to choose the threshold that it is scored at."))


def threshold_point(model: Evaluated, kind: str) -> tuple[float, tuple[float, float]] | None:
    """Threshold on p(melanoma), and where it stands on the ROC ("roc") or precision-recall curve; None without one."""
    point = model.results.evaluation.operating_point
    if not point or point["sensitivity"].value is None or point["specificity"].value is None:
        return None
    sensitivity, specificity = point["sensitivity"].value, point["specificity"].value
    if kind == "roc":
        return point["threshold"], (1 - specificity, sensitivity)
    melanoma = model.results.y_true == MELANOMA
    found, alarms = sensitivity * melanoma.sum(), (1 - specificity) * (~melanoma).sum()
    return (point["threshold"], (sensitivity, float(found / (found + alarms)))) if found + alarms else None


def draw_subgroups(models: dict[str, Evaluated]) -> None:
    model = ask_one(models)
    grouping = st.selectbox("Group by", list(GROUPINGS), key="group", bind="query-params", filter_mode=None, width=300)
    rows = kept_subgroups(model, grouping)
    known = {row.name.replace("_", " "): row.accuracy for row in rows}
    draw_figure(
        scores_chart(known, "accuracy"),
        f"subgroups {grouping} {model.name}",
        "Rule likeliest. Dot: accuracy in the group; whiskers: 95 % interval over its lesions. Groups differ in diagnoses: a gap "
        "is not yet unfairness.",
        "; ".join(f"{name} {interval(score)}" for name, score in known.items()),
    )
    draw_table(
        subgroup_rows(model, grouping),
        f"{model.name} by {grouping.lower()}",
        f"*Caution* names groups of fewer than {FEW_LESIONS} lesions or {FEW_MELANOMAS} melanomas: their numbers are hardly a measurement.",
        column_config={"Caution": st.column_config.TextColumn(width="large")},
    )
    if any(row.warning.startswith("Only") for row in rows):
        st.warning(
            f"Few lesions: {listed([row.name.replace('_', ' ') for row in rows if row.warning.startswith('Only')])}. Do not "
            "compare these groups with the others.",
            icon=":material/warning:",
        )


def draw_report(models: dict[str, Evaluated]) -> None:
    model = ask_one(models)
    st.markdown(
        "What this page knows of one model, in one file. The HTML opens in any browser without a network; the PDF is for print. Both say "
        "the same."
    )
    with st.container(horizontal=True):
        for kind, mime in (("html", "text/html"), ("pdf", "application/pdf")):
            st.download_button(
                f"Report of {model.name} ({kind.upper()})",
                lambda kind=kind: _report(model, kind),
                file_name=f"evaluation-{file_name(model.name)}.{kind}",
                mime=mime,
                icon=":material/download:",
                on_click="ignore",
                key=f"report {kind}",
            )


def _report(model: Evaluated, kind: str) -> bytes:
    if kind == "html":
        return report_html(report_title(model), evaluation_parts(model)).encode()
    from core.webapp.reports.pdf import report_pdf  # loads when a PDF is asked for

    return report_pdf(report_title(model), evaluation_parts(model))


def _open_cell(key: str) -> None:
    """Shows the cases of the cell that was clicked."""
    points = st.session_state[key].selection.points
    if points:
        st.session_state["true"] = CODES[round(points[0]["y"])]
        st.session_state["predicted"] = CODES[round(points[0]["x"])]
