"""Results in parts on the disk: each appears whole or not at all, so what was stopped goes on after the last whole part."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.files import check_folder_takes, clear_leftovers, make_folder, write_text, written_whole

if TYPE_CHECKING:
    import pyarrow as pa

PARTS_FILE = "parts.json"
# Photos of a part: a few minutes of one core, and a file of some megabytes.
PART = 1024


class Parts:
    """A folder of `part-00000.parquet` and so on, and `parts.json`, which says of what.

    Args:
        folder: made if need be.
        rows: how many are asked for.
        about: what the parts depend on, as plain values: a digest of the list, the model, the questions.
        size: rows of a part.

    Raises:
        ValueError: the folder holds parts of something else.
    """

    def __init__(self, folder: Path, rows: int, about: Mapping[str, object], size: int = PART):
        self.folder, self.rows, self.size = Path(folder), rows, size
        check_folder_takes(self.folder)
        record = json.loads(json.dumps({"rows": rows, "size": size, **about}))
        place = self.folder / PARTS_FILE
        if place.is_file():
            try:
                there = json.loads(place.read_text(encoding="utf-8"))
            except ValueError:
                there = {}
            if there != record:
                other = ", ".join(sorted(k for k in record.keys() | there.keys() if record.get(k) != there.get(k)))
                raise ValueError(
                    f"{self.folder} holds parts of something else (other: {other}). Choose another --out, or delete that folder."
                )
            clear_leftovers(self.folder)
            return
        make_folder(self.folder)
        if strangers := sorted(self.folder.glob("part-*.parquet")):
            raise ValueError(
                f"{strangers[0]} is there, but no {PARTS_FILE} that says of what. Choose another --out, or delete it."
            )
        write_text(place, json.dumps(record, indent=1) + "\n")

    def __len__(self) -> int:
        return math.ceil(self.rows / self.size)

    def path(self, part: int) -> Path:
        return self.folder / f"part-{part:05d}.parquet"

    def span(self, part: int) -> range:
        """The rows of a part."""
        return range(part * self.size, min(self.rows, (part + 1) * self.size))

    def missing(self) -> list[int]:
        """Parts that are still to be made."""
        return [part for part in range(len(self)) if not self.path(part).is_file()]

    def write(self, part: int, table: pa.Table) -> Path:
        """Writes a part."""
        import pyarrow.parquet as pq

        with written_whole(self.path(part)) as scratch:
            pq.write_table(table, scratch)
        return self.path(part)

    def read(self) -> Iterator[pa.Table]:
        """The parts, in order.

        Raises:
            ValueError: a part that is damaged.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        for part in range(len(self)):
            try:
                yield pq.read_table(self.path(part))
            except (pa.ArrowException, OSError) as error:
                raise ValueError(
                    f"{self.path(part)} is damaged: {str(error).splitlines()[0]} Delete it and start the command again."
                ) from None
