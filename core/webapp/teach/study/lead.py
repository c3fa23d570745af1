"""Leading a reader study: its protocol, its readers, its data, its analysis."""

import json

import streamlit as st

from core.teaching.answers import TARGETS
from core.teaching.case_sets.file import set_to_record as cases_to_record
from core.teaching.case_sets.record import CaseSet
from core.teaching.people import Refused
from core.teaching.studies.export import export_imrmc, export_isic
from core.teaching.studies.protocol import DESIGNS, MOST_STUDY_CASES, Protocol
from core.teaching.studies.protocol_file import protocol_from_record, read_protocol, write_protocol
from core.teaching.studies.study import close_study, delete_study, open_study, study_progress
from core.webapp.shared.export import draw_table
from core.webapp.shared.shelf import read_shelf
from core.webapp.shared.words import plain
from core.webapp.teach.advice import ask_network, draw_learned, gather_advice
from core.webapp.teach.asking import sentences, the_store
from core.webapp.teach.browser import LEADER, keep_in_browser, read_kept
from core.webapp.teach.sets.choose import ask_case_set
from core.webapp.teach.sets.photos import offer_set_photos
from core.webapp.teach.study.results import draw_analysis

FORM, FILE = "Fill in", "Protocol file"
CONSENT = "My answers may be analysed and published without my nickname."
_STUDY = "lead"  # in the address


def draw_studies() -> None:
    """The section of reader studies."""
    codes = [name.removeprefix(f"{LEADER} ") for name in read_kept() if name.startswith(f"{LEADER} ")]
    chosen = st.query_params.get(_STUDY)
    if chosen in codes:
        _draw_study(chosen, read_kept()[f"{LEADER} {chosen}"])
        return
    for code in codes:
        if st.button(f"Study {code}", icon=":material/folder_open:", key=f"study {code}"):
            st.query_params[_STUDY] = code
            st.rerun()
    st.header("Open a study", anchor=False)
    how = st.segmented_control("Protocol", (FORM, FILE), default=FORM, required=True, key="protocol how")
    protocol = None
    with sentences():
        protocol = _from_form() if how == FORM else _from_file()
    if protocol is None:
        return
    shelf = read_shelf()
    shows = any("network" in arm.shows for arm in protocol.arms)
    name = ask_network(shelf, "study") if shows else ""
    if shows:
        draw_learned(protocol.cases, name, shelf)
    arms = " and ".join(f"*{plain(arm.name)}*" for arm in protocol.arms)
    st.markdown(f"**{plain(protocol.name)}**: {len(protocol.cases)} cases, {arms}, {protocol.design}.")
    with st.container(horizontal=True, gap="small"):
        begin = st.button("Open the study", type="primary", icon=":material/science:")
        st.download_button(
            "Save the protocol",
            write_protocol(protocol),
            file_name="study.protocol.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
        )
    if begin:
        with sentences():
            opened = open_study(the_store(), protocol, gather_advice(protocol.cases, name, shelf) if shows else {})
            keep_in_browser(f"{LEADER} {opened.code}", opened.secret)
            st.query_params[_STUDY] = opened.code
            st.rerun()


def _from_form() -> Protocol | None:
    cases = ask_case_set("study", MOST_STUDY_CASES)
    if cases is None:
        return None
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        name = st.text_input("Name", "Does the network help to find melanoma?", max_chars=100, width=420)
        target = st.selectbox(
            "To be found", list(TARGETS), format_func=lambda k: TARGETS[k][0], filter_mode=None, width=200
        )
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        design = st.selectbox(
            "Order",
            DESIGNS,
            filter_mode=None,
            width=200,
            help="crossover: all cases in one arm, a pause, all in the other. sequential: each case without, then at once with it.",
        )
        washout = st.number_input("Pause in days", 0, 365, 14, width=150, disabled=design != "crossover")
        repeats = st.number_input("Cases that come twice", 0, len(cases), 0, width=190)
        seed = st.number_input("Seed of the order", 0, 2**32 - 1, 1, width=170)
    consent = st.text_area(
        "What readers agree to; empty asks nothing",
        CONSENT,
        max_chars=4000,
    )
    return protocol_from_record(_record(cases, name, target, design, washout, repeats, seed, consent))


def _record(cases: CaseSet, name, target, design, washout, repeats, seed, consent) -> dict:
    """The common study as a protocol file's values, so that it passes the same checks."""
    return {
        "format": "melascope-study",
        "version": 1,
        "name": name,
        "target": target,
        "arms": [
            {"name": "without AI", "shows": ["facts"]},
            {"name": "with AI", "shows": ["facts", "network", "map"]},
        ],
        "order": {"design": design, "washout_days": washout, "cases": "random", "seed": int(seed)},
        "repeats": int(repeats),
        "questions": [
            {"id": "diagnosis", "prompt": "Your diagnosis", "type": "diagnosis"},
            {"id": "confidence", "prompt": "How sure are you, in per cent?", "type": "confidence"},
        ],
        "consent": consent,
        "kept_days": 365,
        "cases": cases_to_record(cases),
    }


def _from_file() -> Protocol | None:
    file = st.file_uploader("Protocol file (JSON), as in the documents", type=["json"], key="protocol file")
    if file is None:
        return None
    protocol = read_protocol(file.getvalue())
    offer_set_photos(protocol.cases, "protocol")
    return protocol


def _draw_study(code: str, secret: str) -> None:
    st.header(f"Study {code}", anchor=False)
    try:
        progress = study_progress(the_store(), code, secret)
    except Refused as error:
        st.error(plain(str(error)), icon=":material/error:")
        keep_in_browser(f"{LEADER} {code}", None)
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.link_button("The readers' page", f"?study={code}", icon=":material/open_in_new:")
        if st.button("All studies", icon=":material/arrow_back:"):
            del st.query_params[_STUDY]
            st.rerun()
    if progress:
        draw_table(
            [{"Reader": p.number + 1, "Nickname": p.nickname, "Done": p.done, "Of": p.of} for p in progress],
            f"Readers of study {code}",
        )
    else:
        st.caption("Nobody has joined yet.")
    with sentences():
        draw_analysis(code, secret)
    with st.container(horizontal=True, gap="small"):
        for label, make, name, mime in (
            ("Readings as CSV (ISIC columns)", export_isic, f"study-{code}.csv", "text/csv"),
            ("Ratings for iMRMC", export_imrmc, f"study-{code}.imrmc", "text/plain"),
        ):
            st.download_button(
                label,
                lambda make=make: make(the_store(), code, secret),
                file_name=name,
                mime=mime,
                icon=":material/download:",
                on_click="ignore",
            )
    _draw_end(code, secret)


def _draw_end(code: str, secret: str) -> None:
    with st.expander("Close or delete", icon=":material/flag:"), sentences():
        if st.button("Close: nobody reads any more"):
            close_study(the_store(), code, secret)
            st.success("The study is closed; its data stay.", icon=":material/check:")
        sure = st.checkbox("Delete the study with all its readers and readings")
        if st.button("Delete", disabled=not sure, key="delete study", icon=":material/delete:"):
            delete_study(the_store(), code, secret)
            keep_in_browser(f"{LEADER} {code}", None)
            del st.query_params[_STUDY]
            st.rerun()
        st.caption("The study's secret, to lead it from another browser")
        st.code(json.dumps({"study": code, "secret": secret}), language=None)
