import shutil

from driving import picture_bytes, upload, words
from streamlit.testing.v1 import AppTest

from core.webapp.shared.frame import NOTICE

PAGE = "pages/compare_backbones.py"


def test_an_empty_page_says_what_comes(open_app):
    app = open_app(PAGE)
    assert not app.exception and app.title[0].value == "Compare backbones"
    assert "each of 2 networks" in words(app) and NOTICE in words(app)


def test_every_network_reads_the_photo(open_app):
    app = upload(open_app(PAGE), picture_bytes())
    assert not app.exception and not app.error
    assert "networks" in app.subheader[0].value
    table = app.dataframe[0].value
    assert list(table["Network"]) == ["Drawn", "Other"] and all(table["Time"].str.contains("s"))
    assert len(app.image) == 1 + 2 * 2, "the photo, and two maps of each network"
    before = [i.value for i in app.image]
    app.selectbox(key="target").select("df").run()
    assert not app.exception and "Dermatofibr." in app.image[2].captions[0]
    assert [i.value for i in app.image][2] != before[2]


def test_one_damaged_network_harms_no_other(open_app, tmp_path, two_models):
    root = shutil.copytree(two_models, tmp_path / "shelf")
    (root / "Other" / "model.weights.h5").write_bytes(b"damaged")
    app = upload(open_app(PAGE, root), picture_bytes())
    assert not app.exception and "does not match its card" in app.error[0].value
    assert "One network only" in app.subheader[0].value and len(app.image) == 3


def test_no_models(open_app, tmp_path):
    app = open_app(PAGE, tmp_path)
    assert not app.exception and app.warning and not app.file_uploader


def test_an_ensemble_stands_in_the_table_and_does_not_vote_beside_its_members():
    def show():
        from types import SimpleNamespace

        from core.diagnoses import CODES
        from core.webapp.compare.view import draw_votes
        from core.webapp.shared.photo.all_networks import NetworkReading

        def opinion(name, top, malignancy, members=(), leaky=False):
            says = {c: 0.7 if c == top else 0.05 for c in CODES}
            card = SimpleNamespace(members=members, split={"leaky": leaky}, is_ensemble=bool(members), held_out_scores={})
            return NetworkReading(
                name, card, None, SimpleNamespace(top=top, probabilities=says, malignancy=malignancy), 0.1
            )

        draw_votes(
            [
                opinion("Ensemble", "mel", 0.9, ("A", "B")),
                opinion("A", "nv", 0.1),
                opinion("B", "mel", 0.6),
                opinion("C", "nv", 0.2),
                opinion("Leaky", "mel", 0.8, leaky=True),
            ]
        )

    app = AppTest.from_function(show, default_timeout=60).run()
    assert not app.exception
    # Counted beside its members and with the leaky one, melanoma would lead by three to two.
    assert app.subheader[0].value == "2 of 3 networks say Melanocytic nevus"
    assert "10 % to 60 %" in words(app) and "B says Melanoma." in words(app)
    assert "Ensemble says Melanoma. It does not vote: it is made of A and B." in words(app)
    assert "its split leaks" in words(app)
    assert list(app.dataframe[0].value["Network"]) == ["Ensemble", "A", "B", "C", "Leaky"]
