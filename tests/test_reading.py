"""A reading: probabilities, maps and overlays from one photo; the same pixels in serving as in training."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from small_backbone import small_bundle

from core.bundle import load_bundle
from core.calibration import Calibration
from core.data.batches import Batches
from core.data.drawn import draw_lesion
from core.data.ham10000 import read_table
from core.data.image_cache import cache_images, encode_facts
from core.data.images import fit_image, read_photo
from core.data.patient import Facts
from core.diagnoses import CODES, MALIGNANT, index_of
from core.explain import EXPLAINERS, overlay
from core.explain.heatmap import NO_ATTENTION
from core.prevalence import MIXTURES, reweight
from core.reading import Recent, encode_photo, read_encoded, read_lesion, warm_up

FACTS = Facts(age=61, sex="female", site="back")


@pytest.fixture(scope="module")
def bundle(drawn_bundle_folder):
    return load_bundle(drawn_bundle_folder)


@pytest.fixture(scope="module")
def photo():
    return draw_lesion("mel", size=(160, 120), seed=1)[0]


@pytest.fixture(scope="module")
def encoded(bundle, photo):
    return encode_photo(bundle, photo)


def test_probabilities_are_the_models_own_calibrated(bundle, photo):
    reading = read_lesion(bundle, photo, FACTS)
    image = fit_image(photo, bundle.card.image_size)
    metadata = bundle.card.facts_encoder.encode(FACTS)
    logits = bundle.classifier.model.predict([image[None], metadata[None]], verbose=0)[0][0].astype("float64")
    expected = np.exp(bundle.card.calibration.logits(logits))
    expected /= expected.sum()
    np.testing.assert_allclose(list(reading.probabilities.values()), expected, rtol=1e-4)
    assert tuple(reading.probabilities) == CODES
    assert abs(sum(reading.probabilities.values()) - 1) < 1e-9
    assert reading.top == max(reading.probabilities, key=reading.probabilities.get) == reading.target
    assert reading.malignancy == pytest.approx(expected[list(MALIGNANT)].sum(), rel=1e-4)


def test_temperature_divides_the_logits(bundle, photo):
    hot = replace(bundle, card=replace(bundle.card, calibration=Calibration(bundle.card.calibration.temperature * 4)))
    plain, flat = read_lesion(bundle, photo), read_lesion(hot, photo)
    assert flat.top == plain.top
    assert max(flat.probabilities.values()) < max(plain.probabilities.values())


def test_a_place_re_weights_the_probabilities_and_leaves_the_calibrated_ones(bundle, photo):
    plain, there = read_lesion(bundle, photo), read_lesion(bundle, photo, mixture=MIXTURES["screening"])
    assert there.probabilities == plain.probabilities and plain.elsewhere is None and plain.here == plain.probabilities
    assert there.to_json()["prevalence"]["shares"]["mel"] == 0.018 and plain.to_json()["prevalence"] is None
    expected = reweight(list(plain.probabilities.values()), bundle.card.calibrated_shares, MIXTURES["screening"].shares)
    assert list(there.here.values()) == pytest.approx(expected.tolist())
    assert there.here["mel"] < plain.here["mel"] and there.elsewhere.top == max(there.here, key=there.here.get)
    assert there.elsewhere.malignancy == pytest.approx(expected[list(MALIGNANT)].sum())


def test_overlays_have_the_photos_resolution(bundle, photo):
    reading = read_lesion(bundle, photo, FACTS)
    assert reading.attention.shape == reading.heatmap.shape
    for picture in (reading.attention_overlay, reading.heatmap_overlay):
        assert picture.shape == photo.shape and picture.dtype == np.uint8
    assert np.array_equal(read_lesion(bundle, photo, opacity=0).heatmap_overlay, photo)


def test_an_encoded_photo_is_not_encoded_again(bundle, photo, encoded, monkeypatch):
    fresh = read_lesion(bundle, photo, FACTS, method="grad-cam++", target="bcc")

    def refuse(*_):
        raise AssertionError("the encoder ran")

    monkeypatch.setattr(bundle.engine, "encode", refuse)
    again = read_encoded(encoded, FACTS, method="grad-cam++", target="bcc")
    assert again.probabilities == fresh.probabilities
    assert np.array_equal(again.heatmap, fresh.heatmap)
    assert np.array_equal(again.heatmap_overlay, fresh.heatmap_overlay)
    assert again.seconds["encode"] == 0 < fresh.seconds["encode"]
    read_encoded(encoded)


def test_changing_class_and_method_runs_no_gradient_again(bundle, encoded, monkeypatch):
    assert encoded.gradients is not None

    def refuse(*_):
        raise AssertionError("the gradients were computed again")

    monkeypatch.setattr(bundle.engine, "gradients", refuse)
    for method in EXPLAINERS:
        for code in CODES:
            assert read_encoded(encoded, FACTS, method=method, target=code).target == code


def test_a_control_redoes_only_what_it_changes(bundle, photo, monkeypatch):
    """The head runs anew for new facts only, and on a screen a map is painted anew only if it or the opacity changed."""
    encoded = encode_photo(bundle, photo)
    network, painted, asked = bundle.engine, [], []
    head = network.head
    monkeypatch.setattr(network, "head", lambda *inputs: asked.append(1) or head(*inputs))
    monkeypatch.setattr("core.reading.lesion.overlay", lambda *inputs: painted.append(1) or overlay(*inputs))

    def counts(facts=FACTS, **choices):
        asked.clear(), painted.clear()
        read_encoded(encoded, facts, side=64, **{"target": "mel", **choices})
        return len(asked), len(painted)

    assert counts() == (1, 2)
    assert counts() == (0, 0)
    assert counts(target="nv") == counts(target="bcc") == (0, 1)
    assert counts(target="nv") == (0, 0), "the last few maps are kept"
    assert counts(target="nv", opacity=0.4) == (0, 2)
    assert counts(Facts(age=5), target="nv", opacity=0.4) == (1, 0)
    for turn in range(5):
        assert counts(opacity=0.1 * turn) == (0, 2)


def test_gradients_that_change_with_the_facts_are_made_once_for_them(bundle, photo, monkeypatch):
    """As an ensemble's do: another class asks the same gradients."""
    encoded = replace(encode_photo(bundle, photo), gradients=None)
    network, made = bundle.engine, []
    gradients = network.gradients
    monkeypatch.setattr(network, "gradients", lambda *inputs: made.append(1) or gradients(*inputs))
    for code in CODES:
        read_encoded(encoded, FACTS, target=code)
    assert len(made) == 1
    read_encoded(encoded, Facts(5))
    read_encoded(encoded, FACTS)
    assert len(made) == 2


