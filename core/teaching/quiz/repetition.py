"""When a learner sees a case again, by the free spaced repetition scheduler FSRS (library fsrs).

Intervals are whole days: a case that comes back after a minute would be recognised, not read.
"""

import zlib
from datetime import UTC, datetime
from typing import Any, cast

from fsrs import Card, Rating, Scheduler

# A learner who was right but not sure had to think; one who was right and this sure knew.
UNSURE, SURE = 50, 90  # per cent
_SCHEDULER = {"learning_steps": (), "relearning_steps": (), "enable_fuzzing": False}


def rating_of(right: bool, confidence: int) -> Rating:
    """How well a case was known, from the answer before the network's."""
    if not right:
        return Rating.Again
    if confidence < UNSURE:
        return Rating.Hard
    return Rating.Easy if confidence >= SURE else Rating.Good


def review(
    card: dict | None, case_id: str, rating: Rating, now: int, milliseconds: int | None = None
) -> tuple[dict, int]:
    """A case was answered.

    Args:
        card: of this case as it was kept, or None for the first time.
        now: milliseconds since 1970; never before the last review, see `store.clock`.
        milliseconds: that the answer took.

    Returns:
        The card to keep, and when it is due, milliseconds since 1970.
    """
    at = datetime.fromtimestamp(now / 1000, UTC)
    before = Card.from_dict(cast(Any, card)) if card else Card(card_id=zlib.crc32(case_id.encode()), due=at)
    after, _ = Scheduler(**_SCHEDULER).review_card(before, rating, at, milliseconds)
    return dict(after.to_dict()), round(after.due.timestamp() * 1000)
