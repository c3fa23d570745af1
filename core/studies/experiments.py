"""What `python -m experiments...` found, read back from experiments/results; reading needs neither a network nor photos."""

import json
from dataclasses import dataclass
from pathlib import Path

from core.estimates import estimate_in
from core.wording import UNKNOWN, hundredths

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "results"
_ENTRY = {"name", "metric", "value", "low", "high", "n_photos", "n_lesions", "seeds", "unit"}


class InvalidExperiment(ValueError):
    """A result that is missing or damaged."""


@dataclass(frozen=True)
class Experiment:
    """A question that the paper leaves open.

    Args:
        files: pattern of its results in `FOLDER`.
        title: for people.
        question: what it asks, and why.
        footnotes: keys of `core.studies.paper.FOOTNOTES` that it bears on.
    """

    files: str
    title: str
    question: str
    footnotes: tuple[str, ...] = ()


EXPERIMENTS: dict[str, Experiment] = {
    "factorial": Experiment(
        "factorial.json",
        "Do attention, facts and weights help?",
        "The paper switches eight things at once. Here attention, the patient's facts and the loss weights are switched one at a time, "
        "everything else held still: heads on frozen ImageNet features, averaged over the other factors and over seeds.",
        ("M3", "M14"),
    ),
    "leak": Experiment(
        "leak.json",
        "How much of a score by photo is the leak?",
        "The paper splits by photo, so that a test photo's sibling (same lesion, another photo) may be trained on. Here the same test "
        "photos are answered with siblings in training (leaky) and without (clean), with as many training photos of each diagnosis.",
        ("M18",),
    ),
    "epsilon": Experiment(
        "epsilon.json",
        "Does Adam's epsilon explain Table 8?",
        "The paper's three weightings are one vector times 1/32.5, 1 and 7. With epsilon 1e-7 a common factor changes nothing; with the "
        "paper's 0.1 it acts as a learning rate.",
        ("M10",),
    ),
    "shortcuts": Experiment(
        "shortcuts-*.json",
        "What do the shipped models live off?",
        "Test photos with something taken away. High scores with the lesion hidden, or on the border alone, would mean answers by camera "
        "and skin.",
    ),
    "fine_tune": Experiment(
        "fine_tune.json",
        "The whole network fine-tuned",
        "The decisive cells of the first question again, with the whole network learning instead of its head alone.",
        ("M3",),
    ),
    "levers": Experiment(
        "levers.json",
        "What might make the models better?",
        "One change at a time of one head on frozen ImageNet features, and eight turned and mirrored views of a photo for the shipped "
        "models. Validation photos only: the test photos choose nothing.",
    ),
    "learning_curve": Experiment(
        "learning_curve.json",
        "What would more lesions and more epochs give?",
        "MobileNetV3Small at 128 pixels learns from 25, 50, 75 and 100 % of the training lesions with the same number of steps; then the "
        "shipped folds after some of their epochs. Validation photos only.",
    ),
}


def read_experiment(name: str, folder: str | Path = FOLDER) -> list[dict]:
    """The records of an experiment, one a file (shortcuts have one a model).

    Args:
        name: a key of `EXPERIMENTS`.

    Raises:
        InvalidExperiment: it was not run, or a file cannot be used; the sentence ends with the command that makes it.
    """
    again = f"Run `python -m experiments.{name} --data HAM10000_FOLDER`; see experiments/README.md."
    files = sorted(Path(folder).glob(EXPERIMENTS[name].files))
    if not files:
        raise InvalidExperiment(f"This was not run yet, so there is no number to show. {again}")
    records = []
    for file in files:
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
            whole = isinstance(record["comparisons"], list) and all(
                set(entry) >= _ENTRY for entry in record["comparisons"]
            )
        except (OSError, ValueError, KeyError, TypeError):
            whole = False
        if not whole:
            raise InvalidExperiment(f"{file} is damaged or of another version. {again}")
        records.append(record)  # pyright: ignore[reportPossiblyUnboundVariable]
    if not any(record["comparisons"] for record in records):
        raise InvalidExperiment(f"No run of this has finished yet. {again}")
    return records


def difference_verdict(entry: dict) -> str:
    """What the interval of a difference allows to say; "" for a score."""
    apart = estimate_in(entry)
    if entry["unit"] != "difference" or apart.value is None or apart.low is None:
        return ""
    if apart.is_above_zero:
        return "better"
    return "worse" if apart.is_below_zero else "not shown"


def points_words(entry: dict, missing: str = UNKNOWN) -> str:
    """A score or a difference in points (hundredths), with its interval."""
    return hundredths(estimate_in(entry), is_difference=entry["unit"] == "difference", missing=missing)
