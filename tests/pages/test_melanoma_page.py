"""The melanoma page on made-up evaluations, a made-up table of lesions and measures; no network but where one is asked for."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from driving import words
from made_up import bind_all, made_up_table, write_made_up, write_made_up_model
from streamlit.testing.v1 import AppTest

from core.card import read_card
from core.data.colour import SETTINGS
from core.data.lesion_region import COLUMNS
from core.estimates.in_files import from_text, to_text
from core.evaluation.melanoma import Duel
from core.evaluation.results import read_results
from core.trust.measures.colour import UNCHANGED, colour_verdict, compare_settings
from core.trust.measures.pairs import find_neighbours
from core.webapp.shared.words import plain
from core.wording import rate

HOME = Path(__file__).resolve().parents[2] / "app.py"
PAGE = "pages/melanoma_nevus.py"
OPERATING = 0.25


def write_measures(folder: Path) -> None:
    """similar.* and colour.* of a made-up model, of the melanomas and nevi of its made-up table."""
    table = made_up_table()
    pair = table[table.dx.isin(["mel", "nv"])].reset_index(drop=True)
    sha256, rng = read_card(folder).weights["sha256"], np.random.default_rng(0)
    lesions, melanoma = pair.lesion_id.to_numpy("U"), (pair.dx == "mel").to_numpy()
    neighbours, cosines = find_neighbours(rng.normal(size=(len(pair), 8)), melanoma, lesions)
    np.savez(
        folder / "similar.npz",
        image_id=pair.image_id.to_numpy("U"),
        lesion_id=lesions,
        melanoma=melanoma,
        neighbours=neighbours,
        cosines=cosines,
    )
    digest = hashlib.sha256((folder / "similar.npz").read_bytes()).hexdigest()
    record = {"weights_sha256": sha256, "neighbours_sha256": digest, "feature": "made up"}
    (folder / "similar.json").write_text(json.dumps(record))
    photos = pair[["image_id", "lesion_id", "dx"]].copy()
    for name in (UNCHANGED, *SETTINGS):
        noise = rng.normal(0, 0.05, len(pair))
        photos[f"mel.{name}"], photos[f"nv.{name}"] = np.clip(pair.mel + noise, 0, 1), np.clip(pair.nv - noise, 0, 1)
    record = {
        "probabilities_sha256": read_card(folder).probabilities_sha256,
        "threshold": OPERATING,
        "photos": len(pair),
        "melanomas": int((pair.dx == "mel").sum()),
    }
    (folder / "colour.json").write_text(to_text(record | compare_settings(photos, OPERATING, resamples=50)))
    bind_all(folder)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Two networks with operating points, the first with measures; a table of lesions."""
    root = tmp_path_factory.mktemp("melanoma")
    for name, seed, skill in (("Drawn", 0, 2.0), ("Other", 1, 1.5)):
        folder = write_made_up_model(root, name, seed=seed, skill=skill)
        record = json.loads((folder / "evaluation.json").read_text())
        (folder / "evaluation.json").write_text(json.dumps(record | {"operating_point": {"threshold": OPERATING}}))
        bind_all(folder)
        sha256 = read_card(folder).probabilities_sha256
        write_made_up(folder / "validation", made_up_table(seed=seed + 5, skill=skill), sha256)
    write_measures(root / "Drawn")
    ids, rng = made_up_table().image_id, np.random.default_rng(3)
    looks = pd.DataFrame({c: rng.uniform(10, 70, len(ids)) for c in COLUMNS[1:]})
    looks["black"], looks["blue"], looks["area"] = rng.random(len(ids)) * 0.3, 0.0, 0.2
    looks.insert(0, "image_id", ids)
    looks.to_csv(root / "lesions.csv", index=False)
    return root


@pytest.fixture
def open_page(monkeypatch):
    monkeypatch.delenv("HAM10000_DIR", raising=False)

    def open_page(root, **query):
        monkeypatch.setenv("MELASCOPE_WEIGHTS", str(root))
        app = AppTest.from_file(str(HOME), default_timeout=300)
        app.switch_page(PAGE)
        app.query_params.update(query)
        return app.run()

    return open_page


