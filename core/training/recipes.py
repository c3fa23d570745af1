"""The table of training recipes: every choice of a run in one frozen record.

What each lever gave, alone, on the 1,034 validation photos: heads on frozen MobileNetV3Small maps, five seeds, points of balanced accuracy
with 95 % lesion-bootstrap intervals. All of them, and the command: `experiments/README.md`, section 6.

    patient facts                        +6.0 (0.7 to 12.2)     recipes use it
    pooled against flattened head        +9.3 (2.8 to 16.3)     recipes use it
    square-root class weights            +12.9 (7.5 to 19.2)    recipes sample by it
    full inverse instead                 +6.3 (0.4 to 12.1)     not used: costs 9.0 points of accuracy
    logit-adjusted loss instead          +5.5 (0.3 to 11.1)     not used: costs 11.7 of accuracy; one number chosen after training does it,
                                                                in the decision rule "balanced"
    normalised attention                 -5.9 (-10.1 to -2.9)   used all the same: it is what the app shows. Where the whole network
                                                                learns, -0.5 (-2.3 to 1.0) against a constant map, on test photos
    4096 units for the facts, LDAM margins, mixup of features, sources weighted alike, label smoothing: -0.0 to +0.5, none shown
    half of each label the Ensemble's    +6.2 (1.1 to 11.5)     not used: costs 5.2 points of accuracy
    moving average of weights, 0.99      -0.0 (-0.6 to 0.6)     not used
    four times the epochs                -1.6 (-4.7 to 1.5)     not used
    focal loss                           -1.4 (-3.7 to 1.1)     not used
    last feature map, not the paper's    -1.9 (-5.3 to 1.3)     not used
    eight views of a photo (shipped models) MobileNetV2 +4.0 (1.1 to 7.4), EfficientNetB0 -0.8 (-4.3 to 2.0), Ensemble -1.6 (-5.0 to 1.1),
                                         MobileNetV3Small -0.2 (-2.3 to 1.8), by the rule "balanced": no gain that holds, at eight times
                                         the cost; not used

Whole networks, alone, on the same photos: MobileNetV3Small at 128 px, three epochs, points of balanced accuracy, then of accuracy;
section 8 there. None is used.

    half of each label the shipped       +0.9 (-2.9 to 3.9)     accuracy +2.1 (0.8 to 3.5), two seeds; these teachers had trained on
      folds', out of fold                                       most of the validation lesions, so it is no clean figure
    half of each label of a network      -1.1 (-7.4 to 3.8)     accuracy +0.2 (-1.2 to 1.6), one seed; clean, but weak teachers
      of the other half of the lesions
    CutMix in half of the batches        -0.3 (-5.9 to 5.5)     accuracy +1.2 (-0.7 to 3.0), one seed; melanoma sensitivity
                                                                -10.3 (-18.8 to -2.5)
    random erasing in half of the photos -2.7 (-8.1 to 1.4)     accuracy -0.6 (-2.3 to 1.2), one seed
    encoder at 0.3 of the head's rate    +0.0 (-6.3 to 4.9)     accuracy -0.5 (-2.3 to 1.3), one seed

Not measured alone on whole networks, for want of a GPU: moving average, batch size, sampling, stronger augmentation, more
dropout, DropBlock, longer fine-tuning, warm restarts: `experiments.whole_levers` has them all.
"""

from dataclasses import asdict, dataclass, field, fields

from core.choices import find_choice
from core.data.augment import COLOUR_AUGMENTATION, HONEST_AUGMENTATION, PAPER_AUGMENTATION, Augmentation
from core.designs import NetworkDesign

