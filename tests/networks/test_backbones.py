"""Golden parameter counts, gradients, round trips and pixel normalisation, over the table of backbones."""

import importlib

import keras
import numpy as np
import pytest
import small_backbone

from core.designs import NetworkDesign
from core.networks.backbones import BACKBONES, UnavailableWeights, build_encoder
from core.networks.classifier import build_classifier
from core.networks.pixels import CAFFE_BGR_MEAN, IMAGENET_MEAN, IMAGENET_SD, NormalizePixels

# docs/reproduction.md, section 1: (attach, map, encoder total / trainable, whole network total - 3 / trainable with metadata, total /
# trainable without), published attention, paper head.
GOLDEN = {
    "DenseNet201": ("paper", (7, 7, 128), (17430336, 17217024), (17596247, 17382935), (17477463, 17264151)),
    "InceptionResNetV2": ("paper", (8, 8, 192), (47464608, 47410208), (47654071, 47599671), (47535287, 47480887)),
    "ResNet50": ("paper", (7, 7, 2048), (23587712, 23534592), (24460183, 24407063), (24341399, 24288279)),
    "ResNet152": ("paper", (7, 7, 2048), (49427328, 49288192), (50299799, 50160663), (50181015, 50041879)),
    "NASNetLarge": ("paper", (11, 11, 672), (78018738, 77835510), (78573001, 78389773), (78454217, 78270989)),
    "NASNetMobile": ("paper", (7, 7, 176), (3772516, 3739298), (3956091, 3922873), (3837307, 3804089)),
    "MobileNetV2": ("paper", (7, 7, 960), (882624, 861952), (1354711, 1334039), (1235927, 1215255)),
    "MobileNetV3Small": ("paper", (7, 7, 576), (659232, 648464), (990007, 979239), (871223, 860455)),
    "MobileNetV3Large": ("paper", (7, 7, 960), (2222672, 2200512), (2694759, 2672599), (2575975, 2553815)),
    "MobileNetV3Large b": ("paper_b", (7, 7, 960), (2194832, 2174592), (2666919, 2646679), (2548135, 2527895)),
    "MobileNetV3Large c": ("paper_c", (1, 1, 960), (1883152, 1865152), (2153639, 2135639), (2034855, 2016855)),
}
LIGHT = ("MobileNetV2", "MobileNetV3Small")
# The table of the program; other tests register a backbone of their own, some of them before this file is read.
NAMES = tuple(name for name in BACKBONES if name != small_backbone.NAME)


def slow_unless_light(names):
    """Parameters of a test: building the others takes up to a minute each."""
    return [pytest.param(n, marks=[] if n.split()[0] in LIGHT else pytest.mark.slow) for n in names]


def count(weights) -> int:
    return int(sum(np.prod(w.shape) for w in weights if "seed_generator" not in w.path))


def counts(model) -> tuple[int, int]:
    return count(model.weights), count(model.trainable_weights)


def test_every_backbone_but_efficientnet_has_golden_counts():
    assert {name.split()[0] for name in GOLDEN} == set(NAMES) - {"EfficientNetB0"}


@pytest.mark.parametrize("row", slow_unless_light(GOLDEN))
def test_golden_counts(row):
    attach, shape, encoder, with_metadata, without = GOLDEN[row]
    classifier = build_classifier(row.split()[0], NetworkDesign(attach=attach, attention="published"))
    assert classifier.encoder.output_shape[1:] == shape
    assert counts(classifier.encoder) == encoder
    assert counts(classifier.model) == with_metadata
    # The head alone differs without metadata; the encoder need not be built twice.
    from core.networks.classifier import build_head

    bare = build_head(shape, NetworkDesign(attention="published", metadata=False))
    assert tuple(a + b for a, b in zip(counts(bare), encoder, strict=True)) == without
    # `paper` attention adds gamma, trainable.
    paper = build_head(shape)
    assert tuple(a + b for a, b in zip(counts(paper), encoder, strict=True)) == tuple(n + 1 for n in with_metadata)
    if attach == "paper":
        assert BACKBONES[row].shape == shape


def test_golden_counts_of_attention_free_and_pooled_heads():
    from core.networks.classifier import build_head

    encoders = {name: GOLDEN[name][2] for name in ("DenseNet201", "InceptionResNetV2", "ResNet50", "ResNet152")}
    shapes = {name: GOLDEN[name][1] for name in encoders}

    def total(name, **choices):
        return tuple(
            a + b
            for a, b in zip(
                counts(build_head(shapes[name], NetworkDesign(metadata=False, **choices))), encoders[name], strict=True
            )
        )

    assert total("DenseNet201", attention="none") == (17474247, 17260935)
    assert total("InceptionResNetV2", attention="none") == (47550631, 47496231)
    assert total("ResNet50", attention="none", head="pooled") == (23602055, 23548935)
    assert total("ResNet50", attention="published", head="pooled") == (23911319, 23858199)
    assert total("ResNet152", attention="published", head="pooled") == (49750935, 49611799)


