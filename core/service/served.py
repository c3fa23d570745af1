"""The models that a service answers with: each loaded once, its network asked by batches, damaged ones named."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.bundle import Bundle, load_bundle
from core.card import CARD_FILE, find_bundle, weights_root
from core.interchange import SourcePhoto
from core.questions import OpenModel, Question
from core.service.batching import BatchingEngine
from core.service.refusals import NOT_NOW, NOT_THERE, RequestRefused, repeated

# Side of the black photo that is read while models are loaded, pixels.
WARM = 64
Note = Callable[[str, int], None]


class ServedModels:
    """Models by name. Loading them takes seconds, so that it is a step of its own.

    Args:
        folders: of the models; names are those of the folders.
        batch: images that go through a network together at most.
        note: told the name of a network and how many images each of its batches had.
    """

    def __init__(self, folders: Sequence[Path], batch: int, note: Note | None = None):
        self._folders = {folder.name: folder for folder in folders}
        self._batch, self._note = batch, note
        self._bundles: dict[Path, Bundle] = {}
        self._loading = threading.RLock()
        self._open: dict[str, OpenModel] = {}
        self.faults: dict[str, str] = {}
        self.loaded = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._folders)

    @property
    def ready(self) -> bool:
        """Whether all are loaded that can be, and there is one."""
        return self.loaded and bool(self._open)

    def load(self) -> None:
        """Loads all that an answer needs, unless it is loaded: networks, what was measured of them, the jury, the gate's eye."""
        for name, folder in self._folders.items():
            if name in self._open:
                continue
            try:
                model = OpenModel(folder, self._load)
                model.bundle.engine.ready()
                # Else the first who ask wait for what is loaded when it is needed: the gate's eye, the jury, libraries.
                model.answer(SourcePhoto(np.zeros((WARM, WARM, 3), "uint8")), Question(force=True))
                self._open[name] = model
            except Exception as error:  # noqa: BLE001 - one model's fault, whatever it is, must not cost the others their answers
                self.faults[name] = str(error) or type(error).__name__
        self.loaded = True

    def _load(self, folder: Path) -> Bundle:
        """A model whose network is asked by batches; the same for all who hold it."""
        place = Path(folder).resolve()
        with self._loading:
            if place not in self._bundles:
                bundle, note = load_bundle(place), self._note
                told = (lambda images: note(bundle.name, images)) if note else None
                self._bundles[place] = replace(bundle, engine=BatchingEngine(bundle.engine, self._batch, told))
            return self._bundles[place]

    def find(self, name: str) -> OpenModel:
        """A model that is ready.

        Raises:
            RequestRefused: there is none of that name, or it is not ready.
        """
        if name not in self._folders:
            raise RequestRefused(NOT_THERE, f"There is no model {repeated(name)}. Expected one of: {', '.join(self.names)}.")
        if name in self.faults:
            raise RequestRefused(NOT_NOW, f"{name} cannot answer: {self.faults[name]}")
        if name not in self._open:
            raise RequestRefused(NOT_NOW, f"{name} is not loaded yet. Ask again in some seconds.", 2)
        return self._open[name]


def list_folders(names: Sequence[str]) -> list[Path]:
    """Folders of the models that were named, or of all on the shelf.

    Raises:
        ValueError: no such model, none at all, or two of one name.
    """
    folders = [find_bundle(name).resolve() for name in names]
    folders = folders or [path.parent.resolve() for path in sorted(weights_root().glob(f"*/{CARD_FILE}"))]
    if not folders:
        raise ValueError(
            f"{weights_root()} holds no model. Expected folders with {CARD_FILE}; MELASCOPE_WEIGHTS names another."
        )
    known: dict[str, Path] = {}
    for folder in folders:
        if known.setdefault(folder.name, folder) != folder:
            raise ValueError(
                f"Two models are named {folder.name}: {known[folder.name]} and {folder}. Give one of them."
            )
    return list(known.values())