# Choices that recipes of before do not name.
LATE = ("cutmix", "encoder_rate", "weight_average", "drop_block", "restarts")


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Args:
        about: one sentence.
        network: what is built.
        split: default kind of split.
        frozen_epochs, frozen_rate: first phase: epochs of the head alone on cached feature maps, and its learning rate.
        epochs: of the second phase, the whole network (from the backbone's `stem` on if `freeze_stem`).
        sizes: stages of the second phase, each (share of its epochs, share of the input's side): progressive resizing, most epochs on
            small photos and the last ones at full size. Reference: Howard, fast.ai on DAWNBench 2018; Tan and Le 2021, EfficientNetV2,
            section 4.
        rate: learning rate of the second phase (peak).
        schedule: "cosine" (warm-up, then cosine to 0) or "plateau" (times `plateau_factor` after `plateau_patience` epochs
            without a better validation loss).
        warmup: share of the second phase's steps.
        weight_decay: of AdamW; 0 is Adam.
        epsilon: of Adam.
        batch_size: photos a step.
        epoch_share: photos an epoch, as a share of the training photos.
        sampling: see `draw_order`.
        class_weights: key into `CLASS_WEIGHTS`.
        label_smoothing: share of the target spread over all classes.
        fact_dropout: probability with which a fact is withheld in training.
        augmentation: of training images.
        cutmix: probability with which the photos of a batch get a rectangle of one another, in the second phase; see `Batches`.
        encoder_rate: the encoder's learning rate in the second phase, as a share of the head's. Weight decay goes by `rate` for both.
        weight_average: decay of a moving average of the trained weights over the second phase's steps: each epoch ends with the average in
            their place, and the next goes on from it. 0 averages nothing.
        drop_block: share of the encoder's feature map that is blotted out in squares in the second phase; see `DropBlock`.
        restarts: times that the schedule "cosine" begins anew at `rate`, after equal shares of the second phase, once warm.
            Reference: Loshchilov and Hutter 2017, SGDR.
        freeze_stem: keep the layers before the backbone's `stem` at their first weights (not with random ones).
        batch_norm_momentum: None keeps Keras' own (0.999 in MobileNets: statistics then lag behind a short fine-tuning).
        choose: validation figure that picks the epoch: "balanced_accuracy" or "accuracy"; "last" takes the last epoch, so that
            validation only calibrates.
        patience: epochs without a better one before stopping; None never stops early.
        seed: default seed.
    """

    about: str
    network: NetworkDesign
    split: str = "lesion"
    frozen_epochs: int = 0
    frozen_rate: float = 1e-3
    epochs: int = 10
    sizes: tuple[tuple[float, float], ...] = ((1.0, 1.0),)
    rate: float = 1e-3
    schedule: str = "cosine"
    warmup: float = 0.08
    plateau_factor: float = 0.2
    plateau_patience: int = 5
    plateau_floor: float = 1e-7
    weight_decay: float = 0.0
    epsilon: float = 1e-7
    batch_size: int = 32
    epoch_share: float = 1.0
    sampling: str = "natural"
    class_weights: str = "none"
    label_smoothing: float = 0.0
    fact_dropout: float = 0.0
    augmentation: Augmentation = field(default_factory=lambda: PAPER_AUGMENTATION)
    freeze_stem: bool = False
    batch_norm_momentum: float | None = None
    choose: str = "balanced_accuracy"
    patience: int | None = None
    seed: int = 0
    cutmix: float = 0.0
    encoder_rate: float = 1.0
    weight_average: float = 0.0
    drop_block: float = 0.0
    restarts: int = 0

    def to_json(self) -> dict:
        """The record that goes into a card. What came late stands in it only where it is set: runs that were begun before go on."""
        late = {f.name for f in fields(Recipe) if f.name in LATE and getattr(self, f.name) == f.default}
        record = {name: value for name, value in asdict(self).items() if name not in late}
        return {**record, "network": self.network.to_card(), "augmentation": self.augmentation.to_json()}

    def stages(self, image_size: int) -> list[tuple[int, int]]:
        """Last epoch (counted in the second phase) and side in pixels of each stage of the second phase.

        Sides are multiples of 32, as the backbones halve the photo five times; the last stage always has the full side.
        """
        stages, share = [], 0.0
        for epochs_share, side_share in self.sizes:
            share += epochs_share
            side = image_size if side_share == 1 else max(32, round(side_share * image_size / 32) * 32)
            stages.append((round(share * self.epochs), side))
        return [*stages[:-1], (self.epochs, image_size)]


_HONEST_NETWORK = NetworkDesign(attention="normalised", head="pooled", metadata_units=64, dropout=0.2)

RECIPES: dict[str, Recipe] = {
    "honest": Recipe(
        about="Head on cached feature maps, then fine-tuning; lesion-grouped split; chosen and calibrated on validation.",
        network=_HONEST_NETWORK,
        frozen_epochs=6,
        frozen_rate=1e-3,
        epochs=8,
        rate=7e-4,
        weight_decay=0.02,
        sampling="sqrt",
        label_smoothing=0.05,
        fact_dropout=0.1,
        augmentation=HONEST_AUGMENTATION,
        freeze_stem=True,
        batch_norm_momentum=0.98,
    ),
    "progressive": Recipe(
        about="Most epochs on small photos, the last ones at full size; more change of colour; the last epoch is taken.",
        network=_HONEST_NETWORK,
        frozen_epochs=4,
        frozen_rate=1e-3,
        epochs=20,
        sizes=((0.75, 4 / 7), (0.25, 1.0)),
        rate=1e-3,
        weight_decay=0.02,
        sampling="sqrt",
        label_smoothing=0.05,
        fact_dropout=0.1,
        augmentation=COLOUR_AUGMENTATION,
        freeze_stem=True,
        batch_norm_momentum=0.98,
        choose="last",
    ),
    "frozen": Recipe(
        about="The head alone on cached feature maps of a frozen encoder: minutes on a CPU. Lesion-grouped split.",
        network=_HONEST_NETWORK,
        frozen_epochs=30,
        frozen_rate=1e-3,
        epochs=0,
        weight_decay=0.02,
        sampling="sqrt",
        label_smoothing=0.05,
        fact_dropout=0.1,
    ),
    "paper": Recipe(
        about="The paper's text: Adam 0.001 with epsilon 0.1, plateau, its new class weights, its augmentation. For replication.",
        network=NetworkDesign(),
        split="paper",
        epochs=250,
        rate=1e-3,
        schedule="plateau",
        epsilon=0.1,
        class_weights="paper",
        choose="accuracy",
        patience=25,
    ),
}


def find_recipe(name: str) -> Recipe:
    """Looks a recipe up.

    Raises:
        ValueError: no such recipe; the message lists those there are.
    """
    return find_choice("recipe", name, RECIPES)
