"""The paper's result tables and figures beside this project's own numbers."""

from collections.abc import Sequence

import streamlit as st

from core.diagnoses import CODES, MELANOMA, NAMES, NEVUS
from core.estimates import Estimate
from core.studies.experiments import EXPERIMENTS
from core.studies.paper import (
    CONFUSIONS,
    ERROR_KINDS,
    FOOTNOTES,
    TABLES,
    chosen_cases,
    one_against_rest,
    our_score,
    read_notebook_runs,
    read_paper_table,
)
from core.webapp.paper.experiments import draw_experiment
from core.webapp.paper.tables import as_read, by_backbone, side_by_side
from core.webapp.shared.charts import scores_chart
from core.webapp.shared.evaluations import Evaluated, kept_curve
from core.webapp.shared.export import draw_figure, draw_table
from core.webapp.shared.score_charts import GREY, bars_chart, confusion_chart, curve_chart
from core.webapp.shared.theme import COLORS, SHORT_NAMES
from core.webapp.shared.words import plain
from core.wording import UNDEFINED, interval, percent

# Printed, run and ours keep one colour through all of the paper's figures.
PRINTED_COLOR, RUN_COLOR, OUR_COLOR = GREY, COLORS["bkl"], COLORS["mel"]
FIGURES = {
    "Figure 8": "What a confusion matrix counts",
    "Figure 9": "What the area under a ROC curve is",
    "Figure 10": "Confusion matrix, DenseNet201",
    "Figure 11": "Confusion matrix, InceptionResNetV2",
    "Figure 12": "F1 by diagnosis, DenseNet201",
    "Figure 13": "F1 by diagnosis, InceptionResNetV2",
    "Figure 14": "Recall by diagnosis, DenseNet201",
    "Figure 15": "Recall by diagnosis, InceptionResNetV2",
    "Figure 16": "ROC curves",
    "Figure 17": "Melanoma and nevus, right and wrong",
}
# What the paper leaves open, and this project ran: title -> key of `EXPERIMENTS`.
OWN_ITEMS = {f"Experiment: {experiment.title}": name for name, experiment in EXPERIMENTS.items()}
ITEMS = (*TABLES, *FIGURES, *OWN_ITEMS)
_MATRICES = {"Figure 10": "DenseNet201", "Figure 11": "InceptionResNetV2"}
_BARS = {
    "Figure 12": ("DenseNet201", "Table A3"),
    "Figure 13": ("InceptionResNetV2", "Table A3"),
    "Figure 14": ("DenseNet201", "Table A4"),
    "Figure 15": ("InceptionResNetV2", "Table A4"),
}
_CURVE_RUNS = {"DenseNet201": "densenet201_10split_lr_september", "InceptionResNetV2": "irv2_10split_lr_september"}


def title_of(item: str) -> str:
    if item in OWN_ITEMS:
        return item
    return f"{item}: {TABLES[item].title if item in TABLES else FIGURES[item]}"


def draw_item(item: str, models: dict[str, Evaluated]) -> None:
    """Draws one table or figure of the paper.

    Args:
        item: one of `ITEMS`; an experiment of this project among them.
        models: this project's evaluated models, the best first.
    """
    st.subheader(title_of(item), anchor=False)
    if item in TABLES:
        _draw_paper_table(item, models)
        notes = TABLES[item].footnotes
    elif item in OWN_ITEMS:
        notes = draw_experiment(OWN_ITEMS[item])
    elif item in _MATRICES:
        notes = _draw_matrices(item, models)
    elif item in _BARS:
        notes = _draw_bars(item, models)
    else:
        drawing = {
            "Figure 8": _draw_schematic,
            "Figure 9": _draw_area,
            "Figure 16": _draw_roc,
            "Figure 17": _draw_cases,
        }
        notes = drawing[item](models)
    if notes:
        st.markdown("**Footnotes**\n\n" + "\n".join(f"- **{note}** {plain(FOOTNOTES[note])}" for note in notes))


