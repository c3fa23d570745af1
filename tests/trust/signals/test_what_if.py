from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from made_up import bound

from core.data.drawn import draw_lesion
from core.data.patient import SEXES, SITES, Facts
from core.diagnoses import CODES
from core.estimates.in_files import to_text
from core.trust.measures.facts import count_facts, measure_facts, score_flips
from core.trust.signals.what_if import AGES, sweep_facts

RECORD = {"training_facts": [[40, "female", "back", 40], [70, "male", "face", 60], [None, "male", "back", 900]]}


@pytest.fixture(scope="module")
def bundle(drawn_bundle_folder):
    from core.bundle import load_bundle

    return load_bundle(drawn_bundle_folder)


@pytest.fixture(scope="module")
def encoded(bundle):
    from core.reading import encode_photo

    return encode_photo(bundle, draw_lesion("mel", (90, 90))[0], explain=False)


def answer(bundle, encoded, facts) -> np.ndarray:
    from core.reading import read_encoded

    return np.array(list(read_encoded(encoded, facts, explain=False).probabilities.values()))


def test_every_point_of_the_sweep_is_what_a_reading_says(bundle, encoded):
    facts = Facts(52, "female", "back")
    found = sweep_facts(encoded, facts)
    asked = {
        Facts(): found.withheld,
        facts: found.entered,
        Facts(AGES[9], "male", "back"): found.by_age["male"][9],
        Facts(52, "unknown", "back"): found.by_sex["unknown"],
        Facts(52, "female", "scalp"): found.by_site["scalp"],
    }
    for one, probabilities in asked.items():
        np.testing.assert_allclose(probabilities, answer(bundle, encoded, one), atol=1e-5)
    assert set(found.by_age) == set(SEXES) and set(found.by_site) == set(SITES) and found.expected is None
    assert found.by_age["female"].shape == (len(AGES), len(CODES))


def test_an_unknown_fact_gives_mean_and_range_over_training_patients(bundle, encoded):
    found = sweep_facts(encoded, Facts(None, "male", "back"), RECORD).expected
    assert found.unknown == ("age",) and not found.matched and found.lesions == 100, (
        "none of the known shares sex and site"
    )
    by_hand = 0.4 * answer(bundle, encoded, Facts(40, "male", "back")) + 0.6 * answer(
        bundle, encoded, Facts(70, "male", "back")
    )
    np.testing.assert_allclose(found.mean, by_hand, atol=1e-5)
    assert (found.low <= found.mean + 1e-9).all() and (found.mean <= found.high + 1e-9).all()
    assert sum(found.tops.values()) == pytest.approx(1)
    matched = sweep_facts(encoded, Facts(44, "unknown", "unknown"), RECORD).expected
    assert matched.matched and matched.lesions == 40 and matched.unknown == ("sex", "body site")


def test_warnings_where_the_facts_alone_decide(bundle, encoded):
    found = sweep_facts(encoded, Facts(50, "male", "back"))
    calm = SimpleNamespace(**vars(found))
    row = np.eye(7)
    flipped = type(found)(**{**vars(calm), "entered": row[4], "withheld": row[5]})
    assert "without them the network says melanocytic nevus, not melanoma" in flipped.warnings()[0]
    assert "below it without them, at or above it with them" in flipped.warnings(0.3)[1]
    same = type(found)(**{**vars(calm), "entered": row[4], "withheld": row[4]})
    assert same.warnings(0.3) == ()


def test_facts_are_counted_by_lesion():
    table = pd.DataFrame(
        {
            "lesion_id": ["a", "a", "b", "c"],
            "age": [51.0, 51.0, 48.0, np.nan],
            "sex": ["male", "male", "male", "female"],
            "localization": ["back", "back", "back", "somewhere"],
        }
    )
    assert sorted(count_facts(table), key=str) == [[50, "male", "back", 2], [None, "female", "unknown", 1]]


def test_flips_by_hand():
    table = pd.DataFrame(np.eye(7)[[4, 5, 4, 4]], columns=list(CODES)).assign(
        dx=["mel", "nv", "mel", "nv"], lesion_id=list("abcd")
    )
    found = score_flips(table, np.eye(7)[[4, 5, 5, 5]])
    assert found["flips"].value == 0.5 and found["right"].value == 0.75 == found["right_withheld"].value
    assert found["flipped_right"].value == 0.5


def test_the_measure_is_written(tmp_path, drawn_folder, drawn_bundle_folder):
    import shutil
    from dataclasses import replace

    from core.bundle import load_bundle
    from core.card import write_card
    from core.data.ham10000 import read_table
    from core.evaluation.evaluator import evaluate
    from core.trust.measure_table import read_measure

    folder = shutil.copytree(drawn_bundle_folder, tmp_path / "Drawn")
    ids = list(read_table(drawn_folder).image_id)
    bundle = load_bundle(folder)
    bundle = replace(bundle, card=replace(bundle.card, split={**bundle.card.split, "train": ids[8:], "test": ids[:8]}))
    write_card(bundle.card, folder)
    evaluate(bundle, drawn_folder, "test", folder, resamples=20)
    measure_facts(bundle, drawn_folder)
    record = read_measure("facts", folder, bound(bundle.card, folder))
    assert record["test"]["flips"].photos == 8 and sum(r[3] for r in record["training_facts"]) > 0
    to_text(record)
