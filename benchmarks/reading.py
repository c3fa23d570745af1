"""A full reading (attention, Grad-CAM, overlays) against a plain `model.predict` of the same network. Target: at most 0.15.

Run: `python -m benchmarks.reading --model MobileNetV3Small`
"""

import argparse

from benchmarks.side_by_side import median_ms, median_ratio, tell, time_in_turn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="MobileNetV3Small")
    parser.add_argument("--rounds", type=int, default=40)
    asked = parser.parse_args()

    from core.bundle import load_bundle
    from core.data.drawn import draw_lesion
    from core.data.images import fit_image
    from core.data.patient import Facts
    from core.reading import read_lesion

    bundle = load_bundle(asked.model)
    photo = draw_lesion("mel", (600, 450))[0]
    facts = Facts(55, "female", "back")
    metadata = bundle.card.facts_encoder.encode(facts)[None]

    def predict():
        image = fit_image(photo, bundle.card.image_size)[None]
        return bundle.classifier.model.predict(bundle.classifier.head_inputs(image, metadata), verbose=0)

    laps = time_in_turn({"predict": predict, "reading": lambda: read_lesion(bundle, photo, facts)}, asked.rounds)
    ratio = median_ratio(laps["reading"], laps["predict"])
    tell(
        f"reading with attention and Grad-CAM / model.predict, {asked.model}",
        ratio,
        "<= 0.15",
        ratio <= 0.15,
        **{f"{name}_ms": round(median_ms(values), 1) for name, values in laps.items()},
    )


if __name__ == "__main__":
    main()
