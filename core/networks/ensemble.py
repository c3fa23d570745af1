"""Several classifiers as one: an encoder and a head like any other's, so that all that reads or explains one reads an ensemble."""

from collections.abc import Sequence

import keras
from keras import layers, ops

from core.calibration import Calibration
from core.data.patient import FEATURES, METADATA_WIDTH
from core.networks.classifier import Classifier

AGE, AGE_MISSING = (FEATURES.index(name) for name in FEATURES[:2])


@keras.saving.register_keras_serializable(package="melascope")
class LogMeanProbability(layers.Layer):
    """Log of the mean of the members' calibrated probabilities.

    Args:
        temperatures: of each member; divides its logits before softmax.
        biases: of each member, (7,); added after that.
    """

    def __init__(self, temperatures: Sequence[float], biases: Sequence[Sequence[float]], **kwargs):
        super().__init__(**kwargs)
        self.temperatures = [float(t) for t in temperatures]
        self.biases = [[float(b) for b in row] for row in biases]

    def call(self, logits):
        """A list of logits (B, 7) -> (B, 7)."""
        log_probabilities = [
            ops.log_softmax(x / t + ops.convert_to_tensor(b, x.dtype))
            for x, t, b in zip(logits, self.temperatures, self.biases, strict=True)
        ]
        return ops.logsumexp(ops.stack(log_probabilities), axis=0) - ops.log(float(len(self.temperatures)))

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "temperatures": self.temperatures, "biases": self.biases}


@keras.saving.register_keras_serializable(package="melascope")
class AgeScale(layers.Layer):
    """Facts with the age in another network's units, where it is known; see `core.bundle.age_scales`.

    Args:
        factor, offset: the age there is factor times the age here plus offset.
    """

    def __init__(self, factor: float, offset: float, **kwargs):
        super().__init__(**kwargs)
        self.factor, self.offset = float(factor), float(offset)

    def call(self, facts):
        """(B, D) -> (B, D)."""
        age, missing = facts[..., AGE : AGE + 1], facts[..., AGE_MISSING : AGE_MISSING + 1]
        moved = ops.where(missing == 1, age, age * self.factor + self.offset)
        return ops.concatenate([facts[..., :AGE], moved, facts[..., AGE + 1 :]], axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "offset": self.offset}


def build_ensemble(
    members: Sequence[Classifier],
    calibrations: Sequence[Calibration],
    age_scales: Sequence[tuple[float, float]] | None = None,
) -> Classifier:
    """Joins trained classifiers.

    The encoder runs every member's encoder and stacks their feature maps along the channels. The head gives each member's
    head its own channels; its logits are the log of the members' mean calibrated probabilities (softmax gives that mean
    back), and its attention is the members' mean attention, each with a sum of 1.

    Args:
        members: with inputs of one size and feature maps of one height and width.
        calibrations: each member's.
        age_scales: (factor, offset) of each member, which turn the facts' age into its own; None where they share one scale.

    Raises:
        ValueError: fewer than two members, or members whose inputs or feature maps differ in size.
    """
    sizes = {(member.image_size, *member.encoder.output_shape[1:3]) for member in members}
    if len(members) < 2 or len(sizes) > 1:
        raise ValueError(
            f"An ensemble needs at least two members with one input size and one height and width of feature map; got {len(members)} "
            f"with (input, height, width) {sorted(sizes)}. Choose others."
        )
    # Members of one backbone have encoders of one name, which a network may not hold twice.
    encoders = [keras.Model(m.encoder.input, m.encoder.output, name=f"encoder_{i}") for i, m in enumerate(members)]
    image = keras.Input(members[0].encoder.input_shape[1:], name="image")
    encoder = keras.Model(image, layers.Concatenate(name="maps")([e(image) for e in encoders]), name="encoder")

    uses_metadata = any(member.uses_metadata for member in members)
    feature_map = keras.Input(encoder.output_shape[1:], name="feature_map")
    facts = keras.Input((METADATA_WIDTH,), name="metadata")
    logits, attentions, start = [], [], 0
    for i, member in enumerate(members):
        channels = member.encoder.output_shape[-1]
        head = keras.Model(member.head.inputs, member.head.outputs, name=f"head_{i}")
        own = facts if age_scales is None else AgeScale(*age_scales[i], name=f"age_{i}")(facts)
        answered, attention = head(member.head_inputs(feature_map[..., start : start + channels], own))  # pyright: ignore[reportCallIssue]
        logits.append(answered)
        attentions.append(attention / ops.maximum(ops.sum(attention, axis=(1, 2), keepdims=True), 1e-9))
        start += channels
    joined = LogMeanProbability(
        [c.temperature for c in calibrations], [c.biases for c in calibrations], dtype="float32", name="logits"
    )(logits)
    attention = layers.Identity(dtype="float32", name="attention")(layers.Average(name="mean_attention")(attentions))
    inputs = [feature_map, facts] if uses_metadata else [feature_map]
    head = keras.Model(inputs, [joined, attention], name="head")

    whole = [image, keras.Input((METADATA_WIDTH,), name="facts")] if uses_metadata else [image]
    model = keras.Model(whole, head([encoder(image), *whole[1:]]), name="ensemble")
    return Classifier(encoder, head, model, uses_metadata, any(member.has_attention for member in members))
