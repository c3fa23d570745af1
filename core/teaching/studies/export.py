"""A study's readings as files: CSV in the columns of the ISIC Archive's studies, and the format of the program iMRMC."""

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.teaching.answers import TARGETS, suspicion
from core.teaching.store.database import Store
from core.teaching.store.tables import ReaderRow, StudyReadingRow
from core.teaching.studies.protocol import QUESTION_TYPES, Protocol
from core.teaching.studies.protocol_file import protocol_from_record
from core.teaching.studies.study import find_leaders_study
from core.teaching.tables import write_csv

# As the ISIC Archive exports the responses of a study (its source: isic/studies, ResponseQuerySet.for_display).
ISIC_COLUMNS = ("study_id", "study", "image", "annotator", "annotation_duration", "question", "question_type", "answer")
# What its studies do not know comes after.
FURTHER_COLUMNS = ("question_id", "arm", "repeat", "place", "experience", "sequence")


@dataclass(frozen=True)
class KeptReading:
    """A reading that was done; `sequence` is its place among all of the study."""

    sequence: int
    reader: int
    experience: str
    place: int
    case_id: str
    arm: str
    repeat: int
    answers: dict
    milliseconds: int | None


def export_isic(store: Store, code: str, secret: str) -> bytes:
    """One row an answer, in the columns of ISIC studies, then ours. Readers are numbers; durations are seconds.

    Raises:
        Refused: no such study, or a wrong secret.
    """
    study, protocol, readings = load_readings(store, code, secret)
    rows = [
        (
            *(
                study,
                protocol.name,
                r.case_id,
                annotator(r.reader),
                None if r.milliseconds is None else r.milliseconds / 1000,
            ),
            *(q.prompt, QUESTION_TYPES[q.type], r.answers[q.id]),
            *(q.id, r.arm, r.repeat, r.place + 1, r.experience, r.sequence),
        )
        for r in sorted(readings, key=lambda r: (r.case_id, r.sequence))
        for q in protocol.questions
        if q.id in r.answers
    ]
    return write_csv((*ISIC_COLUMNS, *FURTHER_COLUMNS), rows)


def export_imrmc(store: Store, code: str, secret: str) -> bytes:
    """Ratings for iMRMC (DIDSR): its header, the truth of each case (reader -1, modality 0), then a rating a reader, case and arm.

    The rating is the confidence with the sign of the answer, see `answers.suspicion`; first readings only, no repeats.

    Raises:
        Refused: no such study, or a wrong secret.
    """
    study, protocol, readings = load_readings(store, code, secret)
    codes = TARGETS[protocol.target][1]
    truths = {case.id: case.truth in codes for case in protocol.cases.cases}
    diagnosis, confidence = protocol.question("diagnosis").id, protocol.question("confidence").id
    firsts = [r for r in readings if r.repeat == 1]
    lines = [
        f"Melascope reader study {study}: {protocol.name}. Target: {TARGETS[protocol.target][0]}.",
        "",
        f"NR: {len({r.reader for r in firsts})}",
        f"N0: {sum(not positive for positive in truths.values())}",
        f"N1: {sum(truths.values())}",
        f"NM: {len(protocol.arms)}",
        "",
        "BEGIN DATA:",
        *(f"-1,{case},0,{int(positive)}" for case, positive in truths.items()),
        *(
            f"{annotator(r.reader)},{r.case_id},{_plain(r.arm)},{suspicion(r.answers[diagnosis], r.answers[confidence], protocol.target):g}"
            for r in sorted(firsts, key=lambda r: (r.reader, r.arm, r.case_id))
        ),
    ]
    return ("\n".join(lines) + "\n").encode("utf-8")


def annotator(reader: int) -> str:
    """What exports call a reader: nicknames stay here."""
    return f"reader{reader + 1:03d}"


def load_readings(store: Store, code: str, secret: str) -> tuple[str, Protocol, list[KeptReading]]:
    """The study's code, its protocol, and all readings in the order of arrival.

    Raises:
        Refused: no such study, or a wrong secret.
    """

    def work(session: Session):
        study = find_leaders_study(session, code, secret)
        rows = session.execute(
            select(StudyReadingRow, ReaderRow)
            .join(ReaderRow, StudyReadingRow.reader_id == ReaderRow.id)
            .where(StudyReadingRow.study_id == study.id)
            .order_by(StudyReadingRow.id)
        )
        kept = [
            KeptReading(
                n, who.number, who.experience, r.place, r.case_id, r.arm, r.repeat, dict(r.answers), r.milliseconds
            )
            for n, (r, who) in enumerate(rows, start=1)
        ]
        return study.code, protocol_from_record(study.protocol), kept

    return store.read(work)


def _plain(name: str) -> str:
    """A name without what divides iMRMC's columns."""
    return re.sub(r"[^\w-]+", "_", name)