def html(app):
    return "\n".join(element.proto.body for element in app.get("html"))


def show(app, view):
    app = app.segmented_control(key="view").set_value(view).run()
    assert not app.exception, [e.value for e in app.exception]
    return app


def test_the_two_by_two_follows_the_threshold_and_the_prevalence(open_page, root):
    app = open_page(root)
    assert not app.exception and app.title[0].value == "Melanoma versus nevus"
    assert app.slider(key="threshold").value == pytest.approx(OPERATING) and "*validation* photos" in words(app)
    duel = Duel(read_results(root / "Drawn", read_card(root / "Drawn")))
    for threshold in (OPERATING, 0.6):
        if threshold != OPERATING:
            app.slider(key="threshold").set_value(threshold).run()
        found, numbers = duel.at(threshold), app.dataframe[0].value.set_index("Number")["Value"]
        assert f">{found.missed}</div>" in html(app) and f">{found.alarms}</div>" in html(app)
        assert numbers["Sensitivity"] == rate(found.sensitivity)
        assert numbers["PPV"] == rate(duel.predictive(threshold, 0.05).ppv)
    app.select_slider(key="prevalence").set_value(0.001).run()
    assert app.dataframe[0].value.set_index("Number")["Value"]["PPV"] == rate(duel.predictive(0.6, 0.001).ppv)
    assert len(app.get("plotly_chart")) == 3
    next(b for b in app.button if b.label == "Operating point, 25.0 %").click().run()
    assert app.slider(key="threshold").value == pytest.approx(OPERATING)


def test_the_address_carries_the_state(open_page, root):
    app = open_page(root, network="Other", threshold="0.4", score="Melanoma's share of melanoma + nevus")
    assert not app.exception and app.selectbox(key="network").value == "Other"
    assert app.slider(key="threshold").value == 0.4 and app.segmented_control(key="score").value == "pair"
    app.selectbox(key="network").set_value("Drawn").run()
    assert not app.exception and app.slider(key="threshold").value not in (0.4, 0.5), (
        "another network has another operating point"
    )


def test_the_threshold_goes_along_to_the_reading_page(open_page, root):
    def links(app):
        return [e.proto for e in app.get("page_link") if "Read a lesion with" in e.proto.label]

    app = open_page(root, threshold="0.4")
    (link,) = links(app)
    assert "40.0 %" in link.label and link.query_string == "melanoma-from=0.400"
    assert not links(open_page(root, score="Melanoma's share of melanoma + nevus")), "its threshold is of another score"


def test_failures_without_photos_are_facts_sketches_and_links(open_page, root):
    app = open_page(root, view="Failures", threshold="0.5")
    table = made_up_table()
    others = table[["akiec", "bcc", "bkl", "df", "nv", "vasc"]].idxmax(axis=1)
    missed = ((table.dx == "mel") & (table.mel < 0.5) & (others == "nv")).sum()
    assert not app.exception and f"**{missed} of {(table.dx == 'mel').sum()}** photos" in words(app)
    assert words(app).count("**Melanoma called nevus**") == words(app).count("Maps need the photo") == 5
    assert "isic-archive.com/images/ISIC_" in words(app)
    offer = next(b for b in app.button if b.label.startswith("Get "))
    assert offer.label.endswith("photos of these cases"), "the first thing that a gallery without photos offers"
    assert "CC BY-NC 4.0" in words(app)
    assert "sketch, not the photo" in html(app) and "What every network says" in html(app) and ">Other<" in html(app)
    assert "among those judged rightly" in words(app)
    app.multiselect(key="only_sex").set_value(["female"]).run()
    app.multiselect(key="only_colour").set_value(["black"]).run()
    assert not app.exception
    app.multiselect(key="only_sex").set_value([])
    app.multiselect(key="only_colour").set_value([]).run()
    app.slider(key="threshold").set_value(0.05)
    app.segmented_control(key="kind").set_value("Nevus called melanoma").run()
    alarms = ((table.dx == "nv") & (table.mel >= 0.05)).sum()
    assert not app.exception and "**Nevus called melanoma**" in words(app)
    app.segmented_control(key="kind").set_value("Other errors").run()
    assert not app.exception and "called one of the other five diagnoses" in words(app)
    app.segmented_control(key="kind").set_value("Nevus called melanoma").run()
    assert not app.exception and f"**{alarms} of {(table.dx == 'nv').sum()}** photos" in words(app)
    app.segmented_control(key="kind").set_value("The paper's Figure 17, by rule").run()
    assert not app.exception and "Melanomas called nevus" in words(app)


