"""The frame of every page: title, menu, and the notice that this is for research."""

from pathlib import Path

import streamlit as st

from core.threads import keep_little_freed
from core.webapp.shared.viewer.watch import watch_page

keep_little_freed()  # once for the server: this is what every page imports first

NAME = "Melascope"
# Shipped: a named icon would be fetched from a font host at each visit.
ICON = Path(__file__).parents[1] / "icon.svg"
NOTICE = "For research and teaching. Not a medical device: nothing here may decide about a patient."
# path, label, icon
PAGES: tuple[tuple[str, str, str], ...] = (
    ("app.py", "Read a lesion", ":material/biotech:"),
    ("pages/batch.py", "Many photos", ":material/grid_view:"),
    ("pages/session.py", "This session", ":material/history:"),
    ("pages/compare_backbones.py", "Compare backbones", ":material/compare:"),
    ("pages/evaluation.py", "Evaluation", ":material/monitoring:"),
    ("pages/melanoma_nevus.py", "Melanoma versus nevus", ":material/difference:"),
    ("pages/maps.py", "Maps", ":material/gradient:"),
    ("pages/teach.py", "Teach", ":material/school:"),
    ("pages/paper.py", "The paper", ":material/menu_book:"),
    ("pages/models.py", "Models", ":material/description:"),
)
# Streamlit leaves wide borders on phones, and greys the text of charts below what is easily read.
_STYLE = """
<style>
  .stMainBlockContainer { max-width: 1240px; padding: 4rem 2rem 3rem; }
  @media (max-width: 640px) { .stMainBlockContainer { padding: 4rem 1rem 2rem; } }
  .st-key-brand p { font-weight: 700; font-size: 1.15rem; letter-spacing: -0.01em; }
  .st-key-frame [data-testid="stPageLink"] a > :is([data-testid="stIconMaterial"], :has(> [data-testid="stIconMaterial"])) {
    display: none; }
  .stMainBlockContainer h1 { padding: 0.5rem 0 0.25rem; }
  .stMainBlockContainer h2 { padding: 1.25rem 0 0.25rem; }
  .stMainBlockContainer h3 { padding: 0.1rem 0; }
  .stPlotlyChart :is(.xtick, .ytick, .x2tick, .y2tick, .xtitle, .ytitle, .legendtext) text,
  .stPlotlyChart :is(text.xtitle, text.ytitle, text.x2title, text.legendtext),
  :is(.st-key-differential, .st-key-what-if-places) .annotation text { fill: currentColor !important; }
  .st-key-photos img, .st-key-waiting img { border-radius: 0.5rem; }
  .st-key-waiting :is([data-testid="stImage"], [data-testid="stImageContainer"], .stElementContainer) { width: 100%; }
  .st-key-waiting img { width: 100%; height: 27rem; object-fit: contain; background: #000; }
  /* On a phone: the photo, the answer, what warns of it, then the rest; the keyboard too, where browsers know `reading-flow`. */
  @media (max-width: 640px) {
    .st-key-waiting img { height: 28vh; }
    .st-key-case { gap: 0.75rem; reading-flow: flex-visual; }
    .st-key-case :has(:is(.st-key-where, .st-key-waiting, .st-key-answer)) { display: contents; }
    .st-key-case :is(.st-key-where, .st-key-waiting) { order: -2; }
    .st-key-answer { order: -1; padding: 0.75rem; }
    .st-key-case :has(> :is(.st-key-map-tools, .st-key-framing-tools)) { order: 1; }
  }
  /* Small pictures in a row: as many as fit, the rest below them. */
  [class*="st-key-alike-"] .stHorizontalBlock { flex-wrap: wrap; overflow: visible; }
  [class*="st-key-alike-"] .stColumn { min-width: 6.5rem; flex: 1 1 6.5rem; }
  .st-key-answer h3 { font-size: 1.4rem; padding: 0; }
  .st-key-answer { gap: 0.6rem; }
  /* Streamlit's greys fall short of 4.5 : 1 on either ground. */
  [data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] :is(p, li, span, code) { color: inherit; opacity: 1; }
  [data-testid="stCaptionContainer"] :is(p, li) { color: color-mix(in srgb, currentColor 82%, transparent); }
  /* White falls short on the dark theme's light teal. */
  .stApp :is([kind="primary"], [kind="primaryFormSubmit"]):not(:disabled) :is(p, span, svg),
  .stApp [data-testid="stMultiSelect"] span[title] {
    color: light-dark(#ffffff, #0c1f21); }
  /* Where nothing hovers, a table's tools are always there: beside what stands above, not over it. */
  @media (hover: none) { .stElementContainer:has(> .stDataFrame) { padding-top: 2.25rem; } }
  @media (max-width: 640px) {
    [class*="st-key-wide-"]::before { content: "Swipe the table sideways for its other columns."; font-size: 0.875rem; }
  }
  /* Beside other controls a row of choices runs off a phone's screen instead of going on below; there each choice has its own frame. */
  @media (max-width: 640px) {
    .stButtonGroup [role="radiogroup"] { flex-wrap: wrap; gap: 0.3rem; }
    .stButtonGroup [role="radiogroup"] > button { border-radius: 0.5rem; }
    .stButtonGroup [role="radiogroup"] > button[aria-checked="false"]:not(:hover) {
      border-color: color-mix(in srgb, currentColor 22%, transparent) !important; }
  }
  /* Cards of scores: as many a row as fit, of one width; seven on a desk, two on a phone and the last across both. */
  .st-key-score-cards { display: grid !important; grid-template-columns: repeat(auto-fit, minmax(9.4rem, 1fr)); }
  .st-key-score-cards > * { width: auto !important; min-width: 0; }
  .st-key-score-cards > * > .stVerticalBlock { height: 100%; }
  @media (max-width: 640px) { .st-key-score-cards > :last-child:nth-child(odd) { grid-column: 1 / -1; } }
  .st-key-watch:not(:has(p:not(:empty))) { gap: 0; }
  .melascope-gone { position: fixed; inset: auto 1rem 1rem; z-index: 999999; padding: 0.8rem 1rem; border-radius: 0.5rem;
    background: #7a1c1c; color: #ffffff; max-width: 46rem; margin: auto; box-shadow: 0 2px 12px rgba(0, 0, 0, 0.4); }
  ::placeholder { color: inherit !important; opacity: 0.8 !important; }
  .stMainBlockContainer:has(.st-key-case) h1 { font-size: 1.4rem; padding: 0; }
  .st-key-case { scroll-margin-top: 3.75rem; }
  /* Grey ground is for the page that is shown; a link that the keyboard has reached is framed. */
  .stPageLink a:focus-visible { background: transparent; outline: 2px solid currentColor; outline-offset: 1px; }
  /* Paper: figures and tables keep the width that they have on the screen, so all is set smaller on a sheet on its side. */
  @media print {
    @page { size: A4 landscape; margin: 10mm; }
    .stMainBlockContainer { zoom: 0.76; padding: 0; max-width: 1240px; }
    header, .stToolbar, [data-testid="stFileUploader"], .st-key-inputs, .st-key-watch, .stButton, .stDownloadButton, .stPopover,
    .stExpander:not(:has(details[open])), .stPageLink, .stMultiSelect, .stSelectbox, .stNumberInput, .stButtonGroup, .modebar-container,
    .stTooltipIcon, .stCheckbox, .stPagination, .stTextInput, .stElementToolbar, hr { display: none !important; }
    /* Streamlit prints columns below each other; beside each other they are what the words call left and right. */
    .stHorizontalBlock:has(> .stColumn) { display: flex !important; }
    .st-key-case, [class*="st-key-whole-"], .stPlotlyChart, .stImage, .stDataFrame, .stHtml, .stAlert,
    .stLayoutWrapper:has(> .stHorizontalBlock img), [data-testid="stColumn"] { break-inside: avoid; }
    .st-key-answer h3 { margin: 0 0 0.4rem !important; }
    .st-key-questions:not(:has(details[open])) { display: none; }
    h1, h2, h3, h4, h5 { break-after: avoid; }
  }
</style>
"""


