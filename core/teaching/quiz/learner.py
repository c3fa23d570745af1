"""Who learns: a nickname and a token, kept as long as they are used; no account."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.teaching.credentials import hash_secret, make_secret
from core.teaching.people import Refused, read_nickname
from core.teaching.store.database import Store, days
from core.teaching.store.tables import LearnerRow

LEARNER_DAYS = 365  # after the last quiz


def new_learner(store: Store, nickname: str) -> str:
    """Makes a learner and returns the token, which the browser keeps: whoever has it goes on with the same cases.

    Raises:
        Refused: a nickname that cannot be.
    """
    nickname, token = read_nickname(nickname), make_secret()

    def work(session: Session) -> str:
        now = store.clock.now()
        session.add(
            LearnerRow(token_hash=hash_secret(token), nickname=nickname, made_at=now, expires_at=now + days(LEARNER_DAYS))
        )
        return token

    return store.write(work)


def forget_learner(store: Store, token: str) -> None:
    """Deletes a learner with all quizzes and cards.

    Raises:
        Refused: no such learner.
    """
    store.write(
        lambda session: session.execute(delete(LearnerRow).where(LearnerRow.id == find_learner(session, token).id))
    )


def find_learner(session: Session, token: str, *, lock: bool = False) -> LearnerRow:
    """The row of a learner.

    Raises:
        Refused: no such learner.
    """
    wanted = select(LearnerRow).where(LearnerRow.token_hash == hash_secret(token))
    row = session.scalar(wanted.with_for_update() if lock else wanted)
    if row is None:
        raise Refused(
            "This learner is not known here: the time is over, or it was deleted. Begin again with a nickname."
        )
    return row
