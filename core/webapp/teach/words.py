"""Shares as classes and readers are told them."""

from core.teaching.scores import Share
from core.webapp.shared.words import unbroken
from core.wording import rate


def share_words(share: Share) -> str:
    """Such as "3 of 5, 60 % (23 to 88 %)"; with nothing to count, that."""
    if share.value is None:
        return "nothing to count"
    return unbroken(f"{share.hits} of {share.of}, {rate(share)}")
