"""Look-alikes: the training lesions nearest to a photo, what they say together, and what that was worth on held-out lesions."""

import streamlit as st

from core.data.patient import SEXES, SITES, Facts
from core.diagnoses import NAMES
from core.trust.signals.lookalikes import Lookalike, LookalikeVote
from core.trust.signals.seen_before import SeenBefore
from core.webapp.shared.cases.offer import offer_photos
from core.webapp.shared.photo.folder import archive_link, load_photo, photo_credit
from core.webapp.shared.photo.open_case import offer_case
from core.webapp.shared.photo.overlays import draw_picture
from core.webapp.shared.theme import GROUPS
from core.webapp.shared.words import plain
from core.wording import percent

IN_A_ROW = 3
CONFIRMED_BY = {
    "histo": "confirmed by histology",
    "follow_up": "confirmed by follow-up",
    "consensus": "by expert consensus",
    "confocal": "confirmed by confocal microscopy",
}


def draw_seen(seen: SeenBefore | None) -> None:
    """Says so where the model was trained on this photo or lesion."""
    if seen:
        st.warning(plain(seen.words), icon=":material/history:")


def draw_lookalikes(
    lookalikes: tuple[Lookalike, ...] | None, vote: LookalikeVote | None, record: dict | None, top: str | None = None
) -> None:
    """Draws the nearest training lesions, the second opinion first.

    Args:
        lookalikes: nearest first; None where there is no index, and then nothing is drawn.
        vote: of the nearest k.
        record: of `lookalikes.json`.
        top: code that the network itself answers.
    """
    if lookalikes is None:
        return
    st.markdown(f"**{vote.words}** {vote_worth(vote, record, top)}")
    # As many pictures as votes: a sixth, which has none, is not to be counted.
    lookalikes = lookalikes[: vote.of]
    offer_photos([one.image_id for one in lookalikes], "lookalikes", "of these look-alikes")
    for start in range(0, len(lookalikes), IN_A_ROW):
        for column, one in zip(st.columns(IN_A_ROW, gap="small"), lookalikes[start : start + IN_A_ROW], strict=False):
            with column.container(border=True, gap="xxsmall"):
                _draw_one(one)
    st.caption(
        "Lesions that the network learnt from, as near as it sees them, one photo a lesion. Likeness is the cosine of the two feature "
        "vectors: 1 is the same."
        + (
            f" The {vote.of} nearest vote; the nearest {len(lookalikes)} are shown."
            if vote.of > len(lookalikes)
            else ""
        )
    )


def vote_worth(vote: LookalikeVote, record: dict | None, top: str | None = None) -> str:
    """How often such a vote was wrong on held-out photos, and the network where the two say different things."""
    if not record:
        return ""
    scored, sentences = record["test"], []
    level = next(one for one in scored["wrong_by_agreement"] if vote.agreement >= one["from"])
    if level["value"] is not None:
        sentences.append(
            f"Where as many agreed, their diagnosis was wrong in {percent(level['value'])} of held-out photos."
        )
    answers = scored.get("network_wrong")
    if top and answers and all(answers[key].value is not None for key in ("same", "other")):
        same, other = (percent(answers[key].value) for key in ("same", "other"))
        if top in vote.others:
            sentences.append(f"The network says {NAMES[top]}, which is one of those that tie.")
        elif top == vote.dx:
            sentences.append(
                f"The network says the same; it was wrong in {same} of such photos, and in {other} where the two differ."
            )
        else:
            sentences.append(
                f"The network says {NAMES[top]}; where the two differ it was wrong in {other} of held-out photos, else in {same}."
            )
    return " ".join(sentences)


def _draw_one(one: Lookalike) -> None:
    photo = load_photo(one.image_id)
    if photo is not None:
        draw_picture(photo.pixels, "", f"Training photo {one.image_id}: {NAMES[one.dx]}")
    st.markdown(f"**{NAMES[one.dx]}** · {GROUPS[one.dx]}")
    age = "age unknown" if one.age is None else f"{one.age:.0f} years"
    sex, site = (("" if value == "unknown" else value) for value in (one.sex, one.localization))
    credit = photo_credit(one.image_id)
    facts = [CONFIRMED_BY.get(one.dx_type, "confirmation unknown"), age, sex, site, f"likeness {one.similarity:.2f}"]
    st.caption(
        f"{plain(' · '.join(fact for fact in facts if fact))}  \n[{plain(one.image_id)}]({archive_link(one.image_id)})"
        f"{f' · {plain(credit.licence)}' if credit else ''}",
        help=plain(credit.attribution) if credit else None,
    )
    facts = Facts(
        one.age,
        one.sex if one.sex in SEXES else "unknown",
        one.localization if one.localization in SITES else "unknown",
    )
    offer_case(
        one.image_id,
        facts,
        None,
        f"A photo that the network was trained on: {NAMES[one.dx]}, {CONFIRMED_BY.get(one.dx_type, 'confirmation unknown')}.",
        "look-alike",
    )
