"""Faults survived, as figures: 1,000 malformed uploads of a seeded fuzzer, each read to its answer.

python -m benchmarks.faults uploads
"""

import argparse
from pathlib import Path

from benchmarks.fault_parts import uploads


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("uploads",))
    parser.add_argument("--count", type=int, default=1000, help="Of uploads.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--photo", type=Path, help="What the uploads show; a drawn lesion if not given.")
    parser.add_argument("--model", default="MobileNetV3Small", help="That reads what can be read.")
    asked = parser.parse_args()
    uploads.measure(asked.count, asked.seed, asked.photo, asked.model)


if __name__ == "__main__":
    main()
