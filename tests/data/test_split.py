"""No lesion in two parts; the paper's split is labelled leaky; a split is known by its hash."""

import json

import pandas as pd
import pytest

from core.data.ham10000 import read_table
from core.data.split import PARTS, Split, assert_disjoint, fold_table, split_from_json, split_table
from core.diagnoses import CODES


@pytest.fixture(scope="module")
def table(drawn_folder):
    return read_table(drawn_folder)


def lesions(table, split, part):
    return set(table[table.image_id.isin(getattr(split, part))].lesion_id)


def test_no_lesion_stands_in_two_parts(table):
    split = split_table(table, "lesion", seed=3)
    assert not split.leaky
    train, validation, test = (lesions(table, split, p) for p in PARTS)
    assert not (train & validation or train & test or validation & test)
    assert sum(len(getattr(split, p)) for p in PARTS) == len(table)
    assert_disjoint(table, split)


def test_every_part_has_every_diagnosis(table):
    split = split_table(table, "lesion")
    for part in PARTS:
        assert set(split.rows(table, part).dx) == set(CODES)


def test_seeds(table):
    assert split_table(table, seed=1) == split_table(table, seed=1)
    assert split_table(table, seed=1).hash != split_table(table, seed=2).hash


def test_the_order_of_rows_does_not_matter(table):
    shuffled = table.sample(frac=1, random_state=0)
    assert split_table(shuffled, seed=1).hash == split_table(table, seed=1).hash


def test_the_paper_split_is_labelled_leaky_and_selects_on_the_reported_photos(table):
    split = split_table(table, "paper")
    assert split.leaky and split.to_json()["leaky"] is True
    assert split.validation == split.test and not set(split.train) & set(split.test)


def test_a_leak_is_caught(table):
    double = table[table.lesion_id == table.lesion_id.mode()[0]].image_id.tolist()
    with pytest.raises(ValueError, match="leaks"):
        assert_disjoint(table, Split("lesion", 0, (double[0],), (), (double[1],)))


def test_json_round_trip_and_tampering(table):
    split = split_table(table)
    record = json.loads(json.dumps(split.to_json()))
    assert split_from_json(record) == split
    record["test"].append(record["train"].pop())
    with pytest.raises(ValueError, match="edited"):
        split_from_json(record)


def test_unknown_kind(table):
    with pytest.raises(ValueError, match="lesion, paper"):
        split_table(table, "random")


@pytest.mark.photos
def test_real_proportions_and_the_size_of_the_papers_leak(ham10000):
    table = read_table(ham10000)
    split = split_table(table)
    shares = pd.Series({p: len(lesions(table, split, p)) for p in PARTS}) / 7470
    assert shares.round(2).tolist() == [0.70, 0.10, 0.20]
    leaky = split_table(table, "paper")
    held = table[table.image_id.isin(leaky.test)]
    shared = held.lesion_id.isin(lesions(table, leaky, "train")).mean()
    # docs/reproduction.md, section 0: 42 %.
    assert 0.38 < shared < 0.46


def test_linked_lesions_stand_together_and_nothing_else_moves(table):
    plain = split_table(table)
    where = {p: sorted(lesions(table, plain, p)) for p in PARTS}
    linked = ((where["train"][0], where["test"][0]), (where["validation"][0], where["test"][1], where["test"][2]))
    split = split_table(table, linked=linked)
    assert where["test"][0] in lesions(table, split, "train")
    assert {where["test"][1], where["test"][2]} <= lesions(table, split, "validation")
    moved = {where["test"][0], where["test"][1], where["test"][2]}
    assert lesions(table, split, "test") == set(where["test"]) - moved
    assert lesions(table, split, "train") == set(where["train"]) | {where["test"][0]}
    assert_disjoint(table, split)


def test_folds_hold_every_photo_out_once_and_share_no_lesion(table):
    folds = [fold_table(table, number, 3, seed=1) for number in (1, 2, 3)]
    for split in folds:
        assert_disjoint(table, split)
        assert not split.leaky and split_from_json(json.loads(json.dumps(split.to_json()))) == split
        assert sorted(split.train + split.validation + split.test) == sorted(table.image_id)
    assert sorted(sum((split.test for split in folds), ())) == sorted(table.image_id)
    assert len({split.hash for split in folds}) == 3


def test_folds_hold_alike_many_lesions_of_each_diagnosis(table):
    held = [table[table.image_id.isin(fold_table(table, number, 4).test)] for number in (1, 2, 3, 4)]
    counts = pd.DataFrame([part.drop_duplicates("lesion_id").dx.value_counts() for part in held]).fillna(0)
    assert (counts.max() - counts.min()).max() <= 1
    # The odd lesions do not all fall to one fold.
    assert counts.sum(axis=1).max() - counts.sum(axis=1).min() < len(CODES)


def test_linked_lesions_stay_in_one_part_of_every_fold(table):
    ids = sorted(set(table.lesion_id))
    linked = ((ids[0], ids[5], ids[30]), (ids[7], ids[50]))
    for number in (1, 2, 3):
        split = fold_table(table, number, 3, linked=linked)
        assert_disjoint(table, split)
        for group in linked:
            assert sum(bool(lesions(table, split, part) & set(group)) for part in PARTS) == 1


@pytest.mark.parametrize("fold, folds", [(0, 5), (6, 5), (1, 1)])
def test_a_fold_that_there_is_not(table, fold, folds):
    with pytest.raises(ValueError, match="no fold"):
        fold_table(table, fold, folds)
