"""A student's two votes on a case, beside the truth and the advice that this student saw between them."""

from collections.abc import Mapping

from core.teaching.advice import advice_from_record
from core.teaching.answers import Answered
from core.teaching.rooms.room import Vote
from core.teaching.rooms.steps import WITH_AI
from core.teaching.store.tables import RoomCaseRow, VoteRow


def pair_answers(nickname: str, arm: str, case: RoomCaseRow, votes: Mapping[int, Vote | VoteRow]) -> Answered:
    """What scores and reliance are made of.

    Args:
        nickname, arm: of the student.
        votes: round -> the student's vote on this case.
    """
    first, second, advice = votes.get(1), votes.get(2), advice_from_record(case.advice)
    return Answered(
        person=nickname,
        case=case.case["id"],
        truth=case.case["truth"],
        first=first.diagnosis if first else None,
        confidence=first.confidence if first else None,
        # Before a second answer only those in the arm with AI have seen it.
        advice=advice.answer if advice and second and arm == WITH_AI else None,
        second=second.diagnosis if second else None,
        second_confidence=second.confidence if second else None,
        milliseconds=first.milliseconds if first else None,
    )
