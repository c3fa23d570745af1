"""The reading page as a second reader: the set, abstention, facts, threshold, jury, refusal, replay and report."""

import io
import shutil
import zipfile

import pytest
from driving import picture_bytes, upload, words
from made_up import bind_all, made_up_table, write_made_up

from core.card import read_card
from core.data.drawn import draw_lesion
from core.diagnoses import CODES
from core.estimates import CountedEstimate
from core.estimates.in_files import to_text
from core.webapp.shared.operating_point import PARAMETER

SECTIONS = (
    "Similar known cases",
    "How far to trust it: the 90 % set, the jury",
    "What if the facts were others",
    "Your threshold for melanoma",
    "Keep the case: report, and a bundle to replay",
)


def thresholds(value: float) -> dict:
    return {c: {"probability": value, "photos": 20, "lesions": 15, "with": []} for c in CODES}


def share(value: float) -> dict:
    return CountedEstimate(value, value - 0.01, value + 0.01, 200, 150)


def set_record(sha256: str, threshold: float) -> dict:
    scored = {"coverage": share(0.9), "size": share(1.6), "abstains": share(0.02), "coverage_by_photo": share(0.88)}
    return {
        "probabilities_sha256": sha256,
        "level": 0.9,
        "counted_by": "lesion",
        "thresholds": thresholds(threshold),
        "test": {
            **scored,
            "per_class": dict.fromkeys(CODES, scored),
            "groups": {"Sex": {"female": scored}},
            "by_size": {str(n): {"wrong": share(0.1 * n), "coverage": share(0.9)} for n in range(1, 8)},
            "unusual": share(0.7),
            "abstained": share(0.6),
            "answered": share(0.2),
        },
    }


@pytest.fixture
def measured(tmp_path, two_models):
    """The shelf of two networks with evaluations, and a function that writes a set with one threshold for both."""
    root = shutil.copytree(two_models, tmp_path / "shelf")
    shas = {}
    for seed, name in enumerate(("Drawn", "Other")):
        shas[name] = read_card(root / name).probabilities_sha256
        write_made_up(root / name, made_up_table(seed=seed), shas[name], name)
        facts = {
            "probabilities_sha256": shas[name],
            "training_facts": [[40, "female", "back", 40], [70, "male", "face", 60]],
            "test": {
                k: share(0.5) for k in ("flips", "right", "right_withheld", "flipped_right", "flipped_right_withheld")
            },
        }
        (root / name / "facts.json").write_text(to_text(facts))
        bind_all(root / name)

    def write_set(threshold: float):
        for name, sha in shas.items():
            (root / name / "set.json").write_text(to_text(set_record(sha, threshold)))
            bind_all(root / name)
        return root

    return write_set


def section(app, label: str):
    """Opens a section, as a click would."""
    app.session_state[f"section {label}"] = True
    return app.run()


def test_nothing_is_drawn_in_a_closed_section(open_app):
    app = upload(open_app(), picture_bytes())
    labels = [e.label for e in app.expander]
    assert [label for label in labels if label in SECTIONS] == list(SECTIONS)
    assert len(app.get("plotly_chart")) == 1, "the differential alone"
    assert not app.exception


def test_the_set_stands_with_the_answer_and_its_measure(open_app, measured):
    app = upload(open_app(root=measured(0.25)), picture_bytes())
    assert not app.exception and "90 % set: " in words(app)
    assert (
        "The true diagnosis was in such a set for 90 % (89 to 91 %) of held-out lesions, by photo 88 % (87 to 89 %)"
        in words(app)
    )
    assert "would matter" in words(app) or "unknown. Over training patients" in words(app)


@pytest.mark.parametrize("threshold, said", [(0.0, "7 of the 7 diagnoses"), (0.999, "No diagnosis is as probable")])
def test_not_knowing_is_an_answer(open_app, measured, threshold, said):
    app = upload(open_app(root=measured(threshold)), picture_bytes())
    assert app.subheader[0].value == "The network does not know" and said in words(app)
    assert "Likeliest all the same" in words(app) and not app.exception


def test_every_section_opens_and_tells_its_measure(open_app, measured):
    app = upload(open_app(root=measured(0.2)), picture_bytes())
    app.number_input(key="age").set_value(60).run()
    for label in SECTIONS:
        section(app, label)
        assert not app.exception and not app.error, label
    said = words(app)
    assert "The jury: all networks" in said and "in bits" not in said
    assert "facts change the likeliest diagnosis in 50 %" in said and "Facts withheld" in said
    assert "the network orders nothing" in said.lower()
    assert "From costs to a threshold" in said
    assert {"download html", "download pdf", "download case"} <= {b.key for b in app.download_button}


