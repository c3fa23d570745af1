"""The card of a network that was just trained."""

import datetime
import platform
from pathlib import Path

import keras
import numpy as np

from core.calibration import Calibration
from core.card import Card
from core.data.split import PARTS
from core.diagnoses import CODES
from core.networks.classifier import Classifier
from core.training.class_weights import class_weights
from core.training.phases import Phases

WEIGHTS_LICENCE = "CC BY-NC 4.0 (through HAM10000, Tschandl et al. 2018)"
PHOTOS_CITATION = "Tschandl, Rosendahl, Kittler: The HAM10000 dataset. Sci Data 5, 180161 (2018). doi:10.1038/sdata.2018.161"
LIMITS = [
    "For research and teaching; not a medical device, not for decisions about a patient.",
    "Trained on one collection (Vienna and Queensland), mostly fair skin: not shown to hold elsewhere.",
    "Knows seven diagnoses only, and answers one of them for any picture.",
]


def new_card(run: Phases, classifier: Classifier, recipe_name: str, name: str, device: str, pretraining: str) -> Card:
    """The card, not calibrated yet.

    Args:
        run: how it was trained.
        name: the model's.
        device: in words.
        pretraining: where the encoder's first weights come from, in words.
    """
    recipe, data, progress = run.recipe, run.data, run.progress
    counts = np.bincount(data.parts["train"].labels, minlength=len(CODES))
    lesions = data.dataset.table.set_index("image_id").lesion_id
    return Card(
        name=name,
        backbone=run.backbone,
        network=recipe.network.to_card(),
        image_size=classifier.image_size,
        age_mean=data.facts_encoder.age_mean,
        age_sd=data.facts_encoder.age_sd,
        calibration=Calibration(1.0),
        weights={},
        split=data.split.to_json(),
        recipe={"name": recipe_name, **recipe.to_json()},
        data={
            "name": "HAM10000",
            "citation": PHOTOS_CITATION,
            "photos": {p: len(getattr(data.split, p)) for p in PARTS},
            "lesions": {p: int(lesions[list(getattr(data.split, p))].nunique()) for p in PARTS},
            "photos_per_class": {p: np.bincount(data.parts[p].labels, minlength=len(CODES)).tolist() for p in PARTS},
            "near_duplicates": [list(group) for group in data.linked],
            "notes": [],
        },
        scores={},
        training={
            "device": device,
            "seconds": round(progress.seconds),
            "epochs": progress.epoch,
            "best_epoch": progress.best_epoch,
            "init": Path(run.init).name if str(run.init) not in ("random", "imagenet") else str(run.init),
            "seed": recipe.seed,
            "class_weights": class_weights(recipe.class_weights, counts).round(6).tolist(),
            "gamma": classifier.gamma(),
            "versions": {
                "keras": keras.__version__,
                "backend": keras.backend.backend(),
                "python": platform.python_version(),
            },
        },
        pretraining=pretraining,
        licence=WEIGHTS_LICENCE,
        limits=LIMITS,
        created=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )
