"""Taking a case along: a report as HTML or PDF, and a bundle that replays."""

import re
from datetime import UTC, datetime

import numpy as np
import streamlit as st

from core.diagnoses import CODES, NAMES
from core.explain import EXPLAINERS
from core.reading import METHOD, read_encoded
from core.trust.replay import write_case
from core.trust.signals.map_agreement import map_agreement
from core.webapp.read.case import Case
from core.webapp.read.facts import over_patients
from core.webapp.read.jury import ask_jury, jury_worth
from core.webapp.read.lookalikes import CONFIRMED_BY, vote_worth
from core.webapp.read.prediction_set import UNKNOWING, set_worth
from core.webapp.reports.html import report_html
from core.webapp.reports.parts import Bars, Heading, Notice, Part, Pictures, Rows, Text
from core.webapp.shared.frame import NOTICE
from core.webapp.shared.operating_point import stand
from core.webapp.shared.photo.folder import load_photo
from core.webapp.shared.photo.overlays import SHOWN_SIDE, agreement_words
from core.webapp.shared.shelf import balanced_accuracy_of
from core.wording import interval, percent

TITLE = "Melascope case report"


def draw_case_files(case: Case) -> None:
    """The buttons. What goes into the files is gathered when the section is opened; each is written when it is asked for."""
    parts, more, name = case_parts(case), _more(case), case_name(case.encoded.photo_hash, case.reading.top)
    st.markdown(
        "Each file holds the photo's pixels and the facts above. Neither the upload's name nor anything that a camera wrote into it "
        "(place, date, device) is in them."
    )
    with st.container(horizontal=True, gap="small"):
        for key, label, make, file, mime in (
            (
                "html",
                "Report as HTML",
                lambda: report_html(TITLE, parts).encode(),
                f"{name}.html",
                "text/html",
            ),
            ("pdf", "Report as PDF", lambda: _pdf(parts), f"{name}.pdf", "application/pdf"),
            (
                "case",
                "Case bundle to replay",
                lambda: write_case(case.photo.pixels, case.reading, more),
                f"{name}.zip",
                "application/zip",
            ),
        ):
            st.download_button(
                label,
                make,
                file_name=file,
                mime=mime,
                icon=":material/download:",
                on_click="ignore",
                key=f"download {key}",
            )
    st.caption(
        f"The bundle can be read again on another machine, below *Replay a saved case* or by `python -m core replay {name}.zip`: it "
        "gives the same digits, or says which version or weights differ."
    )


def case_name(photo_hash: str, top: str) -> str:
    """What a case's files are called: the likeliest diagnosis and the beginning of the photo's hash, never the upload's own name."""
    return f"{'-'.join(re.findall('[a-z]+', NAMES[top].lower()))}-{photo_hash[:8]}"


def case_parts(case: Case) -> list[Part]:
    """The whole report, top to bottom."""
    reading, card = case.reading, case.card
    explained = read_encoded(case.encoded, case.facts, side=SHOWN_SIDE)
    jury, right = ask_jury(case.shelf, case.photo, case.facts)
    return [
        Notice(NOTICE),
        *_answer(case),
        Heading("The photo, and where the network looked"),
        Pictures(
            (
                (case.photo.pixels, "A square of the photo" if case.photo.crop else "The photo"),
                (explained.attention_overlay, "Soft attention: yellow mattered most"),
                (explained.heatmap_overlay, f"{EXPLAINERS[METHOD].title} for {NAMES[explained.target]}"),
            )
        ),
        *_maps(case, explained),
        *[Text(note) for note in explained.notes],
        *_patient(case),
        *_similar(case),
        *(
            [
                Heading("The jury: all networks"),
                Text(f"{jury.headline}. {jury_worth(jury, right)}"),
                Rows(tuple({"Network": n, "Says": NAMES[c]} for n, c in jury.votes.items())),
            ]
            if jury
            else []
        ),
        Heading("The network"),
        Text(
            f"{card.name}. Balanced accuracy on held-out lesions {interval(balanced_accuracy_of(card))}. {' '.join(map(str, card.limits))}"
        ),
        Heading("What this report rests on"),
        Rows(
            (
                {"What": "Weights, SHA-256", "Value": reading.card["sha256"]},
                {"What": "Photo's pixels, SHA-256", "Value": case.encoded.photo_hash},
                {"What": "Split", "Value": f"{reading.card['split_kind']}, {reading.card['split_hash'][:16]}"},
                {"What": "Temperature", "Value": f"{reading.card['temperature']:.4f}"},
                {
                    "What": "Biases",
                    "Value": ", ".join(
                        f"{code} {b:+z.4f}" for code, b in zip(CODES, reading.card["biases"], strict=True)
                    ),
                },
                *({"What": name, "Value": version} for name, version in reading.versions.items()),
                {"What": "Report made", "Value": f"{datetime.now(UTC):%Y-%m-%d} (UTC)"},
            )
        ),
    ]


