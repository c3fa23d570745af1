"""A dry run of the paper's nine networks: ten training steps each on drawn pixels, from random weights, by the recipe `paper`.

    python -m benchmarks.paper_networks [--backbones NAME ...] [--batch-size 4] [--steps 10]

Each runs in a process of its own, so that its memory is its own. A line tells a network's parameters, the peak of its process' memory,
the first step's seconds (with TensorFlow's tracing), the median of the others, and what an epoch over `EPOCH` photos would take at that
speed. No target: it shows that every network trains, and what a machine must have.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

PAPER = (
    "MobileNetV3Small",
    "MobileNetV3Large",
    "MobileNetV2",
    "NASNetMobile",
    "ResNet50",
    "DenseNet201",
    "ResNet152",
    "InceptionResNetV2",
    "NASNetLarge",
)
# Training photos of the recipe's split of HAM10000: nine in ten.
EPOCH = 9014


def dry_run(name: str, batch_size: int, steps: int) -> dict:
    """One network's figures, measured in this process."""
    import keras
    import numpy as np

    from core.diagnoses import CODES
    from core.networks import build_classifier
    from core.training.accelerator import jit_mode
    from core.training.recipes import find_recipe

    recipe = find_recipe("paper")
    keras.utils.set_random_seed(0)
    classifier = build_classifier(name, recipe.network)
    view = keras.Model(classifier.model.inputs, classifier.model.outputs[0])
    adam = keras.optimizers.Adam(recipe.rate, epsilon=recipe.epsilon)
    view.compile(adam, keras.losses.CategoricalCrossentropy(from_logits=True), jit_compile=jit_mode())
    rng = np.random.default_rng(0)
    inputs = [rng.uniform(0, 1, (batch_size, *one.shape[1:])).astype("float32") for one in view.inputs]
    inputs[0] *= 255
    labels = np.eye(len(CODES), dtype="float32")[rng.integers(0, len(CODES), batch_size)]
    seconds = []
    for _ in range(steps):
        started = time.perf_counter()
        loss = float(view.train_on_batch(inputs if len(inputs) > 1 else inputs[0], labels))
        seconds.append(time.perf_counter() - started)
        if not np.isfinite(loss):
            raise ValueError(f"{name}: the loss is {loss}. Expected a number.")
    step = statistics.median(seconds[1:])
    return {
        "network": name,
        "pixels": classifier.image_size,
        "parameters": view.count_params(),
        "batch_size": batch_size,
        "steps": steps,
        "first_step_s": round(seconds[0], 1),
        "step_s": round(step, 2),
        "epoch_hours": round(step / batch_size * EPOCH / 3600, 2),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def tell(record: dict) -> None:
    """Prints one result as a JSON line."""
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbones", nargs="+", choices=PAPER, default=PAPER)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--here", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.steps < 2:
        parser.error("--steps: expected 2 or more, since the first one is counted apart.")
    if asked.here:
        tell(dry_run(asked.here, asked.batch_size, asked.steps))
        return
    for name in asked.backbones:
        command = [sys.executable, "-m", "benchmarks.paper_networks", "--here", name]
        command += ["--batch-size", str(asked.batch_size), "--steps", str(asked.steps)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
            tell({"network": name, "failed": last})
        else:
            tell(json.loads(done.stdout.strip().splitlines()[-1]))


if __name__ == "__main__":
    main()
