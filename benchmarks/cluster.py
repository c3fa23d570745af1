"""Photos a second of `read --ray` with two workers against one, and time and memory by the length of the list.

Photos of a HAM10000 folder are repeated until the list is long enough. Each run is a process of its own, with a Ray of its own. What a
run takes beyond its start is the slope between the shortest list and a longer one.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.side_by_side import tell

REPOSITORY = Path(__file__).resolve().parents[1]
# Seconds between two looks at memory.
LOOK = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="Folder with photos, looked through with all its folders."
    )
    parser.add_argument("--model", default="MobileNetV3Small")
    parser.add_argument("--photos", type=int, default=1000, help="Of the list that one and two workers read.")
    parser.add_argument("--rounds", type=int, default=2, help="How often one and two workers read it, in turn.")
    parser.add_argument("--longer", type=int, nargs="*", default=[10_000], help="Of the lists that show the growth.")
    asked = parser.parse_args()
    photos = sorted(asked.data.resolve().rglob("*.jpg"))
    if not photos:
        parser.error(f"{asked.data} holds no .jpg. Expected the unpacked HAM10000 download.")
    one, two = [], []
    for _ in range(asked.rounds):
        one.append(run(photos, asked.photos, asked.model, workers=1))
        two.append(run(photos, asked.photos, asked.model, workers=2))
    speeds = [asked.photos / statistics.median(lap["seconds"] for lap in laps) for laps in (one, two)]
    tell(
        "photos a second with Ray's start, two workers / one",
        speeds[1] / speeds[0],
        "none",
        None,
        photos=asked.photos,
        one=round(speeds[0], 1),
        two=round(speeds[1], 1),
    )
    short = two[-1]
    for number in asked.longer:
        more = run(photos, number, asked.model, workers=2)
        steady = (number - asked.photos) / (more["seconds"] - short["seconds"])
        tell(
            f"memory of the command for {number:,} photos / for {asked.photos:,}",
            more["command"] / short["command"],
            "none",
            None,
            command_mb=[megabytes(lap["command"]) for lap in (short, more)],
            with_ray_and_workers_mb=[megabytes(lap["all"]) for lap in (short, more)],
            seconds=[round(lap["seconds"]) for lap in (short, more)],
            photos_a_second_beyond_the_start=round(steady, 1),
            written_bytes_a_photo=round(more["written"] / number),
        )


def run(photos: list[Path], number: int, model: str, workers: int) -> dict[str, float]:
    """Reads a list once.

    Returns:
        seconds: from the command's start to its end; command: the most memory that the command held, bytes; all: the same with Ray's own
        processes and the workers, each shared page counted once; written: bytes of the parts.
    """
    with tempfile.TemporaryDirectory() as scratch:
        rows = Path(scratch) / "list.csv"
        rows.write_text("\n".join(["photo", *(str(photos[n % len(photos)]) for n in range(number))]))
        command = [sys.executable, "-m", "core", "read", "--ray", "--workers", str(workers), "--no-jury", str(rows)]
        command += ["--model", model, "--out", str(Path(scratch) / "out")]
        begun = time.monotonic()
        child = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        peak = {"command": 0, "all": 0}
        watch = threading.Thread(target=watch_memory, args=(child, peak))
        watch.start()
        _, said = child.communicate()
        seconds = time.monotonic() - begun
        watch.join()
        if child.returncode:
            sys.exit(said)
        written = sum(part.stat().st_size for part in (Path(scratch) / "out").glob("*.parquet"))
        return {"seconds": seconds, "written": written, **peak}


def watch_memory(child: subprocess.Popen, peak: dict[str, int]) -> None:
    """Keeps the most memory that a process, and it with all that descend from it, hold (Linux), bytes."""
    while child.poll() is None:
        held = {process: memory_of(process) for process in family(child.pid)}
        peak["command"] = max(peak["command"], held.get(child.pid, 0))
        peak["all"] = max(peak["all"], sum(held.values()))
        time.sleep(LOOK)


def family(root: int) -> list[int]:
    """A process and all that descend from it."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended
    found = [root]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def memory_of(process: int) -> int:
    """Bytes that a process holds, its share of what others hold too (PSS); 0 when it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def megabytes(size: float) -> int:
    return round(size / 2**20)


if __name__ == "__main__":
    main()
