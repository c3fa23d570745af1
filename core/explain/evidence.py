"""What every explainer may look at: one photo's feature map, attention and gradient, and the network itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from core.serving import Engine


@dataclass(frozen=True, eq=False)
class Evidence:
    """One photo, one patient and one class, as the head sees them.

    Args:
        feature_map: (h, w, C).
        attention: (h, w), the sum of the K attention maps, or None for a network without attention.
        gradient: (h, w, C), of the class's logit with respect to the feature map, or None where a method needs none.
        engine: the network, for methods that ask it themselves.
        metadata: (D,), encoded facts, for them.
        class_index: position in `CODES`, for them.
    """

    feature_map: np.ndarray
    attention: np.ndarray | None
    gradient: np.ndarray | None
    engine: Engine
    metadata: np.ndarray
    class_index: int
