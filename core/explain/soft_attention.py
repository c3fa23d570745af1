"""The network's own soft attention: where it weighs the feature map more, whatever the class."""

import numpy as np

from core.explain.evidence import Evidence


def soft_attention(evidence: Evidence) -> np.ndarray | None:
    """The sum of the K attention maps, (h, w), or None for a network that has no attention.

    Reference: Nguyen et al., Sensors 2022, Eq. 1; docs/reproduction.md, section 3.
    """
    return evidence.attention
