"""Faults survived, as figures: malformed uploads, trainings killed at random moments, disks that are full.

What is killed on the way to a saved answer (the app, PostgreSQL, a worker of Ray) is in the tests, which docs/explanation/faults.md names.

    python -m benchmarks.faults uploads     1,000 files of a seeded fuzzer
    python -m benchmarks.faults training    20 kills of a small training on drawn photos
    python -m benchmarks.faults disk        each writer on a file system with 0 to 95 % of the room that it needs (Linux, as root)
"""

import argparse
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("uploads", "training", "disk"))
    parser.add_argument("--count", type=int, default=1000, help="Of uploads.")
    parser.add_argument("--kills", type=int, default=20, help="Of trainings.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--photo", type=Path, help="What the uploads show; a drawn lesion if not given.")
    parser.add_argument("--model", default="MobileNetV3Small", help="That reads what can be read.")
    parser.add_argument("--only", default="", help="Beginning of the names of the writers that are measured.")
    asked = parser.parse_args()
    # Each part loads what it needs: the process that reads uploads is a copy of this one, and its memory is measured.
    if asked.part == "uploads":
        from benchmarks.fault_parts import uploads

        uploads.measure(asked.count, asked.seed, asked.photo, asked.model)
    elif asked.part == "training":
        from benchmarks.fault_parts import killed_training

        killed_training.measure(asked.kills, asked.seed)
    else:
        from benchmarks.fault_parts import full_disk

        full_disk.measure(asked.model, asked.only)


if __name__ == "__main__":
    main()
