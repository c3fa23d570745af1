import shutil

import pytest
from driving import answer, picture_bytes, upload, viewer, words

from core.diagnoses import CODES, NAMES
from core.webapp.shared.frame import NOTICE, PAGES


def keys(elements) -> list:
    return [e.key for e in elements]


def test_an_empty_page_says_what_comes(open_app):
    app = open_app()
    assert not app.exception and app.title[0].value == "Read a lesion"
    assert "What you will see" in words(app) and NOTICE in words(app)
    assert [p.label for p in app.page_link] == [label for _, label, _ in PAGES]
    assert not app.get("plotly_chart") and not app.camera_input, "the camera starts only when it is asked for"


def test_a_photo_gives_answer_maps_and_downloads(open_app):
    app = upload(open_app(), picture_bytes())
    assert not app.exception and not app.error
    assert answer(app) in NAMES.values() and "Likeliest diagnosis" in words(app)
    assert "threshold" in words(app) and len(app.get("plotly_chart")) == 1
    shown = viewer(app)
    assert shown["photo"].startswith("data:image/jpeg") and (shown["width"], shown["height"]) == (120, 90)
    assert [layer["short"] for layer in shown["layers"]] == ["Attention", "Grad-CAM"]
    assert {"download attention", "download heatmap", "download reading"} <= set(keys(app.download_button))
    alt = app.get("plotly_chart")[0].proto.alt
    assert all(name in alt for name in NAMES.values())


def test_facts_change_the_answer_and_unknown_is_the_default(open_app):
    app = upload(open_app(), picture_bytes())
    before = app.get("plotly_chart")[0].proto.alt
    assert app.number_input(key="age").value is None
    assert app.selectbox(key="sex").value == app.selectbox(key="site").value == "unknown"
    app.number_input(key="age").set_value(85)
    app.selectbox(key="sex").select("male")
    app.selectbox(key="site").select("face")
    app.run()
    assert not app.exception and app.get("plotly_chart")[0].proto.alt != before


def test_class_and_explainer_change_the_heat_map_and_nothing_else(open_app):
    app = upload(open_app(), picture_bytes())
    before = viewer(app)
    other = next(code for code in CODES if NAMES[code] != answer(app))
    app.selectbox(key="target").select(other).run()
    after = viewer(app)
    assert NAMES[other] in after["layers"][1]["alt"]
    assert after["layers"][1]["colours"] != before["layers"][1]["colours"]
    assert after["layers"][0] == before["layers"][0] and after["photo"] == before["photo"]
    app.segmented_control(key="method").set_value("grad-cam++").run()
    assert viewer(app)["layers"][1]["short"] == "Grad-CAM++" and not app.exception


def test_another_network_reads_the_same_photo(open_app):
    app = upload(open_app(), picture_bytes())
    other = next(n for n in ("Drawn", "Other") if n != app.selectbox(key="model").value)
    app.selectbox(key="model").select(other).run()
    assert not app.exception and f"Read by {other}" in words(app)


@pytest.mark.parametrize("age", [-1, 150])
def test_an_impossible_age_gets_a_sentence_and_no_answer(open_app, age):
    app = upload(open_app(), picture_bytes())
    app.number_input(key="age").set_value(age).run()
    assert not app.exception and "is not possible" in app.error[0].value
    assert not app.get("plotly_chart") and not viewer(app)["layers"]


@pytest.mark.parametrize(
    "content, name, said",
    [
        (b"", "empty.jpg", "is empty"),
        (b"not a photo at all\n" * 50, "text.jpg", "is text, not a photo"),
        (picture_bytes(format="JPEG")[:900], "half.jpg", "damaged or incomplete"),
        (picture_bytes(size=(20, 20)), "small.png", "too small"),
        (b"**", "**bold** [link](http x).jpg", r"\*\*bold\*\* \[link\]"),
    ],
)
def test_bad_photos_get_a_sentence(open_app, content, name, said):
    app = upload(open_app(), content, name, "image/jpeg")
    assert not app.exception and len(app.error) == 1 and said in app.error[0].value
    assert viewer(app) is None
    good = upload(app, picture_bytes())
    assert not good.error and viewer(good)
    bad = upload(good, content, name, "image/jpeg")
    assert len(bad.error) == 1 and viewer(bad) is None, "a refused upload leaves no answer to the photo before"


