"""A sweep's file is checked before anything is trained, and draws the same trials whenever it is read."""

import pytest

from core.cluster.search_space import read_space

GOOD = """
recipe = "frozen"
backbone = "MobileNetV3Small"
trials = 6
seeds = [0, 1]
[fixed]
weight_decay = 0.01
[space]
frozen_rate = { log = [1e-4, 1e-2] }
frozen_epochs = { between = [2, 4] }
batch_size = { log = [8, 64] }
label_smoothing = [0.0, 0.1]
"network.dropout" = { between = [0, 1] }
"""


def read(tmp_path, text):
    path = tmp_path / "space.toml"
    path.write_text(text)
    return read_space(path)


def test_trials_are_drawn_within_bounds_once_a_seed_and_always_alike(tmp_path):
    space = read(tmp_path, GOOD)
    trials = space.draw_trials()
    assert trials == read(tmp_path, GOOD).draw_trials() and len({trial.name for trial in trials}) == 12
    for trial in trials:
        recipe = space.recipe_of(trial)
        assert 1e-4 <= recipe.frozen_rate <= 1e-2 and recipe.frozen_epochs in (2, 3, 4)
        assert type(recipe.batch_size) is int and 8 <= recipe.batch_size <= 64
        assert recipe.label_smoothing in (0.0, 0.1) and recipe.weight_decay == 0.01
        assert recipe.network.head == "pooled" and recipe.seed in (0, 1)
        assert space.epochs(trial) == recipe.frozen_epochs
    dropouts = {space.recipe_of(trial).network.dropout for trial in trials}
    assert all(0 < dropout < 1 for dropout in dropouts), "Whole bounds of a fraction leave it a fraction."


def test_as_many_different_sets_are_drawn_as_are_asked_for_while_there_are_so_many(tmp_path):
    text = GOOD.split("[space]")[0] + "[space]\nlabel_smoothing = [0.0, 0.1]\nfrozen_epochs = { between = [2, 4] }\n"
    assert len({trial.name for trial in read(tmp_path, text).draw_trials()}) == 12
    assert len(read(tmp_path, text.replace("trials = 6", "trials = 9")).draw_trials()) == 12


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("frozen_rate =", "speed =", "no recipe has 'speed'"),
        ('"network.dropout"', "dropout", "no recipe has 'dropout'"),
        ("network.dropout", "network.speed", "no recipe has 'network.speed'"),
        ("[1e-4, 1e-2]", "[1e-2, 1e-4]", "Expected low < high"),
        ("{ log = [1e-4, 1e-2] }", "3", "Expected a list of values"),
        ("[0.0, 0.1]", '["a little", 0.1]', "expected its like"),
        ("[0.0, 0.1]", "[-0.1, 0.1]", "no number below 0"),
        ("[0.0, 0.1]", "[[0.1]]", "Expected a number, a word"),
        ("weight_decay = 0.01", "label_smoothing = 0.01", "both in"),
        ('recipe = "frozen"', 'recipe = "soup"', "Unknown recipe 'soup'"),
        ("MobileNetV3Small", "LargeNet", "LargeNet"),
        ("trials = 6", "trails = 6", "has trails, which this version does not know"),
        ("trials = 6", "trials = 0", "trials is 0; expected a whole number of at least 1"),
        ("[0, 1]\n[fixed]", "[true]\n[fixed]", r"seeds.0. is True; expected a whole number"),
        ("seeds = [0, 1]", "seeds = []", "expected a list of at least 1"),
        ('backbone = "MobileNetV3Small"', "", "has no backbone"),
        ('recipe = "frozen"', "recipe = 3", "recipe is 3; expected a text"),
        ("[space]", "[space", "no TOML"),
        ("[fixed]\nweight_decay = 0.01", "[train]\nfolder = 'x'", "names folder"),
    ],
)
def test_a_wrong_file_is_a_sentence(old, new, words, tmp_path):
    assert old in GOOD
    with pytest.raises(ValueError, match=words):
        read(tmp_path, GOOD.replace(old, new))
