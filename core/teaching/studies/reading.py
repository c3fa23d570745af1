"""Reading in a study: the next case as its arm shows it, blinded; answers that are kept once; going on after a break."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.data.patient import Facts
from core.teaching.advice import Advice, advice_from_record
from core.teaching.case_sets.record import TeachingCase
from core.teaching.credentials import photo_key
from core.teaching.people import Refused, read_milliseconds
from core.teaching.store.clock import DAY
from core.teaching.store.database import Store
from core.teaching.store.tables import ReaderRow, StudyReadingRow, StudyRow
from core.teaching.studies.asked import read_answers
from core.teaching.studies.order import Place, plan_readings
from core.teaching.studies.protocol import Protocol, StudyQuestion
from core.teaching.studies.protocol_file import protocol_from_record
from core.teaching.studies.study import check_open, find_reader, find_study


@dataclass(frozen=True)
class Reading:
    """The case that a reader reads next. No truth, no id, nothing of other readers, and not whether it is a repeat.

    Args:
        place: of this reading, from 0. places: of how many.
        session: 0, or 1 after the pause.
        photo_key: what the photo is asked by; another one each time.
        facts, network, map: where the arm shows them.
        questions: to be answered.
    """

    place: int
    places: int
    session: int
    photo_key: str
    licence: str
    attribution: str
    facts: Facts | None
    network: Advice | None
    map: bool
    questions: tuple[StudyQuestion, ...]


@dataclass(frozen=True)
class Pause:
    """There is nothing to read before a time, milliseconds since 1970."""

    until: int


@dataclass(frozen=True)
class Done:
    """All readings are done."""

    places: int


def next_reading(store: Store, code: str, token: str) -> Reading | Pause | Done:
    """What a reader does next; the same until it is answered.

    Raises:
        Refused: no such study, a stranger, or the study is closed.
    """

    def work(session: Session) -> Reading | Pause | Done:
        study = find_study(session, code)
        reader = find_reader(session, study, token)
        check_open(store, study)
        return _next(store, session, study, reader)

    return store.read(work)


def answer_reading(
    store: Store, code: str, token: str, place: int, answers: dict, milliseconds: float | None = None
) -> Reading | Pause | Done:
    """Keeps the answers to a reading and returns what comes next. The same place sent again changes nothing.

    Args:
        place: `Reading.place` that was shown.
        answers: id of a question -> answer.
        milliseconds: from the photo to the answer, by the reader's clock.

    Raises:
        Refused: no such study, a stranger, the study is closed or pauses, another place, or answers that are none.
    """

    def work(session: Session) -> Reading | Pause | Done:
        study = find_study(session, code)
        reader = find_reader(session, study, token, lock=True)
        check_open(store, study)
        protocol = protocol_from_record(study.protocol)
        try:
            checked = read_answers(protocol, answers)
        except ValueError as error:
            raise Refused(str(error)) from None
        coming = _next(store, session, study, reader)
        done = _done(session, reader)
        if type(place) is int and 0 <= place < done:
            same = (StudyReadingRow.reader_id == reader.id, StudyReadingRow.place == place)
            kept = session.scalars(select(StudyReadingRow).where(*same)).one()
            if kept.answers == checked:
                return coming
            raise Refused("This reading was answered before. The first answer counts; go on with the next case.")
        if isinstance(coming, Pause):
            raise Refused("The second part begins after a pause, so that the cases are forgotten. Come back then.")
        if isinstance(coming, Done) or type(place) is not int or place != coming.place:
            raise Refused("This case is not asked now. Reload the page to see which one is.")
        where = plan_readings(protocol, reader.number)[place]
        session.add(
            StudyReadingRow(
                study_id=study.id,
                reader_id=reader.id,
                place=place,
                case_id=protocol.cases.cases[where.case].id,
                arm=protocol.arms[where.arm].name,
                repeat=where.repeat,
                answers=checked,
                milliseconds=read_milliseconds(milliseconds),
                at=store.clock.now(),
            )
        )
        session.flush()
        return _next(store, session, study, reader)

    return store.write(work)


def find_study_photo(store: Store, code: str, token: str, key: str) -> TeachingCase:
    """The case whose photo a page may send to a reader: only the one that is read now. For the server alone: it holds the truth.

    Raises:
        Refused: no such study, a stranger, or another photo.
    """

    def work(session: Session) -> TeachingCase:
        study = find_study(session, code)
        reader = find_reader(session, study, token)
        check_open(store, study)
        coming = _next(store, session, study, reader)
        if not isinstance(coming, Reading) or coming.photo_key != key:
            raise Refused("This photo is not shown now.")
        protocol = protocol_from_record(study.protocol)
        return protocol.cases.cases[plan_readings(protocol, reader.number)[coming.place].case]

    return store.read(work)


def _next(store: Store, session: Session, study: StudyRow, reader: ReaderRow) -> Reading | Pause | Done:
    protocol = protocol_from_record(study.protocol)
    plan, done = plan_readings(protocol, reader.number), _done(session, reader)
    if done == len(plan):
        return Done(len(plan))
    place = plan[done]
    if done and place.session != plan[done - 1].session:
        last = session.scalars(select(func.max(StudyReadingRow.at)).where(StudyReadingRow.reader_id == reader.id)).one()
        until = last + round(protocol.washout_days * DAY)
        if store.clock.now() < until:
            return Pause(until)
    return blinded(protocol, place, len(plan), study.advice, photo_key(study.salt, f"{reader.id}/{place.place}"))


def blinded(protocol: Protocol, place: Place, places: int, advice: dict, key: str) -> Reading:
    """What a reader may see of a reading: the one place that decides it."""
    case, arm = protocol.cases.cases[place.case], protocol.arms[place.arm]
    given = advice_from_record(advice.get(case.id))
    return Reading(
        place=place.place,
        places=places,
        session=place.session,
        photo_key=key,
        licence=case.licence,
        attribution=case.attribution,
        facts=case.facts if "facts" in arm.shows else None,
        network=given.disguised() if given and "network" in arm.shows else None,
        map="map" in arm.shows,
        questions=protocol.questions,
    )


def _done(session: Session, reader: ReaderRow) -> int:
    done = select(func.count()).select_from(StudyReadingRow).where(StudyReadingRow.reader_id == reader.id)
    return session.scalars(done).one()
