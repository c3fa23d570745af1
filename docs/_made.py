"""Makes parts of the documents from the code and the committed results, whenever they are built.

A page says `<!-- made: NAME -->`; a row of `MADE` says what stands there. So a new command, recipe, explainer or measure is documented
by being there, and a figure is never older than its file.
"""

import ast
import re
import sys
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
if str(REPOSITORY) not in sys.path:
    sys.path.insert(0, str(REPOSITORY))
_MARK = re.compile(r"^<!-- made: ([\w-]+) -->$", re.MULTILINE)


def table(head: tuple[str, ...], rows: list[tuple]) -> str:
    """A Markdown table; no line ends before a per cent sign."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(str(c).replace('|', '&#124;').replace(' %', '&nbsp;%') for c in line)} |" for line in lines
    )


def commands() -> str:
    """Every command with its arguments and options."""
    from typer.main import get_command

    from core.__main__ import app

    return "\n".join(_command(get_command(app), ()))


def _command(command, path: tuple[str, ...]) -> list[str]:
    if hasattr(command, "commands"):
        return [line for name, one in sorted(command.commands.items()) for line in _command(one, (*path, name))]
    wanted = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    usage = " ".join(["melascope", *path, *map(_names, wanted)])
    must = [p for p in options if p.required]
    lines = [
        f"## {' '.join(path)}",
        "",
        "```",
        " ".join([usage, *(f"{p.opts[0]} {_kind(p)}" for p in must)]),
        "```",
        "",
    ]
    lines += [_plain(command.help or ""), ""]
    rows = [(f"`{_names(p)}`", _plain(p.help or ""), _default(p)) for p in (*wanted, *options)]
    lines += [table(("Argument or option", "What it does", "When left out"), rows), ""]
    examples = [line for line in (command.epilog or "").splitlines() if line.strip()]
    return [*lines, *(f"- {_plain(line)}" for line in examples), ""]


def _names(parameter) -> str:
    if parameter.param_type_name == "argument":
        return (parameter.metavar or parameter.name.upper()).strip("[]")
    return ", ".join((*parameter.opts, *parameter.secondary_opts))


def _kind(parameter) -> str:
    return {"data": "FOLDER", "out": "FOLDER"}.get(parameter.name, parameter.name.upper())


def _default(parameter) -> str:
    if parameter.required:
        return "must be given"
    default = parameter.default
    if getattr(parameter, "is_flag", False):
        return "off"
    return "" if default is None or callable(default) or default == "" else f"`{default}`"


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("<", "&lt;")).strip()


def recipes() -> str:
    """The recipes, in the numbers that tell them apart."""
    from core.training.recipes import RECIPES

    rows = [
        (
            f"`{name}`",
            r.about,
            f"by {'photo (leaky)' if r.split == 'paper' else r.split}",
            r.frozen_epochs,
            r.epochs,
            r.batch_size,
        )
        for name, r in RECIPES.items()
    ]
    return table(
        ("Recipe", "What it is", "Split", "Epochs of the head alone", "Epochs of the whole", "Photos a step"), rows
    )


def explainers() -> str:
    """The explainers."""
    from core.explain.explainers import EXPLAINERS

    rows = [(f"`{k}`", e.title, e.about, "yes" if e.per_class else "no") for k, e in EXPLAINERS.items()]
    return table(("Name", "Title", "What it shows", "One map a diagnosis"), rows)


def measures() -> str:
    """What `measure` measures."""
    from core.trust.measure_table import MEASURES

    rows = [(f"`{k}`", m.about, ", ".join(f"`{file}`" for file in m.files)) for k, m in MEASURES.items()]
    return table(("Name", "What it measures", "Files in the model's folder"), rows)


def decisions() -> str:
    """The decision rules."""
    from core.decisions import DECISIONS

    return table(("Rule", "What it decides for"), [(f"`{k}`", d.about) for k, d in DECISIONS.items()])


def prevalences() -> str:
    """The mixtures of diagnoses that an answer can be moved to."""
    from core.prevalence import MIXTURES

    return table(("Name", "Where", "Source"), [(f"`{k}`", m.title, m.source) for k, m in MIXTURES.items()])


def diagnoses() -> str:
    """The seven diagnoses."""
    from core.diagnoses import DIAGNOSES

    rows = [(f"`{d.code}`", d.name, "yes" if d.malignant else "no", d.about) for d in DIAGNOSES]
    return table(("Code", "Diagnosis", "Malignant", "About"), rows)


def backbones() -> str:
    """The backbones, read from the source: importing it would load Keras."""
    return table(("Backbone", "Side of the input, pixels", "Attach points"), backbone_rows())


def backbone_rows() -> list[tuple[str, str, str]]:
    """Name, side and attach points of each backbone."""
    tree = ast.parse((REPOSITORY / "core" / "networks" / "backbones.py").read_text(encoding="utf-8"))
    (literal,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "BACKBONES"
    )
    return [
        (f"`{name.value}`", str(call.args[2].value), ", ".join(f"`{k.value}`" for k in call.args[1].keys))
        for name, call in zip(literal.keys, literal.values, strict=True)
    ]


def glossary() -> str:
    """Terms, by title."""
    from core.glossary import GLOSSARY

    terms = sorted(GLOSSARY.items(), key=lambda item: item[1].title.lower())
    # The star of L* is no emphasis.
    title, short = (lambda t: t.title.replace("*", "\\*")), (lambda t: t.short.replace("*", "\\*"))
    return "\n\n".join(f"## {title(t)} {{ #{key} }}\n\n{short(t)} {t.more}".rstrip() for key, t in terms)


def models() -> str:
    """The shipped models' scores, as the README prints them."""
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    return readme.partition("<!-- models: begin -->\n")[2].partition("<!-- models: end -->")[0].strip()