def test_a_page_that_changes_one_fact_asks_nothing_else_again(bundle, photo):
    """A page asks the gate, the head and what would be if, each time it is drawn."""
    encoded, made = encode_photo(bundle, photo), []
    for age in (10, 20, 30, 20):
        encoded.answers.get("gate", lambda: made.append("gate") or True)
        read_encoded(encoded, Facts(age), explain=False)
        encoded.answers.get(("what if", age), lambda: made.append("what if") or True)
    assert made == ["gate", *["what if"] * 3]


def test_recent_keeps_the_last_few():
    made = []
    recent = Recent(2)
    for key in "abaca":
        assert recent.get(key, lambda key=key: made.append(key) or key.upper()) == key.upper()
    assert made == ["a", "b", "c"]
    recent.get("b", lambda: made.append("b again"))
    assert made[-1] == "b again"


@pytest.mark.parametrize("method", EXPLAINERS)
def test_every_explainer_and_class(bundle, encoded, method):
    network = bundle.engine
    metadata = bundle.card.facts_encoder.encode(FACTS)
    gradients = network.gradients(encoded.feature_map, metadata)
    for code in CODES:
        reading = read_encoded(encoded, FACTS, method=method, target=code)
        if EXPLAINERS[method].per_class:
            raw = reading.heatmap
            assert raw.max() in (0, 1)
            np.testing.assert_allclose(gradients[index_of(code)], encoded.gradients[index_of(code)], atol=1e-7)
        else:
            assert np.array_equal(reading.heatmap, reading.attention)


