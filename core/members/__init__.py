"""Models that are made of others: where these lie, whether they are still the same, and which of them never saw a lesion."""

from core.members.cards import (
    check_members,
    join_fold_cards,
    mean_terms,
    member_folder,
    members_weights,
    network_folder,
    scored_cards,
)

__all__ = [
    "check_members",
    "join_fold_cards",
    "mean_terms",
    "member_folder",
    "members_weights",
    "network_folder",
    "scored_cards",
]