def test_sections_without_measures_say_how_to_measure(open_app):
    app = upload(open_app(), picture_bytes())
    for label in SECTIONS:
        section(app, label)
    assert not app.exception and "python -m core measure" in words(app).replace("\\", "")


def test_the_threshold_comes_from_the_address_and_bad_ones_are_ignored(open_app):
    for address, said in (
        ("0.01", "at or above your threshold"),
        ("0.99", "below your threshold"),
        ("x", ""),
        ("7", ""),
    ):
        app = open_app()
        app.query_params[PARAMETER] = address
        app.run()
        app = upload(app, picture_bytes())
        assert not app.exception
        assert said in words(app) if said else "your threshold" not in words(app)


def test_the_cost_ratio_becomes_the_readers_threshold(open_app, measured):
    app = section(upload(open_app(root=measured(0.2)), picture_bytes()), "Your threshold for melanoma")
    app.number_input(key="cost ratio").set_value(99).run()
    next(b for b in app.button if "1.0 %" in b.label).click().run()
    assert not app.exception and "at or above your threshold of 1.0 %: by your own rule" in words(app)


def test_a_case_bundle_replays_on_the_page(open_app, two_models):
    from core.bundle import load_bundle
    from core.data.patient import Facts
    from core.reading import read_lesion
    from core.trust.replay import write_case

    photo = draw_lesion("mel", (90, 90))[0]
    case = write_case(photo, read_lesion(load_bundle(two_models / "Drawn"), photo, Facts(30), explain=False))
    app = open_app()
    app.session_state["replay section"] = True
    app.run()
    place = next(u for u in app.file_uploader if u.key == "replay file")
    place.set_value(("case.zip", case, "application/zip")).run()
    assert not app.exception and "Replayed" in app.success[0].value
    broken = io.BytesIO()
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("../evil", b"x")
    next(u for u in app.file_uploader if u.key == "replay file").set_value(
        ("c.zip", broken.getvalue(), "application/zip")
    ).run()
    assert not app.exception and "Expected a case bundle" in app.error[0].value

    next(u for u in app.file_uploader if u.key == "replay file").set_value(("case.zip", case, "application/zip")).run()
    app.button(key="open replayed").click().run()
    assert not app.exception and "The saved case's photo" in words(app) and app.number_input(key="age").value == 30


@pytest.mark.parametrize("verdict", ["ok", "warn", "refuse"])
def test_a_refused_photo_gets_no_diagnosis_until_the_reader_goes_on(open_app, monkeypatch, verdict):
    from core.trust.signals import opinion
    from core.trust.signals.gate import Gate

    reasons = () if verdict == "ok" else ("This looks like a *cat*.",)
    monkeypatch.setattr(opinion, "form_gate", lambda signals, encoded: Gate(verdict, reasons, 9.0))
    app = upload(open_app(), picture_bytes("bcc", size=(100 + len(verdict), 90)))
    if verdict != "refuse":
        assert not app.exception and app.get("plotly_chart") and bool(app.warning) == (verdict == "warn")
        return
    assert "No diagnosis for this photo" in app.error[0].value and r"\*cat\*" in app.error[0].value
    assert not app.get("plotly_chart") and "Likeliest diagnosis" not in words(app)
    next(box for box in app.checkbox if box.label == "Read it anyway").check().run()
    assert not app.exception and app.get("plotly_chart") and "Likeliest diagnosis" in words(app)


def test_the_drawn_example_goes_on_though_the_gate_refuses_drawings(open_app, monkeypatch):
    from core.trust.signals import opinion
    from core.trust.signals.gate import Gate

    monkeypatch.setattr(opinion, "form_gate", lambda signals, encoded: Gate("refuse", ("A drawing.",), 9.0))
    app = open_app()
    app.segmented_control(key="source").set_value("Drawn example").run()
    assert not app.exception and app.get("plotly_chart") and "goes on all the same" in words(app)


def test_a_damaged_gate_or_set_is_told_beside_the_answer(open_app, measured):
    root = measured(0.25)
    for name in ("Drawn", "Other"):
        (root / name / "set.json").write_text("{")
    app = upload(open_app(root=root), picture_bytes())
    assert not app.exception and "90 % set: " not in words(app) and app.get("plotly_chart")
    assert any("Damaged" in w.value and "core measure" in w.value for w in app.warning)
    for name in ("Drawn", "Other"):
        (root / name / "gate.json").write_text('{"half": ')
    app = app.run()
    assert not app.exception and any("No diagnosis for this photo" in e.value for e in app.error)
    assert not app.get("plotly_chart"), "no answer without the reader's word"
    next(box for box in app.checkbox if box.label == "Read it anyway").check().run()
    assert not app.exception and app.get("plotly_chart")
