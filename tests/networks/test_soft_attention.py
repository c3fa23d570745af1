"""Soft attention against NumPy by hand, form by form."""

import keras
import numpy as np
import pytest

from core.networks.soft_attention import ATTENTION_FORMS, GAMMA_START, MAPS, SoftAttention

H, W, C = 4, 4, 9


def make(form, shape=(H, W, C), **choices):
    keras.utils.set_random_seed(3)
    layer = SoftAttention(form, **choices)
    layer.build((None, *shape))
    return layer


def a_map(shape=(H, W, C), seed=0):
    return np.random.default_rng(seed).normal(size=(2, *shape)).astype("float32")


def run(layer, t):
    return [keras.ops.convert_to_numpy(x) for x in layer(t)]


def softmax_positions(z):
    flat = np.exp(z - z.max(axis=(1, 2), keepdims=True))
    return flat / flat.sum(axis=(1, 2), keepdims=True)


def paper_alpha_by_hand(t, kernel, bias):
    padded = np.pad(t, ((0, 0), (1, 1), (1, 1), (0, 0)))
    z = np.zeros((*t.shape[:3], kernel.shape[-1]))
    for i in range(t.shape[1]):
        for j in range(t.shape[2]):
            z[:, i, j] = np.einsum("bxyc,xyck->bk", padded[:, i : i + 3, j : j + 3], kernel) + bias
    return softmax_positions(z).sum(-1)


def published_alpha_by_hand(t, kernel, bias):
    """docs/reproduction.md, section 3, the formula with its exchanged axes, cell by cell."""
    batch, height, width, channels = t.shape
    p = (channels - 1) // 2
    z = np.zeros((batch, height, width, kernel.shape[-1]))
    for i in range(height):
        for j in range(width):
            total = np.zeros((batch, kernel.shape[-1])) + bias
            for r in range(height):
                for d in (-1, 0, 1):
                    for c in range(3):
                        if 0 <= j + d < width:
                            total += t[:, r, j + d, c, None] * kernel[p + r - i, d + 1, c, 0]
            z[:, i, j] = np.maximum(total, 0)
    return softmax_positions(z).sum(-1)


def test_paper_form_by_hand():
    layer, t = make("paper"), a_map()
    layer.bias.assign(np.linspace(-1, 1, MAPS))
    weighted, alpha = run(layer, t)
    expected = paper_alpha_by_hand(t, *(keras.ops.convert_to_numpy(w) for w in (layer.kernel, layer.bias)))
    np.testing.assert_allclose(alpha, expected, rtol=1e-4)
    np.testing.assert_allclose(weighted, GAMMA_START * expected[..., None] * t, rtol=1e-4, atol=1e-7)


def test_published_form_by_hand():
    layer, t = make("published"), a_map()
    layer.bias.assign(np.linspace(-0.5, 0.5, MAPS))
    weighted, alpha = run(layer, t)
    expected = published_alpha_by_hand(t, *(keras.ops.convert_to_numpy(w) for w in (layer.kernel, layer.bias)))
    np.testing.assert_allclose(alpha, expected, rtol=1e-4)
    np.testing.assert_allclose(weighted, expected[..., None] * t, rtol=1e-4, atol=1e-6)


