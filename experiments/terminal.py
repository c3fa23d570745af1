"""What every experiment's command line shares: where the data are, and how progress is told."""

import argparse
import importlib
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

RESULTS = Path(__file__).resolve().parent / "results"


def say(text: str) -> None:
    """A line of progress, with the time of day."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


def arguments(about: str) -> argparse.ArgumentParser:
    """A parser with the folders that each experiment takes."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path, metavar="FOLDER", help="HAM10000, as downloaded")
    parser.add_argument(
        "--imagenet", type=Path, metavar="FOLDER", help="ImageNet weights (*.weights.h5); downloaded if left out"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="where results are kept")
    return parser


def run_by_name(name: str) -> None:
    """Runs a module's `main` as of the module that is imported by this name.

    A worker of Ray imports by their modules' names what it is sent; what lies in `__main__` here is not there.
    """
    importlib.import_module(name).main()
