"""Facts are checked and encoded; unknown has a slot of its own."""

import numpy as np
import pytest

from core.data.patient import FEATURES, METADATA_WIDTH, SITES, Facts, FactsEncoder, InvalidFacts, fit_encoder

ENCODER = FactsEncoder(age_mean=50.0, age_sd=20.0)


def named(vector):
    return {name: value for name, value in zip(FEATURES, vector, strict=True) if value}


def test_width_is_the_papers():
    assert METADATA_WIDTH == 21 and len(SITES) == 15


def test_known_facts():
    assert named(ENCODER.encode(Facts(70, "male", "lower extremity"))) == {
        "age_z": 1.0,
        "sex_male": 1.0,
        "site_lower_extremity": 1.0,
    }


def test_unknown_facts_have_their_own_slots_and_are_not_an_average_patient():
    assert named(ENCODER.encode(Facts())) == {"age_missing": 1.0, "sex_unknown": 1.0, "site_unknown": 1.0}
    average = ENCODER.encode(Facts(50))
    assert average[0] == 0 and not np.array_equal(average, ENCODER.encode(Facts()))


def test_age_zero_is_an_age():
    assert named(ENCODER.encode(Facts(0)))["age_z"] == -2.5


def test_values_outside_the_vocabulary_in_a_table():
    row = ENCODER.encode_columns([np.nan], ["x"], ["tail"])[0]
    assert named(row) == {"age_missing": 1.0, "sex_unknown": 1.0, "site_other": 1.0}


@pytest.mark.parametrize("age", [-1, 121, 400, float("nan"), "old"])
def test_impossible_ages(age):
    with pytest.raises(InvalidFacts, match="not possible"):
        Facts(age)


def test_unknown_words_list_the_known_ones():
    with pytest.raises(InvalidFacts, match="female, male, unknown"):
        Facts(sex="m")
    with pytest.raises(InvalidFacts, match="abdomen"):
        Facts(site="tail")


def test_fit_uses_known_ages_only():
    encoder = fit_encoder([40, float("nan"), 60])
    assert (encoder.age_mean, encoder.age_sd) == (50.0, 10.0)
    assert np.isfinite(fit_encoder([float("nan")]).encode(Facts(30))).all()
