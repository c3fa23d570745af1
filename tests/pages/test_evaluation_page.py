"""The evaluation page on the files that `evaluate` writes, without photos."""

import io
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from driving import words
from made_up import write_made_up_model
from pypdf import PdfReader
from streamlit.testing.v1 import AppTest

from core.card import CARD_FILE, read_card
from core.diagnoses import CODES, NAMES
from core.evaluation.results import read_results
from core.wording import interval

HOME = Path(__file__).resolve().parents[2] / "app.py"
PAGE = "pages/evaluation.py"


@pytest.fixture(scope="module")
def evaluated_root(tmp_path_factory):
    """Two networks with evaluations of the same made-up photos, and one without."""
    root = tmp_path_factory.mktemp("evaluated")
    write_made_up_model(root, "Drawn")
    write_made_up_model(root, "Other", seed=1, skill=1.5)
    (write_made_up_model(root, "Unmeasured") / "evaluation.json").unlink()
    return root


@pytest.fixture
def open_page(monkeypatch):
    """A function that opens the page on a weights folder; it needs no network."""

    def open_page(root, **query):
        monkeypatch.setenv("MELASCOPE_WEIGHTS", str(root))
        app = AppTest.from_file(str(HOME), default_timeout=300)
        app.switch_page(PAGE)
        app.query_params.update(query)
        return app.run()

    return open_page


def choose(app, section):
    app = app.segmented_control(key="section").set_value(section).run()
    assert not app.exception, app.exception
    return app


def table(app, column):
    return next(d.value for d in app.dataframe if column in d.value.columns)


def test_every_section_draws_for_two_models(open_page, evaluated_root):
    app = open_page(evaluated_root)
    assert not app.exception and app.title[0].value == "Evaluation"
    assert "Unmeasured has no usable evaluation" in words(app) and "python -m core evaluate Unmeasured" in words(app)
    results = read_results(evaluated_root / "Drawn", read_card(evaluated_root / "Drawn"))
    evaluation = results.evaluation
    opened = words(app)
    assert "**Balanced accuracy**" in opened
    assert ("**Melanomas found at the operating point**" in opened) == bool(evaluation.operating_point)
    assert f">{interval(evaluation.metrics['balanced_accuracy']).split()[0]}<" in opened
    helped = [element.proto.help for element in app.markdown if element.value == "**Calibration error**"]
    assert helped == ["How far probabilities and observed shares lie apart, on average over bins of photos; 0 is best."]
    summary = table(app, "Score").set_index("Score")["Drawn"]
    assert summary["Balanced accuracy (mean sensitivity)"] == interval(evaluation.metrics["balanced_accuracy"])
    eq13 = "One-vs-rest balanced accuracy (paper, Eq. 13)"
    assert summary[eq13] == interval(evaluation.metrics["one_vs_rest_balanced_accuracy"])
    rows = table(app, "One photo is").set_index("Diagnosis")
    photos = evaluation.per_class["df"]["photos"]
    assert rows.loc[NAMES["df"], "One photo is"] == f"{100 / photos:.1f} points"
    assert rows.loc[NAMES["mel"], "Sensitivity"] == interval(
        evaluation.under("likeliest").per_class["mel"]["sensitivity"]
    )

    app = choose(app, "Confusion")
    matrix = table(app, "Nevus").set_index("True")
    assert matrix.to_numpy().tolist() == evaluation.under("likeliest").confusion
    for code in ("any", "nv"):
        app.selectbox(key="true").select(code).run()
        app.selectbox(key="predicted").select("any").run()
        count = len(results.table) if code == "any" else (results.table.dx == "nv").sum()
        assert len(table(app, "Photo")) == count

    app = choose(app, "Curves")
    assert not app.exception and len(app.get("plotly_chart")) == 2
    app.selectbox(key="diagnosis").select("all").run()
    assert not app.exception and len(app.get("plotly_chart")) == 2

    app = choose(app, "Calibration")
    assert table(app, "Share right").query("Model == 'Drawn'")["Photos"].sum() == evaluation.photos

    app = choose(app, "Subgroups")
    for group in ("Sex", "Source", "Body site", "How it was confirmed"):
        app.selectbox(key="group").select(group).run()
        assert not app.exception and table(app, "Caution")["Photos"].sum() == evaluation.photos

    app = choose(app, "Compare two")
    assert "McNemar" in words(app)
    differences = table(app, "A minus B, 95 %")
    assert {"Drawn", "Other"} < set(differences.columns)

    app = choose(app, "Report")
    labels = [b.proto.label for b in app.get("download_button")]
    assert any("Report of Drawn (HTML" in label for label in labels) and any(
        "Report of Drawn (PDF" in label for label in labels
    )


