"""Keras' own settings file, which another program may have written years ago: what Melascope needs holds whatever is in it."""

import json
import os
from pathlib import Path

FILE = "keras.json"
_VALUES = {
    "floatx": ("float16", "float32", "float64"),
    "image_data_format": ("channels_last", "channels_first"),
}


def settings_file() -> Path:
    """Where Keras looks for its settings: `KERAS_HOME`, else `~/.keras`."""
    if named := os.environ.get("KERAS_HOME"):
        return Path(os.path.expanduser(named)) / FILE
    home = os.path.expanduser("~")
    return Path(home if os.access(home, os.W_OK) else "/tmp") / ".keras" / FILE


def find_fault() -> str:
    """A sentence where the settings keep Keras from starting, with the file's name; empty where they do not.

    To be asked before Keras is imported, or when its import has failed.
    """
    path = settings_file()
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return ""  # Keras takes its own settings then
    except OSError as error:
        return _sentence(path, f"it cannot be read ({error.strerror})") if path.exists() else ""
    if not isinstance(settings, dict):
        return _sentence(path, f"it holds {type(settings).__name__} and no settings")
    for name, values in _VALUES.items():
        if name in settings and settings[name] not in values:
            return _sentence(path, f"{name} is {settings[name]!r}; expected one of {', '.join(values)}")
    if not isinstance(settings.get("epsilon", 1e-7), float):
        return _sentence(path, f"epsilon is {settings['epsilon']!r}; expected a number such as 1e-07")
    return ""


def settle() -> None:
    """Sets what the networks are built for, whatever the file says: colours last, 32-bit numbers, Keras' own epsilon."""
    import keras

    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)


def _sentence(path: Path, what: str) -> str:
    return f"Keras cannot start with its settings in {path}: {what}. Remove that file; Keras writes a new one."