def _pdf(parts: list[Part]) -> bytes:
    from core.webapp.reports.pdf import report_pdf  # loads when a PDF is asked for

    return report_pdf(TITLE, parts)


def _answer(case: Case) -> list[Part]:
    reading, prediction_set = case.reading, case.prediction_set
    answer = reading.elsewhere or reading
    top = f"{NAMES[answer.top]}, {percent(reading.here[answer.top])}"
    parts: list[Part] = [Heading("Answer")]
    if case.opinion.gate and case.opinion.gate.verdict != "ok":
        parts.append(Notice(f"Photo gate: {case.opinion.gate.verdict}. {' '.join(case.opinion.gate.reasons)}"))
    parts += [Notice(f"Damaged, and left out of this report: {fault}") for fault in case.opinion.faults]
    if case.opinion.seen:
        parts.append(Notice(case.opinion.seen.words))
    if prediction_set and prediction_set.abstains:
        parts.append(Notice(f"{UNKNOWING}. {prediction_set.doubt} Likeliest all the same: {top}."))
    else:
        parts.append(Text(f"Likeliest diagnosis: {top}.", large=True))
    standing = stand(reading, case.threshold)
    if standing:
        parts.append(Text(f"{standing.words}.", large=True))
    parts.append(Text(f"Malignant or pre-malignant: {percent(answer.malignancy)}."))
    if prediction_set:
        parts += [
            Text(f"{prediction_set.words}."),
            Text(set_worth(prediction_set, case.signals.records["set"]), small=True),
        ]
    parts.append(Bars(reading.here))
    if reading.elsewhere:
        mixture = reading.elsewhere.mixture
        parts += [
            Notice(
                f"Re-weighted by Bayes' rule to where the photo comes from: {mixture.title}. As calibrated: {NAMES[reading.top]}, "
                f"{percent(reading.probabilities[reading.top])}; the 90 % set, the jury and the operating point go by those."
            ),
            Rows(
                tuple(
                    {
                        "Diagnosis": NAMES[code],
                        "Share there": percent(share),
                        "As calibrated": percent(reading.probabilities[code]),
                    }
                    for code, share in zip(CODES, mixture.shares, strict=True)
                )
            ),
            Text(mixture.source, small=True),
        ]
    return parts


def _maps(case: Case, explained) -> list[Part]:
    record = case.signals.records.get("maps")
    if not record:
        return []
    return [
        Text(
            agreement_words(map_agreement(explained.attention, explained.heatmap), record).replace("**", ""), small=True
        )
    ]


def _patient(case: Case) -> list[Part]:
    facts, what = case.facts, case.what
    age = "unknown" if facts.age is None else f"{facts.age:g} years"
    parts: list[Part] = [
        Heading("The patient's facts"),
        Rows(({"Age": age, "Sex": facts.sex, "Body site": facts.site},)),
    ]
    if what:
        parts += [Notice(sentence) for sentence in what.warnings(case.threshold)]
        before = int(np.argmax(what.withheld))
        parts.append(
            Text(
                f"Without any facts the network says {list(NAMES.values())[before]}, {percent(what.withheld[before])}."
            )
        )
        if what.expected is not None:
            parts.append(Text(over_patients(what.expected)))
    return parts


def _similar(case: Case) -> list[Part]:
    opinion = case.opinion
    if not opinion.lookalikes:
        return []
    photos = [(load_photo(one.image_id), one) for one in opinion.lookalikes[: opinion.vote.of]]
    shown = tuple((photo.pixels, f"{NAMES[one.dx]} ({one.image_id})") for photo, one in photos if photo is not None)
    return [
        Heading("Similar known lesions"),
        Text(
            f"{opinion.vote.words} {vote_worth(opinion.vote, case.signals.records.get('lookalikes'), case.reading.top)}"
        ),
        Pictures(shown),
        Rows(
            tuple(
                {
                    "ISIC identifier": one.image_id,
                    "Diagnosis": NAMES[one.dx],
                    "Confirmed": CONFIRMED_BY.get(one.dx_type, "unknown"),
                    "Facts": ", ".join(
                        [f"{one.age:.0f} years" if one.age is not None else "age unknown", one.sex, one.localization]
                    ),
                    "Likeness": f"{one.similarity:.2f}",
                }
                for one in opinion.lookalikes[: opinion.vote.of]
            )
        ),
    ]


def _more(case: Case) -> dict:
    """What a bundle keeps beside the reading."""
    opinion = case.opinion.to_json()
    opinion.pop("trust_notes", None)
    if case.prediction_set:
        opinion["set"] = list(case.prediction_set.codes)
    crop = {"crop": case.photo.crop.to_json()} if case.photo.crop else {}
    return {"threshold": case.threshold, **crop, **opinion}
