"""The tables of experiments/README.md, made from experiments/results whenever a result is written; none is written by hand.

    python -m experiments.readme

makes them anew, after a change of their form.
"""

import json
from pathlib import Path

from core.estimates import estimate_in
from core.files import write_text
from core.wording import hundredths
from experiments.terminal import RESULTS

README = Path(__file__).resolve().parent / "README.md"
NOT_RUN = "Not run yet."
ATTENTION = {
    "none": "no attention module",
    "paper": "the paper's",
    "published": "the published code's",
    "uniform": "a constant map",
    "uniform_gamma": "a constant map with the paper's gamma",
    "normalised": "the shipped form",
}
METADATA = {
    "none": "no facts",
    "real": "the patient's facts",
    "shuffled": "another lesion's facts",
    "only": "facts and no photo",
}
WEIGHTS = {
    "none": "no weights",
    "inverse": "N/N_i (the paper's original)",
    "paper": "N/(7 N_i) (the paper's new)",
    "sqrt_inverse": "square-root inverse",
    "normalised_inverse": 'N/N_i over its sum (the paper\'s "no weight" runs)',
}
WORDS = {"attention": ATTENTION, "metadata": METADATA, "weights": WEIGHTS}


def read_results(folder: Path) -> dict[str, dict]:
    """Name of each results file (without .json) -> its record."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(folder).glob("*.json"))}


def points(entry: dict | None) -> str:
    """A score or a difference in points (hundredths), with its interval."""
    if not entry:
        return "-"
    return hundredths(estimate_in(entry), is_difference=entry["unit"] == "difference", missing="-")


def verdict(entry: dict | None) -> str:
    """What an interval of a difference allows to say."""
    if entry is None or entry["value"] is None:
        return "-"
    if entry["low"] <= 0 <= entry["high"]:
        return "not shown"
    word = "better" if entry["low"] > 0 else "worse"
    if entry["seeds"] == 1:
        return f"{word}, one seed only"
    if entry["seed_low"] <= 0 <= entry["seed_high"]:
        return f"{word}, not by every seed"
    return f"**{word}**"


def find(record: dict, **wanted) -> dict | None:
    """The first comparison with these values."""
    for entry in record["comparisons"]:
        if all(entry.get(key) == value for key, value in wanted.items()):
            return entry
    return None


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def minutes(record: dict) -> str:
    """How long the runs took."""
    spent = f"{record['seconds'] / 60:.0f} minutes" if record["seconds"] >= 90 else f"{record['seconds']:.0f} seconds"
    return f"{spent} by the clock, on cores that other work used too"


def _factorial(results: dict[str, dict]) -> str:
    record = results.get("factorial")
    if not record:
        return NOT_RUN
    rows, asked = [], []
    for entry in record["comparisons"]:
        key = (entry["factor"], entry["level"], entry["against"])
        if key not in asked:
            asked.append(key)
    for factor, level, against in asked:
        words = WORDS[factor]
        for backbone in record["backbones"]:
            wanted = {"factor": factor, "level": level, "against": against, "backbone": backbone}
            balanced, plain, melanoma = (
                find(record, metric=metric, **wanted) for metric in ("balanced_accuracy", "accuracy", "mel.sensitivity")
            )
            if balanced is not None:
                question = f"{words[level]} against {words[against]}"
                heads = f"{balanced['pairs']} x 2 ({balanced['seeds']})"
                rows.append(
                    [question, backbone, points(balanced), verdict(balanced), points(plain), points(melanoma), heads]
                )
    head = [
        "what against what",
        "backbone",
        "balanced accuracy",
        "verdict",
        "accuracy",
        "melanoma sensitivity",
        "heads (seeds)",
    ]
    seeds = "; ".join(f"{backbone} seeds {', '.join(map(str, own))}" for backbone, own in record["seeds"].items())
    done = f"{record['runs']} of {record['runs_planned']} planned heads are run ({seeds}; {minutes(record)})."
    return f"{table(head, rows)}\n\n{done}"


def _cells(results: dict[str, dict]) -> str:
    record = results.get("factorial")
    if not record:
        return NOT_RUN
    rows = []
    for backbone in record["backbones"]:
        own = [cell for cell in record["cells"] if cell["backbone"] == backbone]
        best = sorted(own, key=lambda cell: -cell["value"])[:3]
        only = [cell for cell in own if cell["metadata"] == "only"]
        for cell in [*best, *sorted(only, key=lambda cell: -cell["value"])[:1]]:
            names = [WORDS[factor][cell[factor]] for factor in ("attention", "metadata", "weights")]
            rows.append(
                [
                    backbone,
                    *names,
                    points(cell),
                    f"{100 * cell['accuracy']:.1f}",
                    f"{cell['auc_macro']:.3f}",
                    str(cell["seeds"]),
                ]
            )
    return table(
        ["backbone", "attention", "facts", "weights", "balanced accuracy", "accuracy", "macro AUC", "seeds"], rows
    )


def _leak(results: dict[str, dict]) -> str:
    record = results.get("leak")
    if not record:
        return NOT_RUN
    rows, levels = [], []
    for backbone in record["backbones"]:
        for model in dict.fromkeys(entry["model"] for entry in record["comparisons"]):
            for chosen in ("all", "sibling", "no sibling"):
                wanted = {"backbone": backbone, "model": model, "photos_chosen": chosen, "arm": "leaky against clean"}
                balanced, plain, melanoma = (
                    find(record, metric=metric, **wanted)
                    for metric in ("balanced_accuracy", "accuracy", "mel.sensitivity")
                )
                if balanced is not None:
                    row = [
                        backbone,
                        model,
                        chosen,
                        points(balanced),
                        points(plain),
                        points(melanoma),
                        str(balanced["n_photos"]),
                    ]
                    rows.append(row)
            arms = ("as printed", "clean", "by lesion")
            scores = [
                find(record, backbone=backbone, model=model, photos_chosen="all", arm=arm, metric="balanced_accuracy")
                for arm in arms
            ]
            if all(scores):
                levels.append([backbone, model, *map(points, scores)])
    head = ["backbone", "model", "test photos", "balanced accuracy", "accuracy", "melanoma sensitivity", "photos"]
    second = table(
        ["backbone", "model", "split by photo", "the same photos, no sibling trained on", "split by lesion"], levels
    )
    return (
        f"What siblings in training add, in points:\n\n{table(head, rows)}\n\nBalanced accuracy itself:\n\n{second}\n\n"
        f"Seeds {', '.join(map(str, record['seeds']))}; {minutes(record)}."
    )


def _epsilon(results: dict[str, dict]) -> str:
    record = results.get("epsilon")
    if not record:
        return NOT_RUN
    rows = []
    for backbone in record["backbones"]:
        for weights in ("normalised_inverse", "paper", "inverse", "none"):
            row = [backbone, WEIGHTS[weights]]
            for epsilon in (1e-7, 0.1):
                found = {
                    metric: find(
                        record, backbone=backbone, weights=weights, epsilon=epsilon, metric=metric, unit="score"
                    )
                    for metric in ("balanced_accuracy", "accuracy")
                }
                if found["accuracy"] is not None:
                    trained = 100 * found["accuracy"]["train_accuracy"]
                    row += [points(found["balanced_accuracy"]), points(found["accuracy"]), f"{trained:.1f}"]
            rows.append(row)
    head = ["backbone", "weights"]
    for epsilon in ("1e-7", "0.1"):
        head += [f"{epsilon}: balanced accuracy", "accuracy", "on training photos"]
    return f"{table(head, rows)}\n\nSeeds {', '.join(map(str, record['seeds']))}; {minutes(record)}."


def _shortcuts(results: dict[str, dict]) -> str:
    found = {name: record for name, record in results.items() if record.get("experiment") == "shortcuts"}
    if not found:
        return NOT_RUN
    blocks = []
    for record in found.values():
        rows = []
        for condition in record["conditions"]:
            wanted = {"condition": condition["condition"], "group": "all", "metric": "balanced_accuracy"}
            own = find(record, unit="score", **wanted)
            melanoma = find(record, unit="score", **{**wanted, "metric": "mel.sensitivity"})
            difference = find(record, unit="difference", **wanted)
            vasc = condition["vasc_on_nevi"]
            rows.append(
                [
                    condition["condition"],
                    points(own),
                    points(difference),
                    points(melanoma),
                    f"{100 * condition['same_answer_as_is']:.0f} %",
                    "-" if vasc is None else f"{100 * vasc:.2f} %",
                ]
            )
        head = ["photo", "balanced accuracy", "against as is", "melanoma sensitivity", "same answer", "p(vasc) on nevi"]
        groups = []
        for entry in record["comparisons"]:
            if entry["group"] != "all" and entry["metric"] == "balanced_accuracy" and entry["condition"] == "as is":
                wanted = {"group": entry["group"], "metric": "balanced_accuracy"}
                hidden = find(record, condition="lesion hidden", **wanted)
                plain = find(record, condition="as is", **{**wanted, "metric": "accuracy"})
                group = entry["group"].replace("=", " ")
                groups.append(
                    [
                        group,
                        str(entry["n_photos"]),
                        str(entry["diagnoses"]),
                        points(entry),
                        points(hidden),
                        points(plain),
                    ]
                )
        head_groups = ["group", "photos", "diagnoses", "balanced accuracy", "lesion hidden", "accuracy"]
        blocks.append(
            f"**{record['model']}** ({record['photos']} test photos)\n\n{table(head, rows)}\n\n{table(head_groups, groups)}"
        )
    return "\n\n".join(blocks)


def _fine_tune(results: dict[str, dict]) -> str:
    record = results.get("fine_tune")
    if not record or not record["runs"]:
        return NOT_RUN
    rows = []
    for entry in record["comparisons"]:
        if entry["metric"] == "balanced_accuracy" and entry["unit"] == "difference":
            words = WORDS[entry["factor"]]
            rows.append(
                [
                    f"{words[entry['level']]} against {words[entry['against']]}",
                    points(entry),
                    verdict(entry),
                    str(entry["seeds"]),
                ]
            )
    done = f"{record['runs']} of {record['runs_planned']} planned networks are trained ({minutes(record)})."
    return f"{table(['what against what', 'balanced accuracy', 'verdict', 'seeds'], rows)}\n\n{done}"


def _levers(results: dict[str, dict]) -> str:
    record = results.get("levers")
    if not record or not record["runs"]:
        return NOT_RUN
    rows, views = [], []
    for entry in record["comparisons"]:
        if entry["metric"] != "balanced_accuracy":
            continue
        wanted = {"lever": entry["lever"], "backbone": entry["backbone"], "unit": entry["unit"]}
        plain, melanoma = (find(record, metric=metric, **wanted) for metric in ("accuracy", "mel.sensitivity"))
        numbers = [points(entry), points(plain), points(melanoma), f"{plain['auc_macro']:.3f}"]
        if entry["lever"].endswith(" views"):
            views.append([entry["backbone"], entry["lever"].replace("1 views", "as it is"), *numbers])
        elif entry["unit"] == "difference":
            rows.append([entry["lever"], entry["backbone"], *numbers[:1], verdict(entry), *numbers[1:]])
        else:
            rows.append([f"*{entry['lever']}*", entry["backbone"], *numbers[:1], "", *numbers[1:]])
    head = ["balanced accuracy", "accuracy", "melanoma sensitivity", "macro AUC"]
    first = table(["lever", "backbone", head[0], "verdict", *head[1:]], rows)
    of_rules = [
        "balanced accuracy (rule: balanced)",
        "accuracy (likeliest)",
        "melanoma sensitivity (likeliest)",
        head[3],
    ]
    second = table(["shipped model", "photo", *of_rules], views) if views else NOT_RUN
    photos = record["comparisons"][0]["n_photos"]
    return f"{first}\n\n{second}\n\n{photos} validation photos; {minutes(record)}."


def _learning_curve(results: dict[str, dict]) -> str:
    record = results.get("learning_curve")
    if not record or not record["comparisons"]:
        return NOT_RUN
    lesions, epochs = [], []
    for entry in record["comparisons"]:
        if entry["metric"] != "balanced_accuracy" or entry["unit"] != "score":
            continue
        wanted = {"part_of": entry["part_of"], "at": entry["at"]}
        plain = find(record, metric="accuracy", unit="score", **wanted)
        if entry["part_of"] == "epochs":
            epochs.append([entry["name"], points(entry), points(plain)])
            continue
        apart = find(record, metric="balanced_accuracy", unit="difference", **wanted)
        melanoma = find(record, metric="mel.sensitivity", unit="score", **wanted)
        trained = f"{entry['trained_lesions']:,}, {entry['epochs']} times"
        shown = [points(entry), points(apart), verdict(apart), points(plain), points(melanoma), str(entry["seeds"])]
        lesions.append([entry["name"], trained, *shown])
    head = ["learns from", "lesions, epochs", "balanced accuracy", "against all", "verdict", "accuracy", "melanoma sensitivity", "seeds"]
    first = table(head, lesions) if lesions else NOT_RUN
    second = table(["shipped folds", "balanced accuracy", "accuracy"], epochs) if epochs else NOT_RUN
    done = f"{record['runs']} of {record['runs_planned']} planned networks are trained ({minutes(record)})."
    return f"{first}\n\n{done}\n\n{second}"


def _whole_levers(results: dict[str, dict]) -> str:
    record = results.get("whole_levers")
    if not record or not record["runs"]:
        return NOT_RUN
    rows = []
    for entry in record["comparisons"]:
        if entry["metric"] != "balanced_accuracy":
            continue
        plain, melanoma = (find(record, lever=entry["lever"], metric=m) for m in ("accuracy", "mel.sensitivity"))
        apart = entry["unit"] == "difference"
        aucs = [f"{entry[f'{name}_apart']:+.3f}" if apart else f"{entry[name]:.3f}" for name in ("auc_macro", "auc_melanoma")]
        words = entry["name"].removesuffix(" against the base run") if apart else f"*{entry['name']}*"
        shown = [points(entry), verdict(entry) if apart else "", points(plain), verdict(plain) if apart else ""]
        rows.append([words, *shown, points(melanoma), *aucs, str(entry["seeds"])])
    head = ["lever", "balanced accuracy", "verdict", "accuracy", "verdict", "melanoma sensitivity", "macro AUC", "melanoma AUC", "seeds"]
    photos = record["comparisons"][0]["n_photos"]
    done = f"{record['runs']} of {record['runs_planned']} planned networks are trained ({minutes(record)})."
    return f"{table(head, rows)}\n\n{photos} validation photos. {done}"


BLOCKS = {
    "factorial": _factorial,
    "cells": _cells,
    "leak": _leak,
    "epsilon": _epsilon,
    "shortcuts": _shortcuts,
    "fine_tune": _fine_tune,
    "levers": _levers,
    "learning_curve": _learning_curve,
    "whole_levers": _whole_levers,
}


def render(text: str, results: dict[str, dict]) -> str:
    """The README with every block between `<!-- name -->` and `<!-- /name -->` made anew.

    Raises:
        ValueError: a block's marks are missing.
    """
    for name, make in BLOCKS.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if text.count(start) != 1 or text.count(end) != 1:
            raise ValueError(
                f"{README.name} needs {start.strip()} and {end} once each. Put the marks back where the table belongs."
            )
        before, rest = text.split(start)
        text = f"{before}{start}{make(results)}\n{end}{rest.split(end)[1]}"
    return text


def update() -> None:
    """Makes the README's tables anew from the results."""
    write_text(README, render(README.read_text(encoding="utf-8"), read_results(RESULTS)))


if __name__ == "__main__":
    update()
