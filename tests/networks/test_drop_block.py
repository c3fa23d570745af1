"""DropBlock loses the share it was told to, in whole squares, and keeps the sum; outside training it does nothing."""

import keras
import numpy as np
import pytest

from core.networks.drop_block import DropBlock

MAP = np.ones((64, 8, 8, 16), "float32")


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.2])
def test_about_the_share_is_lost_in_squares_and_the_sum_is_kept(rate):
    out = keras.ops.convert_to_numpy(DropBlock(rate, seed=0)(MAP, training=True))
    lost = out == 0
    # Squares overlap: a little less than the share.
    assert 0.75 * rate < lost.mean() < 1.05 * rate
    assert out.mean() == pytest.approx(1, rel=1e-4)
    whole = np.lib.stride_tricks.sliding_window_view(lost, (3, 3), axis=(1, 2)).all((-1, -2))
    covered = np.zeros_like(lost)
    for row, column in np.ndindex(6, 6):
        covered[:, row : row + 3, column : column + 3] |= whole[:, row : row + 1, column : column + 1]
    assert (covered == lost).all(), "nothing is lost outside a whole square"
    assert (lost[0, :, :, 0] != lost[0, :, :, 1]).any() or (lost[1, :, :, 0] != lost[1, :, :, 1]).any()


def test_outside_training_and_at_nothing_to_lose_it_is_the_same_map():
    assert np.array_equal(DropBlock(0.5)(MAP, training=False), MAP)
    assert np.array_equal(DropBlock(0.0)(MAP, training=True), MAP)


def test_a_map_smaller_than_a_square_and_a_wrong_share():
    out = keras.ops.convert_to_numpy(DropBlock(0.3, seed=0)(MAP[:, :2, :2], training=True))
    assert set(np.unique((out == 0).sum((1, 2)))) == {0, 4}
    with pytest.raises(ValueError, match=r"from 0 to less than 1; got 1\.0"):
        DropBlock(1.0)
