"""Where a network looked: the table of explainers, and their maps laid over the photo. Importing it loads no TensorFlow."""

from core.explain.explainers import EXPLAINERS, Explainer, explain, find_explainer
from core.explain.heatmap import Heatmap
from core.explain.overlay import COLORMAPS, contour_picture, encode_png, legend_colors, map_picture, overlay

__all__ = [
    "COLORMAPS",
    "EXPLAINERS",
    "Explainer",
    "Heatmap",
    "contour_picture",
    "encode_png",
    "explain",
    "find_explainer",
    "legend_colors",
    "map_picture",
    "overlay",
]
