"""The page on what the maps mean, section by section, from `maps.json` alone."""

import streamlit as st

from core.explain import EXPLAINERS
from core.trust.measures.map_summary import RANDOM, SAME, STAGES
from core.webapp.maps.charts import CHANCE, COMPARED, SHOWN, dots_chart, errors_chart, steps_chart
from core.webapp.shared.export import draw_figure, draw_table
from core.webapp.shared.map_verdict import check_lines
from core.webapp.shared.score_charts import GREY
from core.webapp.shared.words import plain
from core.wording import difference, interval, without_signed_zero

# The checks as column heads.
_SHORT = {
    "lesion": "Inside the lesion",
    "photo": "This photo's lesion",
    "deletion": "Deletion",
    "insertion": "Insertion",
    "weights": "Shuffled weights",
}
_STAGE_WORDS = {"head": "head shuffled", "all": "head and encoder shuffled"}


def draw_verdict_table(records: dict[str, dict]) -> None:
    """Every model and method with its verdict."""
    rows = []
    for name, record in records.items():
        for method, measured in record["methods"].items():
            verdict = measured["verdict"]
            row = {
                "Model": name,
                "Map": EXPLAINERS[method].title,
                "Verdict": "passes" if verdict["passes"] else "fails",
                "Checks that hold": f"{verdict['passed']} of {verdict['made']}",
            }
            for check, words in _SHORT.items():
                known = measured["checks"].get(check)
                row[words] = "not measured" if known is None else "yes" if known["passes"] else "no"
            rows.append(row)
    draw_table(
        rows,
        "Verdicts on the maps",
        "One row a model and map. A map passes if every check that could be made holds with its whole 95 % interval; the rules were "
        "written before the models were measured.",
    )


def draw_verdicts(name: str, record: dict) -> None:
    st.subheader(f"Verdicts on {plain(name)}", anchor=False)
    methods = list(record["methods"])
    for column, method in zip(st.columns(max(1, len(methods)), gap="medium"), methods, strict=False):
        with column:
            verdict = record["methods"][method]["verdict"]
            mark = ":material/check_circle:" if verdict["passes"] else ":material/cancel:"
            held = f"{verdict['passed']} of {verdict['made']} checks hold"
            st.markdown(f"##### {mark} {EXPLAINERS[method].title} {'passes' if verdict['passes'] else 'fails'}\n{held}")
            st.markdown(check_lines(record, method))


def draw_inside_lesion(name: str, record: dict) -> None:
    st.subheader("Inside the lesion", anchor=False)
    if not record["masks"]:
        st.info(
            "The folder had no lesion masks when this was measured, so this part is missing.", icon=":material/info:"
        )
        return
    rows, table, chance = {}, [], "Lesion's area"
    for method, measured in record["methods"].items():
        title = EXPLAINERS[method].title
        rows[title] = [
            ("this photo's map", measured["inside"], *SHOWN),
            ("another photo's map", measured["other_photo"], *COMPARED),
            ("the lesion's own area (chance)", measured["area"], *CHANCE),
        ]
        table.append(
            {
                "Map": title,
                "Inside the lesion": interval(measured["inside"]),
                chance: interval(measured["area"]),
                "Another photo's map": interval(measured["other_photo"]),
                "Strongest cell in the lesion": interval(measured["pointing"]),
                "By chance": interval(measured["pointing_chance"]),
                "Photos": measured["inside"].photos,
                "Maps that say nothing": measured["silent"],
            }
        )
    draw_figure(
        dots_chart(rows, "share of the map inside the lesion", (0, 1)),
        f"maps inside {name}",
        "Filled: how much of the map lies inside the lesion's mask. The bar is chance, the lesion's share of the picture; the ring is the "
        "map of another photo, which knows only that lesions stand in the middle.",
        "; ".join(f"{row['Map']}: {row['Inside the lesion']} inside, chance {row[chance]}" for row in table),
    )
    draw_table(
        table,
        f"Maps inside the lesion, {name}",
        "*Strongest cell* is the pointing game: how often the map's peak lies in the lesion.",
    )


