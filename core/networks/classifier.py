"""The classifier: an encoder (image -> feature map) and a head ((feature map, metadata) -> logits, attention)."""

from dataclasses import dataclass
from pathlib import Path

import keras
from keras import layers

from core.choices import check_choice
from core.data.patient import METADATA_WIDTH
from core.designs import NetworkDesign
from core.diagnoses import CODES
from core.networks.backbones import build_encoder, find_backbone
from core.networks.soft_attention import ATTENTION_FORMS, CONSTANT_FORMS, MAPS, SoftAttention

ATTENTIONS = ("none", *ATTENTION_FORMS)
HEADS = ("paper", "pooled")
PAPER = NetworkDesign()


@dataclass(frozen=True)
class Classifier:
    """Encoder and head, each callable on its own, and both joined in one trainable model.

    Args:
        encoder: image (B, S, S, 3), RGB 0..255 -> feature map (B, h, w, C).
        head: feature map, or [feature map, metadata (B, 21)] -> [logits (B, 7), attention (B, h, w)].
        model: image, or [image, metadata] -> [logits, attention].
        uses_metadata: whether the head takes metadata.
        has_attention: False where the attention output is only a constant map.
    """

    encoder: keras.Model
    head: keras.Model
    model: keras.Model
    uses_metadata: bool
    has_attention: bool

    def head_inputs(self, feature_map, metadata) -> list:
        """The head's inputs in order; drops metadata where the head takes none."""
        return [feature_map, metadata] if self.uses_metadata else [feature_map]

    @property
    def image_size(self) -> int:
        """Side of the square input, pixels."""
        return self.encoder.input_shape[1]

    def gamma(self) -> float | None:
        """The attention's learned scale, or None where it has none."""
        for layer in self.head.layers:
            if isinstance(layer, SoftAttention) and layer.gamma is not None:
                return float(keras.ops.convert_to_numpy(layer.gamma))
        return None


def build_head(shape: tuple[int, int, int], design: NetworkDesign = PAPER) -> keras.Model:
    """Builds the head on a feature map of a given shape (h, w, C).

    The module around attention: [max-pooled t, max-pooled attended t] concatenated, ReLU, dropout 0.5. The "paper" form
    has the ReLU in front of the split that Fig. 7 draws; the "published" code has not.

    Reference: paper, Fig. 7; docs/reproduction.md, sections 3 and 4.

    Args:
        shape: of the feature map.
        design: all but `attach`.

    Raises:
        ValueError: unknown attention or head.
    """
    attention = design.attention
    check_choice("attention", attention, ATTENTIONS)
    check_choice("head", design.head, HEADS)
    feature_map = keras.Input(shape, name="feature_map")
    inputs, t = [feature_map], feature_map
    if attention == "none":
        _, alpha = SoftAttention("uniform", name="constant_attention")(t)
        module = t
    else:
        if attention != "published":
            t = layers.ReLU(name="front_relu")(t)
        attended, alpha = SoftAttention(attention, MAPS, design.gamma, design.learn_gamma, name="soft_attention")(t)
        pooled = [
            layers.MaxPooling2D(2, padding="same", name=f"pool_{n}")(x) for n, x in (("map", t), ("attended", attended))
        ]
        module = layers.Concatenate(name="attention_concat")(pooled)
        module = layers.ReLU(name="attention_relu")(module)
        module = layers.Dropout(0.5, name="attention_dropout")(module)
    x = (layers.Flatten if design.head == "paper" else layers.GlobalAveragePooling2D)(name="features")(module)
    if design.metadata:
        facts = keras.Input((METADATA_WIDTH,), name="metadata")
        inputs.append(facts)
        x = layers.Concatenate(name="photo_and_facts")(
            [x, layers.Dense(design.metadata_units, activation="relu", name="metadata_dense")(facts)]
        )
    if design.dropout:
        x = layers.Dropout(design.dropout, name="head_dropout")(x)
    # Logits stay float32 under mixed precision.
    logits = layers.Dense(len(CODES), dtype="float32", name="logits")(x)
    attention_map = layers.Identity(dtype="float32", name="attention")(alpha)
    return keras.Model(inputs, [logits, attention_map], name="head")


def build_classifier(
    backbone: str,
    design: NetworkDesign = PAPER,
    *,
    image_size: int | None = None,
    init: str | Path = "random",
) -> Classifier:
    """Builds one of the paper's networks (the default), or a variation of it.

    Args:
        backbone: key into `BACKBONES`.
        design: the choices of its encoder's cut and of its head.
        image_size: pixels; the backbone's own when None.
        init: the encoder's first weights: "random", "imagenet", or a `.weights.h5` file.

    Raises:
        ValueError: unknown choice; the message lists the known ones.
        UnavailableWeights: see `build_encoder`.
    """
    find_backbone(backbone)
    encoder = build_encoder(backbone, design.attach, image_size, init)
    head = build_head(tuple(encoder.output_shape[1:]), design)
    uses_metadata = len(head.inputs) == 2
    image = keras.Input(encoder.input_shape[1:], name="image")
    feature_map = encoder(image)
    inputs = [image, keras.Input((METADATA_WIDTH,), name="metadata")] if uses_metadata else [image]
    model = keras.Model(inputs, head([feature_map, *inputs[1:]]), name=f"{backbone}_classifier")
    has_attention = design.attention not in ("none", *CONSTANT_FORMS)
    return Classifier(encoder, head, model, uses_metadata, has_attention)