def test_a_refused_file_opens_the_box_that_says_so_whatever_the_browser_still_thinks(open_app):
    app = upload(open_app(), picture_bytes("mel"))
    assert not app.session_state["inputs"], "a photo shuts the box"
    # The browser takes the photo before away first, and sends the next file with its word that the box is shut.
    app.file_uploader[0].set_value(None).run()
    assert app.session_state["inputs"]
    app.session_state["inputs"] = False
    upload(app, b"no photo", "bad.jpg")
    assert app.error and app.session_state["inputs"]
    app.session_state["inputs"] = False
    app.run()
    assert not app.session_state["inputs"], "the reader may shut it"


def test_removing_the_photo_removes_its_answer(open_app):
    app = upload(open_app(), picture_bytes())
    app.file_uploader[0].set_value(None).run()
    assert not app.exception and viewer(app) is None and "What you will see" in words(app)


def test_the_drawn_example_works_and_says_what_it_is(open_app):
    app = open_app()
    app.segmented_control(key="source").set_value("Drawn example").run()
    assert not app.exception and viewer(app) and "means nothing" in words(app)


def test_the_camera_comes_when_asked_for(open_app):
    app = open_app()
    app.segmented_control(key="source").set_value("Camera").run()
    assert not app.exception and len(app.camera_input) == 1
    app.camera_input[0].set_value(("photo.jpg", picture_bytes(format="JPEG"), "image/jpeg")).run()
    assert not app.exception and viewer(app)


def test_photo_and_facts_come_along_to_other_pages_and_back(open_app):
    app = upload(open_app(), picture_bytes())
    app.number_input(key="age").set_value(60).run()
    app.switch_page("pages/compare_backbones.py").run()
    assert not app.exception and "Where each network looked" in words(app)
    assert app.number_input(key="age").value == 60
    app.switch_page("app.py").run()
    assert not app.exception and viewer(app) and "from before is in use" in words(app)
    app.button(key="remove uploader").click().run()
    assert viewer(app) is None and "from before is in use" not in words(app)


def test_no_models_says_how_to_train_one(open_app, tmp_path):
    app = open_app(root=tmp_path)
    assert not app.exception and "no usable model" in app.warning[0].value
    assert "python -m core train" in app.code[0].value and not app.file_uploader


def test_damaged_weights_give_a_sentence(open_app, tmp_path, drawn_bundle_folder):
    folder = shutil.copytree(drawn_bundle_folder, tmp_path / "Damaged")
    weights = folder / "model.weights.h5"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 255
    weights.write_bytes(content)
    app = upload(open_app(root=tmp_path), picture_bytes())
    assert not app.exception and "does not match its card" in app.error[0].value and not viewer(app)["layers"]
    shutil.copy(drawn_bundle_folder / "model.weights.h5", weights)
    app.run()
    assert not app.error and viewer(app), "a mended file is loaded without a restart"


def test_a_folder_without_a_model_is_named(open_app):
    app = open_app()
    assert any("Broken" in m.value and "is missing" in m.value for box in app.expander for m in box.markdown)


def test_a_heic_is_read_and_a_broken_profile_is_said(open_app):
    import io

    from PIL import Image

    from core.data.drawn import draw_lesion

    pillow_heif = pytest.importorskip("pillow_heif")
    lesion, file = Image.fromarray(draw_lesion("nv", (120, 90))[0]), io.BytesIO()
    pillow_heif.from_pillow(lesion).save(file)
    app = upload(open_app(), file.getvalue(), "IMG_1.HEIC", "image/heic")
    assert not app.exception and not app.error and viewer(app)
    file = io.BytesIO()
    lesion.save(file, "PNG", icc_profile=b"nonsense" * 30)
    app = upload(open_app(), file.getvalue(), "broken.png")
    assert not app.exception and any("broken.png: Its colour profile is damaged" in w.value for w in app.warning)


def test_where_the_photo_comes_from_re_weights_the_answer_and_says_so(open_app):
    app = upload(open_app(), picture_bytes())
    before = app.get("plotly_chart")[0].proto.alt
    assert app.selectbox(key="place").value == "ham10000" and "Re-weighted" not in words(app)
    app.selectbox(key="place").select("screening").run()
    assert not app.exception and app.get("plotly_chart")[0].proto.alt != before
    assert "Re-weighted by Bayes' rule for screening of many moles" in words(app)
    assert "Shares there: nevus 93 %" in words(app) and "As calibrated" in words(app)
    app.selectbox(key="place").select("own").run()
    app.number_input(key="melanoma share").set_value(50.0).run()
    assert not app.exception and "where 50 % are melanomas" in words(app)
    app.selectbox(key="place").select("ham10000").run()
    assert app.get("plotly_chart")[0].proto.alt == before
