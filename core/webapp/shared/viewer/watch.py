"""What watches over a page in the browser; see watch.js."""

import uuid

import streamlit as st

from core.webapp.shared.photo.in_use import held_in_use, is_example
from core.webapp.shared.session.parked import is_lost, park, restore
from core.webapp.shared.viewer.viewer import component

_SESSION, _KEY = "session for the browser", "watch page"


def watch_page() -> None:
    """Mounts the watch: once on a page, before its content."""
    session = st.session_state.setdefault(_SESSION, uuid.uuid4().hex)
    park(session)
    held = held_in_use()
    photo = held.hash if held else "example" if is_example() else ""
    kept = bool(photo or st.session_state.get("session cases"))
    with st.container(key="watch"):
        component("watch")(
            key=_KEY,
            data={"session": session, "photo": photo, "kept": kept, "lost": is_lost(photo)},
            on_again_change=lambda: None,
            on_restore_change=lambda: restore((st.session_state.get(_KEY) or {}).get("restore")),
        )
