"""What came of a quiz, and of all quizzes of a learner, beside the model's curve."""

import streamlit as st

from core.diagnoses import NAMES
from core.teaching.quiz.results import learner_score, quiz_results
from core.teaching.quiz.taking import FAULTY
from core.teaching.quiz.visible import QuizView
from core.webapp.shared.evaluations import Evaluated
from core.webapp.shared.export import draw_figure, draw_table
from core.webapp.shared.words import plain
from core.webapp.teach.asking import sentences, the_store
from core.webapp.teach.charts import find_evaluated, people_roc_chart
from core.webapp.teach.words import share_words
from core.wording import percent


def draw_learner(token: str) -> None:
    """How well the learner reads alone: first answers, each case the first time.

    Raises:
        Refused: no such learner.
    """
    score = learner_score(the_store(), token)
    if not score.cases:
        return
    st.header("You so far", anchor=False)
    figure, words = st.columns([3, 2], gap="large")
    with words:
        st.markdown(
            f"- Cases: **{score.cases}**\n"
            f"- Melanomas found (sensitivity): {share_words(score.point.sensitivity)}\n"
            f"- Others left alone (specificity): {share_words(score.point.specificity)}\n"
            f"- The very diagnosis: {share_words(score.right)}\n"
            f"- How sure you were, on average: {percent(score.confidence or 0)}"
        )
        if score.confidence is not None and score.right.value is not None:
            apart = score.confidence - score.right.value
            if abs(apart) > 0.1:
                st.caption(
                    f"You are {'surer than you are right' if apart > 0 else 'right more often than you are sure'}."
                )
        st.caption("Intervals are Wilson's, 95 %. Each case counts the first time only, before you saw the network.")
    with figure:
        model = find_evaluated(score.model)
        draw_figure(
            people_roc_chart([("you", "before", score.point)], model),
            "learner beside the network",
            f"You, with intervals, {_beside(score.model, model)}. Your cases are chosen, mostly hard ones.",
            "The learner's point and the network's curve on the ROC",
        )


def draw_quiz_results(token: str, view: QuizView) -> None:
    """A quiz that is over."""
    with sentences():
        results = quiz_results(the_store(), token, view.quiz)
        st.header("What came of it", anchor=False)
        told = results.reliance
        st.markdown(
            f"- Right before the network: {share_words(told.right_before)}; after it: {share_words(told.right_after)}\n"
            f"- Misled (right first, then wrong as it said): {share_words(told.misled)}\n"
            f"- Unhelped (wrong, and wrong after right advice): {share_words(told.unhelped)}\n"
            + (f"- Median time of a first answer: {results.seconds:.0f} s" if results.seconds is not None else "")
        )
        if view.kind == FAULTY:
            st.subheader("The faulty answers", anchor=False)
            st.markdown(
                f"Made wrong: {len(results.faults)} answers. You caught {share_words(results.caught)}, and suspected "
                f"{share_words(results.suspected)} of the sound ones."
            )
            for fault in results.faults:
                outcome = "caught" if fault.caught else "not caught"
                st.markdown(
                    f"- Case {fault.position + 1} ({plain(fault.image_id)}): shown **{NAMES[fault.shown.answer]}**, really "
                    f"**{NAMES[fault.really.answer]}**; {outcome}"
                )
        model = find_evaluated(results.model)
        draw_figure(
            people_roc_chart(
                [
                    ("before the network", "before", results.before),
                    ("after it", "after", results.after),
                    ("network", "network", results.network),
                ],
                model,
            ),
            f"quiz {view.quiz}",
            f"Before and after the network's answer, with Wilson's intervals, {_beside(results.model, model)}; the network's own "
            "point is what it was shown to say in this quiz.",
            "You before and after, and the network, on the ROC",
        )
        draw_table(
            [
                {
                    "Photo": one.case,
                    "Truth": NAMES[one.truth],
                    "You": NAMES[one.first] if one.first else "",
                    "Network": NAMES[one.advice] if one.advice else "",
                    "You again": NAMES[one.second] if one.second else "",
                    "Seconds": round(one.milliseconds / 1000, 1) if one.milliseconds is not None else None,
                }
                for one in results.answered
            ],
            f"Answers of quiz {view.quiz}",
        )


def _beside(name: str, model: Evaluated | None) -> str:
    if model is None:
        return f"without a curve: {plain(name)} has no evaluation on this computer"
    return f"beside the curve of {plain(name)} on all its held-out photos"