def _draw_paper_table(name: str, models: dict[str, Evaluated]) -> None:
    paper, rows = TABLES[name], side_by_side(name, models)
    if name in ("Table 5", "Table 7"):
        _draw_by_backbone(name, models)
    draw_table(as_read(rows), f"The paper, {name}", paper.how, tallest=15)
    if name == "Table 8":
        st.markdown("#### The same weightings in this project")
        draw_experiment("epsilon")


def _draw_by_backbone(name: str, models: dict[str, Evaluated]) -> None:
    table, paper, ours = read_paper_table(name), TABLES[name], by_backbone(models)
    rows = table[table.arm == "MD"]
    scores = [
        our_score(name, row, ours[row.backbone].results) if row.backbone in ours else None for _, row in rows.iterrows()
    ]
    series = [
        ("printed", rows[paper.printed].tolist(), None, None, PRINTED_COLOR, ""),
        ("its run" if name == "Table 5" else "its run, macro", rows[paper.run].tolist(), None, None, RUN_COLOR, ""),
        ("Melascope, by lesion", *_columns(scores), OUR_COLOR, "/"),
    ]
    draw_figure(
        bars_chart(rows.backbone.tolist(), series, "accuracy" if name == "Table 5" else "AUC"),
        f"paper {name}",
        "Metadata arm (MD), axis from 0. Grey: as printed; blue: what the notebook printed; hatched: this project with its 95 % interval, "
        "where a model is shipped.",
        f"{title_of(name)} for {len(rows)} backbones",
    )


def _columns(scores: Sequence[Estimate | None]) -> tuple[list, list, list]:
    return tuple([None if s is None else getattr(s, key) for s in scores] for key in ("value", "low", "high"))


def _draw_matrices(item: str, models: dict[str, Evaluated]) -> tuple[str, ...]:
    backbone = _MATRICES[item]
    shares = st.toggle("Per cent of the row", key="shares", bind="query-params")
    counts = [list(row) for row in CONFUSIONS[backbone]]
    paper, ours = st.columns(2, gap="medium")
    with paper:
        st.markdown(f"**The paper, {backbone}**, corrected (996 photos, split by photo)")
        _draw_matrix(counts, shares, f"paper {item}")
    with ours:
        model = _ask_model(models)
        if model is None:
            st.info("No model was evaluated yet, so there is nothing to put beside it.", icon=":material/info:")
        else:
            evaluation = model.results.evaluation
            st.markdown(
                f"**Melascope, {plain(model.name)}** ({evaluation.photos:,} photos, split by {evaluation.split.get('kind')}; "
                "rule likeliest)"
            )
            _draw_matrix(evaluation.under("likeliest").confusion, shares, f"ours {item} {model.name}")
            if model.card.backbone != backbone:
                st.caption(f"No {backbone} was trained here yet; {plain(model.name)} stands in.")
    draw_table(
        [{"True": NAMES[c]} | {SHORT_NAMES[p]: counts[i][j] for j, p in enumerate(CODES)} for i, c in enumerate(CODES)],
        f"The paper, {item}, corrected",
    )
    return ("M13", "M6", "M17")


def _draw_matrix(counts: list, shares: bool, name: str) -> None:
    mel, nv = MELANOMA, NEVUS
    missed, alarms = counts[mel][nv], counts[nv][mel]
    draw_figure(
        confusion_chart(counts, shares),
        name,
        f"Rows true, columns predicted, colour the share of the row. Framed: {missed} of {sum(counts[mel])} melanoma photos called nevus "
        f"({percent(missed / max(1, sum(counts[mel])))}), {alarms} of {sum(counts[nv])} nevi called melanoma.",
        f"{missed} of {sum(counts[mel])} melanomas called nevus, {alarms} of {sum(counts[nv])} nevi called melanoma",
    )