def _measured(name: str) -> dict[str, dict]:
    """Model -> what a measure left in its folder, of the shipped models that have it."""
    from core.estimates.in_files import from_text
    from core.trust.measure_table import MEASURES

    files = sorted((REPOSITORY / "weights").glob(f"*/{MEASURES[name].file}"))
    return {path.parent.name: from_text(path.read_text(encoding="utf-8")) for path in files}


def gate_worth() -> str:
    """How often the gate errs."""
    from core.wording import rate

    rows = [
        (name, rate(r["test"]["refused"]), rate(r["test"]["refused_or_warned"]), rate(r["test_abroad"]["refused"]))
        for name, r in _measured("gate").items()
    ]
    return table(
        ("Model", "Held-out photos refused", "refused or warned of", "as other cameras might show them, refused"), rows
    )


def gate_strangers() -> str:
    """What share of each family of other pictures the gate catches."""
    from core.wording import rate

    measured = _measured("gate")
    families = list(dict.fromkeys(f for r in measured.values() for f in r["strangers"]))
    rows = [
        (family, *(rate(r["strangers"].get(family, {}).get("caught")) for r in measured.values()))
        for family in families
    ]
    return table(("Pictures", *measured), rows)


def set_worth() -> str:
    """What the 90 % set holds."""
    from core.wording import rate

    rows = [
        (
            name,
            rate(r["test"]["coverage"]),
            f"{r['test']['size'].value:.2f}",
            rate(r["test"]["answered"]),
            rate(r["test"]["abstains"]),
        )
        for name, r in _measured("set").items()
    ]
    head = (
        "Model",
        "Lesions whose set holds the truth",
        "Diagnoses in a set, mean",
        "Wrong where it answers",
        "It does not answer",
    )
    return table(head, rows)


def lookalikes_worth() -> str:
    """What a vote of the nearest lesions is worth."""
    from core.wording import rate

    rows = [
        (
            name,
            rate(r["test"]["accuracy"]),
            rate(r["test"]["network_wrong"]["same"]),
            rate(r["test"]["network_wrong"]["other"]),
        )
        for name, r in _measured("lookalikes").items()
    ]
    head = ("Model", "Their vote is right", "Network wrong where they agree with it", "Network wrong where they do not")
    return table(head, rows)


def seen_worth() -> str:
    """How well a training photo is told."""
    from core.wording import rate

    measured = _measured("lookalikes")
    changes = list(dict.fromkeys(c for r in measured.values() for c in r["seen_before"]["altered"]))
    rows = [(change, *(rate(r["seen_before"]["altered"].get(change)) for r in measured.values())) for change in changes]
    rows += [
        (
            "another photo of a lesion that was trained on",
            *(rate(r["seen_before"]["other_photo_of_lesion"]) for r in measured.values()),
        ),
        ("false alarms among held-out photos", *(rate(r["seen_before"]["false_any"]) for r in measured.values())),
    ]
    return table(("A training photo ...", *measured), rows)


def facts_worth() -> str:
    """What the patient's facts change."""
    from core.wording import rate

    rows = [
        (name, rate(r["test"]["flips"]), rate(r["test"]["right"]), rate(r["test"]["right_withheld"]))
        for name, r in _measured("facts").items()
    ]
    return table(("Model", "Answer changes without facts", "Right with facts", "Right without"), rows)


def maps_worth() -> str:
    """Which checks each map passes."""
    from core.explain.explainers import EXPLAINERS
    from core.wording import interval

    rows = [
        (
            name,
            EXPLAINERS[method].title,
            f"{m['verdict']['passed']} of {m['verdict']['made']}",
            interval(m["inside"]),
            f"{m['area'].value:.3f}",
        )
        for name, r in _measured("maps").items()
        for method, m in r["methods"].items()
        if method in EXPLAINERS
    ]
    head = ("Model", "Map", "Checks that hold", "Share of the map inside the lesion", "by chance")
    return table(head, rows)


