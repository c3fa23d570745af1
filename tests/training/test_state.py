"""A run's saved state that is damaged or partly gone ends in one sentence, before anything long is done."""

import json

import keras
import pytest

from core.training.state import CannotResume, RunState, StateFolder

SETTINGS = {"recipe": "honest"}


@pytest.fixture
def saved(tmp_path):
    """A run of three epochs, the second of them the best."""
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    state, progress = StateFolder(tmp_path), RunState(SETTINGS)
    for epoch in (1, 2, 3):
        progress.epoch, progress.best_epoch = epoch, min(epoch, 2)
        progress.history.append({"epoch": epoch})
        state.save(progress, model, optimizer)
    return state, model, optimizer


def test_what_was_saved_is_read_and_no_more_is_kept(saved):
    state, model, optimizer = saved
    state.check()
    assert state.load(SETTINGS).epoch == 3
    assert sorted(p.name for p in state.folder.iterdir()) == ["epoch-002", "epoch-003", "state.json"]
    state.restore_model(2, model)
    state.restore_optimizer(3, optimizer)


@pytest.mark.parametrize("epoch", ["epoch-002", "epoch-003"])
@pytest.mark.parametrize("file", ["model.weights.h5", "optimizer.npz", None])
def test_an_epoch_that_is_gone_is_named(saved, epoch, file):
    import shutil

    state = saved[0]
    if file:
        (state.folder / epoch / file).unlink()
    else:
        shutil.rmtree(state.folder / epoch)
    for read in (state.check, lambda: state.load(SETTINGS)):
        with pytest.raises(CannotResume, match=f"{epoch} lacks .*Delete .* train without --resume"):
            read()


@pytest.mark.parametrize("content", [b"", b"\0" * 90, b"not weights"])
def test_an_epoch_that_is_damaged_is_named(saved, content):
    state, model, optimizer = saved
    for file, read in (
        ("model.weights.h5", lambda: state.restore_model(3, model)),
        ("optimizer.npz", lambda: state.restore_optimizer(3, optimizer)),
    ):
        (state.folder / "epoch-003" / file).write_bytes(content)
        with pytest.raises(CannotResume, match=f"epoch-003.{file} cannot be used.*without --resume"):
            read()


@pytest.mark.parametrize(
    "change",
    [{"epoch": 0}, {"epoch": "3"}, {"best_epoch": 9}, {"history": 5}, {"history": [1]}, {"settings": []}, {"more": 1}],
)
def test_a_state_that_cannot_be_is_a_sentence(saved, change):
    path = saved[0].folder / "state.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CannotResume, match="is damaged.*without --resume"):
        saved[0].check()
    path.write_text(path.read_text()[:40])
    with pytest.raises(CannotResume, match="is damaged"):
        saved[0].load(SETTINGS)
