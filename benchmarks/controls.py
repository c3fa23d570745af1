"""A change of class, explainer or facts on a photo already read, against a full reading. Target: at most 1/10.

    python -m benchmarks.controls --model MobileNetV3Small

"answer" is what the change itself needs: the new map or the new probabilities. "with overlay" also paints it over the photo.
For scale, the same Grad-CAM by tf-keras-vis on the head, where that is installed.
"""

import argparse
from importlib.util import find_spec
from itertools import cycle

from benchmarks.side_by_side import median_ms, median_ratio, tell, time_in_turn


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
    from core.reading import encode_photo, read_lesion

    bundle = load_bundle(asked.model)
    photo = draw_lesion("mel", (600, 450))[0]
    facts = Facts(55, "female", "back")
    encoded = encode_photo(bundle, photo)
    metadata = bundle.card.facts_encoder.encode(facts)
    classes, ages = cycle(CODES), cycle(range(20, 90, 7))

    def heatmap(method):
        target = index_of(next(classes))
        return explain(method, bundle.classifier, encoded.feature_map, metadata, target, gradients=encoded.gradients)

    functions = {
        "full reading": lambda: read_lesion(bundle, photo, facts),
        "class": lambda: heatmap("grad-cam"),
        "class, with overlay": lambda: overlay(photo, heatmap("grad-cam").values),
        "explainer": lambda: heatmap("grad-cam++"),
        "facts": lambda: read_lesion(bundle, None, Facts(next(ages)), encoded=encoded, explain=False),
    }
    if find_spec("tf_keras_vis"):
        functions["class, by tf-keras-vis"] = _by_library(bundle, encoded, metadata)
    laps = time_in_turn(functions, asked.rounds)
    for name in list(functions)[1:]:
        ratio = median_ratio(laps[name], laps["full reading"])
        tell(
            f"{name} / full reading, {asked.model}",
            ratio,
            "none (for scale)" if "tf-keras-vis" in name else "<= 0.1",
            ratio <= 0.1,
            ms=round(median_ms(laps[name]), 2),
            full_ms=round(median_ms(laps["full reading"]), 1),
        )


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
