"""OpenVINO, brought in so that it says nothing to anybody."""

import sys
from importlib import import_module
from types import ModuleType

_TELEMETRY, _CONVERTER = "openvino_telemetry", "openvino.tools.ovc"


def import_openvino() -> ModuleType:
    """The runtime alone: without the converter, which serving does not need and which takes as long again to import.

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


def _bar_telemetry() -> None:
    if sys.modules.get(_TELEMETRY) is None:
        # What Python takes for "cannot be imported"; OpenVINO then uses its own stub.
        sys.modules[_TELEMETRY] = None
