"""The table that experiments read, and its splits."""

import shutil

import pandas as pd

from core.data.ham10000 import read_table
from core.data.split import split_table
from experiments.splits import groups_of, lesion_split, read_linked_table


def test_a_photo_that_comes_under_two_lesions_never_crosses_parts(drawn_folder, tmp_path):
    folder = tmp_path / "ham"
    shutil.copytree(drawn_folder, folder)
    table = read_table(folder)
    plain = split_table(table)
    first, second = plain.train[0], plain.test[0]
    where = {path.stem: path for path in folder.glob("*/*.jpg")}
    shutil.copy(where[first], where[second])
    linked = read_linked_table(folder)
    lesion = linked.set_index("image_id").lesion_id
    split = lesion_split(linked)
    assert second in split.train
    assert groups_of(linked).groupby(linked.lesion_id).nunique().max() == 1
    assert groups_of(linked).nunique() == linked.lesion_id.nunique() - 1
    moved = set(plain.test) - set(split.test)
    assert set(lesion[list(moved)]) == {lesion[second]}


def test_without_near_duplicates_it_is_the_plain_split(drawn_folder):
    table = read_table(drawn_folder)
    assert lesion_split(table) == split_table(table)
    pd.testing.assert_series_equal(groups_of(table), table.lesion_id)
