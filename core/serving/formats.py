"""Models for other programs: one graph from pixels and facts to calibrated probabilities and attention, in the format asked for."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.calibration import Calibration
from core.card import Card
from core.choices import find_choice
from core.data.patient import FEATURES, METADATA_WIDTH
from core.diagnoses import CODES, NAMES
from core.files import folder_written_whole, write_text
from core.serving.make_graph import ONNX_OPSET

if TYPE_CHECKING:  # at run time this would load Keras
    from core.networks import Classifier

IMAGE, METADATA, PROBABILITIES, ATTENTION = "image", "metadata", "probabilities", "attention"
README_FILE, ABOUT_FILE = "README.md", "model.json"
# Patients that the exported example asks about: facts that are known, and none.
EXAMPLE_SEED = 0


class MissingConverter(ImportError):
    """A package that a format needs and that is not installed."""


@dataclass(frozen=True)
class Format:
    """A file format of models.

    Args:
        title: for people.
        file: what is written, in the folder.
        needs: modules of the converter.
        write: (function of TensorFlow, folder) writes the file.
        batch: whether several photos may be asked at once; else one.
        example: Python that runs the file, from `image` and `metadata`.
        runtime: packages that run it, as pip names them.
    """

    title: str
    file: str
    needs: tuple[str, ...]
    write: Callable
    batch: bool
    example: str
    runtime: str


def _write_savedmodel(function, folder: Path) -> None:
    import tensorflow as tf

    # The variables must be reachable from what is saved.
    module = tf.train.Checkpoint(kept=list(function.kept))
    tf.saved_model.save(module, folder / "savedmodel", signatures={"serving_default": function.concrete})


def _write_onnx(function, folder: Path) -> None:
    import onnx
    import tf2onnx

    model, _ = tf2onnx.convert.from_function(function.frozen(), input_signature=function.specs, opset=ONNX_OPSET)
    # Plain names, whatever the converter made of them.
    given = {x.name: name for x in model.graph.input for name in function.inputs if name in x.name}
    told = {x.name: name for x in model.graph.output for name in function.outputs if name in x.name.lower()}
    names = given | told
    for node in model.graph.node:
        for values in (node.input, node.output):
            for i, name in enumerate(values):
                values[i] = names.get(name, name)
    for value in (*model.graph.input, *model.graph.output):
        value.name = names.get(value.name, value.name)
    onnx.checker.check_model(model)
    onnx.save(model, folder / "model.onnx")


def _write_litert(function, folder: Path) -> None:
    import tensorflow as tf

    named = function.frozen()
    with tempfile.TemporaryDirectory() as between:
        # Only from here are the names kept.
        signatures = {"serving_default": named.get_concrete_function()}
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(tf.Module(), between, signatures, options)
        content = tf.lite.TFLiteConverter.from_saved_model(between).convert()
    (folder / "model.tflite").write_bytes(content)


def _write_openvino(function, folder: Path) -> None:
    from core.serving.openvino_converter import import_converter, import_openvino, outputs_only

    model = import_converter().convert_model(function.concrete)
    model = outputs_only(model, function.inputs, function.outputs)
    import_openvino().save_model(model, folder / "model.xml", compress_to_fp16=False)


FORMATS: dict[str, Format] = {
    "openvino": Format(
        "OpenVINO IR",
        "model.xml",
        ("openvino",),
        _write_openvino,
        True,
        """import openvino
