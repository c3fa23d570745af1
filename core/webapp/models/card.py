"""The cards of the shipped networks, drawn from `card.json`, `history.csv` and `evaluation.json`."""

from pathlib import Path

import streamlit as st

from core.card import OUT_OF_FOLD, Card
from core.diagnoses import CODES, NAMES
from core.estimates import DecidedEstimate, Estimate
from core.evaluation.report import Evaluation, InvalidEvaluation, read_evaluation
from core.members import member_folder
from core.webapp.models.history import read_history
from core.webapp.shared.charts import CONFIG, history_chart, per_class_chart, scores_chart
from core.webapp.shared.export import draw_wrapped
from core.webapp.shared.score_cards import HEADLINES, draw_score_cards, operating_scores
from core.webapp.shared.shelf import Shelf, balanced_accuracy_of, is_leaky, scored_on
from core.webapp.shared.words import plain
from core.wording import UNKNOWN, duration, interval, listed, milliseconds

PARTS = {"train": "training", "validation": "validation", "test": "test"}


def draw_overview(shelf: Shelf) -> None:
    """All models in one table, and their held-out balanced accuracy as a chart."""
    draw_wrapped(
        [
            {
                "Model": name,
                "Balanced accuracy": interval(balanced_accuracy_of(card)),
                "Scored on": scored_on(card),
                "Size": f"{card.megabytes:.1f} MB",
                "Weights": f"{card.parameters / 1e6:.1f} M",
                "Input": f"{card.image_size} px",
                "Time a photo": _speed(card),
                "Split": f"{card.split.get('kind')}{' (LEAKY)' if is_leaky(card) else ''}",
            }
            for name, card in shelf.models.items()
        ],
        "The shipped models with held-out balanced accuracy, size, speed and split",
    )
    measured = {name: balanced_accuracy_of(card) for name, card in shelf.models.items() if balanced_accuracy_of(card)}
    if len(measured) > 1:
        if len({scored_on(shelf.models[name]) for name in measured}) > 1:
            st.caption(
                "Not all were scored on the same photos (see *Scored on*): *Evaluation* compares them on those that all were held out from."
            )
        st.plotly_chart(
            scores_chart(measured, "balanced accuracy, 95 % interval"),
            config=CONFIG,
            alt="Held-out balanced accuracy: " + "; ".join(f"{n} {interval(s)}" for n, s in measured.items()),
            key="overview",
        )
    if any(is_leaky(card) for card in shelf.models.values()):
        st.warning(
            "A leaky split puts photos of one lesion into training and test: its scores are not those on new lesions.",
            icon=":material/water_drop:",
        )


def draw_card(card: Card, folder: Path) -> None:
    """One model's card: limits first, then scores, data, training and the file itself."""
    st.header(plain(card.name), anchor=False)
    _draw_limits(card)
    scores, data, training, weights = st.tabs(["Scores", "Data and split", "Training", "Weights"])
    with scores:
        _draw_scores(card, _evaluation(card, folder))
    with data:
        _draw_data(card)
    with training:
        _draw_training(card, folder)
    with weights:
        _draw_weights(card, folder)


def _draw_limits(card: Card) -> None:
    limits = "\n".join(f"- {plain(str(limit))}" for limit in card.limits) or "- The card names none."
    st.markdown(f"**Limits**\n\n{limits}")
    if is_leaky(card):
        st.error(
            "**Leaky split**, as in the paper: one lesion may stand in training and in test. For replication only; compare these scores "
            "with no honest ones.",
            icon=":material/water_drop:",
        )


def _draw_scores(card: Card, evaluation: Evaluation | None) -> None:
    test = card.held_out_scores
    if not test:
        st.info(
            f"The held-out photos were not scored yet: `python -m core evaluate {card.name} --data FOLDER`.",
            icon=":material/info:",
        )
    else:
        st.markdown(
            f"On **{test.get('photos', '?')} held-out photos** of {test.get('lesions', '?')} lesions{_each_by_its_own(card)}. "
            f"{plain(str(test.get('confidence', '')))}"
        )
        draw_score_cards({card.name: test | operating_scores(evaluation.operating_point if evaluation else None)})
    if evaluation is not None:
        for warning in evaluation.warnings:
            st.warning(plain(warning), icon=":material/warning:")
        _draw_per_class(evaluation)
    validation = card.scores.get("validation", {})
    if validation:
        scores = [
            f"{label} {interval(validation[key])}"
            for key, (label, _) in HEADLINES.items()
            if isinstance(validation.get(key), Estimate)
        ]
        st.caption(
            f"Validation, {validation.get('photos', '?')} photos: {', '.join(scores)}. {plain(str(validation.get('confidence', '')))}"
        )
    if test:
        with st.expander("Every score on the held-out photos"):
            st.dataframe(
                [
                    {
                        "Score": key.replace("_", " "),
                        "Rule": score.rule if isinstance(score, DecidedEstimate) else "",
                        "Value and 95 % interval": interval(score),
                    }
                    for key, score in test.items()
                    if isinstance(score, Estimate)
                ],
                hide_index=True,
                alt="Every score on the held-out photos, with its interval",
            )


def _each_by_its_own(card: Card) -> str:
    """How a set of folds was held out from all of them; empty for other models."""
    if not card.is_fold_set:
        return ""
    if card.is_ensemble:
        return (
            f", each answered by the mean of those {len(card.members)} networks, one of each member, that never saw its lesion; new photos "
            "are read by the mean of all networks"
        )
    count = len(card.members)
    return f", each answered by the one of {count} networks that never saw its lesion; new photos are read by the mean of the {count}"


