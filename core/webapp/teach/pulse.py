"""A page's pulse: it asks the server again and again, each time only once the last answer is drawn.

Streamlit's own timers ask whether or not an answer came. Each run that begins throws away what the run before it has not sent yet, so
that sixty phones on a busy machine can stand still for as long as it is busy. A pulse slows down with the server instead.

It also holds a page that has lost its server: what is clicked between a new connection and the first answer on it is thrown away by
Streamlit without a word, as a new session does not know the page's fragments yet (`AppSession.request_rerun`). So nothing can be clicked
until then; `inert` on the page's main part is the sign, which `draw_keys` heeds, too.
"""

import secrets
from collections.abc import Callable

import streamlit as st
from streamlit.components.v2 import component

# Seconds until a page asks again though no answer came: one can be lost when a vote and a beat meet. Each further time it waits twice
# as long, so that a server that is slower than this is not asked ever more.
PATIENCE, LONGEST_PATIENCE = 2.0, 16.0

_JS = """
let timer = null, observer = null, lostAt = null;
const main = () => document.querySelector(".stMain");
const hold = (held) => {
  const part = main();
  if (part) { part.inert = held; part.style.opacity = held ? "0.6" : ""; }
};
export default function ({ data, setTriggerValue }) {
  // Runs with each answer, as the count of beats is another one each time.
  const app = document.querySelector("[data-test-connection-state]");
  const connected = () => !app || app.getAttribute("data-test-connection-state") === "CONNECTED";
  const look = () => {
    if (!connected() && lostAt === null) { lostAt = data.beats; hold(true); }
  };
  if (lostAt !== null && lostAt !== data.beats && connected()) { lostAt = null; hold(false); }
  observer?.disconnect();
  observer = new MutationObserver(look);
  if (app) observer.observe(app, { attributes: true, attributeFilter: ["data-test-connection-state"] });
  look();
  let patience = data.patience;
  const beat = () => {
    timer = setTimeout(beat, patience * 1000);
    patience = Math.min(2 * patience, data.longest);
    setTriggerValue("beat", data.beats);
  };
  clearTimeout(timer);
  timer = setTimeout(beat, data.seconds * 1000);
  return () => {
    clearTimeout(timer);
    observer?.disconnect();
    // The page has another pulse a moment later, or none any more: then nothing may stay held.
    setTimeout(() => { if (!document.querySelector(".st-key-pulse")) { lostAt = null; hold(false); } }, 0);
  };
}
"""


def draw_pulse(seconds: float, heard: Callable[[bool], object] = lambda lost: None) -> None:
    """Runs the fragment that it stands in again, some seconds after each answer; one a page.

    Args:
        seconds: from an answer to the next question.
        heard: called at each beat, before the fragment runs, with whether the last answer did not reach the browser; may name other
            fragments to run instead (`st.rerun`).
    """
    # From anywhere: a new server's first count must not be the one that the browser holds of the old server.
    beats = st.session_state["beats"] = st.session_state.get("beats", secrets.randbelow(2**40)) + 1

    def beat() -> None:
        heard(st.session_state["pulse"].get("beat") != st.session_state["beats"])

    pulse = component("melascope_pulse", js=_JS)
    asked = {"beats": beats, "seconds": seconds, "patience": PATIENCE, "longest": LONGEST_PATIENCE}
    pulse(data=asked, key="pulse", on_beat_change=beat, height=1)
