"""OpenVINO's converter, for `export --format openvino`, brought in so that it says nothing to anybody."""

import sys
from importlib import import_module
from types import ModuleType

_TELEMETRY, _CONVERTER = "openvino_telemetry", "openvino.tools.ovc"


def import_openvino() -> ModuleType:
    """The runtime alone, without the converter.

    OpenVINO reports each import and each conversion to its makers, by default and without asking. Here it cannot: the module that does
    so is barred from this process. Nothing of a photo or a model leaves this machine.

    Raises:
        ImportError: OpenVINO is not installed, or was imported before by something else with its reports on.
    """
    _bar_telemetry()
    barred = _CONVERTER not in sys.modules and "openvino" not in sys.modules
    if barred:
        sys.modules[_CONVERTER] = None
    try:
        import openvino

        return openvino
    finally:
        if barred:
            del sys.modules[_CONVERTER]


def import_converter() -> ModuleType:
    """The converter, for making graphs; equally silent. See `import_openvino`."""
    _bar_telemetry()
    import_openvino()
    return import_module(_CONVERTER)


def outputs_only(model, given: list[str], outputs: tuple[str, ...]):
    """The graph up to the named outputs; the converter also counts as outputs what a layer's own gradient would have needed."""
    ov = import_openvino()
    results = [next(r for r in model.outputs if name in _plain_names(r)).node for name in outputs]
    asked = set()
    stack = list(results)
    while stack:
        node = stack.pop()
        if node.get_friendly_name() in asked:
            continue
        asked.add(node.get_friendly_name())
        stack += [x.get_source_output().get_node() for x in node.inputs()]
    kept = [
        p for p in model.get_parameters() if p.get_friendly_name() in asked or set(p.output(0).get_names()) & set(given)
    ]
    return ov.Model(results, kept, "graph")


def _plain_names(output) -> set[str]:
    """Tensor names without TensorFlow's endings."""
    return {name.split(":")[0].split("/")[-1] for name in output.get_names()}


def _bar_telemetry() -> None:
    if sys.modules.get(_TELEMETRY) is None:
        # What Python takes for "cannot be imported"; OpenVINO then uses its own stub.
        sys.modules[_TELEMETRY] = None
