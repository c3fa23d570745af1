import pytest

from core.diagnoses import CODES, DIAGNOSES, NAMES
from core.estimates import Estimate
from core.webapp.shared.charts import (
    agreement_chart,
    describe_differential,
    differential_chart,
    history_chart,
    per_class_chart,
    scores_chart,
)
from core.webapp.shared.theme import COLORS, GROUPS, PATTERNS, SHORT_NAMES

PROBABILITIES = dict(zip(CODES, [0.05, 0.1, 0.15, 0.02, 0.3, 0.358, 0.022], strict=True))
SCORE = Estimate(0.6, 0.5, 0.65)


def texts(figure):
    return " | ".join(a.text for a in figure.layout.annotations)


def test_every_diagnosis_has_its_own_colour_and_name():
    for table in (COLORS, PATTERNS, GROUPS, SHORT_NAMES):
        assert set(table) == set(CODES)
    assert len(set(COLORS.values())) == len(set(SHORT_NAMES.values())) == len(CODES)


def test_malignancy_is_told_by_pattern_and_words_too():
    for d in DIAGNOSES:
        assert bool(PATTERNS[d.code]) == d.malignant
        assert ("malignant" in GROUPS[d.code]) == d.malignant


def test_differential_is_sorted_and_fully_named():
    figure = differential_chart(PROBABILITIES)
    bars = figure.data[0]
    assert list(bars.x) == sorted(PROBABILITIES.values()), "the last bar is the top one"
    assert [row[0] for row in bars.customdata][-1] == NAMES["nv"]
    assert all(name in texts(figure) for name in NAMES.values())
    assert list(bars.marker.pattern.shape)[-2] == PATTERNS["mel"] != ""
    assert "<b>36 %</b>" in texts(figure)


def test_small_probabilities_are_escaped():
    figure = differential_chart({**dict.fromkeys(CODES, 0.001), "nv": 0.994})
    assert "&lt;1 %" in texts(figure) and "<1 %" not in texts(figure)


def test_description_names_all_in_order():
    text = describe_differential(PROBABILITIES)
    assert text.index("Melanocytic nevus (benign) 36 %") < text.index("Melanoma (malignant) 30 %")
    assert all(name in text for name in NAMES.values())


def test_agreement_has_a_row_for_each_model_and_malignancy_last():
    rows = {"A": PROBABILITIES, "B": dict(reversed(PROBABILITIES.items()))}
    heat = agreement_chart(rows, {"A": 0.45, "B": 0.46}).data[0]
    assert [row[-1] for row in heat.z] == [0.46, 0.45], "the first model is on top"
    assert list(heat.z[1][:-1]) == [PROBABILITIES[c] for c in CODES]


@pytest.mark.parametrize("score", [SCORE, Estimate(0.6), Estimate(0.6, None, None)])
def test_scores_with_and_without_interval(score):
    whiskers = scores_chart({"A": score, "B": SCORE}, "score").data[0].error_x
    assert whiskers.array[0] == pytest.approx(0.05)
    assert whiskers.array[1] == pytest.approx(0.05 if score is SCORE else 0)


def test_per_class_leaves_absent_classes_out():
    chart = per_class_chart({"mel": {"sensitivity": SCORE}, "nv": {"sensitivity": Estimate(None)}, "df": {}})
    assert list(chart.data[0].y) == ["Melanoma"]


def test_history_marks_the_thaw():
    history = [{"epoch": float(e), "phase": p, "val_accuracy": 0.5} for e, p in ((1, "frozen"), (2, "fine-tune"))]
    figure = history_chart(history)
    assert list(figure.data[1].y) == [0.5, 0.5] and list(figure.data[0].y) == [None, None]
    assert figure.layout.shapes[0].x0 == 1.5
    assert not history_chart(history[:1]).layout.shapes


def test_charts_print_shares_as_pages_do():
    from pathlib import Path

    import core.webapp

    # Plotly's own per cent has no space before the sign, and says 0 % and 100 % where pages say <1 % and >99 %.
    for path in Path(core.webapp.__file__).parent.rglob("*.py"):
        assert ".0%" not in path.read_text(encoding="utf-8"), path
