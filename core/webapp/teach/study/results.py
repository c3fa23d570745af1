"""The analysis of a study: two arms over readers and cases."""

import streamlit as st

from core.teaching.studies.analysis import StudyAnalysis, analyse_study
from core.teaching.studies.obuchowski_rockette import Comparison
from core.webapp.shared.export import draw_figure, draw_table
from core.webapp.shared.words import plain
from core.webapp.teach.asking import the_store
from core.webapp.teach.charts import roc_chart
from core.webapp.teach.words import share_words


def draw_analysis(code: str, secret: str) -> None:
    """Analyses the study as it stands.

    Raises:
        Refused: no such study, or a wrong secret.
    """
    found = analyse_study(the_store(), code, secret)
    if not any(arm.right.of for arm in found.arms):
        return
    st.subheader("Analysis", anchor=False)
    _draw_test(found)
    draw_table(
        [
            {
                "Arm": arm.name,
                "The very diagnosis": share_words(arm.right),
                "Same again": share_words(arm.same_again),
                "Median seconds": None if arm.seconds is None else round(arm.seconds, 1),
            }
            for arm in found.arms
        ],
        f"Arms of study {code}",
    )
    marks = ("before", "after")
    points = [(arm.name, mark, p) for arm, mark in zip(found.arms, marks, strict=False) for p in arm.points]
    draw_figure(
        roc_chart(points),
        f"readers of study {code}",
        "Each reader in each arm, with Wilson's intervals.",
        "Each reader's sensitivity and false-alarm rate in each arm",
    )


def _draw_test(found: StudyAnalysis) -> None:
    if found.left_out:
        st.caption(
            "Left out, as readings are missing: "
            + ", ".join(f"{plain(r)} ({n})" for r, n in found.left_out.items())
            + "."
        )
    if found.test is None:
        st.info(plain(found.problem), icon=":material/info:")
        return
    test = found.test
    for arm, area in zip(found.arms, test.arms, strict=True):
        interval = "" if area.low is None or area.high is None else f" ({area.low:.3f} to {area.high:.3f})"
        st.markdown(f"- Area under the ROC, *{plain(arm.name)}*: **{area.value:.3f}**{interval}")
    st.markdown("\n".join(f"- {_words(c)}" for c in (test.readers_and_cases, test.these_readers, test.these_cases)))
    st.caption(
        f"Obuchowski and Rockette's test with Hillis' degrees of freedom, covariances by {test.method}; {len(found.complete)} readers who "
        "have read every case in both arms."
    )


def _words(c: Comparison) -> str:
    interval = "" if c.low is None or c.high is None else f" ({c.low:+.3f} to {c.high:+.3f})"
    p = "no variation to compare with" if c.p is None else f"p = {c.p:.4f}"
    statistic = ""
    if c.statistic is not None:
        df = f"{c.df1} and {c.df2:.2f}" if c.df2 is not None else f"{c.df1}"
        statistic = f", {'F' if c.df2 is not None else 'chi-square'} = {c.statistic:.3f} on {df} degrees of freedom"
    return f"For {c.holds_for}: difference **{c.difference:+.3f}**{interval}{statistic}, {p}"
