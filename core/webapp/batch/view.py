"""The batch page once photos are there: starts and stops the reading, and draws the table as it grows."""

import base64

import pandas as pd
import streamlit as st

from core.csv_cells import csv_text
from core.diagnoses import CODES, NAMES
from core.interchange import describe_facts
from core.prevalence import Mixture
from core.trust.batch.row import BatchRow, read_row
from core.trust.batch.table import possible_melanoma, row_malignancy, row_title, table_rows, tally
from core.webapp.batch.report import batch_report
from core.webapp.batch.run import BatchSettings, Item, Run, held_run
from core.webapp.shared.failures import FAILURES, failure
from core.webapp.shared.operating_point import default_threshold, reader_threshold
from core.webapp.shared.photo.line import quiet_turns
from core.webapp.shared.photo.measures import kept_signals
from core.webapp.shared.photo.models import load_model
from core.webapp.shared.photo.open_case import HOME, open_case
from core.webapp.shared.shelf import Shelf
from core.wording import percent

REFRESH = 2.0  # seconds
GATES = {"ok": "passed", "warn": "take care", "refuse": "refused", "unusable": "gate damaged", "": "no gate"}
_MELANOMA = {True: "possible melanoma", False: "below threshold", None: ""}


def start_run(shelf: Shelf, items: list[Item], asked: BatchSettings, mixture: Mixture | None) -> None:
    """Begins a batch; another one of this session is stopped."""
    from core.interchange import read_photos

    card, folder = shelf.models[asked.model], shelf.folder(asked.model)
    try:
        bundle = load_model(folder, card)
    except FAILURES as error:
        st.error(failure(error), icon=":material/error:")
        return
    signals, turn = kept_signals(folder, card), quiet_turns()

    def read(item: Item) -> BatchRow:
        first, *more = read_photos(item.source, item.name, force=asked.force)
        notes = (*first.notes, *([f"It has {len(more) + 1} frames; this is the first."] if more else []))
        with turn():
            return read_row(
                bundle, signals, first.pixels, item.name, item.facts,
                crop=asked.crop, mixture=mixture, force=asked.force, notes=notes,
            )  # fmt: skip

    holder = held_run()
    if holder.run is not None:
        holder.run.stop()
    holder.run = Run(items, asked, read)
    holder.run.start()


def draw_run(shelf: Shelf, run: Run) -> None:
    """The batch so far; refreshed by itself while it runs."""
    st.fragment(run_every=REFRESH if run.running else None)(_draw_run)(shelf, run, run.running)


def _draw_run(shelf: Shelf, run: Run, began_running: bool) -> None:
    if began_running and not run.running:
        st.rerun()  # so that the page no longer refreshes itself
    rows, total = list(run.rows), len(run.items)
    if run.running:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(len(rows) / total, f"{len(rows)} of {total} photos read")
            st.button("Stop", icon=":material/stop:", key="batch stop", on_click=run.stop, width=100)
    elif run.stopped:
        st.info(f"Stopped after {len(rows)} of {total} photos. What was read stays below.", icon=":material/stop:")
    if not rows:
        return
    card = shelf.models.get(run.asked.model)
    default = default_threshold(shelf, run.asked.model, card) if card else None
    threshold, own = _ask_threshold(run.asked.model, reader_threshold(default), default)
    calibrated_only = bool(run.asked.mixture) and not own
    counts = tally(rows, threshold, calibrated_only)
    st.markdown(
        f"**{len(rows)} photos**: {counts['read']} read, {counts['possible melanoma']} at or above the melanoma threshold, "
        f"{counts['refused']} refused by the gate, {counts['not read']} not read."
    )
    shown = _filtered(rows, threshold, calibrated_only)
    if not shown:
        st.caption("No photo passes these filters.")
        return
    _draw_table(run, shown, threshold, calibrated_only)
    if run.running:
        return
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "CSV",
            lambda: csv_text(pd.DataFrame(table_rows(shown, threshold, calibrated_only))).encode("utf-8-sig"),
            file_name="readings.csv", mime="text/csv", icon=":material/download:", on_click="ignore", key="batch csv",
        )  # fmt: skip
        st.download_button(
            "Report as HTML",
            lambda: batch_report(run.asked, card, shown, threshold, calibrated_only).encode(),
            file_name="readings.html", mime="text/html", icon=":material/download:", on_click="ignore", key="batch report",
        )  # fmt: skip
    st.caption("Both hold the photos shown, by their names as they came. The report shows small pictures of them.")


