"""Training fed by the input pipeline against training on one constant in-memory batch. Target: at least 0.9 of its speed.

    python -m benchmarks.pipeline --backbone MobileNetV3Small --data FOLDER

Without --data a drawn HAM10000 is used.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.side_by_side import tell

BATCH = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="MobileNetV3Small")
    parser.add_argument("--data")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()

    import keras

    from core.data.batches import Batches
    from core.data.drawn import draw_ham10000
    from core.data.ham10000 import class_indices, read_table
    from core.data.image_cache import cache_images, encode_facts
    from core.data.patient import Facts, fit_encoder
    from core.networks import build_classifier
    from core.training.accelerator import jit_mode
    from core.training.recipes import find_recipe

    recipe = find_recipe("honest")
    with tempfile.TemporaryDirectory() as scratch:
        table = read_table(asked.data or draw_ham10000(scratch, lesions=200, size=(300, 225)))
        table = table.head(asked.steps * BATCH * 2)
        classifier = build_classifier(asked.backbone, recipe.network)

        images = cache_images(table, classifier.image_size, root=Path(scratch))
        encoder = fit_encoder(table.age)
        batches = Batches(
            images,
            encode_facts(table, encoder),
            class_indices(table),
            batch_size=BATCH,
            augmentation=recipe.augmentation,
            sampling=recipe.sampling,
            fact_dropout=recipe.fact_dropout,
            unknown=encoder.encode(Facts()),
            epoch_size=asked.steps * BATCH,
        )
        view = keras.Model(classifier.model.inputs, classifier.model.outputs[0])
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
        view.compile(keras.optimizers.Adam(1e-4), loss, jit_compile=jit_mode())

        class Constant(keras.utils.PyDataset):
            """The same batch again and again: no work but the training step."""

            def __init__(self):
                super().__init__(workers=1)
                self.batch = batches[0]

            def __len__(self):
                return asked.steps

            def __getitem__(self, _):
                return self.batch

        constant = Constant()
        view.fit(constant, verbose=0)
        view.fit(batches, verbose=0)
        ratios, speeds = [], []
        for _ in range(asked.rounds):
            laps = []
            for data in (constant, batches):
                start = time.perf_counter()
                view.fit(data, verbose=0)
                laps.append(time.perf_counter() - start)
            ratios.append(laps[0] / laps[1])
            speeds.append(asked.steps * BATCH / laps[1])
    ratio = statistics.median(ratios)
    tell(
        f"training through the input pipeline / on a constant batch, {asked.backbone}",
        ratio,
        ">= 0.9",
        ratio >= 0.9,
        photos_a_second=round(statistics.median(speeds), 1),
    )


if __name__ == "__main__":
    main()