def draw_steps(name: str, record: dict) -> None:
    st.subheader("Deletion and insertion", anchor=False)
    sample = record["sample"]["photos"]
    words = {
        "deletion": "The map's strongest cells are painted over first. The faster the line falls below the dotted random order, the more "
        "the answer hung on the places that the map names. Scattered holes disturb any network, so random order is a strong opponent.",
        "insertion": "On an empty picture the strongest cells are put back first. The faster the line rises above the dotted random order, "
        "the more these places alone suffice.",
    }
    for column, kind in zip(st.columns(2, gap="medium"), ("deletion", "insertion"), strict=True):
        with column:
            areas = [
                f"{EXPLAINERS[m].title} {interval(measured[kind])}"
                for m, measured in record["methods"].items()
                if kind in measured
            ]
            draw_figure(
                steps_chart(record["curves"][kind], kind),
                f"maps {kind} {name}",
                f"{words[kind]} Bands: 95 %, {sample} photos.",
                f"Area under the {kind} curve: {'; '.join(areas)}",
            )
    table = []
    for method, measured in record["methods"].items():
        row = {"Map": EXPLAINERS[method].title}
        for kind, better in (("deletion", "lower"), ("insertion", "higher")):
            row[f"{kind.capitalize()} area ({better} is better)"] = interval(measured[kind])
            row[f"{kind.capitalize()}, random order"] = interval(measured[f"{kind}_{RANDOM}"])
            row[f"Better by ({kind})"] = difference(measured[f"{kind}_gain"])
        table.append(row)
    draw_table(table, f"Deletion and insertion, {name}", "Areas under the curves above, 0 to 1.")


def draw_weights(name: str, record: dict) -> None:
    st.subheader("With shuffled weights", anchor=False)
    rows = {}
    for method, measured in record["methods"].items():
        rows[EXPLAINERS[method].title] = [
            (_STAGE_WORDS[stage], measured[f"similarity_{stage}"], *(SHOWN if stage == "head" else COMPARED))
            for stage in STAGES
        ]
    figure = dots_chart(rows, "rank correlation with the true map", (-0.5, 1))
    figure.add_vline(x=SAME, line={"color": GREY, "width": 1, "dash": "dash"})
    sample = record["sample"]
    draw_figure(
        figure,
        f"maps weights {name}",
        f"How alike the map stays when what the network learnt is destroyed: at 1 it is the same map, so it shows the photo, not the "
        f"network. Left of the dashed line ({SAME}) it counts as another map. "
        f"{sample['shuffled_photos']} photos, shuffled {sample['shuffles']} times.",
        "; ".join(f"{row}: {', '.join(f'{q} {interval(s)}' for q, s, *_ in of)}" for row, of in rows.items()),
    )
    draw_table(
        [{"Map": row} | {quantity: interval(score) for quantity, score, *_ in of} for row, of in rows.items()],
        f"Maps with shuffled weights, {name}",
    )


def draw_agreement(name: str, record: dict) -> None:
    st.subheader("Do attention and Grad-CAM agree?", anchor=False)
    agreement = record["agreement"]
    if not agreement:
        st.info(
            "This network has no soft attention, or too few maps say anything: there is nothing to compare.",
            icon=":material/info:",
        )
        return
    mean, silent = agreement["mean"], agreement["silent"]
    st.markdown(
        f"Mean correlation of the two maps **{interval(mean)}** over {mean.photos:,} photos"
        f"{f'; on {silent} one of them points nowhere' if silent else ''}. {plain(without_signed_zero(agreement['said']))}"
    )
    table = [
        {
            "Quarter": q + 1,
            "Agreement from": round(row["low"], 3),
            "to": round(row["high"], 3),
            "Photos": row["errors"].photos,
            "Lesions": row["errors"].lesions,
            "Wrong answers": interval(row["errors"]),
        }
        for q, row in enumerate(agreement["quartiles"])
    ]
    draw_figure(
        errors_chart(agreement["quartiles"]),
        f"maps agreement {name}",
        "Test photos in four equal groups, from maps that disagree to maps that agree; the dot is how often the answer was wrong. A flat "
        "row means agreement says nothing about being right.",
        "; ".join(f"quarter {row['Quarter']}: wrong in {row['Wrong answers']}" for row in table),
    )
    draw_table(table, f"Errors by agreement of the maps, {name}")
