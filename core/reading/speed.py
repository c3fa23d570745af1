"""How fast a network reads."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from core.data.patient import Facts
from core.serving.engines import has_gpu
from core.threads import cores

if TYPE_CHECKING:
    from core.bundle import Bundle


def warm_up(bundle: Bundle) -> None:
    """Readies a bundle's engine, so that the first photo does not wait for it."""
    bundle.engine.ready()


def measure_speed(bundle: Bundle, runs: int = 30) -> dict:
    """Times the network on one photo at a time, for the card.

    Returns:
        "forward_ms": median milliseconds of encoder and head together; "device": in words.
    """
    warm_up(bundle)
    network, metadata = bundle.engine, bundle.card.facts_encoder.encode(Facts())
    image = np.full((bundle.card.image_size, bundle.card.image_size, 3), 128, "float32")
    laps = []
    for _ in range(runs):
        start = time.perf_counter()
        network.head(network.encode(image), metadata)
        laps.append(time.perf_counter() - start)
    return {
        "forward_ms": round(1000 * float(np.median(laps)), 1),
        "device": "a GPU" if network.name == "tensorflow" and has_gpu() else f"a CPU with {cores()} cores",
        "engine": network.name,
        "batch": 1,
        "runs": runs,
    }
