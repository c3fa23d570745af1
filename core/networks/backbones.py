"""The table of ImageNet backbones: where attention attaches to each, and the pixels it was trained on."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import keras

from core.choices import find_choice
from core.networks.pixels import NormalizePixels

INITS = ("random", "imagenet")


class UnavailableWeights(ValueError):
    """ImageNet weights that could not be downloaded, or a file that does not fit the backbone."""


@dataclass(frozen=True)
class Backbone:
    """An ImageNet encoder.

    Reference: docs/reproduction.md, section 1; paper, Table A1 and Figure 3.

    Args:
        build: `keras.applications` constructor.
        attach: cut name -> tensor, written "layer" (its output), "layer.input" or "layer.input[i]". "paper" is the
            published cut, "text" what the paper's text says, "last" the last feature map of the ImageNet network.
        image_size: side of the square input, pixels.
        pixels: a `NormalizePixels` mode.
        shape: (h, w, C) of the feature map at the "paper" cut, for the default image size.
        stem: the first layer that the recipe "honest" fine-tunes; layers before it keep their ImageNet filters.
            Early layers are generic, and their high-resolution gradients are most of a training step's cost.
        keywords: for `build`.
    """

    build: Callable[..., keras.Model]
    attach: dict[str, str]
    image_size: int
    pixels: str
    shape: tuple[int, int, int]
    stem: str = ""
    keywords: dict = field(default_factory=dict)


_A = keras.applications
BACKBONES: dict[str, Backbone] = {
    "DenseNet201": Backbone(
        _A.DenseNet201,
        {"paper": "conv5_block29_1_relu", "text": "conv5_block29_concat", "last": "relu"},
        224,
        "torch",
        (7, 7, 128),
        stem="pool2_bn",
    ),
    "InceptionResNetV2": Backbone(
        _A.InceptionResNetV2,
        # The pre-ReLU batch norm of one side branch: input 0 of `block8_9_mixed` comes out of the ReLU whose input it is.
        {"paper": "block8_9_mixed.input[0]<.input", "text": "conv_7b_ac", "last": "conv_7b_ac"},
        299,
        "tf",
        (8, 8, 192),
        stem="mixed_5b",
    ),
    "ResNet50": Backbone(
        _A.ResNet50,
        {"paper": "conv5_block3_out", "text": "conv4_block6_out", "last": "conv5_block3_out"},
        224,
        "caffe",
        (7, 7, 2048),
        stem="conv3_block1_1_conv",
    ),
    "ResNet152": Backbone(
        _A.ResNet152,
        {"paper": "conv5_block1_out", "text": "conv4_block36_out", "last": "conv5_block3_out"},
        224,
        "caffe",
        (7, 7, 2048),
        stem="conv3_block1_1_conv",
    ),
    "NASNetLarge": Backbone(
        _A.NASNetLarge,
        {"paper": "separable_conv_2_normal_left5_18.input", "text": "normal_concat_16", "last": "<output"},
        331,
        "tf",
        (11, 11, 672),
    ),
    "NASNetMobile": Backbone(
        _A.NASNetMobile,
        {"paper": "separable_conv_2_normal_left5_12.input", "text": "normal_concat_11", "last": "<output"},
        224,
        "tf",
        (7, 7, 176),
    ),
    "MobileNetV2": Backbone(
        _A.MobileNetV2,
        {"paper": "block_14_depthwise", "text": "block_16_project_BN", "last": "out_relu"},
        224,
        "tf",
        (7, 7, 960),
        stem="block_3_expand",
    ),
    "MobileNetV3Small": Backbone(
        _A.MobileNetV3Small,
        {"paper": "expanded_conv_10_squeeze_excite_avg_pool.input", "text": "<output", "last": "<output"},
        224,
        "raw",
        (7, 7, 576),
        keywords={"include_preprocessing": True},
    ),
    "MobileNetV3Large": Backbone(
        _A.MobileNetV3Large,
        {
            "paper": "expanded_conv_14_squeeze_excite_avg_pool.input",
            "paper_b": "expanded_conv_14_depthwise.input",
            "paper_c": "expanded_conv_13_squeeze_excite_mul.input[1]",
            "text": "<output",
            "last": "<output",
        },
        224,
        "raw",
        (7, 7, 960),
        keywords={"include_preprocessing": True},
    ),
    # Not in the paper; stands beside its mobile networks. Cut before the last 1x1 convolution (`top_conv`): the ImageNet file
    # that we have at hand holds random weights there.
    "EfficientNetB0": Backbone(
        _A.EfficientNetB0,
        {"paper": "block7a_project_bn", "text": "block7a_project_bn", "last": "block7a_project_bn"},
        224,
        "raw",
        (7, 7, 320),
        stem="block3a_expand_conv",
    ),
}


def find_backbone(name: str) -> Backbone:
    """Looks a backbone up.

    Raises:
        ValueError: no such backbone; the message lists those there are.
    """
    return find_choice("backbone", name, BACKBONES)


def _resolve(model: keras.Model, place: str):
    """The tensor a cut names: "layer", "layer.input", "layer.input[i]"; "<.input" steps once more back; "<output" is the end."""
    if place == "<output":
        return model.output
    back = place.endswith("<.input")
    match = re.fullmatch(r"(?P<layer>\w+)(?P<input>\.input(\[(?P<index>\d+)\])?)?", place.removesuffix("<.input"))
    layer = model.get_layer(match["layer"])
    tensor = layer.output
    if match["input"]:
        tensor = layer.input[int(match["index"])] if match["index"] else layer.input
    if back:
        producer = tensor._keras_history.operation
        tensor = producer.input
    return tensor


def build_encoder(
    name: str, attach: str = "paper", image_size: int | None = None, init: str | Path = "random"
) -> keras.Model:
    """Builds image (B, S, S, 3), RGB 0..255 -> feature map (B, h, w, C), cut at a backbone's attach point.

    Args:
        name: key into `BACKBONES`.
        attach: "paper", "text", "last" (or "paper_b", "paper_c" for MobileNetV3Large).
        image_size: pixels; the backbone's own when None.
        init: "random", "imagenet" (downloads), or a `.weights.h5` file of the whole network without its top.

    Raises:
        ValueError: unknown backbone or attach point.
        UnavailableWeights: the download failed or the file does not fit.
    """
    backbone = find_backbone(name)
    if attach not in backbone.attach:
        raise ValueError(f"{name} has no attach point {attach!r}. Expected one of: {', '.join(backbone.attach)}.")
    size = image_size or backbone.image_size
    image = keras.Input((size, size, 3), name="image")
    pixels = NormalizePixels(backbone.pixels, name="pixels")(image)
    weights = "imagenet" if str(init) == "imagenet" else None
    try:
        whole = backbone.build(include_top=False, weights=weights, input_tensor=pixels, **backbone.keywords)
    except Exception as error:
        if weights is None:
            raise
        raise UnavailableWeights(
            f"The ImageNet weights of {name} could not be downloaded ({_first_line(error)}). Check the connection, give a local "
            "file with --init FILE.weights.h5, or start from random weights with --init random."
        ) from error
    if str(init) not in INITS:
        _load_file(whole, name, Path(init))
    encoder = keras.Model(image, _resolve(whole, backbone.attach[attach]), name=f"{name}_encoder")
    return encoder


def _load_file(whole: keras.Model, name: str, path: Path) -> None:
    if not path.is_file():
        raise UnavailableWeights(
            f"--init {path}: there is no such file. Expected a .weights.h5 of {name}, 'imagenet' or 'random'."
        )
    if not path.name.endswith(".weights.h5"):
        raise UnavailableWeights(
            f"--init {path}: expected a file that ends in .weights.h5 (Keras weights of {name} without its top)."
        )
    try:
        whole.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        raise UnavailableWeights(
            f"--init {path} does not fit {name}: {_first_line(error)} Expected its Keras weights without the top."
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
