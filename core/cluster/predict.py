"""`evaluate` on workers: the same batches through the same function as in one process, so the same digits."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.bundle import Bundle, load_bundle
from core.card import sha256_of
from core.cluster.parts import Parts
from core.cluster.stream import ROW, stream_parts
from core.data.ham10000 import InvalidDataset
from core.evaluation.predictions import answer_table, require_no_faults, require_photos, tell_probabilities
from core.folders import cache_root
from core.threads import Progress

if TYPE_CHECKING:
    import pyarrow as pa

# Batches that a worker takes at a time: while the network is at one, threads decode the next.
BATCHES = 4
_TAKEN = ("image_id", "path", "age", "sex", "localization")


@dataclass
class AnswerWork:
    """Answers rows of a table; the model is loaded for the first ones.

    Args:
        folder: the model's.
        sha256: of its card, so that a worker elsewhere does not answer by another model.
        batch_size: photos that go through the network together.
    """

    folder: str
    sha256: str
    batch_size: int
    _bundle: Bundle | None = field(default=None, init=False)

    def __call__(self, rows: pa.Table) -> pa.Table:
        import pyarrow as pa

        if self._bundle is None:
            if sha256_of(Path(self.folder) / "card.json") != self.sha256:
                raise ValueError(
                    f"{self.folder} on this worker is not the model that was asked for. Give all machines the same."
                )
            self._bundle = load_bundle(self.folder)
        table = rows.to_pandas()
        table["age"] = table.age.astype("float64")
        try:
            logits, fault = answer_table(self._bundle, table, self.batch_size), None
        except InvalidDataset as error:
            logits, fault = np.full((len(table), 7), np.nan), str(error)
        answers = pa.FixedSizeListArray.from_arrays(pa.array(logits.ravel()), logits.shape[1])
        # The chunk's fault stands in its first row.
        return pa.table({ROW: rows.column(ROW), "logits": answers, "fault": [fault] + [None] * (len(table) - 1)})


@dataclass
class PredictInParts:
    """`predict_table` on workers of a connected Ray; see `on_ray`.

    Args:
        folder: where parts are kept until `clear`; of the cache when None.
        workers: at most so many.
    """

    folder: Path | None = None
    workers: int | None = None
    _made: list[Parts] = field(default_factory=list, init=False)

    def __call__(
        self, bundle: Bundle, table: pd.DataFrame, batch_size: int = 32, progress: Progress | None = None
    ) -> pd.DataFrame:
        import pyarrow as pa

        if batch_size < 1:
            raise ValueError(f"Batch size {batch_size} is not possible. Expected 1 or more photos.")
        require_photos(table)
        sha256 = sha256_of(Path(bundle.folder) / "card.json")
        rows = pd.DataFrame({name: table[name].to_numpy() for name in _TAKEN}).assign(**{ROW: range(len(table))})
        rows["path"] = [str(Path(path).resolve()) for path in rows.path]
        asked = hashlib.sha256(rows.to_json(orient="split").encode()).hexdigest()
        about = {
            "work": "evaluate",
            "photos": asked,
            "card": sha256,
            "batch_size": batch_size,
            "engine": bundle.engine.name,
        }
        key = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]
        folder = (self.folder or cache_root() / "parts") / key
        parts = Parts(folder, len(rows), about, size=BATCHES * batch_size * 8)
        self._made.append(parts)
        unsound = stream_parts(
            AnswerWork(str(Path(bundle.folder).resolve()), sha256, batch_size),
            lambda span: pa.Table.from_pandas(rows.iloc[span.start : span.stop], preserve_index=False),
            parts,
            chunk=BATCHES * batch_size,
            workers=self.workers,
            progress=progress,
            sound=lambda part: part.column("fault").null_count == len(part),
        )
        faults = [fault for part in unsound for fault in part.column("fault").to_pylist() if fault]
        # Below each chunk's own first sentence stand the photos'.
        require_no_faults([line for fault in faults for line in fault.splitlines()[1:]], len(table))
        logits = np.array([row for part in parts.read() for row in part.column("logits").to_pylist()], "float64")
        return tell_probabilities(bundle, table, logits)

    def clear(self) -> None:
        """Removes the parts, once what they are for is written."""
        for parts in self._made:
            shutil.rmtree(parts.folder, ignore_errors=True)
