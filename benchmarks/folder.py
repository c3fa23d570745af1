"""`read` of a folder of photos, against the engine alone on the same photos decoded. Target: at least 0.8 of its photos a second.

    python -m benchmarks.folder --data HAM10000_FOLDER --model MobileNetV2

The engine's own work on a photo is what a reading asks of it: feature map, logits with attention, and the gradients of Grad-CAM. The
command decodes, asks gate, look-alikes and 90 % set, and prints JSON besides; the jury is not asked. Loading the network counts for the
folder.
"""

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.side_by_side import tell


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", default="MobileNetV2")
    parser.add_argument("--photos", type=int, default=500)
    asked = parser.parse_args()

    from typer.testing import CliRunner

    from core.__main__ import app
    from core.bundle import load_bundle
    from core.data.ham10000 import read_table
    from core.data.images import fit_image, read_photo
    from core.data.patient import Facts

    bundle = load_bundle(asked.model)
    engine, nobody = bundle.engine, bundle.card.facts_encoder.encode(Facts())
    paths = [Path(p) for p in read_table(asked.data).path[: asked.photos]]
    images = [fit_image(read_photo(path), bundle.card.image_size) for path in paths]
    engine.ready()

    def ask_engine(some: list) -> float:
        start = time.perf_counter()
        for image in some:
            feature_map = engine.encode(image)
            engine.head(feature_map, nobody)
            engine.gradients(feature_map, nobody)
        return time.perf_counter() - start

    def read_folder() -> float:
        with tempfile.TemporaryDirectory() as folder:
            for path in paths:
                (Path(folder) / path.name).symlink_to(path.resolve())
            start = time.perf_counter()
            done = CliRunner().invoke(app, ["read", folder, "--model", asked.model, "--json", "--no-jury"])
            took = time.perf_counter() - start
        if done.stdout.count('"verdict"') < len(paths):
            raise SystemExit(f"read did not answer: {done.output[-500:]}")
        return took

    half = len(paths) // 2
    ask_engine(images[:20])
    # The engine before and after the folder, so that a machine's drift falls on both.
    engine_s = ask_engine(images[:half])
    folder_s = read_folder()
    engine_s += ask_engine(images[half:])
    ratio = engine_s / folder_s
    tell(
        f"photos a second: read of a folder / the engine alone, {asked.model}, {len(paths)} photos",
        ratio,
        ">= 0.8",
        ratio >= 0.8,
        folder_per_s=round(len(paths) / folder_s, 1),
        engine_per_s=round(len(paths) / engine_s, 1),
    )


if __name__ == "__main__":
    main()