def test_one_model_has_nothing_to_be_compared_with(open_page, evaluated_root):
    app = open_page(evaluated_root)
    app.multiselect(key="models").set_value(["Drawn"]).run()
    assert "Choose two models" in words(choose(app, "Compare two"))
    app.multiselect(key="models").set_value([]).run()
    assert not app.exception and "at least one model" in words(app)


def change_prediction_columns(folder):
    path = folder / "predictions.csv"
    frame = pd.read_csv(path)
    frame[["image_id", "dx", *CODES[::-1]]].to_csv(path, index=False)


def change_weights(folder):
    path = folder / CARD_FILE
    card = json.loads(path.read_text())
    card["weights"]["sha256"] = "0" * 64
    path.write_text(json.dumps(card))


@pytest.mark.parametrize(
    "damage, said",
    [
        (change_prediction_columns, "its checksum is another"),
        (change_weights, "is stale"),
        (lambda folder: (folder / "cases.csv").unlink(), "cases.csv is missing"),
    ],
)
def test_files_that_do_not_fit_harm_no_other_model(open_page, evaluated_root, tmp_path, damage, said):
    root = shutil.copytree(evaluated_root, tmp_path / "shelf")
    damage(root / "Other")
    app = open_page(root)
    assert not app.exception and said in words(app) and "core evaluate Other" in words(app)
    assert app.multiselect(key="models").options == ["Drawn"]


def test_no_models(open_page, tmp_path):
    app = open_page(tmp_path)
    assert not app.exception and app.warning


def test_both_reports_say_every_number_alike_and_need_nothing_else(evaluated_root):
    from core.webapp.evaluation.report import evaluation_parts, report_title
    from core.webapp.reports.html import report_html
    from core.webapp.reports.parts import Drawing, Rows, said
    from core.webapp.reports.pdf import report_pdf
    from core.webapp.shared.evaluations import read_evaluated
    from core.webapp.shared.shelf import read_shelf

    found, lacking = read_evaluated(read_shelf(evaluated_root))
    assert list(found) == ["Drawn", "Other"] and list(lacking) == ["Unmeasured"]
    parts, title = evaluation_parts(found["Drawn"]), report_title(found["Drawn"])
    html, pdf = report_html(title, parts), report_pdf(title, parts)
    assert 'src="http' not in html and "<link" not in html and "<script" not in html
    assert html.count("data:image/svg+xml") == sum(isinstance(part, Drawing) for part in parts) == 6
    printed = "".join(PdfReader(io.BytesIO(pdf)).pages[k].extract_text() for k in range(3)).split()
    rows = next(part for part in parts if isinstance(part, Rows)).rows
    assert interval(found["Drawn"].results.evaluation.metrics["balanced_accuracy"]) in rows[0].values()
    for row in rows:
        number = said(row["Drawn"])
        assert number in html
        assert all(word in printed for word in number.split()), number


def test_the_link_carries_models_section_and_cell(open_page, evaluated_root):
    app = open_page(evaluated_root, section="Confusion", models="Other", true="Benign keratosis", predicted="any")
    assert not app.exception and app.selectbox(key="true").value == "bkl"
    assert app.multiselect(key="models").value == ["Other"]
    assert set(table(app, "Photo")["True"]) == {"bkl"}


def test_a_cell_shows_its_photos_where_they_are_at_hand(open_page, evaluated_root, drawn_folder, tmp_path, monkeypatch):
    import shutil

    root = shutil.copytree(evaluated_root, tmp_path / "shelf")
    monkeypatch.setenv("HAM10000_DIR", str(drawn_folder))
    app = open_page(root, section="Confusion", models="Drawn", true="Any", predicted="Any")
    assert not app.exception and "Photos: 75 found" in str([e.label for e in app.expander])
    assert app.number_input(key="cases page").max > 1
    # The made-up photos are not in the folder: each gets a sentence, not a crash.
    assert "missing or cannot be read" in words(app)
