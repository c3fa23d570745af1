"""What the browser itself keeps and hears: secrets between visits, keys, the whole screen."""

import hashlib
from collections.abc import Callable

import streamlit as st
from streamlit.components.v2 import component

KEPT, _WRITES = "kept in the browser", "to be kept in the browser"
# Keys of what is kept: of a room, a study, a learner, the class server; the code of the room that was joined last.
TEACHER, LEADER, LEARNER, CLASS_KEY, PHONE = "teacher", "leader", "learner", "class key", "phone"
LAST_ROOM = "last room"

_KEEPER = """
const NAME = "melascope-teaching";
// A browser that keeps nothing (private windows) still does until the window closes.
let fallback = window.__melascopeTeaching || (window.__melascopeTeaching = {});
let told = "";
function read() { try { return JSON.parse(localStorage.getItem(NAME)) || {}; } catch { return fallback; } }
function write(kept) {
  window.__melascopeTeaching = fallback = kept;
  try { localStorage.setItem(NAME, JSON.stringify(kept)); } catch { }
}
export default function ({ data, setStateValue }) {
  const kept = read();
  let changed = false;
  if (!kept["phone"]) {
    const bytes = crypto.getRandomValues(new Uint8Array(24));
    kept["phone"] = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
    changed = true;
  }
  // What stands behind # is not sent to any server; the wall must not show it either.
  const brought = new URLSearchParams(location.hash.slice(1));
  if (brought.has("key")) {
    kept["class key"] = brought.get("key");
    history.replaceState(history.state, "", location.pathname + location.search);
    changed = true;
  }
  for (const [name, value] of Object.entries(data.writes || {})) {
    if (value === null) { delete kept[name]; } else { kept[name] = value; }
    changed = true;
  }
  if (changed) write(kept);
  // What the page's server is told last is what the browser tells the next server, should this one be killed: a secret must be in it.
  const now = JSON.stringify(kept);
  if (!data.told || (changed && now !== told)) { told = now; setStateValue("kept", kept); }
}
"""

_KEYS = """
const NEXT = ["ArrowRight", "PageDown", " "], BACK = ["ArrowLeft", "PageUp"];
export default function ({ setTriggerValue, parentElement }) {
  const hear = (event) => {
    const at = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    // A page without its server hears nothing (`draw_pulse`).
    if (document.querySelector(".stMain")?.inert) return;
    if (at && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName))) return;
    // A button in focus takes the space bar for itself.
    if (event.key === " " && at && at.tagName === "BUTTON") return;
    const which = NEXT.includes(event.key) ? "next" : BACK.includes(event.key) ? "back" : null;
    if (!which) return;
    event.preventDefault();
    setTriggerValue("pressed", which);
  };
  document.addEventListener("keydown", hear);
  const button = parentElement.querySelector("button");
  button.onclick = () => document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  return () => document.removeEventListener("keydown", hear);
}
"""
_KEYS_HTML = '<button type="button" title="Fill the whole screen; Esc ends it">Full screen</button>'
_KEYS_CSS = """
button { font: inherit; font-size: .875rem; color: var(--st-text-color); background: var(--st-background-color); cursor: pointer;
  border: 1px solid var(--st-border-color); border-radius: .5rem; padding: .45rem .8rem; }
button:hover, button:focus-visible { border-color: var(--st-primary-color); color: var(--st-primary-color); }
"""


def read_browser() -> dict[str, str]:
    """What this browser keeps; the first run of a visit ends here and asks for it.

    To be called once a run, before anything that needs a secret.
    """
    known = st.session_state.get(KEPT)
    keeper = component("melascope_keeper", js=_KEEPER)
    browser = keeper(
        data={"writes": st.session_state.pop(_WRITES, {}), "told": known is not None},
        key="keeper",
        on_kept_change=lambda: None,
        height=1,
    )
    if known is None:
        if not isinstance(browser.kept, dict):
            st.stop()
        # It comes from the browser: texts of a bearable length, whatever was sent.
        known = {str(k)[:60]: v for k, v in list(browser.kept.items())[:200] if isinstance(v, str) and len(v) <= 200}
        st.session_state[KEPT] = known
    return known


def keep_in_browser(name: str, value: str | None) -> None:
    """Keeps a secret in this browser, or forgets it (None); the browser does so with the next run."""
    known = st.session_state.setdefault(KEPT, {})
    st.session_state.setdefault(_WRITES, {})[name] = value
    if value is None:
        known.pop(name, None)
    else:
        known[name] = value


def read_kept() -> dict[str, str]:
    """What this browser keeps, as `read_browser` found it."""
    return st.session_state.get(KEPT, {})


def own_token(code: str) -> str:
    """This browser's token in a room or study: always the same, so that a phone that comes back is the same student.

    The browser draws one secret before it asks for anything; rooms cannot tell from their tokens that two are one phone.
    """
    phone = read_kept().get(PHONE, "")
    return hashlib.sha256(f"{phone} {code}".encode()).hexdigest() if len(phone) >= 32 else ""


def draw_keys(lead: Callable[[str], object]) -> None:
    """Draws the button for the whole screen, and listens to the keys that lead a lesson.

    Args:
        lead: called with "next" or "back" when such a key was pressed, before the page is drawn again.
    """

    def heard() -> None:
        if which := st.session_state["keys"].get("pressed"):
            lead(which)

    component("melascope_keys", html=_KEYS_HTML, css=_KEYS_CSS, js=_KEYS)(key="keys", on_pressed_change=heard)
