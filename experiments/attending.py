"""The pooled attention module for many heads on one batch: the same numbers as `build_head`, in a fraction of the time on a CPU.

A frozen feature map learns nothing, so what depends on it alone is calculated once a batch for all heads: its pooling windows, its own
half of the features, and which units dropout keeps. A head adds its attention and the pooling of the attended map.
"""

from collections.abc import Callable
from functools import cache

import keras
import numpy as np
from keras import layers, ops

from core.networks.soft_attention import CONSTANT_FORMS, MAPS, SoftAttention

# Of the module. Reference: paper, Fig. 7; `build_head`.
DROPOUT = 0.5


def fused(function: Callable) -> Callable:
    """Has XLA join elementwise steps into one pass over memory; other backends than TensorFlow do that for the whole network."""
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    return tf.function(function, jit_compile=True, autograph=False)


@cache
def _neighbours(height: int, width: int) -> np.ndarray:
    """(h w, h w 9) of 0 and 1: which of nine products at each position a 3x3 convolution adds up at a position."""
    table = np.zeros((height, width, height, width, 3, 3), "float32")
    for row, column, a, b in np.ndindex(height, width, 3, 3):
        y, x = row + a - 1, column + b - 1
        if 0 <= y < height and 0 <= x < width:
            table[row, column, y, x, a, b] = 1
    return table.reshape(height * width, -1)


