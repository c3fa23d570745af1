"""`read` of a folder of photos, against the engine alone on the same photos decoded. Target: at least 0.8 of its photos a second.

    python -m benchmarks.folder --data HAM10000_FOLDER --model MobileNetV2

The engine's own work on a photo is what a reading asks of it: feature map, logits with attention, and the gradients of Grad-CAM. The
command decodes, asks gate, look-alikes and 90 % set, and prints JSON besides; the jury is not asked. Parts of fifty photos take turns.
"""

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.side_by_side import median_ratio, tell, time_in_turn

PART = 50


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
    with tempfile.TemporaryDirectory() as place:
        parts = []
        pairs = list(zip(paths, images, strict=True))
        for number in range(len(pairs) // PART):
            part = pairs[number * PART : (number + 1) * PART]
            folder = Path(place) / str(number)
            folder.mkdir()
            for path, _ in part:
                os.symlink(path.resolve(), folder / path.name)
            parts.append((folder, [image for _, image in part]))
        turns = {"folder": iter(parts), "engine": iter(parts)}

        def read_folder() -> None:
            folder, _ = next(turns["folder"])
            done = CliRunner().invoke(app, ["read", str(folder), "--model", asked.model, "--json", "--no-jury"])
            if '"probabilities"' not in done.stdout:
                raise SystemExit(f"read did not answer: {done.output[-500:]}")

        def ask_engine() -> None:
            for image in next(turns["engine"])[1]:
                feature_map = engine.encode(image)
                engine.head(feature_map, nobody)
                engine.gradients(feature_map, nobody)

        laps = time_in_turn({"folder": read_folder, "engine": ask_engine}, len(parts) - 1, warm_up=1)
    ratio = median_ratio(laps["engine"], laps["folder"])
    tell(
        f"photos a second: read of a folder / the engine alone, {asked.model}, {asked.photos} photos",
        ratio,
        ">= 0.8",
        ratio >= 0.8,
        folder_per_s=round(PART / sorted(laps["folder"])[len(laps["folder"]) // 2], 1),
        engine_per_s=round(PART / sorted(laps["engine"])[len(laps["engine"]) // 2], 1),
    )


if __name__ == "__main__":
    main()