def agreement_worth() -> str:
    """What it is worth that two maps point at the same place."""
    from core.wording import rate

    rows = [(name, *(rate(q["errors"]) for q in r["agreement"]["quartiles"])) for name, r in _measured("maps").items()]
    return table(
        ("Model: share of wrong answers", "Least agreement", "Second quarter", "Third quarter", "Most agreement"), rows
    )


def operating_points() -> str:
    """The threshold on melanoma of each model."""
    from core.estimates.in_files import from_text
    from core.wording import cut, rate

    rows = []
    for path in sorted((REPOSITORY / "weights").glob("*/evaluation.json")):
        point = from_text(path.read_text(encoding="utf-8"))["operating_point"]
        if point:
            rows.append(
                (path.parent.name, cut(point["threshold"]), rate(point["sensitivity"]), rate(point["specificity"]))
            )
    return table(("Model", "Melanoma from a probability of", "Sensitivity, held out", "Specificity, held out"), rows)


def calibration_errors() -> str:
    """How far probabilities and shares lie apart on test."""
    from core.estimates.in_files import from_text
    from core.wording import interval

    rows = []
    for path in sorted((REPOSITORY / "weights").glob("*/evaluation.json")):
        found = from_text(path.read_text(encoding="utf-8"))
        rows.append(
            (
                path.parent.name,
                interval(found["per_class"]["mel"]["ece"]),
                interval(found["macro_ece"]),
                interval(found["melanoma_slope"]),
            )
        )
    return table(
        ("Model", "Calibration error of melanoma", "mean over diagnoses", "Calibration slope of melanoma"), rows
    )


NOT_RUN = "Not measured yet: `python -m experiments.framing --data HAM10000`."


def _framing() -> dict:
    """The record of `experiments.framing`; empty where it was not run."""
    from core.estimates.in_files import from_text

    path = REPOSITORY / "experiments" / "results" / "framing.json"
    return from_text(path.read_text(encoding="utf-8")) if path.is_file() else {}


def framing_worth() -> str:
    """What a wrong frame costs, and what the suggested square gives back."""
    from core.wording import interval, percent

    record = _framing()
    if not record:
        return NOT_RUN
    ways = {
        "photo as it is": "the photo itself",
        "photo auto": "the photo itself, `--crop auto`",
        "circle as it is": "in a dermatoscope's circle",
        "circle auto": "in a circle, `--crop auto`",
        "circle exact": "in a circle, the exact square",
        "phone as it is": "in a phone's photo",
        "phone auto": "in a phone's photo, `--crop auto`",
        "phone around": "in a phone's photo, the square around the lesion always",
        "phone exact": "in a phone's photo, the exact square",
    }
    rows = [
        (name, said, interval(one["balanced_accuracy"]), percent(one["same"]), f"{one['mel_moves']:.3f}")
        for name, model in record["models"].items()
        for way, said in ways.items()
        for one in [model["ways"][way]]
    ]
    return table(
        ("Model", "What was read", "Balanced accuracy", "Likeliest as of the photo itself", "p(melanoma) moves by"),
        rows,
    )


def framing_told() -> str:
    """How often a framing is said to differ."""
    from core.wording import percent

    record = _framing()
    if not record:
        return NOT_RUN
    told = next(iter(record["models"].values()))["told"]
    rows = [
        (f"{record['training']['photos']:,} training photos, as they are", percent(record["training"]["told"], 1)),
        (f"{record['photos']:,} validation photos, as they are", percent(told["photo"], 1)),
        ("the same in a dermatoscope's circle", percent(told["circle"], 1)),
        ("the same in a phone's photo", percent(told["phone"], 1)),
    ]
    return table(("Photos", "Said to be framed otherwise"), rows)


MADE: dict[str, Callable[[], str]] = {
    "commands": commands,
    "recipes": recipes,
    "explainers": explainers,
    "measures": measures,
    "decisions": decisions,
    "prevalences": prevalences,
    "diagnoses": diagnoses,
    "backbones": backbones,
    "glossary": glossary,
    "models": models,
    "gate-worth": gate_worth,
    "gate-strangers": gate_strangers,
    "set-worth": set_worth,
    "lookalikes-worth": lookalikes_worth,
    "seen-worth": seen_worth,
    "facts-worth": facts_worth,
    "maps-worth": maps_worth,
    "agreement-worth": agreement_worth,
    "operating-points": operating_points,
    "calibration-errors": calibration_errors,
    "framing-worth": framing_worth,
    "framing-told": framing_told,
}


def fill(markdown: str) -> str:
    """A page with what is made for it.

    Raises:
        ValueError: the page asks for what no row of `MADE` makes.
    """

    def made(match: re.Match) -> str:
        if match[1] not in MADE:
            raise ValueError(f"Nothing makes {match[1]!r}. Expected one of: {', '.join(MADE)}.")
        return MADE[match[1]]()

    return _MARK.sub(made, markdown)


def on_page_markdown(markdown: str, page, config, files) -> str:
    """What MkDocs calls for each page."""
    return fill(markdown)
