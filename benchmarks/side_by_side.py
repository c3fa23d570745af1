"""Times functions in turn, A B C A B C ..., so that a machine's drift falls on all of them alike."""

import json
import os
import platform
import socket
import statistics
import sys
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def time_in_turn(functions: dict[str, Callable[[], object]], rounds: int, warm_up: int = 3) -> dict[str, list[float]]:
    """Seconds of each function in each round; warm-up rounds are not counted."""
    laps: dict[str, list[float]] = {name: [] for name in functions}
    for number in range(warm_up + rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if number >= warm_up:
                laps[name].append(time.perf_counter() - start)
    return laps


def median_ms(laps: list[float]) -> float:
    """Median in milliseconds."""
    return 1000 * statistics.median(laps)


def median_ratio(laps: list[float], base: list[float]) -> float:
    """Median of the ratios round by round."""
    return statistics.median(a / b for a, b in zip(laps, base, strict=True))


def tell(name: str, ratio: float, target: str, met: bool | None, **more) -> None:
    """Prints one result as a JSON line; `met` is None where there is no target."""
    record = {"benchmark": name, "ratio": round(ratio, 3), "target": target, "met": met, **more}
    record["machine"] = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