def _ask_threshold(model: str, threshold: float | None, default: float | None) -> tuple[float | None, bool]:
    """The threshold on melanoma, and whether it is the reader's own."""
    shown = None if threshold is None else round(100 * threshold, 1)
    value = st.number_input(
        "Melanoma from, per cent",
        0.1, 99.9, shown, 1.0, "%.1f",
        key=f"batch threshold {model} {shown}", width=220,
        help="The network's operating point, chosen on photos that it did not learn from, unless you set your own. Nothing is read anew.",
    )  # fmt: skip
    if value == shown:
        return threshold, threshold != default
    return (None if value is None else value / 100), value is not None


def _filtered(rows: list[BatchRow], threshold: float | None, calibrated_only: bool) -> list[BatchRow]:
    with st.container(horizontal=True, gap="small", key="batch filters"):
        tops = [code for code in CODES if any(row.top == code for row in rows)]
        wanted = st.multiselect("Likeliest", tops, format_func=NAMES.__getitem__, key="batch tops", width=300)
        there = [gate for gate in GATES if any(row.gate == gate and not row.error for row in rows)]
        gates = st.multiselect("Photo gate", there, format_func=GATES.__getitem__, key="batch gates", width=220)
        only = st.multiselect(
            "Only", ["Possible melanoma", "Framed otherwise", "Not read"], key="batch only", width=300
        )
    return [
        row
        for row in rows
        if (not wanted or row.top in wanted)
        and (not gates or (row.gate in gates and not row.error))
        and ("Possible melanoma" not in only or possible_melanoma(row, threshold, calibrated_only))
        and ("Framed otherwise" not in only or not row.framed)
        and ("Not read" not in only or row.error)
    ]


def _draw_table(run: Run, rows: list[BatchRow], threshold: float | None, calibrated_only: bool) -> None:
    table = pd.DataFrame([_cells(row, threshold, calibrated_only) for row in rows])
    shares = ["Probability", "Melanoma", "Malignant"]
    picked = st.dataframe(
        table.style.format(percent, subset=shares, na_rep=""),
        hide_index=True,
        height=min(36 + 56 * len(rows), 640),
        row_height=56,
        column_config={"": st.column_config.ImageColumn("", width=64, pinned=True), "Remarks": st.column_config.Column(width="large")},
        placeholder="",
        on_select="rerun",
        selection_mode="single-row",
        key="batch table",
        alt="One row a photo: likeliest diagnosis, melanoma and its threshold, 90 % set, gate, facts, remarks",
    )  # fmt: skip
    chosen = picked.get("selection", {}).get("rows", [])
    if chosen and chosen[0] < len(rows):
        _open(run, rows[chosen[0]])
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        place = st.selectbox(
            "Open a case", range(len(rows)), format_func=lambda at: rows[at].photo, key="batch open", width=320
        )
        if st.button("Open", icon=":material/open_in_full:", key="batch open button"):
            _open(run, rows[place])
    st.caption("The box before a row opens its case on *Read a lesion*; a column's name sorts.")


def _cells(row: BatchRow, threshold: float | None, calibrated_only: bool) -> dict:
    probabilities = row.probabilities
    picture = base64.b64encode(row.thumbnail).decode()
    return {
        "": f"data:image/jpeg;base64,{picture}" if picture else None,
        "Photo": row.photo,
        "Likeliest": row_title(row),
        "Probability": probabilities[row.top] if probabilities else None,
        "Melanoma": probabilities["mel"] if probabilities else None,
        "By the threshold": _MELANOMA[possible_melanoma(row, threshold, calibrated_only)],
        "Malignant": row_malignancy(row),
        "90 % set": "" if row.set is None else ", ".join(NAMES[code] for code in row.set),
        "Gate": "" if row.error else GATES[row.gate],
        "Facts": describe_facts(row.facts),
        "Remarks": " ".join([row.error, *row.remarks]).strip(),
    }


def _open(run: Run, row: BatchRow) -> None:
    item = run.items[run.rows.index(row)]  # by its place: two photos may have one name
    open_case(item.source, row.facts, run.asked.model, name=row.photo, about="From the batch.", crop=row.crop)
    st.session_state.pop("batch table", None)
    st.switch_page(HOME)
