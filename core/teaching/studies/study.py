"""A reader study in the database: opening it, letting readers in, ending and deleting it."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.teaching.advice import Advice
from core.teaching.credentials import hash_secret, is_secret, make_code, make_salt, make_secret, read_code
from core.teaching.people import Refused, fold, read_experience, read_nickname
from core.teaching.store.database import Store, days
from core.teaching.store.tables import ReaderRow, StudyReadingRow, StudyRow
from core.teaching.studies.order import plan_readings
from core.teaching.studies.protocol import Protocol
from core.teaching.studies.protocol_file import protocol_from_record, protocol_to_record

MOST_READERS = 500
_CODE_TRIES = 20


@dataclass(frozen=True)
class OpenStudy:
    """A study that was just opened; the secret is told this once.

    Args:
        code: for the readers.
        secret: of whoever leads the study.
    """

    code: str
    secret: str


@dataclass(frozen=True)
class Welcome:
    """What somebody reads before joining a study; no case, no arm, no truth.

    Args:
        consent: what is to be agreed to; "" for nothing.
        joined: whether the holder of the token is a reader already.
    """

    name: str
    description: str
    consent: str
    joined: bool


@dataclass(frozen=True)
class ReaderProgress:
    """How far a reader is: readings done, of how many."""

    number: int
    nickname: str
    done: int
    of: int


def open_study(store: Store, protocol: Protocol, advice: Mapping[str, Advice] | None = None) -> OpenStudy:
    """Opens a study.

    Args:
        advice: id of a case -> the network's answer; for every case, where an arm shows it.

    Raises:
        Refused: an answer of the network is missing.
    """
    advice = advice or {}
    if any("network" in arm.shows for arm in protocol.arms):
        lacking = [case.id for case in protocol.cases.cases if case.id not in advice]
        if lacking:
            raise Refused(
                f"An arm shows the network's answer, and there is none to {len(lacking)} of {len(protocol.cases)} cases: "
                f"{', '.join(lacking[:5])}. Get their photos and let the network read them first."
            )
    store.purge()
    secret, kept_advice = (
        make_secret(),
        {case.id: advice[case.id].to_record() for case in protocol.cases.cases if case.id in advice},
    )
    for _ in range(_CODE_TRIES):
        code = make_code()

        def work(session: Session, code: str = code) -> OpenStudy:
            now = store.clock.now()
            session.add(
                StudyRow(
                    code=code,
                    secret_hash=hash_secret(secret),
                    salt=make_salt(),
                    protocol=protocol_to_record(protocol),
                    advice=kept_advice,
                    closed=False,
                    opened_at=now,
                    expires_at=now + days(protocol.kept_days),
                )
            )
            return OpenStudy(code, secret)

        try:
            return store.write(work)
        except IntegrityError:
            continue
    raise Refused("No free code was found. Delete studies that are over.")


def join_study(
    store: Store, code: str, nickname: str, *, consent: bool = False, experience: str = "", token: str = ""
) -> str:
    """Lets a reader in and returns the token, with which the reader goes on at any time.

    Args:
        code: as typed.
        nickname: free within the study; exports call readers by number.
        consent: to the protocol's text, where it has one.
        experience: key of `people.EXPERIENCE`.
        token: drawn by the browser before it asks, so that asking again changes nothing; drawn here when empty.

    Raises:
        Refused: no such study, one that is closed or full, no consent, or a nickname that is taken or cannot be.
    """
    nickname, experience, token = read_nickname(nickname), read_experience(experience), token or make_secret()

    def work(session: Session) -> str:
        study = find_study(session, code, lock=True)
        known = session.scalar(select(ReaderRow).where(ReaderRow.token_hash == hash_secret(token)))
        if known is not None and known.study_id == study.id:
            return token
        if known is not None or len(token) < 16:
            raise Refused("This browser's token cannot be used here. Reload the page to get a new one.")
        check_open(store, study)
        if protocol_from_record(study.protocol).consent and consent is not True:
            raise Refused("The study asks for your consent first. Read its text, and agree if you do.")
        joined = session.scalars(
            select(func.count()).select_from(ReaderRow).where(ReaderRow.study_id == study.id)
        ).one()
        if joined >= MOST_READERS:
            raise Refused(f"The study {study.code} is full: {joined} have joined.")
        taken = select(ReaderRow.id).where(ReaderRow.study_id == study.id, ReaderRow.nickname_folded == fold(nickname))
        if session.scalar(taken) is not None:
            raise Refused(f"The nickname {nickname} is taken in this study. Choose another one.")
        session.add(
            ReaderRow(
                study_id=study.id,
                number=joined,
                token_hash=hash_secret(token),
                nickname=nickname,
                nickname_folded=fold(nickname),
                experience=experience,
                consent=consent is True,
                joined_at=store.clock.now(),
            )
        )
        return token

    return store.write(work)


def study_welcome(store: Store, code: str, token: str = "") -> Welcome:
    """What stands at the study's door.

    Raises:
        Refused: there is no such study.
    """

    def work(session: Session) -> Welcome:
        study = find_study(session, code)
        known = select(ReaderRow.id).where(ReaderRow.token_hash == hash_secret(token), ReaderRow.study_id == study.id)
        protocol = protocol_from_record(study.protocol)
        return Welcome(protocol.name, protocol.description, protocol.consent, session.scalar(known) is not None)

    return store.read(work)


def study_progress(store: Store, code: str, secret: str) -> tuple[ReaderProgress, ...]:
    """How far each reader is, for whoever leads the study.

    Raises:
        Refused: no such study, or a wrong secret.
    """

    def work(session: Session) -> tuple[ReaderProgress, ...]:
        study = find_leaders_study(session, code, secret)
        protocol = protocol_from_record(study.protocol)
        counts = (
            select(StudyReadingRow.reader_id, func.count().label("readings"))
            .where(StudyReadingRow.study_id == study.id)
            .group_by(StudyReadingRow.reader_id)
        )
        done = {row.reader_id: row.readings for row in session.execute(counts)}
        readers = session.scalars(select(ReaderRow).where(ReaderRow.study_id == study.id).order_by(ReaderRow.number))
        return tuple(
            ReaderProgress(r.number, r.nickname, done.get(r.id, 0), len(plan_readings(protocol, r.number)))
            for r in readers
        )

    return store.read(work)


def close_study(store: Store, code: str, secret: str) -> None:
    """Ends a study: nobody joins or reads any more; its data stay.

    Raises:
        Refused: no such study, or a wrong secret.
    """

    def work(session: Session) -> None:
        find_leaders_study(session, code, secret, lock=True).closed = True

    store.write(work)


def delete_study(store: Store, code: str, secret: str) -> None:
    """Deletes a study with all its readers and readings.

    Raises:
        Refused: no such study, or a wrong secret.
    """

    def work(session: Session) -> None:
        study = find_leaders_study(session, code, secret, lock=True)
        session.execute(delete(StudyRow).where(StudyRow.id == study.id))

    store.write(work)


def find_study(session: Session, code: str, *, lock: bool = False) -> StudyRow:
    """The row of a study.

    Raises:
        Refused: there is no such study.
    """
    wanted = select(StudyRow).where(StudyRow.code == read_code(code))
    study = session.scalar(wanted.with_for_update() if lock else wanted)
    if study is None:
        raise Refused(f"There is no study {str(code).strip()[:20]!r}. Ask whoever leads it for its code.")
    return study


def find_leaders_study(session: Session, code: str, secret: str, *, lock: bool = False) -> StudyRow:
    """The row of a study, for whoever leads it.

    Raises:
        Refused: there is no such study, or the secret is not its own.
    """
    study = find_study(session, code, lock=lock)
    if not is_secret(secret, study.secret_hash):
        raise Refused(f"Only whoever leads study {study.code} can do this: the secret is not the study's.")
    return study


def find_reader(session: Session, study: StudyRow, token: str, *, lock: bool = False) -> ReaderRow:
    """The row of a reader.

    Raises:
        Refused: the token is none of the study.
    """
    wanted = select(ReaderRow).where(ReaderRow.token_hash == hash_secret(token), ReaderRow.study_id == study.id)
    reader = session.scalar(wanted.with_for_update() if lock else wanted)
    if reader is None:
        raise Refused(f"Only those who have joined study {study.code} read in it. Join with a nickname first.")
    return reader


def check_open(store: Store, study: StudyRow) -> None:
    """Stops at a study that takes no more readings.

    Raises:
        Refused: it is closed, or its time is over.
    """
    if study.closed or study.expires_at < store.clock.now():
        raise Refused(f"The study {study.code} is closed. Ask whoever leads it.")
