"""Agreement of two maps by hand, and its place among the held-out photos."""

import math

import numpy as np
import pytest

from core.estimates import Estimate
from core.trust.signals.map_agreement import map_agreement, place_agreement, quarters

RECORD = {
    "agreement": {
        "edges": [0.0, 0.5, 0.8],
        "quartiles": [{"errors": Estimate(v, v - 0.1, v + 0.1)} for v in (0.4, 0.3, 0.2, 0.1)],
    }
}


def test_by_hand():
    a = np.array([[0.0, 1.0], [2.0, 3.0]])
    assert map_agreement(a, 5 * a + 2) == pytest.approx(1)
    assert map_agreement(a, -a) == pytest.approx(-1)
    # Deviations -1.5 -0.5 0.5 1.5 and 1 -1 -1 1: product -1.5 + 0.5 - 0.5 + 1.5 = 0.
    assert map_agreement(a, np.array([[1.0, 0.0], [0.0, 1.0]])) == pytest.approx(0)


def test_a_map_that_points_nowhere_has_no_agreement():
    flat = np.zeros((2, 2))
    assert math.isnan(map_agreement(flat, np.eye(2)))
    assert place_agreement(math.nan, RECORD) is None
    assert place_agreement(0.5, {"agreement": None}) is None


def test_maps_of_two_networks_are_refused():
    with pytest.raises(ValueError, match="one photo and network"):
        map_agreement(np.eye(2), np.eye(3))


@pytest.mark.parametrize("value, place", [(-1, 1), (-0.01, 1), (0.0, 2), (0.49, 2), (0.79, 3), (0.8, 4), (1, 4)])
def test_place(value, place):
    found, errors = place_agreement(value, RECORD)
    assert found == place and errors.value == RECORD["agreement"]["quartiles"][place - 1]["errors"].value


def test_quarters_are_counted_as_they_are_placed():
    values = np.r_[np.linspace(-1, 1, 40), math.nan]
    edges, places = quarters(values)
    assert np.bincount(places).tolist() == [1, 10, 10, 10, 10]
    record = {"agreement": {"edges": edges, "quartiles": [{"errors": Estimate(i)} for i in range(4)]}}
    for value, place in zip(values[:-1], places[:-1], strict=True):
        assert place_agreement(value, record)[0] == place