@pytest.mark.parametrize("name", slow_unless_light(NAMES))
def test_gradient_reaches_every_trainable_weight(name):
    backbone = BACKBONES[name]
    # Small inputs keep this quick; NASNet and Inception need their own minimum.
    size = {"InceptionResNetV2": 139, "NASNetLarge": 139}.get(name, 96)
    classifier = build_classifier(name, NetworkDesign(gamma=1.0, metadata_units=32), image_size=size)
    import tensorflow as tf

    rng = np.random.default_rng(0)
    image = tf.constant(rng.uniform(0, 255, (2, size, size, 3)).astype("float32"))
    metadata = tf.constant(rng.normal(size=(2, 21)).astype("float32"))
    with tf.GradientTape() as tape:
        logits, _ = classifier.model([image, metadata], training=True)
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)(np.eye(7)[[1, 4]], logits)
    gradients = tape.gradient(loss, [w.value for w in classifier.model.trainable_weights])
    dead = [w.path for w, g in zip(classifier.model.trainable_weights, gradients, strict=True) if g is None]
    assert dead == [], f"{backbone}: no gradient reaches {dead[:5]}"


@pytest.mark.parametrize("name", slow_unless_light(NAMES))
def test_equal_outputs_after_save_and_load(name, tmp_path):
    size = {"InceptionResNetV2": 139, "NASNetLarge": 139}.get(name, 96)
    first, second = (build_classifier(name, NetworkDesign(metadata_units=32), image_size=size) for _ in range(2))
    first.model.save_weights(tmp_path / "w.weights.h5")
    second.model.load_weights(tmp_path / "w.weights.h5")
    rng = np.random.default_rng(0)
    inputs = [rng.uniform(0, 255, (2, size, size, 3)).astype("float32"), rng.normal(size=(2, 21)).astype("float32")]
    for a, b in zip(first.model.predict_on_batch(inputs), second.model.predict_on_batch(inputs), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_encoder_and_head_give_what_the_joined_model_gives():
    classifier = build_classifier("MobileNetV3Small", NetworkDesign(metadata_units=16), image_size=64)
    rng = np.random.default_rng(1)
    image = rng.uniform(0, 255, (3, 64, 64, 3)).astype("float32")
    metadata = rng.normal(size=(3, 21)).astype("float32")
    whole = classifier.model.predict_on_batch([image, metadata])
    feature_map = classifier.encoder.predict_on_batch(image)
    split = classifier.head.predict_on_batch(classifier.head_inputs(feature_map, metadata))
    for a, b in zip(whole, split, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert {"feature_map", "attention", "logits"} <= {layer.name for layer in classifier.head.layers}


RED = np.broadcast_to(np.array([255, 0, 0], "float32"), (1, 2, 2, 3))


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("raw", (255, 0, 0)),
        ("tf", (1, -1, -1)),
        ("torch", [(v - m) / s for v, m, s in zip((1, 0, 0), IMAGENET_MEAN, IMAGENET_SD, strict=True)]),
        ("caffe", [v - m for v, m in zip((0, 0, 255), CAFFE_BGR_MEAN, strict=True)]),
    ],
)
def test_a_red_square_is_normalised_as_each_network_expects(mode, expected):
    out = keras.ops.convert_to_numpy(NormalizePixels(mode)(RED))
    np.testing.assert_allclose(out[0, 0, 0], expected, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_pixel_modes_are_those_of_keras(name):
    module = importlib.import_module(BACKBONES[name].build.__module__)
    reference = module.preprocess_input(RED.copy())
    ours = keras.ops.convert_to_numpy(NormalizePixels(BACKBONES[name].pixels)(RED))
    np.testing.assert_allclose(ours, reference, atol=1e-4)


def test_unknown_choices_list_the_known_ones():
    with pytest.raises(ValueError, match="MobileNetV3Small"):
        build_encoder("MobileNet9")
    with pytest.raises(ValueError, match="paper, text, last"):
        build_encoder("ResNet50", attach="first")


def test_init_file_that_is_missing_or_does_not_fit(tmp_path):
    with pytest.raises(UnavailableWeights, match="no such file"):
        build_encoder("MobileNetV3Small", image_size=64, init=tmp_path / "none.weights.h5")
    (tmp_path / "text.weights.h5").write_text("hello")
    with pytest.raises(UnavailableWeights, match="does not fit MobileNetV3Small"):
        build_encoder("MobileNetV3Small", image_size=64, init=tmp_path / "text.weights.h5")


def test_a_local_file_initialises_the_encoder(tmp_path):
    whole = keras.applications.MobileNetV3Small(include_top=False, weights=None, input_shape=(224, 224, 3))
    whole.save_weights(tmp_path / "w.weights.h5")
    encoder = build_encoder("MobileNetV3Small", image_size=64, init=tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(encoder.get_layer("conv").get_weights()[0], whole.get_layer("conv").get_weights()[0])


def test_a_failed_download_names_init(monkeypatch):
    def refuse(*_, **__):
        raise OSError("URL fetch failure: no route to host")

    monkeypatch.setattr("keras.src.applications.mobilenet_v3.file_utils.get_file", refuse)
    with pytest.raises(UnavailableWeights, match=r"--init FILE.*--init random"):
        build_encoder("MobileNetV3Small", init="imagenet")


def test_a_download_from_a_local_stand_in(monkeypatch, tmp_path):
    whole = keras.applications.MobileNetV3Small(include_top=False, weights=None, input_shape=(224, 224, 3))
    whole.save_weights(tmp_path / "stand_in.weights.h5")
    monkeypatch.setattr(
        "keras.src.applications.mobilenet_v3.file_utils.get_file",
        lambda *_, **__: str(tmp_path / "stand_in.weights.h5"),
    )
    encoder = build_encoder("MobileNetV3Small", init="imagenet")
    np.testing.assert_array_equal(encoder.get_layer("conv").get_weights()[0], whole.get_layer("conv").get_weights()[0])
