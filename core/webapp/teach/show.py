"""What wall, desk and phones show of a case, each part a small piece of HTML: cheap enough for sixty phones at once."""

import html

import streamlit as st

from core.data.patient import Facts
from core.diagnoses import CODES, NAMES
from core.teaching.advice import Advice
from core.teaching.case_sets.record import CONFIRMED
from core.webapp.shared.theme import COLORS, GROUPS, PATTERNS
from core.webapp.shared.words import plain
from core.wording import percent

STYLE = """
<style>
  .ms-bars { display: grid; grid-template-columns: fit-content(65%) minmax(1rem, 1fr) minmax(3.2rem, max-content);
    gap: .3rem .6rem; align-items: center; font-size: 1rem; line-height: 1.25; }
  .ms-bars .bar { height: .95rem; border-radius: .25rem; min-width: 2px; }
  .ms-bars .hatched { background-image: repeating-linear-gradient(45deg, rgba(0,0,0,.28) 0 2px, transparent 2px 6px); }
  .ms-bars .value { text-align: right; font-variant-numeric: tabular-nums; }
  .ms-bars .said { font-weight: 700; }
  .st-key-case img { border-radius: .5rem; }
  .st-key-case [data-testid="stImage"] img { max-height: 60vh; width: auto; max-width: 100%; margin: 0 auto; object-fit: contain; }
  @media (max-width: 640px) { .st-key-case [data-testid="stImage"] img { max-height: 42vh; } }
</style>
"""


def draw_facts(facts: Facts) -> None:
    """Age, sex and site; unknown ones are said to be."""
    age = "age unknown" if facts.age is None else f"{facts.age:.0f} years"
    sex = "sex unknown" if facts.sex == "unknown" else facts.sex
    site = "site unknown" if facts.site == "unknown" else facts.site
    st.markdown(f":material/person: **{age}, {sex}, {site}**")


def draw_advice(advice: Advice) -> None:
    """The network's seven probabilities, the likeliest first."""
    codes = sorted(CODES, key=lambda code: -advice.probabilities[code])
    st.markdown(f"##### The network: {NAMES[advice.answer]}")
    draw_bars(
        [(code, advice.probabilities[code], percent(advice.probabilities[code])) for code in codes], advice.answer
    )
    st.caption(f"{plain(advice.model)}, calibrated probabilities. It can be wrong.")


def draw_bars(rows: list[tuple[str, float, str]], marked: str | None = None) -> None:
    """Bars of diagnoses.

    Args:
        rows: (code, 0..1, what stands beside it) each, from the top.
        marked: code whose name is bold.
    """
    cells = []
    for code, share, words in rows:
        hatched = " hatched" if PATTERNS[code] else ""
        marking = ' class="said"' if code == marked else ""
        cells.append(
            f'<span{marking} title="{html.escape(GROUPS[code])}">{html.escape(NAMES[code])}</span>'
            f'<span class="bar{hatched}" style="width:{100 * min(1.0, max(0.0, share)):.1f}%;background-color:{COLORS[code]}"></span>'
            f'<span class="value">{html.escape(words)}</span>'
        )
    st.html(f'<div class="ms-bars">{"".join(cells)}</div>')


def draw_tally(tally: dict[str, int], marked: str | None = None) -> None:
    """Votes as a histogram; diagnoses that nobody chose are there, too.

    Args:
        tally: code -> votes.
        marked: code of the truth.
    """
    most, votes = max(tally.values(), default=0), sum(tally.values())
    if not votes:
        st.caption("Nobody has voted.")
        return
    draw_bars([(code, tally.get(code, 0) / most, str(tally.get(code, 0))) for code in CODES], marked)


def draw_truth(truth: str, confirmed: str, why: str | None, faulty: bool | None) -> None:
    """The diagnosis, how it was confirmed, and whether the network's answer had been made wrong on purpose."""
    st.success(f"**{NAMES[truth]}**, by {CONFIRMED[confirmed]}", icon=":material/task_alt:")
    if faulty:
        st.warning("The network's answer had been made wrong on purpose.", icon=":material/bug_report:")
    if why:
        st.caption(plain(why))


def credit(licence: str | None, attribution: str | None) -> str:
    """Licence and attribution, which stand with each photo."""
    return plain(f"{attribution}. {licence}")
