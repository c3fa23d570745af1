"""Who reads what when: the readings of one reader in order, drawn from the protocol's seed, the same whenever it is asked."""

from dataclasses import dataclass

import numpy as np

from core.teaching.studies.protocol import Protocol


@dataclass(frozen=True)
class Place:
    """One reading that a reader is to do.

    Args:
        place: in the reader's order, from 0.
        session: 0, or 1 after the pause of a crossover.
        case: position in the protocol's cases.
        arm: position in the protocol's arms.
        repeat: 1, or 2 where the reader has read the case in this arm before.
    """

    place: int
    session: int
    case: int
    arm: int
    repeat: int


def plan_readings(protocol: Protocol, reader: int) -> tuple[Place, ...]:
    """All readings of a reader, in order.

    Crossover: readers begin with the first arm and with the second in turn, and each session has an order of its own. Sequential: each
    case in both arms, one after the other, the first arm first. Cases that are repeated come at the end of their session, in another
    order.

    Args:
        reader: number, from 0.
    """
    arms = range(len(protocol.arms))
    repeated = _random(protocol, reader, 7).permutation(len(protocol.cases))[: protocol.repeats]
    plan: list[tuple[int, int, int, int]] = []
    if protocol.design == "sequential" or len(protocol.arms) == 1:
        for repeat, cases in ((1, _cases(protocol, reader, 0)), (2, _shuffled(protocol, reader, 1, repeated))):
            plan += [(0, int(case), arm, repeat) for case in cases for arm in arms]
    else:
        for session in arms:
            arm = (session + reader) % 2
            again = _shuffled(protocol, reader, 2 + session, repeated)
            for repeat, cases in ((1, _cases(protocol, reader, session)), (2, again)):
                plan += [(session, int(case), arm, repeat) for case in cases]
    return tuple(Place(place, *reading) for place, reading in enumerate(plan))


def _cases(protocol: Protocol, reader: int, session: int) -> np.ndarray:
    every = np.arange(len(protocol.cases))
    return every if protocol.case_order == "fixed" else _random(protocol, reader, session).permutation(every)


def _shuffled(protocol: Protocol, reader: int, what: int, cases: np.ndarray) -> np.ndarray:
    return _random(protocol, reader, 10 + what).permutation(cases)


def _random(protocol: Protocol, reader: int, what: int) -> np.random.Generator:
    return np.random.default_rng([protocol.seed, reader, what])
