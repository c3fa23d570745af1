"""The head as plain operations: forward for many patients of one photo, and the gradients of its seven logits in closed form.

What serves a network (`core.serving`) is made of these: they have no state, take the weights as arguments, and use only operations that
every runtime knows. Tests hold both against the Keras head and its automatic differentiation.
"""

from collections.abc import Mapping

from keras import ops

from core.designs import NetworkDesign
from core.diagnoses import CODES
from core.networks.soft_attention import CONSTANT_FORMS, MAPS

FRONT = "soft_attention"


def head_logits(design: NetworkDesign, weights: Mapping, feature_map, metadata=None) -> tuple:
    """What `build_head`'s network gives for one photo and many patients; what concerns the photo alone is calculated once.

    Args:
        design: that the head was built by.
        weights: "layer/weight" -> tensor, of the head.
        feature_map: (1, h, w, C).
        metadata: (N, D), or None for a head that takes none.

    Returns:
        Logits (N, 7), or (1, 7) without metadata, and attention (1, h, w).
    """
    parts = _Module(design, weights, feature_map)
    features = parts.features()
    kernel, bias = weights["logits/kernel"], weights["logits/bias"]
    width = features.shape[-1]
    logits = ops.matmul(features, kernel[:width])
    if metadata is not None:
        facts = ops.matmul(metadata, weights["metadata_dense/kernel"]) + weights["metadata_dense/bias"]
        logits = logits + ops.matmul(ops.relu(facts), kernel[width:])
    return logits + bias, parts.alpha


def head_gradients(design: NetworkDesign, weights: Mapping, feature_map) -> object:
    """Gradients of all seven logits with respect to the feature map, (7, h, w, C).

    Facts only add to the logits, so no gradient depends on them.

    Args:
        design, weights, feature_map: see `head_logits`.
    """
    parts = _Module(design, weights, feature_map)
    features = parts.features()
    per_class = ops.transpose(weights["logits/kernel"][: features.shape[-1]])
    return parts.back(per_class)


