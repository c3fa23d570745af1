"""What a network in training says of many photos."""

import keras
import numpy as np

from core.networks.classifier import Classifier
from core.training.watching import Report

# Images are predicted in batches of this size: large enough to be quick, small enough for any machine.
PREDICT_BATCH = 64


class ImageRows:
    """A part's rows of the memory-mapped images, without copying them."""

    def __init__(self, images: np.ndarray, rows: np.ndarray):
        self.images, self.rows, self.dtype = images, rows, images.dtype

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.images[self.rows[index]]


def predict_rows(
    view: keras.Model, classifier: Classifier, images, rows: np.ndarray, metadata: np.ndarray
) -> np.ndarray:
    """Logits (N, 7) of photos, in batches."""
    out = []
    for start in range(0, len(rows), PREDICT_BATCH):
        chunk = slice(start, start + PREDICT_BATCH)
        out.append(
            view.predict_on_batch(classifier.head_inputs(images[rows[chunk]].astype("float32"), metadata[chunk]))
        )
    return np.concatenate(out)


def seed_dropout(view, seed: int, epoch: int) -> None:
    """Sets dropout's generators by epoch, so that a resumed run drops what the unbroken one would have."""
    for number, layer in enumerate(view._flatten_layers()):
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            generator.state.assign(np.array([seed * 1000 + number, epoch], generator.state.dtype))


def encode_rows(encoder: keras.Model, images, rows: np.ndarray, report: Report) -> np.ndarray:
    """Feature maps of the photos, (N, h, w, C) float16."""
    out = np.empty((len(rows), *encoder.output_shape[1:]), "float16")
    for start in range(0, len(rows), PREDICT_BATCH):
        chunk = rows[start : start + PREDICT_BATCH]
        out[start : start + len(chunk)] = encoder.predict_on_batch(images[chunk].astype("float32"))
        report.batch(0, 0, "encoding", min(start + PREDICT_BATCH, len(rows)), len(rows), float("nan"))
    return out


def predict_from_maps(view: keras.Model, classifier: Classifier, maps: np.ndarray, metadata: np.ndarray) -> np.ndarray:
    """Logits (N, 7) of feature maps, in batches."""
    chunks = range(0, len(maps), PREDICT_BATCH)
    return np.concatenate(
        [
            view.predict_on_batch(
                classifier.head_inputs(maps[s : s + PREDICT_BATCH].astype("float32"), metadata[s : s + PREDICT_BATCH])
            )
            for s in chunks
        ]
    )
