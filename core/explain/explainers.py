"""The table of explainers, and the one call that runs any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.choices import find_choice
from core.diagnoses import CODES
from core.explain.by_tensorflow import ask_score_cam, ask_smooth_grad
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
        per_class: whether the map depends on the asked class.
        weigh: evidence -> raw map (h, w), not negative, or None where the network cannot be asked.
        loads_tensorflow: whether it asks the network by TensorFlow, which takes seconds to load; else the evidence holds the gradient of
            the asked class, if the map depends on it.
    """

    title: str
    about: str
    per_class: bool
    weigh: Callable[[Evidence], np.ndarray | None]
    loads_tensorflow: bool = False

    @property
    def needs_gradient(self) -> bool:
        return self.per_class and not self.loads_tensorflow


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
    "score-cam": Explainer(
        "Score-CAM",
        "No gradient: each of the 32 most varied features is left alone on the photo, and counts by how probable that makes the class. "
        "Loads TensorFlow the first time, which takes some seconds.",
        True,
        ask_score_cam,
        loads_tensorflow=True,
    ),
    "smoothgrad": Explainer(
        "SmoothGrad",
        "Places where a small change of what was seen would change the score of the class most, for it or against it; mean over 10 noisy "
        "copies. Loads TensorFlow the first time, which takes some seconds.",
        True,
        ask_smooth_grad,
        loads_tensorflow=True,
    ),
}


def find_explainer(method: str) -> Explainer:
    """Looks an explainer up.

    Raises:
        ValueError: no such method; the message lists those there are.
    """
    return find_choice("explainer", method, EXPLAINERS)


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
    if explainer.needs_gradient:
        if gradients is None:
            gradients = engine.gradients(feature_map, metadata)
        gradient = gradients[class_index]
    elif not explainer.per_class and not engine.has_attention:
        attention = None
    elif not explainer.per_class and attention is None:
        attention = engine.head(feature_map, metadata)[1]
    raw = explainer.weigh(Evidence(feature_map, attention, gradient, engine, metadata, class_index))
    if raw is None:
        return Heatmap(np.zeros(feature_map.shape[:2], "float32"), NO_ATTENTION, method)
    return make_heatmap(raw, method)
