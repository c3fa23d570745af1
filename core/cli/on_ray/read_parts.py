"""`read --ray`: photos of a folder, a list or an address, read by workers into Parquet parts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.cli.terminal import progress, quiet_libraries, results, say_error, sentence
from core.cluster.parts import Parts
from core.cluster.photo_rows import PhotoRow, digest_of_rows, fetch, list_rows
from core.cluster.ray_runtime import on_ray
from core.cluster.stream import ROW, stream_parts

if TYPE_CHECKING:
    import pyarrow as pa

    from core.data.patient import Facts
    from core.interchange import SourcePhoto
    from core.questions import Question

# Photos that a worker takes at a time.
CHUNK = 16


class ReadQuestions(Protocol):
    """What `read` was asked about each photo; see `core.cli.photos.questions.Questions`."""

    question: Question

    def read_photo(self, path: Path, read: SourcePhoto, *, given: Facts) -> dict: ...

    def digest(self) -> dict: ...


@dataclass
class ReadWork:
    """Reads rows of a list as `read` reads photos; the model is loaded for the first one.

    Args:
        questions: what `read` was asked, its model not loaded yet.
    """

    questions: ReadQuestions

    def __call__(self, rows: pa.Table) -> pa.Table:
        import pyarrow as pa

        records = []
        for row in rows.to_pylist():
            number = row.pop(ROW)
            records += [_flat(number, row["photo"], record) for record in self._read(PhotoRow(**row))]
        return pa.Table.from_pylist(records, schema=schema())

    def _read(self, row: PhotoRow) -> list[dict]:
        from core.card import InvalidBundle
        from core.interchange import read_photos

        asked, name = self.questions, row.photo.rpartition("/")[2]
        try:
            given = _facts(asked.question.facts, row)
            photos = read_photos(fetch(row.photo), name, force=asked.question.force)
            readings = [asked.read_photo(Path(name), photo, given=given) for photo in photos]
        except InvalidBundle:
            raise
        except Exception as error:  # noqa: BLE001 - one photo's fault must not cost the others their reading
            return [{"error": sentence(error)}]
        return readings if len(readings) == 1 else [{"frame": number, **one} for number, one in enumerate(readings, 1)]


def _facts(given, row: PhotoRow):
    """The list's facts, and those of the command line where it has none."""
    from core.questions import read_facts

    return read_facts(
        given.age if row.age is None else row.age,
        given.sex if row.sex is None else row.sex,
        given.site if row.site is None else row.site,
    )


def schema() -> pa.Schema:
    """Columns of a part: what is asked for most, and the whole record as JSON."""
    import pyarrow as pa

    from core.diagnoses import CODES

    return pa.schema(
        [
            (ROW, pa.int64()),
            ("photo", pa.string()),
            ("frame", pa.int32()),
            ("error", pa.string()),
            ("gate", pa.string()),
            *((code, pa.float64()) for code in CODES),
            ("top", pa.string()),
            ("malignancy", pa.float64()),
            ("set", pa.list_(pa.string())),
            ("record", pa.string()),
        ]
    )


def _flat(number: int, photo: str, record: dict) -> dict:
    return {
        ROW: number,
        "photo": photo,
        "frame": record.get("frame"),
        "error": record.get("error"),
        "gate": (record.get("gate") or {}).get("verdict"),
        **record.get("probabilities", {}),
        "top": record.get("top"),
        "malignancy": record.get("malignancy"),
        "set": record.get("set"),
        "record": json.dumps(record, allow_nan=False),
    }


def read_in_parts(questions: ReadQuestions, sources: list[str], out: Path, address: str, workers: int | None) -> int:
    """Reads photos on Ray, into `out`/part-00000.parquet and so on.

    Returns:
        Photos that could not be read.
    """
    import pyarrow as pa

    rows = list_rows(sources)
    about = {"work": "read", "photos": digest_of_rows(rows), "asked": questions.digest()}
    parts = Parts(out, len(rows), about)

    def table(span: range) -> pa.Table:
        return pa.table({ROW: list(span)} | _columns(rows[span.start : span.stop]))

    with quiet_libraries(), progress("Starting Ray") as update, on_ray(address, workers):
        stream_parts(
            ReadWork(questions),
            table,
            parts,
            chunk=CHUNK,
            workers=workers,
            progress=lambda done, total: update(done, total, "Reading"),
        )
    return _tell(parts)


def _columns(rows: list[PhotoRow]) -> dict:
    import pyarrow as pa

    return {
        name: pa.array([getattr(row, name) for row in rows], pa.string()) for name in ("photo", "age", "sex", "site")
    }


def _tell(parts: Parts) -> int:
    """Sums the parts up; returns how many lines hold an error."""
    counts: dict[str, int] = {}
    wrong: list[str] = []
    failed = 0
    for table in parts.read():
        for error, top in zip(*(table.column(c).to_pylist() for c in ("error", "top")), strict=True):
            if error is not None:
                failed += 1
                wrong += [error] if len(wrong) < 5 else []
            else:
                key = top or "refused by the gate"
                counts[key] = counts.get(key, 0) + 1
    console = results()
    told = ", ".join(f"{count:,} {key}" for key, count in sorted(counts.items(), key=lambda item: -item[1])) or "none"
    console.print(f"Most probable: {told}.", markup=False, soft_wrap=True)
    console.print(
        f"Written to {parts.folder}: {len(parts):,} parts. For research and teaching; not a medical device.",
        markup=False,
        soft_wrap=True,
    )
    for error in wrong:
        say_error(error)
    if failed:
        say_error(f"{failed:,} of {parts.rows:,} photos could not be read; the column `error` says why.")
    return failed
