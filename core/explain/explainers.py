"""The table of explainers, and the one call that runs any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.diagnoses import CODES
from core.explain.evidence import Evidence
from core.explain.grad_cam import grad_cam
from core.explain.grad_cam_plus_plus import grad_cam_plus_plus
from core.explain.heatmap import NO_ATTENTION, Heatmap, make_heatmap
from core.explain.soft_attention import soft_attention

if TYPE_CHECKING:
    from core.serving import Engine


@dataclass(frozen=True)
class Explainer:
    """A way to say where a network looked.

    Args:
        title: for people.
        about: one sentence: what the map shows.
        per_class: whether the map depends on the asked class; if so, the evidence holds that class's gradient.
        weigh: evidence -> raw map (h, w), not negative, or None where the network cannot be asked.
    """

    title: str
    about: str
    per_class: bool
    weigh: Callable[[Evidence], np.ndarray | None]


# No Score-CAM: one head pass a channel (320 to 2048 of them) makes it a hundred times dearer than Grad-CAM, on maps of 7 x 7.
EXPLAINERS: dict[str, Explainer] = {
    "soft-attention": Explainer(
        "Soft attention",
        "Where the network's own attention layer weighs the photo more; one map for all classes, learned in training.",
        False,
        soft_attention,
    ),
    "grad-cam": Explainer(
        "Grad-CAM",
        "Places whose features raise the score of the asked class, each feature weighted by its mean effect.",
        True,
        grad_cam,
    ),
    "grad-cam++": Explainer(
        "Grad-CAM++",
        "As Grad-CAM, but each place's effect counts by itself: better when several spots speak for the class.",
        True,
        grad_cam_plus_plus,
    ),
}


def find_explainer(method: str) -> Explainer:
    """Looks an explainer up.

    Raises:
        ValueError: no such method; the message lists those there are.
    """
    if method not in EXPLAINERS:
        raise ValueError(f"Unknown explainer {method!r}. Expected one of: {', '.join(EXPLAINERS)}.")
    return EXPLAINERS[method]


def explain(
    method: str,
    engine: Engine,
    feature_map: np.ndarray,
    metadata: np.ndarray,
    class_index: int,
    *,
    attention: np.ndarray | None = None,
    gradients: np.ndarray | None = None,
) -> Heatmap:
    """Asks where a network looked. Only the head runs; the encoder is never touched.

    Args:
        method: key into `EXPLAINERS`.
        feature_map: (h, w, C), from the encoder.
        metadata: (D,), encoded facts.
        class_index: position in `CODES` of the class to explain; its logit, not its probability, is explained.
        attention: (h, w) of this photo, if the head has already run.
        gradients: (7, h, w, C), from `Engine.gradients`, if they are already known.

    Raises:
        ValueError: unknown method or class, or a network whose numbers are not finite.
    """
    explainer = find_explainer(method)
    if not 0 <= class_index < len(CODES):
        raise ValueError(f"Unknown class index {class_index}. Expected 0 to {len(CODES) - 1}: {', '.join(CODES)}.")
    gradient = None
    if explainer.per_class:
        if gradients is None:
            gradients = engine.gradients(feature_map, metadata)
        gradient = gradients[class_index]
    elif not engine.has_attention:
        attention = None
    elif attention is None:
        attention = engine.head(feature_map, metadata)[1]
    raw = explainer.weigh(Evidence(feature_map, attention, gradient))
    if raw is None:
        return Heatmap(np.zeros(feature_map.shape[:2], "float32"), NO_ATTENTION, method)
    return make_heatmap(raw, method)
