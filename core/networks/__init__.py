"""Backbones, soft attention, metadata branch and the classifier that joins them. Keras 3 and NumPy only."""

from core.keras_home import settle
from core.networks.backbones import BACKBONES, Backbone
from core.networks.classifier import Classifier, build_classifier

settle()

__all__ = ["BACKBONES", "Backbone", "Classifier", "build_classifier"]
