"""The page on what the maps mean, and the verdict beside a map, from files alone."""

from pathlib import Path

import pytest
from driving import words
from made_up import write_made_up_model
from made_up_maps import write_made_up_maps
from streamlit.testing.v1 import AppTest

from core.card import read_card
from core.explain import EXPLAINERS
from core.trust.measures.map_summary import CHECKS
from core.webapp.shared.map_verdict import verdict_line
from core.wording import interval

HOME = Path(__file__).resolve().parents[2] / "app.py"
PAGE = "pages/maps.py"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A model whose maps pass, one whose maps fail, and one that was not measured."""
    root = tmp_path_factory.mktemp("maps")
    write_made_up_maps(write_made_up_model(root, "Good"))
    write_made_up_maps(write_made_up_model(root, "Poor", seed=1), good=False)
    write_made_up_model(root, "Unmeasured", seed=2)
    return root


@pytest.fixture
def open_page(monkeypatch):
    def open_page(root, **query):
        monkeypatch.setenv("MELASCOPE_WEIGHTS", str(root))
        app = AppTest.from_file(str(HOME), default_timeout=300)
        app.switch_page(PAGE)
        app.query_params.update(query)
        return app.run()

    return open_page


def table(app, column):
    return next(d.value for d in app.dataframe if column in d.value.columns)


def test_every_figure_draws_and_says_how_to_read_it(open_page, root):
    app = open_page(root, model="Good")
    assert not app.exception and app.title[0].value == "Do the maps mean anything?"
    said = words(app)
    assert "Unmeasured" in said and "core measure Unmeasured --data" in said
    verdicts = table(app, "Verdict")
    assert set(verdicts[verdicts.Model == "Good"].Verdict) == {"passes"}
    assert set(verdicts[verdicts.Model == "Poor"].Verdict) == {"fails"}
    assert set(verdicts.Map) == {e.title for e in EXPLAINERS.values()}
    assert len(app.get("plotly_chart")) == 5, "inside, deletion, insertion, weights, agreement"
    for check in CHECKS.values():
        assert check in said
    app.selectbox(key="model").select("Poor").run()
    assert not app.exception and "Grad-CAM fails" in words(app)


def test_numbers_are_those_of_the_file(open_page, root):
    from core.trust.measure_table import read_measure

    record = read_measure("maps", root / "Good", read_card(root / "Good"))
    app = open_page(root, model="Good")
    inside = table(app, "Strongest cell in the lesion").set_index("Map")
    assert inside.loc["Grad-CAM", "Inside the lesion"] == interval(record["methods"]["grad-cam"]["inside"])
    errors = table(app, "Wrong answers")
    assert errors["Wrong answers"].tolist() == [interval(row["errors"]) for row in record["agreement"]["quartiles"]]


def test_without_masks_or_files_the_page_stays_whole(open_page, tmp_path):
    write_made_up_maps(write_made_up_model(tmp_path, "Bare"), masks=False)
    app = open_page(tmp_path)
    assert not app.exception and "no lesion masks" in words(app)
    (tmp_path / "Bare" / "maps.json").write_text("{")
    app = open_page(tmp_path)
    assert not app.exception and "core measure Bare" in words(app)


def test_one_calm_line():
    good = {"passes": True, "passed": 2, "made": 2}
    poor = {"passes": False, "passed": 1, "made": 2}
    checks = {"lesion": {"passes": True, "said": ""}, "weights": {"passes": False, "said": ""}}
    record = {
        "methods": {"grad-cam": {"verdict": good, "checks": {}}, "grad-cam++": {"verdict": poor, "checks": checks}}
    }
    assert verdict_line(record, ["soft-attention", "grad-cam", "grad-cam++"]) == (
        "Soft attention: this network has none. Grad-CAM passes all 2 checks. "
        "Grad-CAM++ passes 1 of 2 checks; against it: a network that learnt nothing gives much the same map."
    )