def page_frame(title: str, lead: str = "") -> None:
    """Begins a page. To be called before anything else is drawn.

    Args:
        title: of the page.
        lead: a sentence beneath it.
    """
    _begin(title)
    with st.container(key="frame", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            with st.container(width="content", key="brand"):
                st.markdown(NAME)
            for path, label, icon in PAGES:
                st.page_link(path, label=label, icon=icon)
        st.caption(f":material/info: {NOTICE}")
        watch_page()
    st.title(title, anchor=False)
    if lead:
        st.markdown(lead)


def cases_first(photos: bool) -> None:
    """On a phone, moves the containers `choice` and those named `later-...` below the cases; `photo-folder` too where it is not asked for.

    Args:
        photos: whether there are photos. Without them the folder stays above the cases, which lack them.
    """
    moved = [".st-key-choice", '[class*="st-key-later-"]', *([".st-key-photo-folder"] if photos else [])]
    chosen = ", ".join(f".stMainBlockContainer .stVerticalBlock > :is({one}, :has(> {one}))" for one in moved)
    blocks = ", ".join(f".stMainBlockContainer .stVerticalBlock:has(> {one}, > * > {one})" for one in moved)
    # The keyboard and screen readers go the same way, in browsers that know `reading-flow`.
    st.html(
        f"<style>@media (max-width: 640px) {{ {chosen} {{ order: 1; }} {blocks} {{ reading-flow: flex-visual; }} }}</style>"
    )


def bare_frame(title: str) -> None:
    """Begins a page without menu and title: on a wall or a phone, where neither has room nor leads anywhere."""
    _begin(title)
    with st.container(key="frame", gap="xsmall"):
        st.caption(f":material/info: **{NAME}**. {NOTICE}")


def _begin(title: str) -> None:
    st.set_page_config(page_title=f"{title} · {NAME}", page_icon=str(ICON), layout="wide")
    st.html(_STYLE)
