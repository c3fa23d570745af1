"""OpenVINO, ONNX Runtime, LiteRT and TensorFlow side by side on every shipped network: speed, cold start, size.

    python -m benchmarks.engines --rounds 30

Each runtime is given the same encoder and the same head (of its own format, made here by Keras' functions), one photo at a time, all
taking turns in one run. Cold start is a process of its own, from start to the first logits, all packages imported anew. Needs
`pip install '.[export]'`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.side_by_side import median_ms, tell, time_in_turn

RUNTIMES = ("openvino", "onnx", "litert", "tensorflow")
_COLD = """
import sys, time
start = time.perf_counter()
from benchmarks.engines import open_runtime
encode, head = open_runtime(sys.argv[1], sys.argv[2])
import numpy as np
shapes = np.load(sys.argv[2] + "/inputs.npz")
head(encode(shapes["image"]), shapes["metadata"])
import json
# Of this process alone: what getrusage tells begins with its parent's.
peak = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")] or [0]
print(json.dumps({"s": time.perf_counter() - start, "mb": peak[0] / 1000}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", help="all shipped networks when left out")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--cold", type=int, default=2, help="cold starts of each")
    asked = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from core.card import list_cards

    names = asked.models or [card.name for card in list_cards() if not card.network.get("members")]
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            place = Path(folder) / name
            write_parts(name, place)
            _compare(name, place, asked.rounds, asked.cold)


def write_parts(name: str, place: Path) -> None:
    """A network's encoder and head in every format, and inputs for them."""
    import numpy as np
    import tensorflow as tf
    import tf2onnx
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    from core.bundle import load_bundle
    from core.data.patient import Facts
    from core.serving.openvino_converter import import_converter, import_openvino, outputs_only

    bundle = load_bundle(name)
    classifier = bundle.classifier
    place.mkdir(parents=True)
    rng = np.random.default_rng(0)
    size = classifier.image_size
    np.savez(
        place / "inputs.npz",
        image=rng.uniform(0, 255, (1, size, size, 3)).astype("float32"),
        metadata=bundle.card.facts_encoder.encode(Facts(55, "female", "back"))[None],
    )
    for part, model in (("encoder", classifier.encoder), ("head", classifier.head)):
        specs = [tf.TensorSpec((1, *x.shape[1:]), "float32", name=x.name) for x in model.inputs]

        outputs = ("feature_map",) if part == "encoder" else ("logits", "attention")

        def run(*given, model=model, outputs=outputs):
            found = tf.nest.flatten(model(list(given) if len(given) > 1 else given[0], training=False))
            return {name: tf.identity(x, name) for name, x in zip(outputs, found, strict=True)}

        function = tf.function(run, input_signature=specs)
        converted = import_converter().convert_model(function.get_concrete_function())
        converted = outputs_only(converted, [spec.name for spec in specs], outputs)
        # Half floats would round the batch statistics, too.
        import_openvino().save_model(converted, place / f"{part}.xml", compress_to_fp16=False)
        frozen = convert_variables_to_constants_v2(function.get_concrete_function())
        onnx_model, _ = tf2onnx.convert.from_function(
            tf.function(lambda *given, frozen=frozen: frozen(*given), input_signature=specs),
            input_signature=specs,
            opset=17,
        )
        (place / f"{part}.onnx").write_bytes(onnx_model.SerializeToString())
        model.export(place / f"{part}-saved", format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(place / f"{part}-saved"))
        (place / f"{part}.tflite").write_bytes(converter.convert())


def open_runtime(name: str, place: str):
    """(encode, head): image (1, S, S, 3) -> feature map; feature map, metadata -> logits."""
    place = Path(place)
    opened = {part: _OPEN[name](place, part) for part in ("encoder", "head")}
    return (lambda image: opened["encoder"]([image])), (lambda feature_map, facts: opened["head"]([feature_map, facts]))


def _open_openvino(place: Path, part: str):
    from core.serving.openvino_converter import import_openvino

    hints = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    compiled = import_openvino().Core().compile_model(place / f"{part}.xml", "CPU", hints)
    request, count = compiled.create_infer_request(), len(compiled.inputs)

    def run(given):
        request.infer(given[:count], share_inputs=True)
        return _largest([request.get_output_tensor(i).data for i in range(len(compiled.outputs))], part)

    return run


def _open_onnx(place: Path, part: str):
    import onnxruntime

    session = onnxruntime.InferenceSession(place / f"{part}.onnx", providers=["CPUExecutionProvider"])
    names = [x.name for x in session.get_inputs()]
    return lambda given: _largest(session.run(None, _by_shape(names, session.get_inputs(), given)), part)


def _by_shape(names, inputs, given):
    return {x.name: next(g for g in given if g.ndim == len(x.shape)) for x in inputs}


def _open_litert(place: Path, part: str):
    from ai_edge_litert.interpreter import Interpreter

    model = Interpreter(model_path=str(place / f"{part}.tflite"), num_threads=os.cpu_count())
    for detail in model.get_input_details():
        model.resize_tensor_input(detail["index"], [1, *detail["shape"][1:]])
    model.allocate_tensors()
    inputs, outputs = model.get_input_details(), model.get_output_details()

    def run(given):
        for detail in inputs:
            model.set_tensor(detail["index"], next(g for g in given if g.ndim == len(detail["shape"])))
        model.invoke()
        return _largest([model.get_tensor(detail["index"]) for detail in outputs], part)

    return run


def _open_tensorflow(place: Path, part: str):
    import tensorflow as tf

    saved = tf.saved_model.load(place / f"{part}-saved")

    def run(given):
        found = (
            saved.serve(*[tf.constant(x) for x in given])
            if part == "encoder"
            else saved.serve([tf.constant(x) for x in given])
        )
        return _largest([x.numpy() for x in tf.nest.flatten(found)], part)

    return run


def _largest(outputs, part: str):
    """The feature map, or the logits: (1, 7)."""
    if part == "encoder":
        return max(outputs, key=lambda x: x.size)
    return next(x for x in outputs if x.shape[-1] == 7 and x.ndim == 2)


_OPEN = {"openvino": _open_openvino, "onnx": _open_onnx, "litert": _open_litert, "tensorflow": _open_tensorflow}


def _compare(name: str, place: Path, rounds: int, cold: int) -> None:
    import numpy as np

    inputs = np.load(place / "inputs.npz")
    image, facts = inputs["image"], inputs["metadata"]
    opened = {runtime: open_runtime(runtime, str(place)) for runtime in RUNTIMES}
    maps = {runtime: np.array(encode(image)) for runtime, (encode, _) in opened.items()}
    for runtime, found in maps.items():
        np.testing.assert_allclose(
            found, maps["tensorflow"], atol=2e-3 * np.abs(maps["tensorflow"]).max(), err_msg=runtime
        )
    encoders = time_in_turn({r: lambda r=r: opened[r][0](image) for r in RUNTIMES}, rounds)
    heads = time_in_turn({r: lambda r=r: opened[r][1](maps[r], facts) for r in RUNTIMES}, rounds)
    starts = {r: [_cold(r, place) for _ in range(cold)] for r in RUNTIMES}
    for runtime in RUNTIMES:
        sizes = [p for p in place.rglob("*") if p.is_file() and _belongs(p, runtime)]
        tell(
            f"{runtime} / tensorflow, encoder of {name}",
            median_ms(encoders[runtime]) / median_ms(encoders["tensorflow"]),
            "none (for scale)",
            None,
            encoder_ms=round(median_ms(encoders[runtime]), 2),
            head_ms=round(median_ms(heads[runtime]), 2),
            cold_s=round(min(start["s"] for start in starts[runtime]), 2),
            cold_mb=round(min(start["mb"] for start in starts[runtime])),
            file_mb=round(sum(p.stat().st_size for p in sizes) / 1e6, 2),
        )


def _belongs(path: Path, runtime: str) -> bool:
    endings = {"openvino": (".xml", ".bin"), "onnx": (".onnx",), "litert": (".tflite",)}
    return path.suffix in endings[runtime] if runtime in endings else "-saved" in str(path.parent)


def _cold(runtime: str, place: Path) -> dict:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _COLD, runtime, str(place)], capture_output=True, text=True, check=True, timeout=300
    )
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return told | {"s": max(told["s"], time.perf_counter() - began)}


if __name__ == "__main__":
    main()