def test_facts_change_the_answer(bundle, encoded):
    answers = {
        tuple(read_encoded(encoded, facts, explain=False).probabilities.values())
        for facts in (Facts(), FACTS, Facts(age=5), Facts(sex="male"))
    }
    assert len(answers) == 4


def test_without_explaining_there_are_no_maps(bundle, photo):
    reading = read_lesion(bundle, photo, explain=False)
    assert reading.heatmap is reading.attention is reading.heatmap_overlay is reading.attention_overlay is None
    assert encode_photo(bundle, photo, explain=False).gradients is None
    late = read_encoded(encode_photo(bundle, photo, explain=False))
    assert np.array_equal(late.heatmap, read_lesion(bundle, photo).heatmap)


def test_json_names_nobody(bundle, tmp_path):
    path = tmp_path / "JANE-DOE-1961.jpg"
    exif = Image.Exif()
    exif[0x010E] = "Jane Doe"
    Image.fromarray(draw_lesion("nv", size=(96, 72))[0]).save(path, exif=exif)
    record = read_lesion(bundle, read_photo(path), FACTS).to_json()
    text = json.dumps(record)
    assert "doe" not in text.lower() and str(tmp_path) not in text
    assert json.loads(text) == record
    assert {
        "model",
        "probabilities",
        "top",
        "seconds",
        "facts",
        "malignancy",
        "target",
        "method",
        "notes",
        "card",
    } <= set(record)
    assert record["facts"] == {"age": 61, "sex": "female", "site": "back"}
    assert record["card"]["sha256"] == bundle.card.weights["sha256"]
    assert record["card"]["temperature"] == bundle.card.calibration.temperature and "split_hash" in record["card"]
    assert {"encode", "head", "attention", "heatmap", "overlay", "total"} == set(record["seconds"])


def test_training_and_serving_see_the_same_photo(bundle, drawn_folder, tmp_path):
    """The same probabilities from a JPEG's path and from the training cache's batch."""
    table = read_table(drawn_folder).iloc[:6].reset_index(drop=True)
    images = cache_images(table, bundle.card.image_size, root=tmp_path)
    metadata = encode_facts(table, bundle.card.facts_encoder)
    batches = Batches(images, metadata, np.zeros(len(table), int), batch_size=len(table))
    [photos, facts], _, _ = batches[0]
    logits = (
        bundle.classifier.model.predict([photos, facts], verbose=0)[0].astype("float64")
        / bundle.card.calibration.temperature
    )
    trained = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for place, row in enumerate(batches.order[: len(table)]):
        record = table.iloc[row]
        age = None if np.isnan(record.age) else record.age
        photo = read_photo(record.path)
        assert np.array_equal(fit_image(photo, bundle.card.image_size), photos[place])
        reading = read_lesion(bundle, photo, Facts(age, record.sex, record.localization), explain=False)
        np.testing.assert_allclose(list(reading.probabilities.values()), trained[place], rtol=2e-4)


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF"])
def test_the_file_format_does_not_matter(bundle, photo, format):
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, format)
    assert read_lesion(bundle, read_photo(buffer.getvalue())).probabilities == read_lesion(bundle, photo).probabilities


@pytest.mark.parametrize(
    ("choice", "message"),
    [({"method": "magic"}, "magic.*grad-cam"), ({"target": "wart"}, "wart.*akiec"), ({"opacity": 2}, "Opacity")],
)
def test_unknown_choices_are_refused(bundle, encoded, choice, message):
    with pytest.raises(ValueError, match=message):
        read_encoded(encoded, **choice)


