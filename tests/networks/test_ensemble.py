"""An ensemble answers with the mean of its members' calibrated probabilities, by the same doors as any classifier."""

import keras
import numpy as np
import pytest

from core.calibration import Calibration
from core.data.patient import METADATA_WIDTH
from core.designs import NetworkDesign
from core.networks import build_classifier
from core.networks.ensemble import build_ensemble

CALIBRATIONS = (Calibration(0.7, (0.1, -0.3, 0, 0.5, 0.2, -1, 0)), Calibration(1.6))


@pytest.fixture(scope="module")
def members():
    keras.utils.set_random_seed(1)
    return [
        build_classifier("MobileNetV3Small", design, image_size=64)
        for design in (
            NetworkDesign(attention="normalised", head="pooled", metadata_units=8),
            NetworkDesign(attention="none", head="pooled", metadata=False),
        )
    ]


@pytest.fixture(scope="module")
def asked():
    rng = np.random.default_rng(0)
    return rng.uniform(0, 255, (3, 64, 64, 3)).astype("float32"), rng.normal(size=(3, METADATA_WIDTH)).astype("float32")


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def test_the_answer_is_the_mean_of_calibrated_probabilities(members, asked):
    image, facts = asked
    ensemble = build_ensemble(members, CALIBRATIONS)
    logits, attention = (keras.ops.convert_to_numpy(x) for x in ensemble.model([image, facts]))
    single = []
    for member, calibration in zip(members, CALIBRATIONS, strict=True):
        own, _ = member.model([image, facts] if member.uses_metadata else [image])
        single.append(calibration.probabilities(keras.ops.convert_to_numpy(own)))
    np.testing.assert_allclose(softmax(logits), np.mean(single, axis=0), atol=1e-5)
    np.testing.assert_allclose(attention.sum((1, 2)), 1, rtol=1e-5)


def test_encoder_and_head_give_what_the_whole_gives(members, asked):
    image, facts = asked
    ensemble = build_ensemble(members, CALIBRATIONS)
    feature_map = keras.ops.convert_to_numpy(ensemble.encoder(image))
    assert feature_map.shape[-1] == sum(m.encoder.output_shape[-1] for m in members)
    apart, _ = ensemble.head(ensemble.head_inputs(feature_map, facts))
    whole, _ = ensemble.model([image, facts])
    np.testing.assert_allclose(*(keras.ops.convert_to_numpy(x) for x in (apart, whole)), rtol=1e-5, atol=1e-6)


def test_members_that_do_not_fit_are_refused(members):
    other = build_classifier("MobileNetV3Small", NetworkDesign(head="pooled", metadata_units=8), image_size=96)
    with pytest.raises(ValueError, match="one input size"):
        build_ensemble([members[0], other], CALIBRATIONS)
    with pytest.raises(ValueError, match="at least two"):
        build_ensemble(members[:1], CALIBRATIONS[:1])
