"""A backbone of three layers, for tests of what holds for every backbone: it builds, answers and trains in a second."""

from pathlib import Path

import keras
from keras import layers

from core.bundle import drawn_bundle
from core.networks.backbones import BACKBONES, Backbone

NAME = "ThreeLayers"


def build(include_top: bool, weights, input_tensor) -> keras.Model:
    """Halves the photo's side three times; stands for a `keras.applications` constructor."""
    x = input_tensor
    for number, channels in enumerate((8, 16, 24), start=1):
        x = layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False, name=f"conv_{number}")(x)
        x = layers.BatchNormalization(name=f"norm_{number}")(x)
        x = layers.ReLU(name=f"relu_{number}")(x)
    return keras.Model(input_tensor, x)


# Cut before the last activation: random maps that are nowhere negative would often leave Grad-CAM nothing to show.
BACKBONE = Backbone(
    build, {"paper": "norm_3", "text": "norm_3", "last": "<output"}, 64, "tf", (8, 8, 24), stem="conv_2"
)


def register() -> None:
    """Puts the backbone into the table, for the rest of this process; the program itself knows nothing of it."""
    BACKBONES[NAME] = BACKBONE


def small_bundle(folder: str | Path, **choices) -> Path:
    """Writes a bundle of random weights on this backbone; see `drawn_bundle`."""
    register()
    return drawn_bundle(folder, NAME, **choices)