class _Module:
    """The attention module on one feature map: what it gives, and how a gradient goes back through it."""

    def __init__(self, design: NetworkDesign, weights: Mapping, feature_map):
        self.form, self.pooled_head = design.attention, design.head == "pooled"
        self.weights, self.feature_map = weights, feature_map
        _, self.height, self.width, self.channels = feature_map.shape
        places = self.height * self.width
        if self.form == "none":
            self.alpha = ops.zeros_like(feature_map[..., 0]) + MAPS / places
            return
        self.t = feature_map if self.form == "published" else ops.relu(feature_map)
        if self.form in CONSTANT_FORMS:
            self.maps = None
            self.alpha = ops.zeros_like(feature_map[..., 0]) + MAPS / places
        else:
            self.raw = self._attention_logits()
            shown = ops.relu(self.raw) if self.form == "published" else self.raw
            flat = ops.softmax(ops.reshape(shown, (1, places, MAPS)), axis=1)
            self.maps = ops.reshape(flat, (1, self.height, self.width, MAPS))
            self.alpha = ops.sum(self.maps, axis=-1)
        # What the sum of the maps is multiplied by before it weighs the features.
        self.scale = places / MAPS if self.form == "normalised" else 1.0
        if f"{FRONT}/gamma" in weights:
            self.scale = self.scale * weights[f"{FRONT}/gamma"]
        self.weighing = (self.alpha * self.scale)[..., None]
        self.windows = [_windows(x) for x in (self.t, self.weighing * self.t)]

    def features(self):
        """The vector that the logits are made of, (1, F)."""
        if self.form == "none":
            module = self.feature_map
        else:
            module = ops.relu(ops.concatenate([ops.max(w, axis=(2, 4)) for w in self.windows], axis=-1))
        if self.pooled_head:
            return ops.mean(module, axis=(1, 2))
        return ops.reshape(module, (1, -1))

    def back(self, per_class):
        """Gradients with respect to the feature map (7, h, w, C), of gradients with respect to the features (7, F)."""
        classes = len(CODES)
        rows, columns = (self.height, self.width) if self.form == "none" else _halved(self.height, self.width)
        deep = self.channels * (1 if self.form == "none" else 2)
        if self.pooled_head:
            module = ops.reshape(per_class, (classes, 1, 1, deep)) / (rows * columns)
            module = ops.broadcast_to(module, (classes, rows, columns, deep))
        else:
            module = ops.reshape(per_class, (classes, rows, columns, deep))
        if self.form == "none":
            return module
        own, attended = (
            _unpool(part, windows, self.height, self.width)
            for part, windows in zip(
                (module[..., : self.channels], module[..., self.channels :]), self.windows, strict=True
            )
        )
        gradient = own + self.weighing * attended
        if self.maps is not None:
            gradient = gradient + self._through_attention(ops.sum(attended * self.t, axis=-1) * self.scale)
        if self.form != "published":
            gradient = gradient * ops.cast(self.feature_map > 0, gradient.dtype)
        return gradient

    def _attention_logits(self):
        """Logits of the K maps, (1, h, w, K)."""
        kernel, bias = self.weights[f"{FRONT}/kernel"], self.weights[f"{FRONT}/bias"]
        if self.form == "published":
            return ops.conv(self.t[..., :3], self._live(kernel), padding="same") + bias
        return ops.conv(self.t, kernel, padding="same") + bias

    def _live(self, kernel):
        """What of the published kernel reaches its logits; see `SoftAttention.live_kernel`."""
        first = (self.channels - 1) // 2 - self.height + 1
        return kernel[first : first + 2 * self.height - 1, :, :, 0, :]

    def _through_attention(self, per_place):
        """Of gradients with respect to alpha (7, h, w): back through softmax and convolution to the module's input."""
        classes, places = len(CODES), self.height * self.width
        maps = ops.reshape(self.maps, (1, places, MAPS))
        per_place = ops.reshape(per_place, (classes, places, 1))
        logits = maps * (per_place - ops.sum(maps * per_place, axis=1, keepdims=True))
        logits = ops.reshape(logits, (classes, self.height, self.width, MAPS))
        kernel = self.weights[f"{FRONT}/kernel"]
        if self.form == "published":
            logits = logits * ops.cast(self.raw > 0, logits.dtype)
            kernel = self._live(kernel)
        # The transpose of a convolution with "same" padding and an odd kernel: the kernel turned, its channels exchanged.
        turned = ops.transpose(ops.flip(ops.flip(kernel, axis=0), axis=1), (0, 1, 3, 2))
        gradient = ops.conv(logits, turned, padding="same")
        if self.form == "published":
            gradient = ops.pad(gradient, ((0, 0), (0, 0), (0, 0), (0, self.channels - 3)))
        return gradient


def _halved(height: int, width: int) -> tuple[int, int]:
    return -(-height // 2), -(-width // 2)


def _windows(x):
    """A map (1, h, w, C) in windows of 2 by 2, (1, h', 2, w', 2, C), filled up at the end as "same" pooling does."""
    _, height, width, channels = x.shape
    rows, columns = _halved(height, width)
    fill = ((0, 0), (0, 2 * rows - height), (0, 2 * columns - width), (0, 0))
    # Lower than any feature, and finite: some runtimes make NaN of an infinity times zero.
    x = ops.pad(x, fill, constant_values=-3e38)
    return ops.reshape(x, (1, rows, 2, columns, 2, channels))


def _unpool(gradient, windows, height: int, width: int):
    """Of gradients of the windows' positive maxima (7, h', w', C): to the first place of each that has it, (7, h, w, C)."""
    classes, rows, columns, channels = gradient.shape
    top = ops.max(windows, axis=(2, 4))
    gradient = gradient * ops.cast(top > 0, gradient.dtype)
    left, placed = ops.ones_like(top), []
    for i in (0, 1):
        row = []
        for j in (0, 1):
            here = ops.cast(windows[:, :, i, :, j] >= top, gradient.dtype) * left
            left = left - here
            row.append(gradient * here)
        placed.append(ops.stack(row, axis=3))
    spread = ops.stack(placed, axis=2)
    return ops.reshape(spread, (classes, 2 * rows, 2 * columns, channels))[:, :height, :width]
