"""What a training tells whoever watches."""

from collections.abc import Callable
from dataclasses import dataclass

from core.threads import Progress


@dataclass(frozen=True)
class Report:
    """What the trainer tells whoever watches; every function may be left as it is.

    Args:
        say: a sentence.
        photos: (done, total) while photos are decoded.
        batch: (epoch, epochs, phase, batch, batches, loss).
        epoch: one history row.
    """

    say: Callable[[str], None] = lambda text: None
    photos: Progress | None = None
    batch: Callable[[int, int, str, int, int, float], None] = lambda *_: None
    epoch: Callable[[dict], None] = lambda row: None
