"""The engine contract: every engine, against the Keras network itself; and which engine does the work."""

import json
import shutil
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from small_backbone import small_bundle

from core.bundle import Bundle, export_serving, load_bundle
from core.calibration import Calibration
from core.card import InvalidBundle, bind_files, read_card, write_card
from core.data.drawn import draw_lesion
from core.data.images import fit_image
from core.data.patient import Facts
from core.serving import ENGINES, MembersEngine, choose_engine, engines
from core.serving.graph_file import GRAPH_FILE

FORMS = {
    "paper": {"head": "paper"},
    "no facts": {"metadata": False},
    "no attention": {"attention": "none"},
    "published": {"attention": "published"},
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory, drawn_bundle_folder):
    root = tmp_path_factory.mktemp("forms")
    return {"pooled": drawn_bundle_folder} | {
        name: small_bundle(root / name.replace(" ", "-"), name=name, **network) for name, network in FORMS.items()
    }


@pytest.fixture(scope="module")
def images():
    return np.stack([fit_image(draw_lesion("mel", (90, 80), seed=i)[0], 64) for i in range(9)])


def patients(bundle: Bundle) -> np.ndarray:
    return bundle.card.facts_encoder.encode_columns(
        [30, None, 81], ["male", "unknown", "female"], ["back", "unknown", "ear"]
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("form", ["pooled", *FORMS])
def test_an_engine_answers_as_the_network_does(folders, images, form, engine):
    bundle = load_bundle(folders[form], engine)
    network, facts = bundle.engine, patients(bundle)
    assert network.name == engine and bundle.engine_notes == ()
    classifier = bundle.classifier
    assert (network.uses_metadata, network.has_attention) == (classifier.uses_metadata, classifier.has_attention)
    expected_map = np.asarray(classifier.encoder(images[:1], training=False))[0]
    feature_map = network.encode(images[0])
    assert feature_map.shape == network.feature_shape and feature_map.dtype == np.float32
    np.testing.assert_allclose(feature_map, expected_map, atol=1e-4 * np.abs(expected_map).max())

    logits, attention = network.head(feature_map, facts[0])
    assert logits.shape == (7,) and attention.shape == network.feature_shape[:2]
    told = classifier.head(classifier.head_inputs(feature_map[None], facts[:1]), training=False)
    np.testing.assert_allclose(logits, np.asarray(told[0])[0], atol=1e-3)
    np.testing.assert_allclose(attention, np.asarray(told[1])[0], atol=1e-4)

    many, same_attention = network.head(feature_map, facts)
    assert many.shape == (3, 7) and same_attention.shape == attention.shape
    for one, row in zip(many, facts, strict=True):
        np.testing.assert_allclose(one, network.head(feature_map, row)[0], atol=1e-5)
    assert network.gradients(feature_map, facts[0]).shape == (7, *network.feature_shape)


@pytest.mark.parametrize("form", ["pooled", *FORMS])
def test_the_engines_give_one_another_s_gradients(folders, images, form):
    both = [load_bundle(folders[form], engine) for engine in ENGINES]
    facts = patients(both[0])
    feature_map = both[0].engine.encode(images[1])
    first, second = (bundle.engine.gradients(feature_map, facts[0]) for bundle in both)
    np.testing.assert_allclose(first, second, atol=1e-4 * np.abs(second).max())
    assert np.array_equal(first, both[0].engine.gradients(feature_map, facts[2])), "facts only add"


@pytest.mark.parametrize("engine", ENGINES)
def test_many_photos_and_one_are_the_same(folders, images, engine):
    bundle = load_bundle(folders["pooled"], engine)
    network, facts = bundle.engine, patients(bundle)
    together = network.encode(images)
    assert together.shape == (9, *network.feature_shape)
    np.testing.assert_allclose(together[3], network.encode(images[3]), atol=1e-4)
    np.testing.assert_allclose(network.encode(images[:2])[1], together[1], atol=1e-4)
    assert network.encode(images.astype("uint8")[:1]).dtype == np.float32
    logits, attention = network.head(together[:3], facts)
    assert logits.shape == (3, 7) and attention.shape == (3, *network.feature_shape[:2])
    for i in range(3):
        one, its_attention = network.head(together[i], facts[i])
        np.testing.assert_allclose(logits[i], one, atol=1e-5)
        np.testing.assert_allclose(attention[i], its_attention, atol=1e-6)
    assert network.encode(images[:0]).shape == (0, *network.feature_shape)
    assert network.head(together[:0], facts[:0])[0].shape == (0, 7)


@pytest.mark.parametrize("engine", ENGINES)
def test_shapes_that_do_not_fit_are_refused(folders, images, engine):
    network = load_bundle(folders["pooled"], engine).engine
    feature_map = network.encode(images[0])
    with pytest.raises(ValueError, match=r"metadata of shape \(2, 3, 4\)"):
        network.head(feature_map, np.zeros((2, 3, 4)))
    with pytest.raises(ValueError, match="one row a photo"):
        network.head(feature_map[None], np.zeros((2, 21)))
    with pytest.raises(ValueError, match="Expected"):
        network.head(feature_map[..., :3], np.zeros(21))


def test_eight_threads_never_mix_their_answers(folders, images):
    bundle = load_bundle(folders["pooled"], "onnxruntime")
    network, facts = bundle.engine, patients(bundle)

    def answer(place):
        feature_map = network.encode(images[place % 9])
        return network.head(feature_map, facts[place % 3])[0], network.gradients(feature_map, facts[0])

    alone = [answer(place) for place in range(18)]
    with ThreadPoolExecutor(8) as pool:
        for place, found in enumerate(pool.map(answer, list(range(18)) * 4)):
            for got, expected in zip(found, alone[place % 18], strict=True):
                assert np.array_equal(got, expected)


def answered(folders, images, engine):
    """A network, what it makes of a photo, a patient's facts, and its logits for them."""
    network = load_bundle(folders["pooled"], engine).engine
    facts = patients(load_bundle(folders["pooled"]))[0]
    feature_map = network.encode(images[0])
    return network, feature_map, facts, network.head(feature_map, facts)[0]


@pytest.mark.parametrize("engine", ENGINES)
def test_other_weights_make_another_engine_and_leave_this_one(folders, images, engine):
    network, feature_map, facts, before = answered(folders, images, engine)
    head, encoder = network.weights()
    assert sum(w.size for w in head) > 0 and sum(w.size for w in encoder) > 0
    other = network.with_weights([w * 0 for w in head])
    assert not other.head(feature_map, facts)[0].any()
    assert np.allclose(other.encode(images[0]), feature_map, atol=1e-4)
    third = network.with_weights(head, [w * 0 for w in encoder])
    assert not third.encode(images[0]).any()
    assert np.array_equal(network.head(feature_map, facts)[0], before)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_keras_network_that_an_engine_gives_is_not_the_one_that_answers(folders, images, engine):
    network, feature_map, facts, before = answered(folders, images, engine)
    given = network.classifier()
    assert np.allclose(np.asarray(given.head.get_layer("logits").kernel), network.weights()[0][-2], atol=1e-6)
    for weight in given.model.trainable_variables:
        weight.assign(weight * 0)
    assert np.array_equal(network.head(feature_map, facts)[0], before) and network.encode(images[0]).any()


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_no_number_never_becomes_one(folders, images, engine):
    """Rectifiers may make 0 of NaN; then damaged weights or facts would be answered with a straight face."""
    network = load_bundle(folders["pooled"], engine).engine
    facts = patients(load_bundle(folders["pooled"]))
    feature_map = network.encode(images[0])
    facts[1, 0] = np.nan
    logits, _ = network.head(feature_map, facts)
    assert np.isnan(logits[1]).all() and np.isfinite(logits[[0, 2]]).all()
    head, encoder = network.weights()
    for place, spoilt in ((0, head), (-1, encoder)):
        kept = spoilt[place]
        spoilt[place] = np.full_like(kept, np.nan)
        broken = network.with_weights(head, encoder)
        assert np.isnan(broken.head(broken.encode(images[0]), facts[0])[0]).any()
        spoilt[place] = kept


def test_both_engines_name_the_weights_in_one_order(folders):
    first, second = (load_bundle(folders["paper"], engine).engine.weights() for engine in ENGINES)
    for one, other in zip([*first[0], *first[1]], [*second[0], *second[1]], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)


def test_an_ensemble_is_served_by_its_members(folders, images):
    both = [load_bundle(folders[name]) for name in ("pooled", "no facts", "no attention")]
    calibrations = [Calibration(1.2), Calibration(0.8, (0.5, 0, 0, -0.3, 0.1, 0, 0)), Calibration(2.0)]
    joined = MembersEngine([b.engine for b in both], calibrations)
    from core.networks.ensemble import build_ensemble

    reference = build_ensemble([b.classifier for b in both], calibrations)
    facts = patients(both[0])
    feature_map = joined.encode(images[0])
    np.testing.assert_allclose(feature_map, np.asarray(reference.encoder(images[:1]))[0], atol=1e-3)
    logits, attention = joined.head(feature_map, facts)
    repeated = np.repeat(feature_map[None], 3, axis=0)
    told = reference.head([repeated, facts], training=False)
    np.testing.assert_allclose(logits, told[0], atol=1e-4)
    np.testing.assert_allclose(attention, np.asarray(told[1])[0], atol=1e-5)

    import tensorflow as tf

    for row in (0, 2):
        given = tf.constant(feature_map[None])
        with tf.GradientTape() as tape:
            tape.watch(given)
            answer = reference.head([given, tf.constant(facts[row : row + 1])], training=False)[0]
        expected = np.asarray(tape.jacobian(answer, given))[0, :, 0]
        found = joined.gradients(feature_map, facts[row])
        np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
    assert joined.gradients_need_facts and joined.uses_metadata and joined.has_attention
    head, encoder = joined.weights()
    same = joined.with_weights(head, encoder)
    np.testing.assert_allclose(same.head(feature_map, facts)[0], logits, atol=1e-5)
    photos = joined.head(np.stack([feature_map] * 2), facts[:2])
    np.testing.assert_allclose(photos[0], logits[:2], atol=1e-5)
    assert photos[1].shape == (2, *joined.feature_shape[:2])


# ---- which engine ----


def test_a_machine_that_takes_no_temporary_file_has_an_engine_all_the_same(no_temporary_folder, monkeypatch):
    """As a container that is read only: the system's way to find a library writes a file first."""
    monkeypatch.delenv(engines.ENGINE_VARIABLE, raising=False)
    engines.has_gpu.cache_clear()
    assert choose_engine() == "onnxruntime"
    engines.has_gpu.cache_clear()


def test_the_variable_and_the_argument_choose(monkeypatch):
    monkeypatch.delenv(engines.ENGINE_VARIABLE, raising=False)
    for gpu, expected in ((False, "onnxruntime"), (True, "tensorflow")):
        monkeypatch.setattr(engines, "has_gpu", lambda gpu=gpu: gpu)
        assert choose_engine() == expected
    monkeypatch.setenv(engines.ENGINE_VARIABLE, " OnnxRuntime ")
    assert choose_engine() == "onnxruntime" and choose_engine("tensorflow") == "tensorflow"
    monkeypatch.setenv(engines.ENGINE_VARIABLE, "onnx")
    with pytest.raises(ValueError, match="'onnx'.*onnxruntime, tensorflow"):
        choose_engine()
    with pytest.raises(ValueError, match="until ONNX Runtime took its place.*onnxruntime, tensorflow"):
        choose_engine("openvino")


@pytest.fixture
def folder(folders, tmp_path):
    return shutil.copytree(folders["pooled"], tmp_path / "Drawn")


def fault(folder, name, other):
    """Spoils a serving file in one way."""
    graph = folder / GRAPH_FILE
    if name == "missing":
        graph.unlink()
    elif name == "not bound":
        write_card(replace(read_card(folder), files={}), folder)
    elif name == "damaged":
        data = bytearray(graph.read_bytes())
        data[len(data) // 2] ^= 1
        graph.write_bytes(data)
    elif name == "no zip":
        graph.write_bytes(b"no zip")
        bind_files(folder, [GRAPH_FILE])
    elif name == "a member less":
        with zipfile.ZipFile(graph) as old:
            kept = {n: old.read(n) for n in old.namelist() if n != "head.onnx"}
        with zipfile.ZipFile(graph, "w") as new:
            for n, content in kept.items():
                new.writestr(n, content)
        bind_files(folder, [GRAPH_FILE])
    elif name == "another network":
        shutil.copy(other / GRAPH_FILE, graph)
        bind_files(folder, [GRAPH_FILE])


@pytest.mark.parametrize("name", ["missing", "not bound", "damaged", "no zip", "a member less", "another network"])
def test_an_unusable_serving_file_is_said_and_tensorflow_does_the_work(folders, folder, name, images):
    good = load_bundle(folder, "onnxruntime")  # still held by others when the file is spoilt
    expected = good.engine.encode(images[0])
    fault(folder, name, folders["paper"])
    bundle = load_bundle(folder, "onnxruntime")
    assert bundle.engine.name == "tensorflow"
    (note,) = bundle.engine_notes
    assert "python -m core export Drawn" in note and "TensorFlow" in note
    np.testing.assert_allclose(bundle.engine.encode(images[0]), expected, atol=1e-3)
    from core.reading import read_lesion

    assert note in read_lesion(bundle, draw_lesion("nv", (90, 80))[0], Facts(), explain=False).notes


def test_exporting_again_mends_it_and_gives_the_same_file(folder):
    before = (folder / GRAPH_FILE).read_bytes()
    (folder / GRAPH_FILE).unlink()
    assert export_serving(folder) == [folder / GRAPH_FILE]
    assert load_bundle(folder, "onnxruntime").engine.name == "onnxruntime"
    assert (folder / GRAPH_FILE).read_bytes() == before


def test_new_weights_of_the_same_network_need_no_new_file(folder, images):
    """The graph holds no numbers: a new calibration, or training again, leaves it valid."""
    from core.bundle import save_bundle

    bundle = load_bundle(folder)
    before = bundle.engine.encode(images[0])
    classifier = bundle.classifier
    for weight in classifier.encoder.trainable_weights:
        weight.assign(weight * 1.5)
    save_bundle(classifier, bundle.card, folder)
    again = load_bundle(folder, "onnxruntime")
    assert again.engine.name == "onnxruntime" and not np.allclose(again.engine.encode(images[0]), before)
    expected = np.asarray(classifier.encoder(images[:1], training=False))[0]
    np.testing.assert_allclose(again.engine.encode(images[0]), expected, atol=0.02 * np.abs(expected).max())


@pytest.mark.parametrize("engine", ENGINES)
def test_weights_that_do_not_fit_are_an_error_whichever_engine(folder, tmp_path, engine):
    from core.card import WEIGHTS_FILE, sha256_of

    other = small_bundle(tmp_path / "Other", metadata_units=8)
    shutil.copy(other / WEIGHTS_FILE, folder / WEIGHTS_FILE)
    record = json.loads((folder / "card.json").read_text())
    record["weights"]["sha256"] = sha256_of(folder / WEIGHTS_FILE)
    (folder / "card.json").write_text(json.dumps(record))
    with pytest.raises(InvalidBundle, match="does not fit the network"):
        load_bundle(folder, engine)


def test_who_asks_for_the_same_weights_is_given_the_same_engine_made_once(folders, monkeypatch):
    made = []
    row = ENGINES["onnxruntime"]

    def load(*given):
        made.append(given)
        time.sleep(0.1)  # others come meanwhile
        return row.load(*given)

    monkeypatch.setitem(ENGINES, "onnxruntime", replace(row, load=load))
    with ThreadPoolExecutor(8) as pool:
        engines = {
            id(bundle.engine): bundle for bundle in pool.map(load_bundle, [folders["paper"]] * 8, ["onnxruntime"] * 8)
        }
    assert len(engines) == len(made) == 1


def test_many_threads_that_call_a_cold_network_compile_it_once(folders, images):
    import tensorflow as tf

    bundle = load_bundle(folders["published"], "tensorflow")
    traced = []
    encoder = bundle.engine._encoder
    encoder._encode._function = tf.function(lambda x: (traced.append(1), time.sleep(0.2), x)[2], reduce_retracing=True)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(encoder._run, [images[:1]] * 16))
    assert len(traced) == 1


def test_a_cold_network_that_sixteen_threads_ask_is_traced_once(folders, images):
    bundle = load_bundle(folders["paper"], "tensorflow")
    network = bundle.engine.with_weights(*bundle.engine.weights())
    facts = patients(bundle)[0]

    def ask(_):
        feature_map = network.encode(images[0])
        return network.head(feature_map, facts)[0], network.gradients(feature_map, facts)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(16)))
    for once in (network._encoder._encode, network._head, network._gradients):
        assert once._function.experimental_get_tracing_count() == 1
    for answer in answers:
        for got, expected in zip(answer, answers[0], strict=True):
            assert np.array_equal(got, expected)
