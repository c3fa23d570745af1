"""The contract of all that answers for a network: images in, feature maps, logits, attention and gradients out. NumPy only."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.data.patient import METADATA_WIDTH

if TYPE_CHECKING:  # at run time this would load Keras
    from core.networks import Classifier


class Engine(ABC):
    """A network that answers; safe to be asked by several threads at once, and never changed by being asked.

    Attributes:
        name: key into `ENGINES`.
        image_size: side S of the square input, pixels.
        feature_shape: (h, w, C) of the feature map.
        uses_metadata: whether facts count.
        has_attention: False where the attention is only a constant map.
        gradients_need_facts: whether the gradients can change with the metadata. They cannot where facts only add to the logits, as in
            the paper's head: then they belong to the photo alone and outlive a change of facts.
    """

    name: str
    image_size: int
    feature_shape: tuple[int, int, int]
    uses_metadata: bool
    has_attention: bool
    gradients_need_facts: bool = False

    @abstractmethod
    def encode(self, image: np.ndarray) -> np.ndarray:
        """Image (S, S, 3), RGB 0..255 -> feature map (h, w, C) float32; or many at once, (B, S, S, 3) -> (B, h, w, C)."""

    @abstractmethod
    def head(self, feature_map: np.ndarray, metadata: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits and attention of a photo and a patient, or of one photo and many patients, or of many photos and their patients.

        The head of a hundred patients of one photo costs about as much as that of one.

        Args:
            feature_map: (h, w, C), or (B, h, w, C).
            metadata: (D,) for one photo; (N, D) for its N patients; (B, D) for B photos.

        Returns:
            Logits (7,), (N, 7) or (B, 7), and attention (h, w), (h, w) or (B, h, w), float32.
        """

    @abstractmethod
    def gradients(self, feature_map: np.ndarray, metadata: np.ndarray) -> np.ndarray:
        """Gradients of all seven logits with respect to one photo's feature map (h, w, C), for one patient (D,): (7, h, w, C)."""

    def ready(self) -> None:
        """Compiles what is compiled when first asked for, so that the first photo does not wait for it."""
        feature_map = self.encode(np.zeros((self.image_size, self.image_size, 3), "float32"))
        nobody = np.zeros(METADATA_WIDTH, "float32")
        self.head(feature_map, nobody)
        self.gradients(feature_map, nobody)

    @abstractmethod
    def weights(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The numbers that were learnt, of the head and of the encoder, in the network's own order."""

    @abstractmethod
    def with_weights(self, head: Sequence[np.ndarray], encoder: Sequence[np.ndarray] | None = None) -> Engine:
        """An engine like this one with other numbers, such as shuffled ones; the encoder's stay when None."""

    @abstractmethod
    def classifier(self) -> Classifier:
        """The Keras network with these numbers, for what needs more than its answers; loads TensorFlow where it was not loaded.

        Raises:
            ValueError: this engine does not know how to build it.
        """

    @property
    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Program -> version, of what does the work."""


def withhold(
    logits: np.ndarray, attention: np.ndarray, feature_map: np.ndarray, metadata: np.ndarray | None, sound: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The head's answers, NaN where what they are made of is no number.

    Kernels do not see to that: to many, the larger of NaN and 0 is 0, and damaged facts or weights would be answered with a straight face.

    Args:
        logits: (N, 7).
        attention: (h, w).
        feature_map: (h, w, C).
        metadata: (N, D), or None where it does not count.
        sound: whether all weights are numbers.
    """
    if not (sound and np.isfinite(feature_map).all()):
        return np.full_like(logits, np.nan), np.full_like(attention, np.nan)
    if metadata is None:
        return logits, attention
    wrong = np.logical_not(np.isfinite(metadata).all(axis=1))
    return (np.where(wrong[:, None], np.float32(np.nan), logits) if wrong.any() else logits), attention


def check_head_inputs(engine: Engine, feature_map: np.ndarray, metadata: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as float32, of shapes that `Engine.head` takes.

    Raises:
        ValueError: shapes that do not fit the network or one another.
    """
    feature_map, metadata = np.asarray(feature_map, "float32"), np.asarray(metadata, "float32")
    many = feature_map.ndim == 4
    if (
        feature_map.shape[many:] != engine.feature_shape
        or metadata.ndim not in (1, 2)
        or feature_map.ndim not in (3, 4)
    ):
        raise ValueError(
            f"The head got a feature map of shape {feature_map.shape} and metadata of shape {metadata.shape}. Expected "
            f"{engine.feature_shape} with (D,) or (N, D), or B feature maps with (B, D)."
        )
    if many and (metadata.ndim != 2 or len(metadata) != len(feature_map)):
        raise ValueError(
            f"The head got {len(feature_map)} feature maps and metadata of shape {metadata.shape}. Expected one row a photo."
        )
    return feature_map, metadata