def test_published_form_equals_the_three_dimensional_convolution():
    layer, t = make("published"), a_map()
    # "same" padding by hand: TensorFlow's own goes wrong on a CPU where the kernel is larger than the map.
    edges = ((0, 0), ((C - 1) // 2, C // 2), (1, 1), (0, 0), (0, 0))
    volume = keras.ops.conv(np.pad(t[..., None], edges), layer.kernel, strides=(1, 1, C), padding="valid")
    z = np.maximum(keras.ops.convert_to_numpy(volume)[:, :, :, 0], 0)
    np.testing.assert_allclose(run(layer, t)[1], softmax_positions(z).sum(-1), rtol=1e-4)


@pytest.mark.parametrize("form", ATTENTION_FORMS)
def test_alpha_is_positive_and_sums_to_the_number_of_maps(form):
    alpha = run(make(form), a_map())[1]
    assert (alpha >= 0).all()
    np.testing.assert_allclose(alpha.sum(axis=(1, 2)), MAPS, rtol=1e-5)


def test_a_constant_map_gives_equal_interior_alpha_in_the_paper_form_only():
    t = np.ones((1, 6, 6, 13), "float32")
    interior = run(make("paper", t.shape[1:]), t)[1][0, 1:-1, 1:-1]
    np.testing.assert_allclose(interior, interior[0, 0], rtol=1e-4)
    interior = run(make("published", t.shape[1:]), t)[1][0, 1:-1, 1:-1]
    assert np.ptp(interior) > 1e-4


def test_normalised_form_is_the_paper_form_at_mean_one():
    layer, t = make("normalised"), a_map()
    weighted, alpha = run(layer, t)
    np.testing.assert_allclose(weighted, (alpha * H * W / MAPS)[..., None] * t, rtol=1e-4, atol=1e-6)


def test_the_control_on_the_papers_scale_is_gamma_times_the_constant_map():
    t = a_map()
    plain, scaled = run(make("uniform"), t), run(make("uniform_gamma"), t)
    np.testing.assert_allclose(scaled[0], GAMMA_START * plain[0], rtol=1e-5)
    np.testing.assert_allclose(scaled[1], plain[1])
    assert [v.name for v in make("uniform_gamma").trainable_variables] == ["gamma"]


def gradients(layer, t):
    import tensorflow as tf

    t = tf.constant(t)
    with tf.GradientTape() as tape:
        tape.watch(t)
        weighted, alpha = layer(t)
        # Squared, because alpha's own sum is constant.
        loss = tf.reduce_sum(alpha**2) + tf.reduce_sum(weighted**2)
    names = [w.name for w in layer.trainable_weights]
    values = tape.gradient(loss, [t, *[w.value for w in layer.trainable_weights]])
    return values[0].numpy(), dict(zip(names, (v.numpy() for v in values[1:]), strict=True))


def alpha_gradient(layer, t):
    import tensorflow as tf

    t = tf.constant(t)
    with tf.GradientTape() as tape:
        tape.watch(t)
        loss = tf.reduce_sum(layer(t)[1] ** 2)
    return tape.gradient(loss, t).numpy()


def test_the_published_form_reads_three_channels_and_has_dead_weights():
    layer, t = make("published"), a_map()
    layer.bias.assign(np.full(MAPS, 50.0))  # far from ReLU's corner, so that every live entry gets a gradient
    by_input = alpha_gradient(layer, t)
    assert np.abs(by_input[..., :3]).max() > 0
    assert np.abs(by_input[..., 3:]).max() == 0
    _, by_weight = gradients(layer, t)
    assert np.count_nonzero(np.abs(by_weight["kernel"]).sum(axis=-1)) * MAPS == 144 * (2 * H - 1)
    mixed = t[..., [0, 1, 2, *np.random.default_rng(0).permutation(np.arange(3, C))]]
    np.testing.assert_array_equal(run(layer, t)[1], run(layer, mixed)[1])


def test_the_paper_form_reads_every_channel_and_learns_gamma():
    layer, t = make("paper"), a_map()
    assert (np.abs(alpha_gradient(layer, t)).max(axis=(0, 1, 2)) > 0).all()
    _, by_weight = gradients(layer, t)
    assert np.count_nonzero(by_weight["kernel"]) == 9 * C * MAPS
    assert by_weight["gamma"] != 0


@pytest.mark.parametrize(("form", "extra"), [("paper", 1), ("published", 0), ("normalised", 1)])
def test_number_of_weights(form, extra):
    assert sum(int(np.prod(w.shape)) for w in make(form).weights) == 144 * C + MAPS + extra


def test_gamma_can_be_held():
    layer = make("paper", gamma=1.0, learn_gamma=False)
    assert float(keras.ops.convert_to_numpy(layer.gamma)) == 1.0
    assert "gamma" not in [w.name for w in layer.trainable_weights]


def test_bad_forms_are_clear_errors():
    with pytest.raises(ValueError, match="paper, published"):
        SoftAttention("soft")
    with pytest.raises(ValueError, match="at least 7 channels"):
        make("published", (4, 4, 5))


@pytest.mark.parametrize("form", ATTENTION_FORMS)
def test_config_round_trip(form):
    layer = SoftAttention(form, gamma=0.5)
    again = SoftAttention.from_config(layer.get_config())
    assert (again.form, again.maps, again.gamma_start) == (form, MAPS, 0.5)
