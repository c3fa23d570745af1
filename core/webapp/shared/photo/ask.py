"""What a person is asked for: a photo, the patient's facts, and which network is to read it."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.card import Card
from core.data.decoding.photo_formats import UPLOADS
from core.data.drawn import draw_lesion
from core.data.images import MAX_BYTES, UnreadablePhoto, photo_hash, read_photo, read_photo_file
from core.data.patient import SEXES, SITES, Facts, InvalidFacts
from core.diagnoses import CODES
from core.interchange import describe_facts, read_header_facts
from core.prevalence import AS_CALIBRATED, MIXTURES, OWN, Mixture, own_mixture
from core.webapp.shared.photo.kept import keep
from core.webapp.shared.shelf import Shelf, headline, is_leaky
from core.webapp.shared.theme import SHORT_NAMES
from core.webapp.shared.words import plain
from core.wording import UNKNOWN, interval, milliseconds, percent

UPLOAD, CAMERA, EXAMPLE = "Upload", "Camera", "Drawn example"
_UPLOADER, _CAMERA = "uploader", "camera"
_PHOTO, _PROBLEM = "photo from {}", "problem with {}"


@dataclass(frozen=True, eq=False)
class _Upload:
    """An upload as it came: a session keeps the file, which is small, and its pixels are kept as long as there is room."""

    content: bytes
    name: str
    hash: str
    notes: tuple[str, ...]
    told: Facts = Facts()  # by a DICOM header

    def photo(self) -> "Photo":
        pixels = keep(
            ("pixels", self.hash), lambda: _read_only(read_photo(self.content, self.name)), lambda p: p.nbytes
        )
        return Photo(pixels, self.hash, self.notes)


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo of this session; in memory only.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        hash: see `core.data.images.photo_hash`.
        notes: what could not be followed when it was read, such as a broken colour profile.
    """

    pixels: np.ndarray
    hash: str
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> str:
        height, width = self.pixels.shape[:2]
        return f"{width} x {height} pixels"


def ask_photo() -> Photo | None:
    """Asks for a photo, and keeps it while the person goes from page to page.

    Returns:
        The photo, or None while there is none; what was wrong with an upload is said in place.
    """
    source = st.segmented_control(
        "Photo", [UPLOAD, CAMERA, EXAMPLE], default=UPLOAD, required=True, key="source", persist_state="session"
    )
    if source == EXAMPLE:
        st.caption("A drawn lesion, to try the page with. What a network says about a drawing means nothing.")
        return _example()
    if source == CAMERA:
        st.camera_input("Take a photo through the dermatoscope", key=_CAMERA, on_change=_take, args=(_CAMERA,))
        kept = _CAMERA
    else:
        st.file_uploader(
            "Dermoscopic photo: JPEG, PNG, WebP, TIFF, BMP, HEIC, AVIF or DICOM",
            type=UPLOADS,
            max_upload_size=MAX_BYTES // 1_000_000,
            key=_UPLOADER,
            on_change=_take,
            args=(_UPLOADER,),
            help="It stays in this computer's memory while the page is open. Nothing is written to disk or sent elsewhere.",
        )
        kept = _UPLOADER
    if problem := st.session_state.get(_PROBLEM.format(kept)):
        st.error(plain(problem), icon=":material/broken_image:")
    upload = st.session_state.get(_PHOTO.format(kept))
    photo = upload.photo() if upload else None
    if photo is not None and st.session_state.get(kept) is None:
        # The widget was left for another page or source, and has forgotten; the session has not.
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Your photo from before is in use ({photo.size}).", width="content")
            st.button("Remove", type="tertiary", key=f"remove {kept}", on_click=_forget, args=(kept,))
    for note in photo.notes if photo is not None else ():
        st.warning(plain(note), icon=":material/palette:")
    return photo


def is_example() -> bool:
    """Whether the drawn example is in use."""
    return st.session_state.get("source") == EXAMPLE


def ask_facts() -> Facts | None:
    """Asks for age, sex and body site, each of which may be unknown.

    Returns:
        The facts, or None where one of them cannot be; that is said in place.
    """
    _offer_header_facts()
    with st.container(horizontal=True, gap="small"):
        age = st.number_input(
            "Age in years", value=None, step=1, placeholder="unknown", key="age", persist_state="session", width=110
        )
        sex = st.selectbox(
            "Sex", _unknown_first(SEXES), key="sex", persist_state="session", filter_mode=None, width=125
        )
        site = st.selectbox("Body site", _unknown_first(SITES), key="site", persist_state="session", width=170)
    try:
        return Facts(age, sex, site)
    except InvalidFacts as error:
        st.error(plain(str(error)), icon=":material/person_alert:")
        return None


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


def _offer_header_facts() -> None:
    """Shows what a DICOM header says of age, sex and body site; it counts once the person has taken it over."""
    upload = st.session_state.get(_PHOTO.format(_UPLOADER)) if st.session_state.get("source") == UPLOAD else None
    words = describe_facts(upload.told) if upload else ""
    if words:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"The photo's DICOM header says: {words}.", width="content")
            st.button("Use these facts", type="tertiary", key="header facts", on_click=_take_over, args=(upload.told,))


def _take_over(told: Facts) -> None:
    st.session_state["age"] = None if told.age is None else int(told.age)
    st.session_state["sex"], st.session_state["site"] = told.sex, told.site


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


def _take(key: str) -> None:
    """Reads what the uploader or the camera now holds; no longer holding anything removes the photo."""
    _forget(key)
    file = st.session_state[key]
    if file is None:
        return
    name = file.name if key == _UPLOADER else "The camera's photo"
    try:
        content = file.getvalue()
        read = read_photo_file(content, name)
        pixels = _read_only(read.pixels)
        told = read_header_facts(content, name)
        upload = _Upload(content, name, photo_hash(pixels), read.notes, told)
        keep(("pixels", upload.hash), lambda: pixels, lambda p: p.nbytes)
        st.session_state[_PHOTO.format(key)] = upload
    except UnreadablePhoto as error:
        st.session_state[_PROBLEM.format(key)] = str(error)
    except MemoryError:
        st.session_state[_PROBLEM.format(key)] = (
            f"{name} is too large for this computer's memory. Make the photo smaller."
        )


def _forget(key: str) -> None:
    for slot in (_PHOTO, _PROBLEM):
        st.session_state.pop(slot.format(key), None)


@st.cache_resource(show_spinner=False)
def _example() -> Photo:
    pixels, _ = draw_lesion("nv", seed=4)
    return Photo(pixels, photo_hash(pixels))


def _read_only(pixels: np.ndarray) -> np.ndarray:
    """Sessions may share it."""
    pixels.flags.writeable = False
    return pixels


def _unknown_first(values: tuple[str, ...]) -> list[str]:
    return ["unknown", *(v for v in values if v != "unknown")]


def _short(shelf: Shelf, name: str) -> str:
    score = headline(shelf.models[name])
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
        f"balanced accuracy {interval(headline(card))}",
    ]
    if is_leaky(card):
        parts.append("**leaky split: this score flatters it**")
    return " · ".join(parts)
