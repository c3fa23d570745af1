"""The explainers that load TensorFlow when they are asked, and not before."""

import numpy as np

from core.explain.evidence import Evidence


def ask_score_cam(evidence: Evidence) -> np.ndarray:
    """See `core.explain.keras_vis.score_cam`."""
    from core.explain.keras_vis import score_cam as ask

    return ask(evidence)


def ask_smooth_grad(evidence: Evidence) -> np.ndarray:
    """See `core.explain.keras_vis.smooth_grad`."""
    from core.explain.keras_vis import smooth_grad as ask

    return ask(evidence)