def test_a_network_without_facts_and_attention_says_so(photo, tmp_path):
    bundle = load_bundle(small_bundle(tmp_path / "Plain", metadata=False, attention="none"))
    reading = read_lesion(bundle, photo, FACTS)
    assert any(NO_ATTENTION in note for note in reading.notes)
    assert any("age, sex and site did not count" in note for note in reading.notes)
    assert not reading.attention.any() and reading.heatmap.max() == 1
    assert reading.probabilities == read_lesion(bundle, photo).probabilities


def test_a_leaky_split_is_said(bundle, photo, encoded):
    leaky = replace(bundle, card=replace(bundle.card, split={**bundle.card.split, "leaky": True}))
    assert any("leaky" in note for note in read_lesion(leaky, photo).notes)
    assert not any("leaky" in note for note in read_encoded(encoded).notes)


def test_damaged_weights_never_give_an_answer(photo, tmp_path):
    bundle = load_bundle(small_bundle(tmp_path / "Broken"))
    head, _ = bundle.engine.weights()
    bundle = replace(bundle, engine=bundle.engine.with_weights([np.full_like(w, np.nan) for w in head]))
    with pytest.raises(ValueError, match="not finite"):
        read_lesion(bundle, photo)


def test_readings_repeat_exactly(bundle, photo):
    first, second = read_lesion(bundle, photo, FACTS), read_lesion(bundle, photo, FACTS)
    assert first.probabilities == second.probabilities and np.array_equal(first.heatmap, second.heatmap)


def test_warm_up(bundle):
    warm_up(bundle)


def test_an_ensembles_members_encode_no_photo_again(tmp_path, photo):
    from core.bundle import Bundle
    from core.calibration import Calibration
    from core.reading import encoded_for, join_encoded
    from core.serving import MembersEngine

    members = [
        load_bundle(small_bundle(tmp_path / name, name=name, metadata_units=units))
        for name, units in zip("AB", (8, 16), strict=True)
    ]
    engine = MembersEngine([m.engine for m in members], [Calibration(1.0)] * 2)
    joined = Bundle("Joined", members[0].card, tmp_path, engine, (), tuple(members))
    whole = encode_photo(joined, photo)
    for member in members:
        alone = read_lesion(member, photo, FACTS)
        shared = read_encoded(encoded_for(member, whole), FACTS)
        assert shared.probabilities == alone.probabilities and np.array_equal(shared.heatmap, alone.heatmap)
    seen = [encode_photo(member, photo) for member in members]
    whole = read_lesion(joined, photo, FACTS)
    put_together = read_encoded(join_encoded(joined, seen), FACTS)
    assert put_together.probabilities == whole.probabilities and np.array_equal(put_together.heatmap, whole.heatmap)
    with pytest.raises(ValueError, match="in their order"):
        join_encoded(joined, seen[::-1])
    with pytest.raises(ValueError, match="several photos"):
        join_encoded(joined, [seen[0], encode_photo(members[1], photo[::-1].copy())])


@pytest.mark.parametrize(
    "count", [200, pytest.param(1920, marks=pytest.mark.slow)], ids=["200 readings", "1,920 readings"]
)
def test_threads_read_what_one_reads_alone_to_the_last_digit(bundle, count):
    """Each thread takes another photo, other facts, another map and another class than its neighbours."""
    photos = [draw_lesion(code, (90, 80), seed=seed)[0] for seed, code in enumerate(CODES)]
    patients = [FACTS, Facts(), Facts(age=20, sex="male", site="ear")]
    names = list(EXPLAINERS)[:2]

    def read(place: int) -> tuple:
        number = place % 42
        chosen = {"method": names[number % len(names)], "target": CODES[(number + 1) % 7]}
        found = read_lesion(bundle, photos[number % 7], patients[number % 3], **chosen)
        return found.probabilities, found.target, found.heatmap.tobytes()

    alone = [read(place) for place in range(42)]
    assert len({str(probabilities) for probabilities, *_ in alone}) == 21, "each photo with each patient's facts"
    with ThreadPoolExecutor(16) as pool:
        for place, found in enumerate(pool.map(read, range(count))):
            assert found == alone[place % 42], place
