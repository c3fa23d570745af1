"""What `python -m experiments...` found, read back from experiments/results; reading needs neither a network nor photos."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from core.estimates import Estimate
from core.schemas.kind import InvalidRecord, Kind
from core.wording import UNKNOWN, hundredths

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "results"


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
    "whole_levers": Experiment(
        "whole_levers.json",
        "What makes a whole network better?",
        "One change at a time of a short training of MobileNetV3Small at 128 pixels: a teacher's answers in the labels, CutMix, random "
        "erasing, other rates and samplings. Validation photos only.",
    ),
}


class Contrast(msgspec.Struct, frozen=True, kw_only=True):
    """A score, or a difference of two, over seeds.

    Args:
        name: what was scored or compared, where no `factor` says it.
        metric: such as "balanced_accuracy".
        unit: "difference" (0.01 is one point) or "score".
        value, low, high: the number and its 95 % interval; None where it cannot be made.
        backbone: of the network; "" where the file is of one shipped model, or the entry of no backbone.
        model: the shipped model that was read, or what learned from the features.
        factor, level, against: what was switched, to what, and what it is compared with; "" where that is no question.
        group: of photos; "" or "all" for all.
        seed_low, seed_high: the least and the most of single seeds.
        train_accuracy: on the photos that were learned from.
    """

    name: str
    metric: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    n_photos: int
    n_lesions: int
    seeds: int
    backbone: str = ""
    model: str = ""
    factor: str = ""
    level: str = ""
    against: str = ""
    group: str = ""
    seed_low: float | None = None
    seed_high: float | None = None
    train_accuracy: float | None = None

    @property
    def estimate(self) -> Estimate:
        """The number with its interval."""
        return Estimate(self.value, self.low, self.high)

    @property
    def is_difference(self) -> bool:
        """Whether two scores are compared."""
        return self.unit == "difference"

    @property
    def network(self) -> str:
        """The backbone, or the model where there is no single backbone."""
        return self.backbone or self.model


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What one file of an experiment's results says on a page; what else it holds is for experiments/README.md.

    Args:
        comparisons: its numbers.
        about: what was done, in a sentence.
        confidence: how the intervals were made.
        command: that made it.
        model: the shipped model that all comparisons are of; "" where they are of several networks.
    """

    comparisons: tuple[Contrast, ...]
    about: str = ""
    confidence: str = ""
    command: str = ""
    model: str = ""


_RESULT = Kind("result of an experiment", Result, closed=False)


def read_experiment(name: str, folder: str | Path = FOLDER) -> tuple[Result, ...]:
    """The results of an experiment, one a file (shortcuts have one a model).

    Args:
        name: a key of `EXPERIMENTS`.

    Raises:
        InvalidExperiment: it was not run, or a file cannot be used; the sentence ends with the command that makes it.
    """
    again = f"Run `python -m experiments.{name} --data HAM10000_FOLDER`; see experiments/README.md."
    files = sorted(Path(folder).glob(EXPERIMENTS[name].files))
    if not files:
        raise InvalidExperiment(f"This was not run yet, so there is no number to show. {again}")
    results = tuple(_read_result(file, again) for file in files)
    if not any(result.comparisons for result in results):
        raise InvalidExperiment(f"No run of this has finished yet. {again}")
    return results


def _read_result(file: Path, again: str) -> Result:
    """One file; its comparisons carry its model's name."""
    try:
        result = _RESULT.read(file.read_bytes(), file, again)
    except OSError as error:
        raise InvalidExperiment(f"{file} cannot be read ({error.strerror or error}). {again}") from None
    except InvalidRecord as error:
        raise InvalidExperiment(str(error)) from None
    if not result.model:
        return result
    replace = msgspec.structs.replace
    return replace(result, comparisons=tuple(replace(one, model=result.model) for one in result.comparisons))


def difference_verdict(comparison: Contrast) -> str:
    """What the interval of a difference allows to say; "" for a score."""
    apart = comparison.estimate
    if not comparison.is_difference or apart.value is None or apart.low is None:
        return ""
    if apart.is_above_zero:
        return "better"
    return "worse" if apart.is_below_zero else "not shown"


def points_words(comparison: Contrast) -> str:
    """A score or a difference in points (hundredths), with its interval."""
    return hundredths(comparison.estimate, is_difference=comparison.is_difference, missing=UNKNOWN)
