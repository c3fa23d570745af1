"""Melascope's core: train, evaluate, explain and serve dermoscopy classifiers; importing it costs nothing."""

import os

# A `keras.json` that another program left must not choose; the variable may.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

__version__ = "0.1.0"
