"""Every control on a photo already read, against a full reading, in one run. Target: at most 1/10.

    python -m benchmarks.controls --model MobileNetV3Small

Class, explainer and facts: what the change itself needs, the new map or the new probabilities; "with overlay" also paints it over
the photo. Of the second reader: the sweep over facts (known, and with all of them unknown), the 90 % set, gate and look-alikes,
the agreement of the maps, the threshold, the costs, and the jury's count. What was not measured for the model (see `measure`) is
left out and named. For scale: what is taken once a photo, and the same Grad-CAM by tf-keras-vis on the head, where that is installed.
"""

import argparse
import sys
from importlib.util import find_spec
from itertools import cycle

from benchmarks.side_by_side import median_ms, median_ratio, tell, time_in_turn

FOR_SCALE = ("class, by tf-keras-vis", "once a photo: its statistics, hashes, the gate's view")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="MobileNetV3Small")
    parser.add_argument("--rounds", type=int, default=40)
    asked = parser.parse_args()

    from core.bundle import load_bundle
    from core.data.drawn import draw_lesion
    from core.data.patient import Facts
    from core.diagnoses import CODES, index_of
    from core.explain import explain, overlay
    from core.reading import encode_photo, gradients_of, read_encoded, read_lesion

    bundle = load_bundle(asked.model)
    photo = draw_lesion("mel", (600, 450))[0]
    facts = Facts(55, "female", "back")
    encoded = encode_photo(bundle, photo)
    metadata = bundle.card.facts_encoder.encode(facts)
    classes, ages = cycle(CODES), cycle(range(20, 91))  # more ages than a photo remembers

    def heatmap(method):
        target = index_of(next(classes))
        return explain(
            method,
            bundle.engine,
            encoded.feature_map,
            metadata,
            target,
            gradients=gradients_of(encoded, facts),
        )

    functions = {
        "full reading": lambda: read_lesion(bundle, photo, facts),
        "class": lambda: heatmap("grad-cam"),
        "class, with overlay": lambda: overlay(photo, heatmap("grad-cam").values),
        "explainer": lambda: heatmap("grad-cam++"),
        "facts": lambda: read_encoded(encoded, Facts(next(ages)), explain=False),
    }
    functions |= _second_reader(bundle, encoded, facts)
    if find_spec("tf_keras_vis") and not bundle.card.network.get("members"):  # it cannot rebuild a head of heads
        functions["class, by tf-keras-vis"] = _by_library(bundle, encoded, metadata)
    laps = time_in_turn(functions, asked.rounds)
    for name in list(functions)[1:]:
        ratio = median_ratio(laps[name], laps["full reading"])
        tell(
            f"{name} / full reading, {asked.model}",
            ratio,
            "none (for scale)" if name in FOR_SCALE else "<= 0.1",
            None if name in FOR_SCALE else ratio <= 0.1,
            ms=round(median_ms(laps[name]), 2),
            full_ms=round(median_ms(laps["full reading"]), 1),
        )


def _second_reader(bundle, encoded, facts) -> dict:
    """What the sections of the reading page compute when they are opened or changed; nothing is kept from call to call."""
    from core.data.patient import Facts
    from core.evaluation.melanoma import Duel
    from core.evaluation.results import InvalidResults, read_results
    from core.reading import read_encoded
    from core.trust.measure_table import InvalidMeasure, read_measure
    from core.trust.signals.jury import convene
    from core.trust.signals.map_agreement import map_agreement
    from core.trust.signals.opinion import form_opinion, read_signals
    from core.trust.signals.prediction_set import build_set
    from core.trust.signals.threshold import RATIOS, weigh
    from core.trust.signals.what_if import sweep_facts

    signals = read_signals(bundle.folder, bundle.card)
    reading = read_encoded(encoded, facts)
    opinions = {f"network {i}": reading.probabilities for i in range(5)}
    found = {
        "other facts, all sexes, sites and ages": lambda: sweep_facts(encoded, facts),
        "jury's count": lambda: convene(opinions),
        "agreement of the maps": lambda: map_agreement(reading.attention, reading.heatmap),
    }
    lacking = list(signals.notes)
    try:
        record = read_measure("facts", bundle.folder, bundle.card)
        ages = cycle(range(20, 91))
        found["other facts, sex and site unknown"] = lambda: sweep_facts(encoded, Facts(next(ages)), record)
        found["other facts, none known"] = lambda: sweep_facts(encoded, Facts(), record)
    except InvalidMeasure as error:
        lacking.append(str(error))
    if "set" in signals.records:
        found["90 % set"] = lambda: build_set(reading.probabilities, signals.records["set"])
    if signals.index is not None and {"gate", "lookalikes"} <= set(signals.records):
        # The photo's own statistics, hashes and the gate's view of it are taken once a photo, as the feature map is.
        found["gate, seen before and look-alikes"] = lambda: form_opinion(signals, encoded, None)
        found["once a photo: its statistics, hashes, the gate's view"] = lambda: _look(encoded)
    try:
        duel = Duel(read_results(bundle.folder, bundle.card))
        thresholds = cycle((0.1, 0.2, 0.3))
        found["threshold"] = lambda: duel.at(next(thresholds))
        found["costs, six ratios"] = lambda: [weigh(duel, ratio) for ratio in RATIOS]
    except InvalidResults as error:
        lacking.append(str(error))
    for sentence in lacking:
        sys.stderr.write(f"Not timed: {sentence}\n")
    return found


def _look(encoded) -> tuple:
    from core.trust.signals.square import Square, square_of

    fresh = Square(square_of(encoded).image)
    return fresh.statistics, fresh.hashes, fresh.seen


def _by_library(bundle, encoded, metadata):
    import keras
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.utils.scores import CategoricalScore

    head = bundle.classifier.head
    library = Gradcam(keras.Model(head.inputs, head.get_layer("logits").output), clone=False)
    inputs = [x[None] for x in bundle.classifier.head_inputs(encoded.feature_map, metadata)]
    choices = {"penultimate_layer": "feature_map", "seek_penultimate_conv_layer": False, "expand_cam": False}
    return lambda: library(CategoricalScore([4]), inputs, **choices)


if __name__ == "__main__":
    main()
