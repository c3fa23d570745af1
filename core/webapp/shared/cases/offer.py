"""The button that fetches photos, with their licence beside it, and how far it is."""

from collections.abc import Iterable

import streamlit as st

from core.archive.isic import is_archive_id
from core.archive.photos import USUAL_BYTES
from core.webapp.shared.cases.fetching import DownloadState, fetching
from core.webapp.shared.photo.folder import find_photo
from core.webapp.shared.words import plain

LICENCE_TOLD = (
    "HAM10000 by Tschandl, Rosendahl and Kittler, from the ISIC Archive, "
    "[CC BY-NC 4.0](https://creativecommons.org/licenses/by-nc/4.0/): not for commercial use, with attribution. Each photo's own licence "
    "and attribution come with it."
)
MOST = 60  # photos that a gallery offers at a time
_EVERY = 1.0  # seconds between two looks


def offer_photos(ids: Iterable[str], key: str, what: str = "of these cases", about: str = "") -> None:
    """Offers to fetch the photos that are not on this machine; draws nothing where all are.

    Args:
        ids: of photos; those that no archive has are left out.
        key: of the place where the button stands.
        what: whose photos they are, to follow "Get 12 photos".
        about: more of them, in sentences.
    """
    lacking = fetching().look().lacking
    absent = [i for i in dict.fromkeys(ids) if is_archive_id(i) and find_photo(i) is None]
    if gone := [i for i in absent if i in lacking]:
        st.caption(f":material/cloud_off: The archive does not have {', '.join(gone)}.")
    ids = [i for i in absent if i not in lacking]
    if not ids:
        return
    # It looks again by itself while something is fetched, and only then.
    st.fragment(_draw, run_every=_EVERY if fetching().look().running else None)(ids, key, what, about)


def _draw(ids: list[str], key: str, what: str, about: str) -> None:
    now = fetching().look()
    with st.container(border=True, key=f"get-{key}"):
        if now.running:
            _draw_progress(now, key)
            return
        if st.session_state.pop(_watched(key), False) and not now.fault:
            st.rerun()
        if now.fault:
            st.error(plain(now.fault), icon=":material/cloud_off:")
        label = f"Get {len(ids)} photo{'' if len(ids) == 1 else 's'} {what}"
        if st.button(label, key=f"get photos {key}", type="primary", icon=":material/download:"):
            fetching().ask(ids)
            st.session_state[_watched(key)] = True
            st.rerun()
        st.caption(
            f"{about}About {max(1, round(len(ids) * USUAL_BYTES / 1e6))} MB over the internet, kept in your data folder on the computer "
            f"that runs Melascope. {LICENCE_TOLD}"
        )


def _draw_progress(now: DownloadState, key: str) -> None:
    st.session_state[_watched(key)] = True
    st.progress(
        min(1.0, now.done / max(1, now.total)), text=f"Fetching photos from the ISIC Archive: {now.done} of {now.total}"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("You can go on meanwhile; each photo appears once it is whole.", width="content")
        st.button("Stop", key=f"stop photos {key}", type="tertiary", on_click=fetching().stop)


def _watched(key: str) -> str:
    return f"photos awaited {key}"