def test_hard_pairs_colour_and_the_labs_verdict(open_page, root):
    app = open_page(root, view="Hard pairs")
    assert not app.exception and "likeness" in words(app) and html(app).count("<svg") == 10
    app = show(app, "Colour and errors")
    assert "Of " in words(app) and "photos of black nevi" in words(app)
    for name in ("lightness", "area", "blue"):
        app.selectbox(key="against").set_value(name).run()
        assert not app.exception
    assert app.dataframe[0].value["Nevi"].sum() == (made_up_table().dx == "nv").sum()
    app = show(app, "Black-nevus lab")
    record = from_text((root / "Drawn" / "colour.json").read_text())
    assert plain(colour_verdict(record)) in words(app) and len(app.dataframe[0].value) == 1 + len(SETTINGS)
    assert "Choose a photo" in words(app)
    app.selectbox(key="network").set_value("Other").run()
    assert not app.exception and "Other was not yet measured with changed colours; below is **Drawn**" in words(app)
    assert "colour.json" not in words(app) and str(root) not in words(app)


def test_photos_are_shown_where_they_are(open_page, root, drawn_folder, tmp_path):
    photos = shutil.copytree(drawn_folder, tmp_path / "photos")
    for number, path in enumerate(sorted(photos.glob("*_part_*/*.jpg"))):
        path.rename(path.with_name(f"ISIC_{number:07d}.jpg"))
    metadata = pd.read_csv(photos / "HAM10000_metadata.csv").assign(image_id=[f"ISIC_{i:07d}" for i in range(75)])
    metadata.to_csv(photos / "HAM10000_metadata.csv", index=False)
    app = open_page(root, view="Failures", threshold="0.9")
    app.text_input(key="photo folder field").set_value(str(photos)).run()
    assert not app.exception and "Photos: 75 found" in [e.label for e in app.expander]
    assert app.image
    app.text_input(key="photo folder field").set_value(str(tmp_path / "nowhere")).run()
    assert not app.exception and "cannot be used" in app.error[0].value


def test_what_was_not_measured_is_said_with_its_command(open_page, root, tmp_path):
    bare = tmp_path / "bare"
    write_made_up_model(bare, "Bare")
    app = open_page(bare)
    assert not app.exception and "No operating point" in words(app) and app.slider(key="threshold").value == 0.5
    for view, command in (
        ("Failures", "core data lesions"),
        ("Hard pairs", "--only similar"),
        ("Colour and errors", "core data lesions"),
        ("Black-nevus lab", "--only colour"),
    ):
        assert command in words(show(app, view))
    app = open_page(tmp_path / "nothing")
    assert not app.exception and app.warning


def test_the_lab_reads_a_photo_at_every_strength(open_page, two_models, tmp_path):
    root = tmp_path / "shelf"
    shutil.copytree(two_models / "Drawn", root / "Drawn")
    write_made_up(root / "Drawn", made_up_table(), read_card(root / "Drawn").probabilities_sha256, "Drawn")
    app = open_page(root, view="Black-nevus lab")
    app.segmented_control(key="source").set_value("Drawn example").run()
    assert not app.exception and len(app.image) == 2 and not app.get("plotly_chart")
    app.toggle(key="lab reads").set_value(True).run()
    assert not app.exception and not app.error and len(app.get("plotly_chart")) == 1
    assert "One photo proves nothing" in words(app)
    app.selectbox(key="change").set_value("chroma").run()
    assert not app.exception and len(app.get("plotly_chart")) == 1
