"""What came of a lesson: reliance on the network, class against network, case by case."""

import streamlit as st

from core.diagnoses import NAMES
from core.teaching.answers import TARGETS
from core.teaching.rooms.results import RoomResults, room_results
from core.webapp.shared.export import draw_figure, draw_table
from core.webapp.shared.words import plain
from core.webapp.teach.asking import sentences, the_store
from core.webapp.teach.charts import find_evaluated, people_roc_chart
from core.webapp.teach.show import draw_tally
from core.webapp.teach.words import share_words


def draw_results(code: str, secret: str) -> None:
    """Results of a room up to now."""
    target = st.segmented_control(
        "To be found",
        list(TARGETS),
        default="mel",
        required=True,
        format_func=lambda key: TARGETS[key][0].capitalize(),
        key="target of results",
    )
    with sentences():
        results = room_results(the_store(), code, secret, target)
        if not results.answered:
            st.info("Nobody has answered yet.", icon=":material/info:")
            return
        st.markdown(
            f"{results.voters} of {results.students} students have answered; cases so far: {len(results.cases)}."
        )
        draw_reliance(results)
        st.subheader("Class against network", anchor=False)
        draw_figure(
            people_roc_chart(_points(results), find_evaluated(results.model), target),
            f"class against network {code}",
            "Each point: melanomas or targets found, against others taken for one. Whiskers: 95 %; the network's over cases.",
            "Class, each student and the network on the ROC",
        )
        _draw_cases(results)


def draw_reliance(results: RoomResults) -> None:
    """Over- and under-reliance, and who."""
    told = results.reliance
    st.subheader("Reliance on the network", anchor=False)
    if not told.right_before.of:
        st.caption(
            "Reliance needs a first and a second answer, with the network's in between: choose the steps with a second vote."
        )
        return
    over, under = st.columns(2, gap="medium")
    with over, st.container(border=True):
        st.markdown(f"**Over-reliance**: right first, then wrong as the network said\n\n{share_words(told.misled)}")
        st.caption(_people(told.over_reliant))
    with under, st.container(border=True):
        st.markdown(f"**Under-reliance**: wrong first, and wrong after right advice\n\n{share_words(told.unhelped)}")
        st.caption(_people(told.under_reliant))
    st.markdown(
        f"- Right before the network: {share_words(told.right_before)}; after it: {share_words(told.right_after)}\n"
        f"- Ended as the network said where it was wrong: {share_words(told.followed_wrong)}\n"
        f"- Did not end as it said where it was right: {share_words(told.ignored_right)}\n"
        f"- Changed to what it said, right or wrong: {share_words(told.switched)}"
    )


def _people(by_person: dict[str, tuple[str, ...]]) -> str:
    most = sorted(by_person.items(), key=lambda item: (-len(item[1]), item[0]))[:12]
    return ", ".join(f"{plain(name)} ({len(cases)})" for name, cases in most) or "Nobody."


def _points(results: RoomResults) -> list:
    each = [("each student", "each", point) for point in results.each]
    return [
        *each,
        ("class, first answers", "before", results.before),
        *([("class, last answers", "after", results.after)] if results.reliance.right_before.of else []),
        ("majority of the class", "majority", results.majority),
        ("network, these cases", "network", results.network),
    ]


def _draw_cases(results: RoomResults) -> None:
    st.subheader("Case by case", anchor=False)
    draw_table(
        [
            {
                "Case": case.position + 1,
                "Photo": case.image_id,
                "Truth": NAMES[case.truth],
                "Network": NAMES[case.network] if case.network else "not asked",
                "Made wrong": "yes" if case.faulty else "",
                "Votes": sum(case.tally.get(1, {}).values()),
                "Right before": case.tally.get(1, {}).get(case.truth, 0),
                "Right after": case.tally.get(2, {}).get(case.truth, 0) if 2 in case.tally else None,
            }
            for case in results.cases
        ],
        "Cases of the lesson",
    )
    with st.expander("Histograms", icon=":material/bar_chart:"):
        for case in results.cases:
            st.markdown(f"**Case {case.position + 1}**, {NAMES[case.truth]}")
            draw_tally(case.tally.get(2) or case.tally.get(1, {}), case.truth)
