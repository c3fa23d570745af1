"""A teacher's own case sets: from galleries, from a table, from own photos; saved as one file."""

import tempfile
from pathlib import Path

import pandas as pd
import streamlit as st

from core.data.decoding.photo_formats import UPLOADS
from core.diagnoses import CODES, NAMES
from core.teaching.case_sets.file import SUFFIX, write_case_set
from core.teaching.case_sets.record import CONFIRMED, HAM10000_ATTRIBUTION, HAM10000_LICENCE, LONGEST_TITLE, CaseSet
from core.teaching.case_sets.sources import choose_cases, own_case, read_case_table
from core.webapp.shared.evaluations import read_evaluated
from core.webapp.shared.export import file_name
from core.webapp.shared.shelf import read_shelf
from core.webapp.shared.theme import SHORT_NAMES
from core.webapp.shared.words import plain
from core.webapp.teach.asking import sentences
from core.webapp.teach.sets.choose import keep_set, own_sets

GALLERY, TABLE, PHOTOS = "Held-out photos", "A table", "Own photos"
_ANY = "any"
_MOST_ROWS = 300


def draw_sets() -> None:
    """The section of case sets."""
    st.markdown("A set is one file with ids, truths, licences and why each case was chosen. It never holds a photo.")
    how = st.segmented_control("Make a set from", (GALLERY, TABLE, PHOTOS), default=GALLERY, required=True, key="make how")
    title = st.text_input("Title of the set", max_chars=LONGEST_TITLE, key="set title", width=460)
    with sentences():
        made = {GALLERY: _from_gallery, TABLE: _from_table, PHOTOS: _from_photos}[how](title.strip() or "Own cases")
        if made is not None:
            keep_set(made)
            st.success(
                f"{made.title}: {len(made)} cases. It can be chosen in the other sections.", icon=":material/check:"
            )
    for name, cases in own_sets().items():
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{plain(name)}**, {len(cases)} cases")
            st.download_button(
                "Save as a file",
                write_case_set(cases),
                file_name=f"{file_name(name) or 'cases'}{SUFFIX}",
                mime="application/json",
                icon=":material/download:",
                on_click="ignore",
                key=f"save {name}",
            )


def _from_gallery(title: str) -> CaseSet | None:
    """Held-out photos, by what they are and what a network said."""
    evaluated, _ = read_evaluated(read_shelf())
    if not evaluated:
        st.info(
            "No network here has an evaluation, so there are no held-out photos to choose from.", icon=":material/info:"
        )
        return None
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        name = st.selectbox("Network", list(evaluated), key="gallery network", filter_mode=None, width=260)
        words = {_ANY: _ANY} | SHORT_NAMES
        truth = st.selectbox(
            "Truth", [_ANY, *CODES], format_func=words.__getitem__, key="gallery truth", filter_mode=None, width=170
        )
        answer = st.selectbox(
            "It said", [_ANY, *CODES], format_func=words.__getitem__, key="gallery answer", filter_mode=None, width=170
        )
    results = evaluated[name].results
    table = results.table.assign(
        said=[CODES[i] for i in results.y_pred], sure=results.probabilities.max(axis=1).round(3)
    )
    rows = table[((table.dx == truth) | (truth == _ANY)) & ((table.said == answer) | (answer == _ANY))]
    rows = rows.sort_values("sure", ascending=False, kind="stable").head(_MOST_ROWS).reset_index(drop=True)
    shown = rows[["image_id", "dx", "said", "sure", "age", "sex", "localization", "dx_type"]]
    event = st.dataframe(
        shown,
        on_select="rerun",
        selection_mode="multi-row",
        key="gallery rows",
        hide_index=True,
        height=330,
        alt="Held-out photos to choose from",
    )
    places = event.selection.rows
    st.caption(
        f"{len(places)} chosen of {len(rows)} shown, the surest answer first. Tick the cases in the order in which they are to come."
    )
    if not st.button("Make the set", type="primary", disabled=not places, key="make from gallery"):
        return None
    why = {r.image_id: f"{NAMES[r.dx]}; {name} said {NAMES[r.said].lower()} ({r.sure:.2f})." for r in rows.itertuples()}
    return choose_cases(results.table, [rows.image_id[i] for i in places], title, why=why)


def _from_table(title: str) -> CaseSet | None:
    """A CSV of archive photos."""
    file = st.file_uploader(
        "Table: image_id and dx; perhaps dx_type, age, sex, localization, licence, attribution, why, group",
        type=["csv"],
    )
    licence = st.text_input("Licence of rows without their own", HAM10000_LICENCE, key="table licence", width=460)
    attribution = st.text_input(
        "Attribution of rows without their own", HAM10000_ATTRIBUTION, key="table attribution", width=460
    )
    if file is None or not st.button("Make the set", type="primary", key="make from table"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        # The file's own name may hold anything.
        path = Path(folder) / "table.csv"
        path.write_bytes(file.getvalue())
        return read_case_table(path, title, licence, attribution)


def _from_photos(title: str) -> CaseSet | None:
    """Own photos, known by the SHA-256 of their files."""
    files = st.file_uploader("Photos", type=UPLOADS, accept_multiple_files=True, key="own photos")
    licence = st.text_input("Licence", "All rights reserved", key="own licence", width=460)
    attribution = st.text_input(
        "Attribution", placeholder="Department of Dermatology, ...", key="own attribution", width=460
    )
    if not files:
        st.caption(
            "Photos are read once and kept nowhere: name their folder where a class is opened. Their file names are kept nowhere either."
        )
        return None
    st.caption("Choose each photo's truth in the table, by a double click: until you do it stands on nevus.")
    rows = pd.DataFrame({"Photo": [f.name for f in files], "Truth": "nv", "Confirmed": "histo", "Why": ""})
    edited = st.data_editor(
        rows,
        hide_index=True,
        disabled=["Photo"],
        column_config={
            "Truth": st.column_config.SelectboxColumn(options=list(CODES), format_func=NAMES.__getitem__, required=True),
            "Confirmed": st.column_config.SelectboxColumn(
                options=list(CONFIRMED), format_func=CONFIRMED.__getitem__, required=True
            ),
        },
        key=f"own rows {len(files)}",
    )
    if not st.button("Make the set", type="primary", key="make from photos"):
        return None
    cases = [
        own_case(file.getvalue(), row.Truth, row.Confirmed, licence, attribution, why=row.Why)
        for file, row in zip(files, edited.itertuples(), strict=True)
    ]
    return CaseSet(title, tuple(cases))
