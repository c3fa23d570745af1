"""What a study shows: the two arms compared over readers and cases, each reader's point, agreement with oneself, times."""

from dataclasses import dataclass
from statistics import median

import numpy as np

from core.teaching.answers import TARGETS, Answered, suspicion
from core.teaching.scores import Point, Share, points_of_people, share
from core.teaching.store.database import Store
from core.teaching.studies.export import KeptReading, annotator, load_readings
from core.teaching.studies.obuchowski_rockette import ArmsTest, compare_arms
from core.teaching.studies.protocol import Protocol


@dataclass(frozen=True)
class ArmSummary:
    """One arm.

    Args:
        name: of it.
        points: of each reader with a reading in it.
        right: answers that name the very diagnosis; the interval resamples readers.
        same_again: of cases read twice, those with the same diagnosis both times.
        seconds: median time; None where none was told.
    """

    name: str
    points: tuple[Point, ...]
    right: Share
    same_again: Share
    seconds: float | None


@dataclass(frozen=True)
class StudyAnalysis:
    """A study.

    Args:
        arms: in the protocol's order.
        test: second arm against first, over readers and cases; None where it cannot be made.
        problem: then a sentence why.
        complete: readers that the test rests on. left_out: reader -> readings that are missing.
    """

    arms: tuple[ArmSummary, ...]
    test: ArmsTest | None
    problem: str
    complete: tuple[str, ...]
    left_out: dict[str, int]


def analyse_study(store: Store, code: str, secret: str, method: str = "jackknife") -> StudyAnalysis:
    """Analyses a study as it stands.

    Args:
        method: key of `auc.METHODS`: how covariances are estimated.

    Raises:
        Refused: no such study, or a wrong secret.
        ValueError: unknown method.
    """
    _, protocol, readings = load_readings(store, code, secret)
    return analyse_readings(protocol, readings, method)


def analyse_readings(protocol: Protocol, readings: list[KeptReading], method: str = "jackknife") -> StudyAnalysis:
    """The analysis of readings; see `analyse_study`."""
    ratings, readers = rating_table(protocol, readings)
    missing = {annotator(reader): int(np.isnan(ratings[:, n]).sum()) for n, reader in enumerate(readers)}
    whole = [n for n, reader in enumerate(readers) if not missing[annotator(reader)]]
    truth = np.array([case.truth in TARGETS[protocol.target][1] for case in protocol.cases.cases])
    test, problem = None, ""
    if len(protocol.arms) < 2:
        problem = "The study has one arm: there is nothing to compare it with."
    elif len(whole) < 2:
        problem = f"{len(whole)} readers have read every case in both arms. Expected two or more: one reader says nothing about others."
    else:
        test = compare_arms(ratings[:, whole], truth, method)
    return StudyAnalysis(
        arms=tuple(_summary(protocol, arm.name, readings) for arm in protocol.arms),
        test=test,
        problem=problem,
        complete=tuple(annotator(readers[n]) for n in whole),
        left_out={reader: count for reader, count in missing.items() if count},
    )


def rating_table(protocol: Protocol, readings: list[KeptReading]) -> tuple[np.ndarray, list[int]]:
    """First readings as ratings, (arms, readers, cases), NaN where there is none; and the readers' numbers."""
    readers = sorted({r.reader for r in readings})
    arms = {arm.name: n for n, arm in enumerate(protocol.arms)}
    cases = {case.id: n for n, case in enumerate(protocol.cases.cases)}
    diagnosis, confidence = protocol.question("diagnosis").id, protocol.question("confidence").id
    ratings = np.full((len(arms), len(readers), len(cases)), np.nan)
    for r in readings:
        if r.repeat == 1:
            place = arms[r.arm], readers.index(r.reader), cases[r.case_id]
            ratings[place] = suspicion(r.answers[diagnosis], r.answers[confidence], protocol.target)
    return ratings, readers


def _summary(protocol: Protocol, arm: str, readings: list[KeptReading]) -> ArmSummary:
    diagnosis, confidence = protocol.question("diagnosis").id, protocol.question("confidence").id
    truths = {case.id: case.truth for case in protocol.cases.cases}
    firsts = [r for r in readings if r.arm == arm and r.repeat == 1]
    answered = [
        Answered(annotator(r.reader), r.case_id, truths[r.case_id], r.answers[diagnosis], r.answers[confidence])
        for r in firsts
    ]
    answers = {(r.reader, r.case_id): r.answers[diagnosis] for r in firsts}
    again = [r for r in readings if r.arm == arm and r.repeat == 2 and (r.reader, r.case_id) in answers]
    times = [r.milliseconds / 1000 for r in firsts if r.milliseconds is not None]
    return ArmSummary(
        name=arm,
        points=tuple(points_of_people(answered, protocol.target)),
        right=share([one.first == one.truth for one in answered], [one.person for one in answered]),
        same_again=share(
            [r.answers[diagnosis] == answers[r.reader, r.case_id] for r in again], [annotator(r.reader) for r in again]
        ),
        seconds=median(times) if times else None,
    )
