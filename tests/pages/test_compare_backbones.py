import shutil

from driving import picture_bytes, upload, words

from core.webapp.frame import NOTICE

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
