"""Many photos at once, without a browser."""

import time

import pytest
from driving import picture_bytes, viewer, words

PAGE = "pages/batch.py"
MEL, NV = picture_bytes("mel"), picture_bytes("nv")


def choose(app, *photos, facts: bytes | None = None):
    app.file_uploader(key="batch photos").set_value([(name, content, "image/png") for name, content in photos])
    if facts is not None:
        app.file_uploader(key="batch facts").set_value(("facts.csv", facts, "text/csv"))
    return app.run()


def read(app):
    """Reads what was chosen, to the end."""
    app.button(key="batch begin").click().run()
    deadline = time.monotonic() + 120
    while any(button.key == "batch stop" for button in app.button):
        assert time.monotonic() < deadline
        time.sleep(0.2)
        app.run()
    return app


def table(app):
    return app.dataframe[-1].value


def test_photos_with_facts_become_rows_and_a_fault_costs_one(open_app):
    app = open_app(PAGE)
    assert app.button(key="batch begin").disabled
    app = choose(app, ("a.png", MEL), ("b.png", b"no photo"), ("c.png", NV), facts=b"photo,age,sex\na,70,male\nz,4,\n")
    assert "Facts for 1 of 3 photos." in words(app) and "No photo has the name of these rows" in words(app)
    app = read(app)
    assert not app.exception
    rows = table(app)
    assert list(rows["Photo"]) == ["a.png", "b.png", "c.png"] and rows["Likeliest"][1] == "not read"
    assert "not a photo" in rows["Remarks"][1] or "text" in rows["Remarks"][1]
    assert "70" in rows["Facts"][0] and rows["Probability"].notna().sum() == 2
    assert "**3 photos**: 2 read" in words(app) and "1 not read" in words(app)
    assert {"batch csv", "batch report"} <= {one.key for one in app.download_button}


def test_filters_and_the_threshold_count_anew_without_reading(open_app):
    app = read(choose(open_app(PAGE), ("a.png", MEL), ("b.png", b"no photo")))
    app.multiselect(key="batch only").set_value(["Not read"]).run()
    assert list(table(app)["Photo"]) == ["b.png"]
    app.multiselect(key="batch only").set_value(["Possible melanoma"])
    next(one for one in app.number_input if one.key.startswith("batch threshold")).set_value(0.1).run()
    assert list(table(app)["Photo"]) == ["a.png"] and not app.exception


def test_a_row_opens_on_the_reading_page_with_its_facts(open_app):
    app = read(choose(open_app(PAGE), ("a.png", MEL), ("c.png", NV), facts=b"photo,age,sex\nc,31,female\n"))
    app.selectbox(key="batch open").set_value(1)
    app.button(key="batch open button").click().run()
    assert not app.exception
    app.switch_page("app.py").run()
    assert app.number_input(key="age").value == 31 and app.selectbox(key="sex").value == "female"
    assert viewer(app)["layers"] and "From the batch." in words(app)


def test_of_two_photos_with_one_name_each_opens_as_itself(open_app):
    app = read(
        choose(
            open_app(PAGE),
            ("a.png", picture_bytes("mel", size=(90, 90))),
            ("a.png", picture_bytes("nv", size=(100, 80))),
        )
    )
    app.selectbox(key="batch open").set_value(1)
    app.button(key="batch open button").click().run()
    app.switch_page("app.py").run()
    assert (viewer(app)["width"], viewer(app)["height"]) == (100, 80)


def test_a_folder_of_this_computer_is_read_and_what_is_no_photo_is_named(open_app, tmp_path, monkeypatch):
    monkeypatch.setattr("core.webapp.shared.photo.allowed.others_reach", lambda: False)
    (tmp_path / "one.png").write_bytes(MEL)
    (tmp_path / "notes.txt").write_text("notes")
    app = open_app(PAGE)
    app.segmented_control(key="batch source").set_value("On Melascope's computer").run()
    app.text_input(key="batch path").set_value(str(tmp_path / "gone")).run()
    assert "is no folder of that computer" in app.error[0].value
    app.text_input(key="batch path").set_value(str(tmp_path)).run()
    assert "notes.txt" in words(app)
    assert list(table(read(app))["Photo"]) == ["one.png"]


def test_from_elsewhere_a_folder_is_not_offered(open_app, monkeypatch):
    monkeypatch.setattr("core.webapp.batch.ask.others_reach", lambda: True)
    monkeypatch.setattr("core.webapp.batch.ask.allowed_roots", list)
    app = open_app(PAGE)
    assert "On Melascope's computer" not in app.segmented_control(key="batch source").options


@pytest.mark.parametrize(("facts", "said"), [(b"hello", "no header"), (b"\xd0\xcf\x11\xe0", "Excel")])
def test_a_table_of_another_kind_gets_a_sentence_and_the_photos_stay(open_app, facts, said):
    app = choose(open_app(PAGE), ("a.png", MEL), facts=facts)
    assert said in app.error[0].value and not app.button(key="batch begin").disabled


def test_names_and_faults_are_text_in_the_report():
    from core.data.patient import Facts
    from core.trust.batch.row import BatchRow
    from core.webapp.batch.report import batch_report
    from core.webapp.batch.run import BatchSettings

    said = batch_report(BatchSettings("Drawn"), None, [BatchRow("<b>.png", Facts(), error="is <empty>")], 0.3, False)
    assert "&lt;b&gt;.png" in said and "is &lt;empty&gt;" in said and "<b>.png" not in said
