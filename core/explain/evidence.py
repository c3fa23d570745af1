"""What every explainer may look at: one photo's feature map, attention and gradient."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Evidence:
    """One photo, one patient and one class, as the head sees them.

    Args:
        feature_map: (h, w, C).
        attention: (h, w), the sum of the K attention maps, or None for a network without attention.
        gradient: (h, w, C), of the class's logit with respect to the feature map, or None where a method needs none.
    """

    feature_map: np.ndarray
    attention: np.ndarray | None
    gradient: np.ndarray | None
