"""Melascope's core: train, evaluate, explain and serve dermoscopy classifiers; importing it costs nothing."""

__version__ = "0.1.0"
