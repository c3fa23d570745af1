"""`read` of one photo with the Ensemble in a cold process, against importing TensorFlow. Target: at most 1/2.

    python -m benchmarks.cold_read

The photo is drawn; gate, look-alikes and jury are asked as ever. Both processes start anew in each round, in turn.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.side_by_side import tell


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="Ensemble")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    from PIL import Image

    from core.data.drawn import draw_lesion

    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.png"
        Image.fromarray(draw_lesion("mel", (600, 450))[0]).save(photo)
        read = [
            "-m",
            "core",
            "read",
            str(photo),
            "--model",
            asked.model,
            "--json",
            "--force",
            "--engine",
            "onnxruntime",
        ]
        laps: dict[str, list[float]] = {"read": [], "import": []}
        for number in range(asked.rounds + 1):
            for name, command in (("import", ["-c", "import tensorflow"]), ("read", read)):
                start = time.perf_counter()
                done = subprocess.run([sys.executable, *command], capture_output=True, check=False, env=os.environ)
                if number:  # the first round fills the disk cache
                    laps[name].append(time.perf_counter() - start)
                if name == "read" and b'"engine": "onnxruntime"' not in done.stdout:
                    raise SystemExit(f"read did not answer: {done.stderr.decode()[-500:]}")
    ratio = statistics.median(a / b for a, b in zip(laps["read"], laps["import"], strict=True))
    tell(
        f"read of one photo, cold process, {asked.model} / import of TensorFlow",
        ratio,
        "<= 0.5",
        ratio <= 0.5,
        read_s=round(statistics.median(laps["read"]), 2),
        import_s=round(statistics.median(laps["import"]), 2),
    )


if __name__ == "__main__":
    main()
