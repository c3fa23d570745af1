"""Soft attention: the paper's form, the published code's form with its axis defect, and two controls."""

import keras
from keras import ops

from core.choices import check_choice

# Number of attention maps. Reference: Datta et al. 2021; the paper's notebooks.
MAPS = 16
GAMMA_START = 0.01
ATTENTION_FORMS = ("paper", "published", "normalised", "uniform", "uniform_gamma")
# Controls: a constant map, nothing to attend with.
CONSTANT_FORMS = ("uniform", "uniform_gamma")


@keras.saving.register_keras_serializable(package="melascope")
class SoftAttention(keras.layers.Layer):
    """Weights a feature map's positions by the sum of K softmax maps.

    "paper" (Eq. 1): z = Conv2D(K, 3x3, same)(t), a_k = softmax of z[..., k] over the positions, alpha = sum_k a_k
    (sums to K), output gamma * alpha * t with gamma trainable from 0.01.
    "published": the notebooks' 3-D convolution with its axes exchanged: only channels 0..2 and a window over all rows
    reach the logits, ReLU on them, no gamma; the kernel keeps its published shape (C, 3, 3, 1, K), dead weights included.
    "normalised": as "paper" with alpha rescaled to mean 1 over the positions and gamma from 1.
    "uniform": a control; alpha = K / (h w) everywhere, nothing to learn.
    "uniform_gamma": a control on the paper's scale; as "uniform", times the gamma of "paper".

    Reference: Nguyen et al. 2022, Eq. 1 and Figs. 6-7; docs/reproduction.md, section 3.

    Args:
        form: one of `ATTENTION_FORMS`.
        maps: K.
        gamma: start of the scale; None takes the form's own (0.01 or 1).
        learn_gamma: False keeps gamma at its start (ablation).

    Raises:
        ValueError: unknown form, or a map too shallow for the published kernel (needs C >= 2h - 1).
    """

    def __init__(
        self, form: str = "paper", maps: int = MAPS, gamma: float | None = None, learn_gamma: bool = True, **kwargs
    ):
        super().__init__(**kwargs)
        check_choice("attention form", form, ATTENTION_FORMS)
        self.form, self.maps, self.learn_gamma = form, maps, learn_gamma
        self.gamma_start = gamma if gamma is not None else (1.0 if form == "normalised" else GAMMA_START)
        self.gamma = None

    def build(self, input_shape):
        _, height, _, channels = input_shape
        if self.form == "published":
            first = (channels - 1) // 2 - height + 1
            if first < 0:
                raise ValueError(
                    f"The published attention needs at least {2 * height - 1} channels at height {height}; got {channels}."
                )
            self._live = slice(first, first + 2 * height - 1)
            shape = (channels, 3, 3, 1, self.maps)
        else:
            shape = (3, 3, channels, self.maps)
        if self.form not in CONSTANT_FORMS:
            self.kernel = self.add_weight(name="kernel", shape=shape, initializer="he_uniform")
            self.bias = self.add_weight(name="bias", shape=(self.maps,), initializer="zeros")
        if self.form in ("paper", "normalised", "uniform_gamma"):
            self.gamma = self.add_weight(
                name="gamma",
                shape=(),
                initializer=keras.initializers.Constant(self.gamma_start),
                trainable=self.learn_gamma,
            )

    def live_kernel(self):
        """What of the "published" kernel reaches its logits, (2h - 1, 3, 3, K): rows, columns and channels 0..2 around a position."""
        return self.kernel[self._live, :, :, 0, :]

    def attention_maps(self, feature_map):
        """The K softmax maps a_k of a feature map (B, h, w, C): (B, h, w, K), each summing to 1, in float32."""
        height, width = feature_map.shape[1:3]
        if self.form in CONSTANT_FORMS:
            flat = ops.zeros_like(feature_map[..., :1], dtype="float32")
            return ops.repeat(flat + 1.0 / (height * width), self.maps, axis=-1)
        if self.form == "published":
            live = ops.cast(self.live_kernel(), feature_map.dtype)
            logits = ops.relu(ops.conv(feature_map[..., :3], live, padding="same") + self.bias)
        else:
            logits = ops.conv(feature_map, self.kernel, padding="same") + self.bias
        # Softmax in float32: under mixed precision half floats lose small positions.
        flat = ops.reshape(ops.cast(logits, "float32"), (-1, height * width, self.maps))
        return ops.reshape(ops.softmax(flat, axis=1), (-1, height, width, self.maps))

    def call(self, feature_map):
        """Attends to a feature map (B, h, w, C).

        Returns:
            The weighted map (B, h, w, C), and alpha (B, h, w), which sums to K.
        """
        alpha = ops.sum(self.attention_maps(feature_map), axis=-1)
        scale = ops.cast(alpha, feature_map.dtype)
        if self.form == "normalised":
            scale = scale * (feature_map.shape[1] * feature_map.shape[2] / self.maps)
        weighted = scale[..., None] * feature_map
        if self.gamma is not None:
            weighted = ops.cast(self.gamma, weighted.dtype) * weighted
        return weighted, alpha

    def compute_output_shape(self, input_shape):
        return input_shape, input_shape[:3]

    def compute_output_spec(self, feature_map):
        weighted, alpha = self.compute_output_shape(feature_map.shape)
        return keras.KerasTensor(weighted, dtype=self.compute_dtype), keras.KerasTensor(alpha, dtype="float32")

    def get_config(self):
        own = {"form": self.form, "maps": self.maps, "gamma": self.gamma_start, "learn_gamma": self.learn_gamma}
        return {**super().get_config(), **own}
