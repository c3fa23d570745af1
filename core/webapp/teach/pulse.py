"""A page's pulse: it asks the server again and again, each time only once the last answer is drawn.

Streamlit's own timers ask whether or not an answer came. Each run that begins throws away what the run before it has not sent yet, so
that sixty phones on a busy machine can stand still for as long as it is busy. A pulse slows down with the server instead.
"""

from collections.abc import Callable

import streamlit as st
from streamlit.components.v2 import component

# Seconds until a page asks again though no answer came: one can be lost when whole runs and timers meet.
PATIENCE = 6.0

_JS = """
let timer = null;
export default function ({ data, setTriggerValue }) {
  // Runs with each answer, as the count of beats is another one each time.
  const beat = () => {
    timer = setTimeout(beat, data.patience * 1000);
    setTriggerValue("beat", data.beats);
  };
  clearTimeout(timer);
  timer = setTimeout(beat, data.seconds * 1000);
  return () => clearTimeout(timer);
}
"""


def draw_pulse(seconds: float, heard: Callable[[bool], object] = lambda lost: None) -> None:
    """Runs the fragment that it stands in again, some seconds after each answer; one a page.

    Args:
        seconds: from an answer to the next question.
        heard: called at each beat, before the fragment runs, with whether the last answer did not reach the browser; may name other
            fragments to run instead (`st.rerun`).
    """
    beats = st.session_state["beats"] = st.session_state.get("beats", 0) + 1

    def beat() -> None:
        heard(st.session_state["pulse"].get("beat") != st.session_state["beats"])

    pulse = component("melascope_pulse", js=_JS)
    pulse(data={"beats": beats, "seconds": seconds, "patience": PATIENCE}, key="pulse", on_beat_change=beat, height=1)