def _draw_per_class(evaluation: Evaluation) -> None:
    st.markdown("**By diagnosis**, decided by the rule likeliest")
    likeliest = evaluation.under("likeliest")
    st.plotly_chart(
        per_class_chart(likeliest.per_class),
        config=CONFIG,
        alt="Sensitivity by diagnosis: "
        + "; ".join(
            f"{NAMES[code]} {interval(likeliest.per_class.get(code, {}).get('sensitivity'))}" for code in CODES
        ),
        key="per class",
    )
    st.dataframe(
        [
            {
                "Diagnosis": NAMES[code],
                "Photos": scores.get("photos"),
                "Sensitivity": interval(scores.get("sensitivity")),
                "Specificity": interval(scores.get("specificity")),
                "Precision": interval(scores.get("precision")),
                "F1": interval(scores.get("f1")),
                "AUC": interval(scores.get("auc")),
            }
            for code in CODES
            if (scores := likeliest.per_class.get(code))
        ],
        hide_index=True,
        alt="Scores by diagnosis with 95 % intervals",
    )


def _draw_data(card: Card) -> None:
    data, split = card.data, card.split
    st.markdown(f"**{plain(str(data.get('name', 'unknown')))}**. {plain(str(data.get('citation', '')))}")
    for note in data.get("notes") or ():
        st.info(plain(str(note)), icon=":material/info:")
    st.dataframe(
        [
            {
                "Part": label,
                "Photos": data.get("photos", {}).get(part),
                "Lesions": data.get("lesions", {}).get(part),
                **dict(zip(CODES, data.get("photos_per_class", {}).get(part, ()), strict=False)),
            }
            for part, label in ({OUT_OF_FOLD: OUT_OF_FOLD} if card.is_fold_set else PARTS).items()
        ],
        hide_index=True,
        alt="Photos and lesions of each part of the split, and photos of each diagnosis",
    )
    kind = (
        "by lesion: no lesion has photos in two parts"
        if not is_leaky(card)
        else "by photo: LEAKY, for replication only"
    )
    st.markdown(
        f"Split **{kind}**, seed {split.get('seed', '?')}. Every image id of each part is in `card.json`; their hash:"
    )
    st.code(str(split.get("hash", "")), language=None)


def _draw_training(card: Card, folder: Path) -> None:
    training, recipe = card.training, card.recipe
    trained = (
        f"Recipe **{plain(str(recipe.get('name', '?')))}**, {training.get('epochs', '?')} epochs in "
        f"{duration(training.get('seconds') or 0)} on {plain(str(training.get('device') or 'an unnamed device'))}"
    )
    if card.is_fold_set and card.is_ensemble:
        st.markdown(f"{plain(str(recipe.get('about', '')))} The mean is not calibrated again.")
    elif card.is_fold_set:
        first, *others = card.members
        st.markdown(
            f"{trained}, for {1 + len(others)} networks together. Each is calibrated by itself, and their mean is not calibrated again. "
            f"Below: {plain(first)}; its like are {plain(listed(others))}."
        )
        folder = member_folder(card, folder, first)
    else:
        st.markdown(
            f"{trained}; epoch {training.get('best_epoch', '?')} was kept. Calibration: {card.calibration.words}."
        )
    history = read_history(folder)
    if history:
        best = max((row.get("val_balanced_accuracy") or 0 for row in history), default=0)
        st.plotly_chart(
            history_chart(history),
            config=CONFIG,
            alt=f"Training over {len(history)} epochs; the best balanced accuracy on validation photos is {best:.3f}",
            key="history",
        )
    with st.expander("The whole recipe"):
        st.json(recipe, expanded=True)
    with st.expander("The run"):
        st.json(training, expanded=True)


def _draw_weights(card: Card, folder: Path) -> None:
    rows = {
        "Backbone": card.backbone,
        "Weights": f"{card.parameters:,}",
        **_stored(card),
        "Input": f"{card.image_size} x {card.image_size}, {card.pixels}",
        "Time a photo": _speed(card),
        "Pre-training": card.pretraining,
        "Licence": card.licence,
        "Made on": card.created or "unknown",
        "Folder": str(folder),
    }
    for label, value in rows.items():
        st.markdown(f"**{label}**: {plain(str(value))}")
    st.markdown("**SHA-256**, checked each time the file is loaded:")
    st.code(card.weights["sha256"], language=None)


def _stored(card: Card) -> dict[str, str]:
    size = f"{card.megabytes:.1f} MB, {card.weights.get('dtype')}"
    members = card.members
    return (
        {"Members": f"{', '.join(members)}; {size} together"}
        if members
        else {"File": f"{card.weights.get('file')}, {size}"}
    )


def _evaluation(card: Card, folder: Path) -> Evaluation | None:
    """The evaluation beside the card, if it is of the test part and of these weights."""
    try:
        evaluation = read_evaluation(folder)
    except InvalidEvaluation:
        return None
    own = evaluation.split.get("part") == card.held_out_part
    return evaluation if own and evaluation.probabilities_sha256 == card.probabilities_sha256 else None


def _speed(card: Card) -> str:
    speed = card.speed.get("forward_ms")
    return milliseconds(speed / 1000) if isinstance(speed, int | float) else UNKNOWN
