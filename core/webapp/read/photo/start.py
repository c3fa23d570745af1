"""What the reading page asks for, large while there is no photo and small once there is one, and what it shows while a network works."""

import streamlit as st

from core.prevalence import Mixture
from core.reading import shrunk
from core.webapp.read.replay import offer_replay
from core.webapp.shared.photo.ask import ask_mixture, ask_model, ask_photo, say_broken
from core.webapp.shared.photo.in_use import SLOTS, Photo, photo_in_use, problem_of, source_in_use
from core.webapp.shared.photo.overlays import SHOWN_SIDE
from core.webapp.shared.shelf import Shelf
from core.webapp.shared.viewer.viewer import draw_viewer

_INPUTS, _FOR = "inputs", "inputs for"


def ask_inputs(shelf: Shelf) -> tuple[Photo | None, str, Mixture | None]:
    """Asks for the photo, the network, and where the photo comes from.

    Returns:
        Photo (None while there is none), name of the network's folder, mixture of diagnoses.
    """
    there = photo_in_use()
    now = there.whole_hash if there else "", problem_of(SLOTS.get(source_in_use(), ""))
    if st.session_state.get(_FOR, ("", None)) != now:
        # Another photo shuts it, none and each refused file open it; else it stays as the reader left it. A refused file comes in a run
        # after the one that took the photo before away, with the browser's word that the box is still shut.
        st.session_state[_FOR], st.session_state[_INPUTS] = now, there is None
    # The same words with and without a photo: with others it is another box to the browser, which loses what is being uploaded in it.
    box = st.expander(
        "Photo, network and place",
        icon=":material/add_photo_alternate:",
        key=_INPUTS,
        on_change="rerun",
    )
    words = st.container()  # outside, where a box that a reader shuts does not hide them
    with box:
        left, right = st.columns([1, 1], gap="large")
        with left:
            photo = ask_photo(words)
        with right:
            name = ask_model(shelf)
            mixture = ask_mixture(shelf.models[name])
            say_broken(shelf)
            offer_replay(shelf)
    return photo, name, mixture


def say_what_comes() -> None:
    """The start page's words."""
    st.markdown(
        "##### What you will see\n"
        "1. **The likeliest diagnosis and what the melanoma threshold says**, beside the photo, with what cannot be ruled out\n"
        "2. **Where the network looked**: its own attention, and a heat map for any diagnosis, over the photo\n"
        "3. **Similar known cases**, and how often such answers are wrong\n\n"
        "Upload a dermoscopic photo to begin, or choose *Drawn example* to see how it works. "
        "Age, sex and body site help the network and are asked beside the answer; each may stay unknown."
    )


def draw_alone(photo: Photo) -> None:
    """The photo without maps, where no network reads it."""
    draw_viewer(photo.pixels, photo.hash, alt="The photo as it was given", key="where")
    st.caption("No network has read this photo.")  # in the place of the words that one is reading it


def draw_waiting(photo: Photo):
    """The photo at once, while the network is on its way.

    Returns:
        The place, which the viewer takes over.
    """
    place = st.empty()
    with place.container(key="waiting"):
        st.image(shrunk(photo.pixels, SHOWN_SIDE), alt="The photo as it was given", output_format="JPEG")
        st.caption("The network is reading this photo.")
    return place
