"""The analysis of a study: two arms over readers and cases."""

import streamlit as st

from core.teaching.studies.analysis import StudyAnalysis, analyse_study
from core.teaching.studies.obuchowski_rockette import ArmComparison
from core.webapp.shared.export import draw_figure, draw_table
from core.webapp.shared.words import plain
from core.webapp.teach.asking import the_store
from core.webapp.teach.charts import people_roc_chart
from core.webapp.teach.words import share_words
from core.wording import difference, interval


def draw_analysis(code: str, secret: str) -> None:
    """Analyses the study as it stands.

    Raises:
        Refused: no such study, or a wrong secret.
    """
    analysis = analyse_study(the_store(), code, secret)
    if not any(arm.right.of for arm in analysis.arms):
        return
    st.subheader("Analysis", anchor=False)
    _draw_test(analysis)
    draw_table(
        [
            {
                "Arm": arm.name,
                "The very diagnosis": share_words(arm.right),
                "Same again": share_words(arm.same_again),
                "Median seconds": None if arm.seconds is None else round(arm.seconds, 1),
            }
            for arm in analysis.arms
        ],
        f"Arms of study {code}",
    )
    marks = ("before", "after")
    points = [(arm.name, mark, p) for arm, mark in zip(analysis.arms, marks, strict=False) for p in arm.points]
    draw_figure(
        people_roc_chart(points),
        f"readers of study {code}",
        "Each reader in each arm, with Wilson's intervals.",
        "Each reader's sensitivity and false-alarm rate in each arm",
    )


def _draw_test(analysis: StudyAnalysis) -> None:
    if analysis.left_out:
        st.caption(
            "Left out, as readings are missing: "
            + ", ".join(f"{plain(r)} ({n})" for r, n in analysis.left_out.items())
            + "."
        )
    if analysis.test is None:
        st.info(plain(analysis.problem), icon=":material/info:")
        return
    test = analysis.test
    comparisons = test.readers_and_cases, test.these_readers, test.these_cases
    areas = [
        f"- Area under the ROC, *{plain(arm.name)}*: **{interval(area)}**"
        for arm, area in zip(analysis.arms, test.arms, strict=True)
    ]
    st.markdown("\n".join([*areas, *(f"- {_words(c)}" for c in comparisons)]))
    if any(limit is not None and abs(limit) > 1 for c in comparisons for limit in (c.estimate.low, c.estimate.high)):
        st.caption("An interval that reaches past -1 or +1 says: too few readers or cases to tell anything.")
    st.caption(
        f"Obuchowski and Rockette's test with Hillis' degrees of freedom, covariances by {test.method}; {len(analysis.complete)} readers "
        "who have read every case in both arms."
    )


def _words(c: ArmComparison) -> str:
    p = "no variation to compare with" if c.p is None else f"p = {c.p:.4f}"
    statistic = ""
    if c.statistic is not None:
        df = f"{c.df1} and {c.df2:.2f}" if c.df2 is not None else f"{c.df1}"
        degrees = "degree" if df == "1" else "degrees"
        statistic = f", {'F' if c.df2 is not None else 'chi-square'} = {c.statistic:.3f} on {df} {degrees} of freedom"
    return f"For {c.holds_for}: difference **{difference(c.estimate)}**{statistic}, {p}"
