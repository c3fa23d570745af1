import json
import shutil

from driving import words

from core.card import CARD_FILE, read_card
from core.diagnoses import CODES
from core.estimates import Estimate
from core.estimates.in_files import to_text
from core.webapp.shared.frame import NOTICE

PAGE = "pages/models.py"
SCORE = Estimate(0.66, 0.62, 0.7)


def change_card(folder, **changes):
    path = folder / CARD_FILE
    path.write_text(to_text({**json.loads(path.read_text()), **changes}))


def trained(root, source, name, **changes):
    """A folder that looks as after training and evaluation."""
    folder = shutil.copytree(source, root / name)
    changes = {
        "scores": {
            "test": {
                "photos": 2000,
                "lesions": 1500,
                "confidence": "95 %",
                "balanced_accuracy": SCORE,
                "accuracy": SCORE,
            },
            "validation": {"photos": 1000, "balanced_accuracy": Estimate(0.64)},
        },
        "speed": {"forward_ms": 23.4, "device": "a CPU with 2 cores"},
        **changes,
    }
    change_card(folder, name=name, **changes)
    (folder / "history.csv").write_text(
        "epoch,phase,val_accuracy,val_balanced_accuracy\n1,frozen,.7,.5\n2,fine-tune,.8,.6\n"
    )
    per_class = {code: {"photos": 9, "lesions": 8} for code in CODES}
    ruled = {"metrics": {}, "per_class": {code: {"sensitivity": SCORE} for code in CODES}, "confusion": []}
    evaluation = {
        "format": 3,
        "model": name,
        "weights_sha256": read_card(folder).weights["sha256"],
        "probabilities_sha256": read_card(folder).probabilities_sha256,
        "calibration": {},
        "photos": 2000,
        "lesions": 1500,
        "balanced_accuracy": SCORE,
        "per_class": per_class,
        "terms": {},
        "decisions": {"likeliest": ruled, "balanced": ruled},
        "split": {"part": "test"},
        "data": {},
        "confidence": "95 %",
        "warnings": ["Mind this."],
    }
    (folder / "evaluation.json").write_text(to_text(evaluation))
    return folder


def test_cards_are_drawn_without_a_network(open_app):
    app = open_app(PAGE)
    assert not app.exception and app.title[0].value == "Models"
    assert NOTICE in words(app) and "Random weights, for tests only." in words(app)
    assert overview(app).index("Drawn") < overview(app).index("Other")
    app.selectbox(key="card").select("Other").run()
    assert not app.exception and app.header[0].value == "Other"
    assert read_card(app_folder(app, "Other")).weights["sha256"] in [c.value for c in app.code]


def overview(app) -> str:
    """The table of all models."""
    return next(element.proto.body for element in app.get("html") if "class='wrapped'" in element.proto.body)


def app_folder(app, name):
    from core.folders import weights_root

    return weights_root() / name


def test_a_trained_model_shows_scores_with_intervals_history_and_warnings(open_app, tmp_path, drawn_bundle_folder):
    trained(tmp_path, drawn_bundle_folder, "Trained")
    app = open_app(PAGE, tmp_path)
    assert not app.exception
    assert "**Balanced accuracy**" in words(app) and ">0.660<" in words(app)
    assert "95 %: 0.620 to 0.700" in words(app) and "2000 held-out photos" in words(app)
    alts = [chart.proto.alt for chart in app.get("plotly_chart")]
    assert any("2 epochs" in alt for alt in alts) and any("Sensitivity by diagnosis" in alt for alt in alts)
    assert "Mind this." in [w.value for w in app.warning]


def test_an_evaluation_of_other_weights_is_not_shown(open_app, tmp_path, drawn_bundle_folder):
    folder = trained(tmp_path, drawn_bundle_folder, "Trained")
    path = folder / "evaluation.json"
    path.write_text(to_text({**json.loads(path.read_text()), "probabilities_sha256": "0" * 64}))
    app = open_app(PAGE, tmp_path)
    assert not app.exception and "By diagnosis" not in words(app)


def test_a_leaky_split_is_called_so(open_app, tmp_path, drawn_bundle_folder):
    split = {"kind": "paper", "leaky": True, "seed": 0, "hash": "ab" * 32}
    trained(tmp_path, drawn_bundle_folder, "Replica", split=split)
    app = open_app(PAGE, tmp_path)
    assert not app.exception and "paper (LEAKY)" in overview(app)
    assert any("Leaky split" in e.value for e in app.error) and split["hash"] in [c.value for c in app.code]


def test_broken_folders_are_listed(open_app, tmp_path):
    (tmp_path / "Broken").mkdir()
    (tmp_path / "Broken" / CARD_FILE).write_text("{")
    app = open_app(PAGE, tmp_path)
    assert not app.exception and "cannot be read as JSON" in app.expander[0].markdown[0].value
    assert "no usable model" in app.warning[0].value
