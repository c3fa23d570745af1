"""DropBlock: dropout of squares of a feature map, where neighbours would tell what single positions hide."""

import keras
from keras import ops

SIDE = 3  # positions; our feature maps have 7 to 14 a side


@keras.saving.register_keras_serializable(package="melascope")
class DropBlock(keras.layers.Layer):
    """In training, blots squares out of a feature map (B, h, w, C), in each channel others, and scales the rest up to the sum of before.

    Centres are drawn so thinly that about `rate` of the map is lost; each square lies wholly within the map. Else it changes nothing.

    Reference: Ghiasi, Lin, Le 2018, DropBlock, algorithm 1.

    Args:
        rate: share of the map to lose, from 0 to less than 1.
        side: of a square, in positions; at most the map's.
        seed: of the draws.

    Raises:
        ValueError: a rate outside these.
    """

    def __init__(self, rate: float, side: int = SIDE, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"The share that DropBlock drops must be from 0 to less than 1; got {rate}.")
        self.rate, self.side = rate, side
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, t, training=None):
        if not training or not self.rate:
            return t
        height, width = t.shape[1:3]
        side = min(self.side, height, width)
        rows, columns = height - side + 1, width - side + 1  # where a square may begin
        chance = self.rate * height * width / (side**2 * rows * columns)
        drawn = keras.random.uniform((ops.shape(t)[0], rows, columns, t.shape[3]), seed=self.seed_generator)
        starts = ops.cast(drawn < chance, t.dtype)
        around = [[0, 0], [side - 1, side - 1], [side - 1, side - 1], [0, 0]]
        kept = ops.subtract(1, ops.max_pool(ops.pad(starts, around), side, strides=1))
        return t * kept / ops.maximum(ops.mean(kept), 1e-3)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "side": self.side}
