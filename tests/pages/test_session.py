"""The session's cases: kept by themselves, described, exported, brought back, opened."""

from driving import answer, picture_bytes, upload, viewer, words

from core.data.framing.crop import Crop
from core.webapp.session.files import export_session

PAGE = "pages/session.py"


def keys(elements) -> list:
    return [one.key for one in elements]


def kept(app) -> list:
    return list(app.session_state["session cases"].values())


def labelled(app, text: str):
    key = next(key for key in keys(app.text_input) if str(key).startswith("label "))
    return app.text_input(key=key).set_value(text).run()


def test_a_read_photo_is_kept_once_with_its_last_facts_and_words(open_app):
    app = upload(open_app(), picture_bytes("mel"))
    app.number_input(key="age").set_value(44).run()
    app.switch_page(PAGE).run()
    assert not app.exception and len(kept(app)) == 1 and kept(app)[0].facts.age == 44
    app = labelled(app, "The dark one")
    app.switch_page("app.py").run()
    upload(app, picture_bytes("nv"))
    app.switch_page(PAGE).run()
    assert [one.label for one in kept(app)] == ["The dark one", "Case 1"] and not app.exception


def test_the_drawn_example_is_not_kept(open_app):
    app = open_app()
    app.segmented_control(key="source").set_value("Drawn example").run()
    app.switch_page(PAGE).run()
    assert "No case yet" in words(app) and not app.exception


def test_a_session_goes_to_a_file_and_comes_back_in_another(open_app):
    first = upload(open_app(), picture_bytes("mel"))
    first.number_input(key="age").set_value(44).run()
    said = answer(first)
    first.switch_page(PAGE).run()
    first = labelled(first, "Taken along")
    file = export_session(kept(first))

    second = open_app(PAGE)
    assert "No case yet" in words(second)
    second.file_uploader(key="session file").set_value(("session.zip", file, "application/zip")).run()
    assert not second.exception and "1 case from session.zip" in second.success[0].value.replace("\\", "")
    assert kept(second)[0].label == "Taken along" and export_session(kept(second)) == file
    second.button(key=f"open {kept(second)[0].photo_hash}").click().run()
    second.switch_page("app.py").run()
    assert answer(second) == said and second.number_input(key="age").value == 44
    assert "the same digits as in the session file" in words(second)
    assert kept(second)[0].label == "Taken along" and len(kept(second)) == 1


def test_a_square_comes_back_with_the_whole_photo(open_app):
    app = upload(open_app(), picture_bytes("mel"))
    app.session_state["crops by photo"] = {kept(app)[0].photo_hash: Crop(20, 10, 70)}
    app.run()
    assert viewer(app)["width"] == 70 and kept(app)[0].crop == Crop(20, 10, 70)
    file = export_session(kept(app))
    other = open_app(PAGE)
    other.file_uploader(key="session file").set_value(("session.zip", file, "application/zip")).run()
    other.button(key=f"open {kept(other)[0].photo_hash}").click().run()
    other.switch_page("app.py").run()
    assert viewer(other)["width"] == 70 and "has 120 x 90 pixels" in words(other) and not other.exception


def test_a_file_of_another_kind_gets_a_sentence_and_nothing_is_lost(open_app):
    app = upload(open_app(), picture_bytes("mel"))
    app.switch_page(PAGE).run()
    app.file_uploader(key="session file").set_value(("x.zip", b"no zip", "application/zip")).run()
    assert "not a whole zip file" in app.error[0].value and len(kept(app)) == 1


def test_a_removed_case_is_gone(open_app):
    app = upload(open_app(), picture_bytes("mel"))
    app.switch_page(PAGE).run()
    app.button(key=f"forget {kept(app)[0].photo_hash}").click().run()
    assert "No case yet" in words(app)
