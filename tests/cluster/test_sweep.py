"""A sweep leaves a model a trial, goes on where it was stopped, chooses on validation, and tells what mattered from what did not."""

from dataclasses import replace

import pandas as pd
import pytest
from on_workers import SmallSpace
from small_backbone import NAME

from core.card import read_card
from core.cluster.search_space import Space
from core.cluster.sweep import FIGURE, SWEEP_FILE, TRIALS_FILE, claim, mean_over_seeds, run_sweep, what_mattered
from core.cluster.sweep_plot import PLOT_FILE, write_plot
from core.data.ham10000 import read_table

SPACE = SmallSpace(
    recipe="frozen",
    backbone=NAME,
    space={"frozen_rate": [0.0, 1e-2], "label_smoothing": [0.0, 0.05, 0.1]},
    trials=2,
    seeds=(0, 1),
    fewest=1,
    fixed={"frozen_epochs": 3, "batch_size": 8},
    train={"init": "random", "image_size": 64},
)


@pytest.mark.slow
def test_a_sweep_leaves_a_model_a_trial_and_goes_on_where_it_was_stopped(small_ray, drawn_folder, tmp_path):
    out, said = tmp_path / "sweep", []
    table = run_sweep(SPACE, drawn_folder, out, say=said.append)
    trials = SPACE.draw_trials()
    assert not said and set(table.trial) == {trial.name for trial in trials} and len(table) == 4
    assert table[FIGURE].is_monotonic_decreasing
    cards = {name: read_card(out / name) for name in table.trial}
    splits = {card.split["hash"] for card in cards.values()}
    assert len(splits) == 1, "Seeds do not move the split: no trial learns from another's test photos."
    assert {card.training["seed"] for card in cards.values()} == {0, 1}
    for row in table.itertuples():
        history = pd.read_csv(out / row.trial / "history.csv")
        assert cards[row.trial].training["epochs"] == row.epochs == len(history)
        best = history[history.epoch == cards[row.trial].training["best_epoch"]]
        assert best[FIGURE].item() == pytest.approx(getattr(row, FIGURE))
    assert pd.read_csv(out / TRIALS_FILE).trial.tolist() == table.trial.tolist()
    write_plot(SPACE, table, what_mattered(SPACE, table), out)
    page = (out / PLOT_FILE).read_text(encoding="utf-8")
    assert table.trial[0] in page and "<script src=" not in page
    with pytest.raises(ValueError, match="Go on with it by --resume"):
        run_sweep(SPACE, drawn_folder, out)
    # As a kill leaves it: one trial not begun.
    before = {name: (out / name / "card.json").stat().st_mtime_ns for name in table.trial}
    for path in sorted((out / table.trial[0]).rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    again = run_sweep(SPACE, drawn_folder, out, resume=True)
    assert {n for n in before if (out / n / "card.json").stat().st_mtime_ns != before[n]} == {table.trial[0]}
    assert len(again) == len(table)


@pytest.mark.slow
def test_a_trial_that_cannot_be_written_is_one_sentence_and_goes_on_once_it_can(small_ray, drawn_folder, tmp_path):
    space, out, said = replace(SPACE, seeds=(0,), fixed={"frozen_epochs": 1, "batch_size": 8}), tmp_path / "sweep", []
    first, second = (trial.name for trial in space.draw_trials())
    claim(out, space, read_table(drawn_folder), resume=False)
    (out / first).write_text("no folder")
    assert run_sweep(space, drawn_folder, out, resume=True, say=said.append).trial.tolist() == [second]
    [sentence] = said
    assert sentence.startswith(f"A trial failed: {out / first} cannot be written (")
    (out / first).unlink()
    assert set(run_sweep(space, drawn_folder, out, resume=True, say=said.append).trial) == {first, second}
    assert said == [sentence]


def test_a_folder_belongs_to_one_sweep(tmp_path, drawn_folder):
    table = read_table(drawn_folder)
    claim(tmp_path / "a", SPACE, table, resume=False)
    claim(tmp_path / "a", SPACE, table, resume=True)
    with pytest.raises(ValueError, match="on other photos"):
        claim(tmp_path / "a", SPACE, table[1:], resume=True)
    with pytest.raises(ValueError, match="holds another sweep"):
        claim(tmp_path / "a", replace(SPACE, trials=3), table, resume=True)
    (tmp_path / "a" / SWEEP_FILE).write_text("{")
    with pytest.raises(ValueError, match="holds another sweep"):
        claim(tmp_path / "a", SPACE, table, resume=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="is not empty"):
        claim(tmp_path / "b", SPACE, table, resume=True)


def test_what_mattered_is_told_from_what_did_not():
    space = Space("frozen", NAME, {"label_smoothing": [0.0, 0.1], "frozen_epochs": {"between": [2, 9]}}, 12, (0, 1))
    table = pd.DataFrame(
        [{**t.values, "seed": t.seed, FIGURE: 0.5 + t.values["label_smoothing"]} for t in space.draw_trials()]
    )
    effects = what_mattered(space, table).set_index("name")
    smoothing = effects.loc["label_smoothing"]
    assert effects.index[0] == "label_smoothing" and (smoothing.best, smoothing.worst) == ("0.1", "0.0")
    assert smoothing.difference == pytest.approx(10) and smoothing.share == pytest.approx(1)
    assert effects.difference["seed"] == pytest.approx(0)


def test_the_best_set_of_values_is_so_by_all_its_seeds():
    space = Space("frozen", NAME, {"label_smoothing": [0.0, 0.1, 0.2]}, 3, (0, 1))
    rows = [
        ("a", 0.0, 0, 0.9, 4),
        ("b", 0.0, 1, 0.3, 4),
        ("c", 0.1, 0, 0.7, 4),
        ("d", 0.1, 1, 0.7, 4),
        ("e", 0.2, 0, 0.95, 4),
    ]
    rows += [("f", 0.2, 1, 0.95, 2)]
    table = pd.DataFrame(rows, columns=["trial", "label_smoothing", "seed", FIGURE, "epochs"]).assign(planned=4)
    means = mean_over_seeds(space, table)
    assert means.label_smoothing.tolist() == [0.1, 0.0], "One that was stopped early does not count."
    assert means[FIGURE].tolist() == pytest.approx([0.7, 0.6])
