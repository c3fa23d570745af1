"""What watches over a page in the browser; see watch.js."""

import uuid

import streamlit as st

from core.webapp.shared.photo.in_use import held_in_use, is_example
from core.webapp.shared.viewer.viewer import component

_SESSION = "session for the browser"


def watch_page() -> None:
    """Mounts the watch: once on a page, before its content."""
    session = st.session_state.setdefault(_SESSION, uuid.uuid4().hex)
    held = held_in_use()
    photo = held.hash if held else "example" if is_example() else ""
    with st.container(key="watch"):
        component("watch")(key="watch page", data={"session": session, "photo": photo}, on_again_change=lambda: None)
