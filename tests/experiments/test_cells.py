"""Cells: facts shuffled across lesions, heads trained together as they would be alone, dedupe."""

import keras
import numpy as np
import pytest

from core.data.ham10000 import read_table
from core.data.split import split_table
from core.designs import NetworkDesign
from core.networks.classifier import ATTENTIONS, build_head
from core.training.class_weights import class_weights
from experiments.cells import (
    Cell,
    CellsLoss,
    Part,
    Training,
    build_cells,
    loss_weights,
    make_parts,
    pooled,
    predict_cells,
    shuffle_facts,
    train_cells,
)
from experiments.factorial import make_cells

TINY = Training(epochs=1, batch_size=8, metadata_units=4)


def made_up_part(photos: int = 24, seed: int = 0) -> tuple[np.ndarray, Part]:
    rng = np.random.default_rng(seed)
    labels = np.arange(photos) % 7
    maps = rng.normal(size=(photos, 4, 4, 8)).astype("float16")
    maps[..., :7] += np.eye(7, dtype="float16")[labels][:, None, None]
    facts = rng.normal(size=(2, photos, 21)).astype("float32")
    return maps, Part(np.arange(photos), labels, {"real": facts[0], "shuffled": facts[1]})


def test_shuffled_facts_are_always_another_lesions():
    lesions = np.array(["a", "a", "b", "c", "c", "c", "d"])
    metadata = np.unique(lesions, return_inverse=True)[1][:, None] * np.ones((1, 21))
    for seed in range(5):
        shuffled = shuffle_facts(metadata, lesions, seed)
        assert (shuffled != metadata).all()
        assert sorted({tuple(row) for row in shuffled}) == sorted({tuple(row) for row in metadata})
        for lesion in "ac":
            assert len(np.unique(shuffled[lesions == lesion], axis=0)) == 1


def test_parts_shuffle_within_themselves(drawn_folder):
    table = read_table(drawn_folder)
    parts = make_parts(table, split_table(table), 0)
    assert sum(len(part.rows) for part in parts.values()) == len(table)
    for part in parts.values():
        donors = {tuple(row) for row in part.facts["real"]}
        assert {tuple(row) for row in part.facts["shuffled"]} <= donors
        assert not np.array_equal(part.facts["real"], part.facts["shuffled"])


def test_facts_alone_are_one_cell_whatever_the_attention():
    cells = make_cells()
    assert len(cells) == len(set(cells)) == 5 * 3 * 4 + 4
    assert Cell("paper", "only", "none") == Cell("none", "only", "none")
    with pytest.raises(ValueError, match="Expected one of: none, real"):
        Cell(metadata="true")


def test_the_papers_three_weightings_differ_by_a_factor():
    counts = np.array([229, 360, 769, 81, 779, 4693, 99])
    new = loss_weights("paper", counts)
    np.testing.assert_allclose(loss_weights("inverse", counts) / new, 7)
    ratio = loss_weights("normalised_inverse", counts) / new
    np.testing.assert_allclose(ratio, ratio[0])
    assert loss_weights("normalised_inverse", counts).sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="normalised_inverse"):
        loss_weights("invers", counts)


def test_the_loss_is_the_sum_of_each_cells_weighted_cross_entropy():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(5, 2, 7)).astype("float32"), np.array([0, 1, 4, 4, 6])
    weights = np.stack([np.ones(7), class_weights("paper", np.arange(1, 8))])
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    expected = np.mean([-(weights[:, y] * log_p[i, :, y]).sum() for i, y in enumerate(labels)])
    found = CellsLoss(weights)(np.eye(7, dtype="float32")[labels], logits)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_heads_trained_together_end_as_trained_alone():
    maps, part = made_up_part()
    # No dropout: its random numbers depend on how many heads there are.
    training = Training(epochs=2, batch_size=8, metadata_units=4, dropout=0.0)
    cells = [Cell("none", "none", "none"), Cell("none", "none", "inverse")]
    together = predict_cells(train_cells(cells, maps, part, training, 0), maps, part)
    alone = predict_cells(train_cells(cells[1:], maps, part, training, 0), maps, part)
    np.testing.assert_allclose(together[:, 1], alone[:, 0], atol=1e-4)
    assert np.abs(together[:, 0] - together[:, 1]).max() > 1e-3


def test_a_pooled_head_sees_the_same_through_mean_maps():
    maps, part = made_up_part()
    cell = [Cell("none", "real", "none")]
    training = Training(epochs=1, batch_size=8, metadata_units=4, dropout=0.0)
    whole = predict_cells(train_cells(cell, maps, part, training, 0), maps, part)
    means = pooled(maps, "none")
    assert means.shape == (24, 1, 1, 8)
    np.testing.assert_allclose(
        predict_cells(train_cells(cell, means, part, training, 0), means, part), whole, atol=1e-3
    )
    assert pooled(maps, "paper").shape == maps.shape


@pytest.mark.parametrize("form", [form for form in ATTENTIONS if form != "none"])
def test_a_cells_attention_is_that_of_the_networks(form):
    """Answers and gradients of `build_head`, at even and odd sizes of the map."""
    import tensorflow as tf

    rng = np.random.default_rng(0)
    for side in (3, 4):
        maps, facts = rng.normal(size=(6, side, side, 8)).astype("float32"), rng.normal(size=(6, 21)).astype("float32")
        cell = build_cells([Cell(form, "real")], (side, side, 8), TINY, 0)
        head = build_head((side, side, 8), NetworkDesign(attention=form, head="pooled", metadata_units=4, dropout=0.2))
        assert [w.shape for w in head.weights] == [w.shape for w in cell.weights if "seed" not in w.path]
        for own, other in zip(head.trainable_variables, cell.trainable_variables, strict=True):
            other.assign(rng.normal(size=own.shape))
            own.assign(other)
        answers, gradients = [], []
        for model, inputs in ((head, [maps, facts]), (cell, [maps, facts, facts])):
            with tf.GradientTape() as tape:
                found = model(inputs)
                logits = found[0] if model is head else found[:, 0]
                loss = tf.reduce_sum(logits * np.arange(7.0))
            answers.append(logits.numpy())
            gradients.append([g.numpy() for g in tape.gradient(loss, model.trainable_variables)])
        np.testing.assert_allclose(answers[1], answers[0], atol=1e-5)
        for expected, found in zip(*gradients, strict=True):
            np.testing.assert_allclose(found, expected, atol=2e-4, rtol=1e-3)


def test_heads_of_one_attention_drop_half_the_units_and_the_same():
    model = build_cells([Cell("uniform"), Cell("uniform")], (4, 4, 8), Training(dropout=0.0), 0)
    maps, facts = np.ones((2, 4, 4, 8), "float32"), np.zeros((2, 21), "float32")
    logits = model([maps, facts, facts], training=True).numpy()
    np.testing.assert_allclose(logits[:, 0], logits[:, 1], rtol=1e-5)
    assert np.abs(logits[0] - logits[1]).max() > 1e-4
    assert np.abs(logits - model([maps, facts, facts]).numpy()).max() > 1e-4


@pytest.mark.slow
def test_every_kind_of_cell_trains_and_cells_of_two_epsilons_do_not_mix():
    maps, part = made_up_part()
    cells = [Cell("paper", "shuffled"), Cell("published", "none"), Cell("uniform", "real"), Cell(metadata="only")]
    logits = predict_cells(train_cells(cells, maps, part, TINY, 0), maps, part)
    assert logits.shape == (24, 4, 7) and np.isfinite(logits).all()
    with pytest.raises(ValueError, match="one epsilon at a time"):
        train_cells([Cell(), Cell(epsilon=0.1)], maps, part, TINY, 0)
    keras.backend.clear_session()