def _draw_bars(item: str, models: dict[str, Evaluated]) -> tuple[str, ...]:
    backbone, source = _BARS[item]
    paper, table = TABLES[source], read_paper_table(source)
    table = table[(table.backbone == backbone) & (table.diagnosis != "mean")]
    series = []
    for arm, color, name in (("AD", RUN_COLOR, "AD, as printed"), ("MD", PRINTED_COLOR, "MD, as printed")):
        values = table[table.arm == arm].set_index("diagnosis")[paper.printed]
        series.append((name, [values.get(code) for code in CODES], None, None, color, ""))
    model = _ask_model(models)
    if model is not None:
        key = "f1" if source == "Table A3" else "sensitivity"
        scores = [model.results.evaluation.under("likeliest").per_class[code][key] for code in CODES]
        series.append((f"Melascope {model.name}", *_columns(scores), OUR_COLOR, "/"))
    draw_figure(
        bars_chart(
            [SHORT_NAMES[code] for code in CODES], series, "F1" if source == "Table A3" else "recall (sensitivity)"
        ),
        item,
        "Each diagnosis' bars, axis from 0; whiskers: 95 % interval, which the paper does not give. AD and MD differ in eight things at "
        "once, so their gap says nothing about the patient's facts.",
        f"{title_of(item)}, printed values beside this project's",
    )
    if model is None or model.card.backbone != backbone:
        st.caption(f"No {backbone} was trained here yet{f'; {plain(model.name)} stands in' if model else ''}.")
    draw_table(
        [
            {"Diagnosis": SHORT_NAMES[code]} | {name: values[i] for name, values, *_ in series}
            for i, code in enumerate(CODES)
        ],
        f"The paper, {item}",
    )
    return ("M14", "M6", "M4" if source == "Table A3" else "M5")


def _draw_schematic(models: dict[str, Evaluated]) -> tuple[str, ...]:
    model = _ask_model(models)
    if model is not None:
        (hit, missed), (alarm, quiet) = one_against_rest(model.results, "mel")
        draw_table(
            [
                {
                    "True": "Melanoma",
                    "Said melanoma": f"{hit} true positives",
                    "Said another": f"{missed} false negatives",
                },
                {
                    "True": "Another diagnosis",
                    "Said melanoma": f"{alarm} false positives",
                    "Said another": f"{quiet} true negatives",
                },
            ],
            f"Melanoma against the rest, {model.name}",
            "Rows true, columns said. Sensitivity reads along the first row, precision down the first column.",
        )
        st.markdown(
            f"Sensitivity {hit} / ({hit} + {missed}) = **{_share(hit, missed)}** · specificity {quiet} / ({quiet} + {alarm}) = "
            f"**{_share(quiet, alarm)}** · precision {hit} / ({hit} + {alarm}) = **{_share(hit, alarm)}**"
        )
    st.caption(
        "The paper's sketch has rows predicted and columns true. Here it holds real counts, with rows true as everywhere else."
    )
    return ("M17",)


def _share(part: int, rest: int) -> str:
    return f"{part / (part + rest):.3f}" if part + rest else UNDEFINED


def _draw_area(models: dict[str, Evaluated]) -> tuple[str, ...]:
    model = _ask_model(models)
    curve = kept_curve(model, "roc", "mel") if model else None
    if model is not None and curve is not None:
        auc = model.results.evaluation.per_class["mel"]["auc"]
        figure = curve_chart([(f"Melanoma, AUC {interval(auc)}", "mel", curve)], "roc", bands=False)
        figure.data[1].update(fill="tozeroy", fillcolor="rgba(213,94,0,0.15)")
        draw_figure(
            figure,
            f"area {model.name}",
            "The shaded area is the chance that a melanoma photo gets a higher melanoma score than a photo of another diagnosis.",
            f"ROC curve of melanoma, AUC {interval(auc)}",
        )
    st.caption("The paper sketches this by hand, and labels the area 'AOC'. Here it is a real curve.")
    return ()


