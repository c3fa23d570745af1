"""What a person is asked for: a photo, where it comes from, and which network is to read it."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.card import Card
from core.data.images import MAX_BYTES
from core.diagnoses import CODES
from core.prevalence import AS_CALIBRATED, MIXTURES, OWN, Mixture, own_mixture
from core.webapp.shared.photo.in_use import (
    CAMERA,
    CASE,
    EXAMPLE,
    SLOTS,
    SOURCE,
    UPLOAD,
    Photo,
    cropped,
    drop,
    example_photo,
    held_in,
    hold,
    problem_of,
    set_crop,
)  # fmt: skip
from core.webapp.shared.shelf import Shelf, balanced_accuracy_of, is_leaky
from core.webapp.shared.theme import SHORT_NAMES
from core.webapp.shared.words import plain
from core.wording import UNKNOWN, interval, milliseconds, percent


def ask_photo(words: DeltaGenerator | None = None) -> Photo | None:
    """Asks for a photo, and keeps it while the person goes from page to page.

    Args:
        words: where to say what is wrong with an upload and what to know of a photo, for a form that can be shut; None: in place.

    Returns:
        The photo, or None while there is none.
    """
    sources = [UPLOAD, CAMERA, EXAMPLE]
    if held_in(SLOTS[CASE]) or problem_of(SLOTS[CASE]):
        sources.append(CASE)
    source = st.segmented_control("Photo", sources, default=UPLOAD, required=True, key=SOURCE, persist_state="session")
    if source == EXAMPLE:
        st.caption("A drawn lesion, to try the page with. What a network says about a drawing means nothing.")
        return cropped(example_photo())
    slot = SLOTS[source]
    if source == CAMERA:
        st.camera_input("Take a photo through the dermatoscope", key=slot, on_change=_take, args=(slot,))
    elif source == UPLOAD:
        # Any file is taken: a browser that refuses one by its name would leave the answer to the photo before.
        st.file_uploader(
            "Dermoscopic photo: JPEG, PNG, WebP, TIFF, BMP, HEIC, AVIF or DICOM",
            max_upload_size=MAX_BYTES // 1_000_000,
            key=slot,
            on_change=_take,
            args=(slot,),
            help="It stays in this computer's memory while the page is open. Nothing is written to disk or sent elsewhere.",
        )
    words = words or st.container()
    if problem := problem_of(slot):
        words.error(plain(problem), icon=":material/broken_image:")
    held = held_in(slot)
    if held is None:
        return None
    photo = cropped(held.photo())
    if photo.crop is not None:
        _say_crop(photo)
    if source == CASE:
        st.caption(f"{plain(held.name)}, {photo.size}. {plain(photo.about)}")
    elif st.session_state.get(slot) is None:
        # The widget was left for another page or source, and has forgotten; the session has not.
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Your photo from before is in use ({photo.size}).", width="content")
            st.button("Remove", type="tertiary", key=f"remove {slot}", on_click=drop, args=(slot,))
    for note in photo.notes:
        words.warning(plain(note), icon=":material/palette:")
    return photo


def ask_mixture(card: Card) -> Mixture | None:
    """Asks where the photo comes from: how common the diagnoses are there moves the probabilities.

    Returns:
        The mixture there, or None where probabilities stay as they were calibrated.
    """
    names = {AS_CALIBRATED: "As HAM10000 (as calibrated)"} | {key: one.title for key, one in MIXTURES.items()}
    with st.container(horizontal=True, gap="small"):
        place = st.selectbox(
            "Where does this photo come from?",
            [*names, OWN],
            format_func=lambda key: names.get(key, "Own share of melanoma"),
            key="place",
            persist_state="session",
            filter_mode=None,
            width=290,
            help="The probabilities hold where diagnoses are as common as in HAM10000, where melanoma is far commoner than in most "
            "practices. Elsewhere they are re-weighted by Bayes' rule.",
        )
        mixture = MIXTURES.get(place)
        if place == OWN:
            share = st.number_input(
                "Melanomas there, %", 0.01, 99.0, 2.0, 0.5, key="melanoma share", persist_state="session", width=150
            )
            mixture = own_mixture(share / 100, card.calibrated_shares)
    if mixture is not None:
        st.caption(f"Shares there: {shares_words(mixture.shares)}. {plain(mixture.source)}")
    return mixture


def shares_words(shares) -> str:
    """How common each diagnosis is, in one line, the commonest first."""
    ranked = sorted(zip(CODES, shares, strict=True), key=lambda item: -item[1])
    return ", ".join(f"{SHORT_NAMES[code].lower()} {percent(share)}" for code, share in ranked)


def ask_model(shelf: Shelf) -> str:
    """Asks which of the shipped networks is to read; the best by held-out balanced accuracy comes first.

    Args:
        shelf: with at least one model.

    Returns:
        The name of the model's folder.
    """
    names = list(shelf.models)
    chosen = st.selectbox(
        "Network, and its balanced accuracy",
        names,
        format_func=lambda name: _short(shelf, name),
        key="model",
        persist_state="session",
        filter_mode=None,
        help="Balanced accuracy is the mean of the seven diagnoses' sensitivities, on lesions that the network never saw; in "
        "brackets its 95 % interval. Always answering one diagnosis would score 0.14.",
    )
    st.caption(_facts_of(shelf, chosen))
    return chosen


def say_no_models(shelf: Shelf) -> None:
    """Says how to come by a model where none is shipped."""
    st.warning(
        f"There is no usable model in `{shelf.root}`. Train one, and it appears here:", icon=":material/model_training:"
    )
    st.code("python -m core train frozen --backbone MobileNetV3Small --data HAM10000_FOLDER", language="bash")


def say_broken(shelf: Shelf) -> None:
    """Names the folders that hold no usable model, each with the reason."""
    if not shelf.broken:
        return
    count = len(shelf.broken)
    label = "1 folder holds no usable model" if count == 1 else f"{count} folders hold no usable model"
    with st.expander(label, icon=":material/warning:"):
        for name, reason in shelf.broken.items():
            st.markdown(f"**{plain(name)}**: {plain(reason)}")


def _say_crop(photo: Photo) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Read is a square of the photo ({photo.size}).", width="content")
        st.button("Whole photo", type="tertiary", key="uncrop", on_click=set_crop, args=(photo.of, None))


def _take(slot: str) -> None:
    """Reads what the uploader or the camera now holds; no longer holding anything removes the photo."""
    file = st.session_state[slot]
    if file is None:
        drop(slot)
    else:
        hold(slot, file.getvalue(), "The camera's photo" if slot == SLOTS[CAMERA] else file.name)


def _short(shelf: Shelf, name: str) -> str:
    score = balanced_accuracy_of(shelf.models[name])
    return f"{name}: {interval(score)}"


def _facts_of(shelf: Shelf, name: str) -> str:
    card = shelf.models[name]
    speed = card.speed.get("forward_ms")
    parts = [
        f"{card.megabytes:.1f} MB",
        f"{card.parameters / 1e6:.1f} million weights",
        f"{card.image_size} x {card.image_size} pixels",
        f"{milliseconds(speed / 1000)} a photo on {plain(str(card.speed.get('device') or 'the trainer'))}"
        if isinstance(speed, int | float)
        else f"speed {UNKNOWN}",
        f"balanced accuracy {interval(balanced_accuracy_of(card))}",
    ]
    if is_leaky(card):
        parts.append("**leaky split: this score flatters it**")
    return " · ".join(parts)
