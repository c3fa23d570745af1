from streamlit.testing.v1 import AppTest

# On a busy machine even an empty page takes long.
TIMEOUT = 200  # seconds


def page(verdict: str, measured: bool = True) -> None:
    import streamlit as st

    from core.estimates import Estimate
    from core.trust.signals.gate import Gate
    from core.webapp.shared.photo.gate import draw_gate

    share = Estimate(0.006, 0.003, 0.01)
    record = {"test": {"refused": share}, "strangers_mean": {"refused": Estimate(0.93), "caught": Estimate(0.97)}}
    reasons = {
        "ok": (),
        "warn": ("The photo is blurred.",),
        "refuse": ("This does not look like *that*.",),
        "unusable": ("Damaged.",),
    }
    gate = Gate(verdict, reasons[verdict], 0.0) if verdict in reasons else None
    if draw_gate(gate, record if measured else None, "hash"):
        st.subheader("The answer")


def open_page(*arguments) -> AppTest:
    app = AppTest.from_function(page, default_timeout=TIMEOUT, args=arguments).run()
    assert not app.exception
    return app


def test_all_well_is_said_quietly_with_its_measure():
    app = open_page("ok")
    assert app.subheader and not app.warning and not app.error
    assert not app.caption, "its error rates stand below the answer"


def test_below_an_answer_stands_how_often_the_gate_is_wrong():
    from core.estimates import Estimate
    from core.trust.signals.gate import Gate
    from core.webapp.shared.photo.gate import gate_words

    share = Estimate(0.006, 0.003, 0.01)
    record = {"test": {"refused": share}, "strangers_mean": {"refused": Estimate(0.93), "caught": Estimate(0.97)}}
    said = gate_words(Gate("ok", (), 0.0), record)
    assert "0.6 % (0.3 to 1.0 %)" in said and "refused 93 %" in said
    assert gate_words(None, None) == ""


def test_a_warning_lets_the_answer_through():
    app = open_page("warn")
    assert app.subheader and "The photo is blurred." in app.warning[0].value


def test_a_refusal_stops_until_the_reader_goes_on_knowingly():
    app = open_page("refuse")
    assert not app.subheader and r"\*that\*" in app.error[0].value
    app.checkbox[0].check().run()
    assert app.subheader and app.error


def test_a_gate_that_was_never_measured_is_said_and_stops_nothing():
    app = open_page("none")
    assert app.subheader and "never measured" in app.caption[0].value


def test_a_damaged_gate_stops_until_the_reader_goes_on_knowingly():
    app = open_page("unusable")
    assert not app.subheader and "No diagnosis" in app.error[0].value and "wrongly refused" not in app.caption[0].value
    app.checkbox[0].check().run()
    assert app.subheader and app.error


def test_nothing_is_said_of_a_gate_without_figures():
    assert "the gate" not in open_page("refuse", False).caption[0].value.split("If you know")[0]