model = openvino.Core().compile_model("model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
answer = model({INPUTS})
probabilities, attention = answer["probabilities"], answer["attention"]""",
        "openvino",
    ),
    "onnx": Format(
        "ONNX",
        "model.onnx",
        ("tf2onnx", "onnx"),
        _write_onnx,
        True,
        """import onnxruntime
session = onnxruntime.InferenceSession("model.onnx")
probabilities, attention = session.run(["probabilities", "attention"], {INPUTS})""",
        "onnxruntime",
    ),
    "litert": Format(
        "LiteRT",
        "model.tflite",
        ("tensorflow",),
        _write_litert,
        False,
        """from ai_edge_litert.interpreter import Interpreter
model = Interpreter(model_path="model.tflite").get_signature_runner()
answer = model(**{INPUTS})
probabilities, attention = answer["probabilities"], answer["attention"]""",
        "ai-edge-litert",
    ),
    "savedmodel": Format(
        "TensorFlow SavedModel",
        "savedmodel",
        ("tensorflow",),
        _write_savedmodel,
        True,
        """import tensorflow as tf
model = tf.saved_model.load("savedmodel").signatures["serving_default"]
answer = model(**{name: tf.constant(x) for name, x in {INPUTS}.items()})
probabilities, attention = answer["probabilities"].numpy(), answer["attention"].numpy()""",
        "tensorflow",
    ),
}


def find_format(name: str) -> Format:
    """Looks a format up.

    Raises:
        ValueError: no such format; the message lists those there are.
    """
    return find_choice("format", name, FORMATS)


def export_model(card: Card, classifier: Classifier, format_: str, out: str | Path) -> Path:
    """Writes a model for other programs, with a README that says how to call it and an example with its answer.

    Args:
        card: of the model.
        classifier: with its weights.
        format_: key into `FORMATS`.
        out: a folder that is new, empty or an earlier export.

    Returns:
        The folder.

    Raises:
        ValueError: no such format, or a folder that holds something else.
        MissingConverter: a package that the format needs is not installed.
    """
    chosen, out = find_format(format_), Path(out)
    for module in chosen.needs:
        if find_spec(module) is None:
            raise MissingConverter(
                f"The format {format_} needs the package {module}, which is not installed. Run `pip install 'melascope[export]'`, or "
                "`pip install '.[export]'` in Melascope's folder"
            )
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / ABOUT_FILE).is_file())):
        raise ValueError(f"{out} holds something else than an exported model. Choose another --out.")
    function = _Function(classifier, card.calibration, chosen.batch)
    with folder_written_whole(out) as scratch:
        chosen.write(function, scratch)
        example = _example(card, function)
        np.savez_compressed(scratch / "example.npz", **example)
        write_text(
            scratch / ABOUT_FILE, json.dumps(_about(card, chosen, function), indent=1, ensure_ascii=False) + "\n"
        )
        write_text(scratch / README_FILE, _readme(card, chosen, function))
        licence = Path(__file__).resolve().parents[2] / "weights" / "LICENSE.md"
        if licence.is_file():
            shutil.copy(licence, scratch / "LICENSE.md")
    return out


class _Function:
    """A classifier and its calibration as one TensorFlow function.

    Args:
        batch: whether it takes several photos at once.
    """

    outputs = (PROBABILITIES, ATTENTION)

    def __init__(self, classifier: Classifier, calibration: Calibration, batch: bool):
        import tensorflow as tf

        first = None if batch else 1
        specs = [tf.TensorSpec((first, classifier.image_size, classifier.image_size, 3), "float32", IMAGE)]
        self.inputs = (IMAGE,)
        if classifier.uses_metadata:
            specs.append(tf.TensorSpec((first, METADATA_WIDTH), "float32", METADATA))
            self.inputs = (IMAGE, METADATA)

        def answer(*given):
            inputs = list(given)
            logits, attention = classifier.model(inputs if len(inputs) > 1 else inputs[0], training=False)
            probabilities = tf.nn.softmax(
                tf.cast(logits, "float32") / calibration.temperature + list(calibration.biases)
            )
            return {
                PROBABILITIES: tf.identity(probabilities, PROBABILITIES),
                ATTENTION: tf.identity(tf.cast(attention, "float32"), ATTENTION),
            }

        self.specs = specs
        self.traced = self.with_named_inputs(answer)
        self.concrete = self.traced.get_concrete_function()
        self.kept = classifier.model.variables
        self.image_size, self.uses_metadata = classifier.image_size, classifier.uses_metadata

    def with_named_inputs(self, call: Callable):
        """A TensorFlow function with a name for each input, which formats show."""
        import tensorflow as tf

        def of_photo(image):
            return call(image)

        def of_photo_and_facts(image, metadata):
            return call(image, metadata)

        return tf.function(of_photo if len(self.specs) == 1 else of_photo_and_facts, input_signature=self.specs)

    def frozen(self):
        """The function with all numbers as constants: some converters take those that it holds for further inputs."""
        from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

        frozen = convert_variables_to_constants_v2(self.concrete)
        # It answers in the order of the names.
        return self.with_named_inputs(lambda *given: dict(zip(sorted(self.outputs), frozen(*given), strict=True)))

    def __call__(self, *given) -> dict[str, np.ndarray]:
        import tensorflow as tf

        return {name: x.numpy() for name, x in self.traced(*(tf.constant(x) for x in given)).items()}


def _example(card: Card, function: _Function) -> dict[str, np.ndarray]:
    """One drawn photo and patient, and the answer."""
    from core.data.drawn import draw_lesion
    from core.data.images import fit_image
    from core.data.patient import Facts

    image = fit_image(draw_lesion("mel", (600, 450), seed=EXAMPLE_SEED)[0], function.image_size)[None].astype("float32")
    given = {IMAGE: image}
    if function.uses_metadata:
        given[METADATA] = card.facts_encoder.encode(Facts(55, "female", "back"))[None].astype("float32")
    return given | function(*given.values())


def _about(card: Card, chosen: Format, function: _Function) -> dict:
    return {
        "model": card.name,
        "format": chosen.title,
        "file": chosen.file,
        "weights_sha256": card.weights["sha256"],
        "classes": list(CODES),
        "image": {
            "shape": [None if chosen.batch else 1, function.image_size, function.image_size, 3],
            "pixels": card.pixels,
        },
        "metadata": {
            "width": len(FEATURES),
            "age_mean": card.age_mean,
            "age_sd": card.age_sd,
            "columns": list(FEATURES),
        }
        if function.uses_metadata
        else None,
        "temperature": card.calibration.temperature,
        "biases": list(card.calibration.biases),
        "limits": card.limits,
        "licence": card.licence,
    }


def _readme(card: Card, chosen: Format, function: _Function) -> str:
    """How to call it."""
    given = "{" + ", ".join(f'"{name}": {name}' for name in function.inputs) + "}"
    lines = [
        f"# {card.name} as {chosen.title}",
        "",
        f"From `{IMAGE}`"
        + (f" and `{METADATA}`" if function.uses_metadata else "")
        + f" to `{PROBABILITIES}` and `{ATTENTION}`, "
        "calibrated. For research and teaching; not a medical device. The limits are in `model.json`.",
        "",
        "```python",
        "import numpy as np",
        'example = np.load("example.npz")',
        *(f'{name} = example["{name}"]' for name in function.inputs),
        chosen.example.replace("{INPUTS}", given),
        f'assert np.abs(probabilities - example["{PROBABILITIES}"]).max() < 1e-3',
        "```",
        "",
        f"It needs `pip install numpy {chosen.runtime}`.",
        "",
        f"- `{IMAGE}`: float32 ({'B' if chosen.batch else '1'}, {function.image_size}, {function.image_size}, 3). {card.pixels}.",
    ]
    if function.uses_metadata:
        lines.append(
            f"- `{METADATA}`: float32 ({'B' if chosen.batch else '1'}, {len(FEATURES)}), in this order: {', '.join(FEATURES)}. Age is "
            f"(years - {card.age_mean:.4f}) / {card.age_sd:.4f}, and 0 where it is unknown; the others are 1 or 0. An unknown fact has a "
            "column of its own."
        )
    lines += [
        f"- `{PROBABILITIES}`: float32 (B, 7): {', '.join(f'{code} ({NAMES[code]})' for code in CODES)}.",
        f"- `{ATTENTION}`: float32 (B, h, w): how much each place of the photo weighed.",
        "",
        f"Made of weights {card.weights['sha256']}. Licence: {card.licence}",
        "",
    ]
    return "\n".join(lines)
