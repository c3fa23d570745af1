"""Grad-CAM of a photo by tf-keras-vis on the whole network, against ours on the engine. Target: 20 times as long.

    python -m benchmarks.full_grad_cam --model MobileNetV3Small

Ours starts from the same image, and gives all seven diagnoses' gradients where the library gives one; a second number tells what ours takes
for a further diagnosis of a photo that is already read.
"""

import argparse

import numpy as np

from benchmarks.side_by_side import median_ms, median_ratio, tell, time_in_turn

TARGET = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="MobileNetV3Small")
    parser.add_argument("--rounds", type=int, default=20)
    asked = parser.parse_args()

    import keras
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.utils.scores import CategoricalScore

    from core.bundle import load_bundle
    from core.data.drawn import draw_lesion
    from core.data.images import fit_image
    from core.data.patient import Facts
    from core.diagnoses import index_of
    from core.explain import explain

    bundle = load_bundle(asked.model)
    engine, classifier, melanoma = bundle.engine, bundle.classifier, index_of("mel")
    image = np.asarray(fit_image(draw_lesion("mel", (600, 450))[0], bundle.card.image_size), "float32")
    facts = bundle.card.facts_encoder.encode(Facts(55, "female", "back"))
    seen = keras.layers.Activation("linear", name="seen")(classifier.encoder.output)
    metadata = keras.Input(facts.shape)
    given = classifier.head_inputs(seen, metadata)
    whole = keras.Model(
        classifier.head_inputs(classifier.encoder.input, metadata),
        classifier.head(given if len(given) > 1 else given[0])[0],
    )
    library, inputs = Gradcam(whole, clone=False), classifier.head_inputs(image[None], facts[None])

    def by_library() -> np.ndarray:
        choices = {"penultimate_layer": "seen", "seek_penultimate_conv_layer": False, "expand_cam": False}
        return library(CategoricalScore(melanoma), inputs, **choices)[0]

    def ours() -> np.ndarray:
        return explain("grad-cam", engine, engine.encode(image), facts, melanoma).values

    feature_map = engine.encode(image)
    gradients = engine.gradients(feature_map, facts)

    def further() -> np.ndarray:
        return explain("grad-cam", engine, feature_map, facts, melanoma, gradients=gradients).values

    theirs, own = np.asarray(by_library()), ours()
    # What is not the same map is no comparison.
    likeness = float(np.corrcoef(theirs.ravel(), own.ravel())[0, 1]) if own.any() else None
    laps = time_in_turn({"library": by_library, "ours": ours, "further": further}, asked.rounds)
    ratio = median_ratio(laps["library"], laps["ours"])
    tell(
        f"Grad-CAM by tf-keras-vis on the whole network / ours, {asked.model}",
        ratio,
        f">= {TARGET}",
        ratio >= TARGET,
        correlation=likeness,
        ratio_of_a_further_diagnosis=round(median_ratio(laps["library"], laps["further"]), 1),
        **{f"{name}_ms": round(median_ms(values), 2) for name, values in laps.items()},
    )


if __name__ == "__main__":
    main()
