"""The paper's page: every table and figure draws, with and without models of our own."""

import json
from pathlib import Path

import pytest
from driving import words
from made_up import write_made_up_model
from streamlit.testing.v1 import AppTest

from core.card import read_card
from core.evaluation.results import read_results
from core.studies import experiments
from core.studies.paper import FOOTNOTES, TABLES
from core.webapp.paper.view import FIGURES, ITEMS, OWN_ITEMS
from core.wording import interval

HOME = Path(__file__).resolve().parents[2] / "app.py"
PAGE = "pages/paper.py"


@pytest.fixture
def open_page(monkeypatch):
    """A function that opens the page on a weights folder; it needs no network."""

    def open_page(root):
        monkeypatch.setenv("MELASCOPE_WEIGHTS", str(root))
        app = AppTest.from_file(str(HOME), default_timeout=300)
        app.switch_page(PAGE)
        return app.run()

    return open_page


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A MobileNetV2 with a test evaluation."""
    return write_made_up_model(tmp_path_factory.mktemp("paper"), "Other", backbone="MobileNetV2").parent


def walk(app):
    """Draws each item; what the page says with it."""
    for item in ITEMS:
        app.selectbox(key="item").select(item).run()
        assert not app.exception, (item, app.exception)
        assert app.subheader[0].value.startswith(item)
        yield item, words(app)


def test_every_item_draws_beside_our_own(open_page, root):
    app = open_page(root)
    evaluation = read_results(root / "Other", read_card(root / "Other")).evaluation
    assert "By photo or by lesion" in words(app) and "Experiment" in words(app)
    for item, said in walk(app):
        assert item in OWN_ITEMS or len(app.dataframe) or len(app.get("plotly_chart")), item
        if item in TABLES:
            shown = app.dataframe[-1].value if item != "Table 8" else app.dataframe[0].value
            assert not any("_" in str(name) for name in shown.columns), "words, not keys"
            assert not shown.isin([None, "None", "nan"]).any().any(), "what is not reported is left empty"
            for note in TABLES[item].footnotes:
                assert said.count(f"**{note}**") == 2, "beside the table, and in the full list"
        if item == "Table 5":
            rows = app.dataframe[0].value.set_index(["Backbone", "Arm"])["Melascope (95 %)"]
            assert rows["MobileNetV2", "MD"] == interval(evaluation.under("likeliest").metrics["accuracy"])
            assert rows["MobileNetV2", "AD"] == "" and rows["DenseNet201", "MD"] == "no run yet"
        if item == "Table A5":
            rows = app.dataframe[0].value.set_index(["Backbone", "Score"])["Melascope (95 %)"]
            eq13 = interval(evaluation.under("likeliest").metrics["one_vs_rest_balanced_accuracy"])
            assert rows["MobileNetV2", "Balanced accuracy (Eq. 13)"] == eq13
            assert rows["MobileNetV2", "Sensitivity, macro"] == interval(
                evaluation.under("likeliest").metrics["balanced_accuracy"]
            )
        if item == "Figure 10":
            assert "31 of 111" in said and "16 of 666" in said
        if item in FIGURES and item not in ("Figure 9", "Figure 17"):
            assert any(f"**{note}**" in said for note in FOOTNOTES)


def test_without_a_model_the_paper_stands_alone(open_page, tmp_path):
    app = open_page(tmp_path)
    seen = [item for item, _ in walk(app)]
    assert seen == list(ITEMS)


def entry(name, unit, value, **more):
    numbers = {"value": value, "low": value - 0.01, "high": value + 0.01, "seed_low": value, "seed_high": value}
    return {
        "name": name,
        "metric": "accuracy",
        "backbone": "B",
        **numbers,
        "n_photos": 9,
        "n_lesions": 8,
        "seeds": 3,
        "unit": unit,
        **more,
    }


def test_an_experiment_is_shown_with_its_intervals(open_page, root, tmp_path, monkeypatch):
    question = {"factor": "attention", "level": "paper", "against": "uniform"}
    entries = [entry("", "difference", 0.02, **question), entry("cell", "score", 0.7), entry("x", "difference", 0.001)]
    (tmp_path / "factorial.json").write_text(json.dumps({"comparisons": entries, "about": "About.", "command": "run"}))
    monkeypatch.setattr(experiments.read_experiment, "__defaults__", (tmp_path,))
    app = open_page(root)
    app.selectbox(key="item").select(next(item for item, name in OWN_ITEMS.items() if name == "factorial")).run()
    assert not app.exception and len(app.get("plotly_chart")) == 1
    rows = app.dataframe[0].value.set_index("What")
    asked = rows.loc["The paper's attention against a constant map"]
    assert asked["Points (95 %)"] == "+2.0 (+1.0 to +3.0)" and asked["Verdict"] == "better"
    assert rows.loc["X", "Verdict"] == "not shown"
    assert asked["Network"] == "B"
    many = [entry(f"{k}", "difference", 0.02, backbone=network) for network in "BC" for k in range(20)]
    (tmp_path / "factorial.json").write_text(json.dumps({"comparisons": many}))
    app.run()
    assert not app.exception and len(app.dataframe[0].value) == 20 and len(app.get("plotly_chart")) == 1
    app.segmented_control(key="network").set_value("C").run()
    assert not app.exception and set(app.dataframe[0].value.Network) == {"C"}
    (tmp_path / "factorial.json").write_text("{}")
    app.run()
    assert not app.exception and "has no comparisons" in words(app) and "python -m experiments.factorial" in words(app)