def _windows(x):
    """The 2x2 windows of a max-pooling "same": four corners, (B, windows, C) each. Filled up with 0, since a ReLU comes after."""
    height, width, channels = x.shape[1:]
    rows, columns = -(-height // 2), -(-width // 2)
    x = ops.pad(x, ((0, 0), (0, 2 * rows - height), (0, 2 * columns - width), (0, 0)))
    x = ops.reshape(x, (-1, rows, 2, columns, 2, channels))
    return [ops.reshape(x[:, :, a, :, b], (-1, rows * columns, channels)) for a in (0, 1) for b in (0, 1)]


def _highest(corners):
    highest = corners[0]
    for corner in corners[1:]:
        highest = ops.maximum(highest, corner)
    return ops.relu(highest)


@fused
def _pool_map(feature_map):
    corners = _windows(feature_map)
    return [*corners, _highest(corners)]


def _pool_attended(corners, scale, kept):
    """The attended map's features, (B, C), by a head's scale (B, h, w)."""
    scales = _windows(scale[..., None])
    return ops.mean(_highest([x * s for x, s in zip(corners, scales, strict=True)]) * kept, axis=1)


_pool_attended_fused = fused(_pool_attended)


@fused
def _scale_gradient(corners, scale, kept, upstream):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(scale)
        features = _pool_attended(corners, scale, kept)
    return tape.gradient(features, scale, upstream)


def _pool_attended_lightly(corners, scale, kept):
    """As `_pool_attended`, for TensorFlow: going back, the pooling is done again, which is quicker than keeping all its steps."""

    @ops.custom_gradient
    def pool(scale):
        return _pool_attended_fused(corners, scale, kept), lambda upstream: _scale_gradient(
            corners, scale, kept, upstream
        )

    return pool(scale)


@fused
def _sum_neighbours(products, neighbours):
    """Products of positions and taps (B, h w 9, n) -> the convolution, (B, h w, n)."""
    return ops.matmul(neighbours, products)


@fused
def _sums_of_softmaxes(logits):
    """(B, h w, heads, K) -> each head's alpha, (B, h w, heads)."""
    return ops.sum(ops.softmax(logits, axis=1), axis=-1)


class PooledMap(layers.Layer):
    """What all heads share: feature map (B, h, w, C) -> [four corners of its windows (B, W, C), its features (B, C), kept units]."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.map_dropout, self.attended_dropout = layers.Dropout(DROPOUT), layers.Dropout(DROPOUT)

    def call(self, feature_map, training=False):
        *corners, highest = _pool_map(feature_map)
        own = ops.mean(self.map_dropout(highest, training=training), axis=1)
        kept = self.attended_dropout(ops.ones_like(highest), training=training)
        return [*corners, own, kept]

    def compute_output_spec(self, feature_map, training=False):
        batch, height, width, channels = feature_map.shape
        window = (batch, -(-height // 2) * -(-width // 2), channels)
        return [keras.KerasTensor(shape) for shape in (*[window] * 4, (batch, channels), window)]


class AttentionScales(layers.Layer):
    """Each head's factor of each position, gamma * alpha: feature map (B, h, w, C) -> `heads` times (B, h, w).

    The heads' convolutions are one matrix product for all of them.
    """

    def __init__(self, form: str, heads: int, seed: int, **kwargs):
        super().__init__(**kwargs)
        self.form, self.heads = form, []
        for number in range(heads):
            keras.utils.set_random_seed(seed)
            self.heads.append(SoftAttention(form, name=f"attention_{number}"))

    def build(self, input_shape):
        for head in self.heads:
            head.build(input_shape)

    def call(self, feature_map):
        height, width = feature_map.shape[1:3]
        if self.form in CONSTANT_FORMS:
            alphas = [ops.sum(head.attention_maps(feature_map), axis=-1) for head in self.heads]
        else:
            logits = self._published(feature_map) if self.form == "published" else self._convolved(feature_map)
            alphas = [
                ops.reshape(alpha, (-1, height, width)) for alpha in ops.unstack(_sums_of_softmaxes(logits), axis=-1)
            ]
        if self.form == "normalised":
            alphas = [alpha * (height * width / MAPS) for alpha in alphas]
        return [
            alpha if head.gamma is None else head.gamma * alpha for head, alpha in zip(self.heads, alphas, strict=True)
        ]

    def _convolved(self, feature_map):
        """(B, h w, heads, K). One matrix product of positions and taps, then sums over neighbours."""
        height, width, channels = feature_map.shape[1:]
        columns = len(self.heads) * MAPS
        kernel = ops.concatenate([ops.reshape(head.kernel, (9, channels, MAPS)) for head in self.heads], axis=-1)
        taps = ops.reshape(ops.transpose(kernel, (1, 0, 2)), (channels, 9 * columns))
        products = ops.matmul(ops.reshape(feature_map, (-1, channels)), taps)
        products = ops.reshape(products, (-1, height * width * 9, columns))
        return self._with_bias(_sum_neighbours(products, _neighbours(height, width)))

    def _published(self, feature_map):
        """(B, h w, heads, K). One matrix product of windows over the three channels that the published code sees."""
        height, width = feature_map.shape[1:3]
        windows = ops.image.extract_patches(feature_map[..., :3], (2 * height - 1, 3), strides=1, padding="same")
        kernel = ops.concatenate([ops.reshape(head.live_kernel(), (-1, MAPS)) for head in self.heads], axis=-1)
        products = ops.matmul(ops.reshape(windows, (-1, kernel.shape[0])), kernel)
        return ops.relu(self._with_bias(ops.reshape(products, (-1, height * width, kernel.shape[1]))))

    def _with_bias(self, products):
        bias = ops.concatenate([ops.convert_to_tensor(head.bias) for head in self.heads], axis=0)
        return ops.reshape(products + bias, (-1, products.shape[1], len(self.heads), MAPS))

    def compute_output_spec(self, feature_map):
        return [keras.KerasTensor(feature_map.shape[:3]) for _ in self.heads]


class AttendedFeatures(layers.Layer):
    """Windows of the map, a head's scale (B, h, w) and the kept units -> the attended map's features, (B, C)."""

    def call(self, corners, scale, kept):
        pool = _pool_attended_lightly if keras.backend.backend() == "tensorflow" else _pool_attended
        return pool(corners, scale, kept)

    def compute_output_spec(self, corners, scale, kept):
        return keras.KerasTensor((kept.shape[0], kept.shape[2]))