def _draw_roc(models: dict[str, Evaluated]) -> tuple[str, ...]:
    runs, rows = read_notebook_runs(), []
    for backbone, run in _CURVE_RUNS.items():
        row = runs.loc[run]
        rows.append(
            {
                "Network": f"{backbone} (the paper's Figure 16)",
                "Macro": f"{row.auc_macro:.3f}",
                "Micro": f"{row.auc_micro:.3f}",
            }
            | {SHORT_NAMES[code]: f"{row[f'auc_{code}']:.3f}" for code in CODES}
        )
    for name, model in models.items():
        evaluation = model.results.evaluation
        rows.append(
            {
                "Network": f"Melascope {name}",
                "Macro": interval(evaluation.metrics["auc_macro"]),
                "Micro": interval(evaluation.metrics["auc_micro"]),
            }
            | {SHORT_NAMES[code]: interval(evaluation.per_class[code]["auc"]) for code in CODES}
        )
    model = _ask_model(models)
    if model is not None:
        curves = [
            (f"{NAMES[c]} {interval(model.results.evaluation.per_class[c]['auc'])}", c, curve)
            for c in CODES
            if (curve := kept_curve(model, "roc", c)) is not None
        ]
        draw_figure(
            curve_chart(curves, "roc", bands=False),
            f"Figure 16 {model.name}",
            f"{model.name}, each diagnosis against the rest: the nearer the corner top left, the better. The paper drew one micro-average "
            "curve a network, in which the many nevi count most.",
            "; ".join(label for label, *_ in curves),
        )
    draw_table(
        rows,
        "AUC of Figure 16's runs and of Melascope's models",
        "The paper prints Micro; Macro weighs all alike.",
    )
    st.caption("Of the paper's curves only the areas are published, so its curves cannot be redrawn.")
    return ("M9", "M6")


def _draw_cases(models: dict[str, Evaluated]) -> tuple[str, ...]:
    model = _ask_model(models)
    if model is not None:
        rows = chosen_cases(model.results)
        draw_table(
            rows.rename(columns={"mel": "p(melanoma)", "nv": "p(nevus)"}),
            f"Figure 17 by rule, {model.name}",
            f"Of each kind ({', '.join(ERROR_KINDS).lower()}) the two most confident answers, one photo a lesion: chosen by rule, not "
            "by eye.",
            probabilities=("confidence", "p(melanoma)", "p(nevus)"),
        )
        counts = model.results.evaluation.under("likeliest").confusion
        pair = {
            f"{NAMES[true]}: {NAMES[said]}": counts[CODES.index(true)][CODES.index(said)]
            for true, said in ERROR_KINDS.values()
        }
        known = {
            label: Estimate(counts[CODES.index(t)][CODES.index(s)] / max(1, sum(counts[CODES.index(t)])))
            for label, (t, s) in zip(pair, ERROR_KINDS.values(), strict=True)
        }
        draw_figure(
            scores_chart(known, "share of the true diagnosis' photos"),
            f"Figure 17 {model.name}",
            "True diagnosis, then what the network said: the share of that diagnosis' photos.",
            "; ".join(f"{label} {count}" for label, count in pair.items()),
        )
    st.caption(
        "The paper shows eight photos picked by hand, and says that black nevi are called melanoma for their colour. That claim is "
        "not measured there, nor here yet."
    )
    return ()


def _ask_model(models: dict[str, Evaluated]) -> Evaluated | None:
    """Which model stands for this project; None, with a sentence, where none was evaluated."""
    if not models:
        st.info("No model was evaluated yet.", icon=":material/info:")
        return None
    if len(models) == 1:
        return next(iter(models.values()))
    return models[
        st.selectbox("Melascope's model", list(models), key="ours", bind="query-params", filter_mode=None, width=300)
    ]
