"""What a request's body holds, read piece by piece within bounds, and never written to a disk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request

from core.service.refusals import MALFORMED, TOO_BIG, TOO_SLOW, WRONG_TYPE, RequestRefused, repeated

JSON, FORM, BINARY = "application/json", "multipart/form-data", "application/octet-stream"
# Of a form. A photo and what is asked about it are a dozen.
MOST_PARTS = 30
# Of one part's headers, bytes.
MOST_HEADER = 8192
# Commas and brackets in the JSON of a question; base64 has none.
MOST_MARKS = 1000


def content_type(request: Request, *expected: str) -> tuple[str, dict[bytes, bytes]]:
    """A body's type, and its parameters.

    Raises:
        RequestRefused: none of the expected ones.
    """
    raw, parameters = parse_options_header(request.headers.get("content-type", ""))
    kind = raw.decode("latin-1").strip().lower()
    if kind not in expected:
        came = f"came as {repeated(kind)}" if kind else "says not what it is"
        raise RequestRefused(WRONG_TYPE, f"The body {came}. Expected the header Content-Type: {' or '.join(expected)}.")
    return kind, parameters


async def read_body(request: Request, most: int, seconds: float, take: Callable[[int], None]) -> bytes:
    """A request's body; one that is too long is refused before it is read to its end.

    Args:
        most: bytes.
        seconds: for it to arrive.
        take: counts the bytes; see `Admission.memory`.

    Raises:
        RequestRefused: too long, too slow, or empty.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most:
        raise _too_big(most)
    pieces, length = [], 0
    try:
        async with asyncio.timeout(seconds):
            async for piece in request.stream():
                length += len(piece)
                if length > most:
                    raise _too_big(most)
                take(len(piece))
                pieces.append(piece)
    except TimeoutError:
        raise RequestRefused(TOO_SLOW, f"The body did not arrive within {seconds:g} s. Send it again.") from None
    except ClientDisconnect:
        raise RequestRefused(MALFORMED, "The connection ended before the body did.") from None
    if not length:
        raise RequestRefused(MALFORMED, "The body is empty. Expected a request, as /openapi.json describes it.")
    return b"".join(pieces)


def _too_big(most: int) -> RequestRefused:
    return RequestRefused(
        TOO_BIG, f"The body is longer than {most / 1e6:,.0f} MB. Send less at once, or a smaller photo."
    )


def read_object(body: bytes, *, flat: bool = False) -> dict[str, Any]:
    """A JSON object.

    Args:
        flat: refuses one with many parts before it is parsed, since each takes far more memory than its text.

    Raises:
        RequestRefused: anything else.
    """
    if flat and sum(map(body.count, (b",", b"[", b"{"))) > MOST_MARKS:
        raise RequestRefused(MALFORMED, "The JSON has too many parts. Expected one flat object, its photo as base64.")
    try:
        record = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        why = "is nested too deeply" if isinstance(error, RecursionError) else f"cannot be read ({error})"
        raise RequestRefused(MALFORMED, f"The JSON {why}. Expected one object, UTF-8.") from None
    if not isinstance(record, dict):
        raise RequestRefused(MALFORMED, f"The JSON is {repeated(record)}. Expected an object, such as {{...}}.")
    return record


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


@dataclass
class _Part:
    """A part of a form while it arrives."""

    header: bytes = b""
    value: bytes = b""
    disposition: bytes = b""
    data: bytearray | None = None


def read_form(body: bytes, boundary: bytes) -> dict[str, bytes]:
    """The parts of a multipart form by name; files and fields alike, names of files left out.

    Raises:
        RequestRefused: no form, too many parts, one without a name, or two of one name.
    """
    form = _Form()
    try:
        parser = MultipartParser(boundary, form.hearers())
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise RequestRefused(MALFORMED, f"The form cannot be read ({error}). Expected {FORM}.") from None
    if not form.ended:
        raise RequestRefused(MALFORMED, f"The form ends too early. Expected {FORM} with its closing boundary.")
    return form.parts


class _Form:
    """What a parser tells of a form, piece by piece."""

    def __init__(self):
        self.parts: dict[str, bytes] = {}
        self.ended = False
        self._part = _Part()

    def hearers(self) -> dict[str, Callable]:
        """What the parser calls for each piece."""
        return {
            "on_part_begin": self._begin_part,
            "on_part_data": self._add_data,
            "on_part_end": self._end_part,
            "on_header_field": self._add_header,
            "on_header_value": self._add_value,
            "on_header_end": self._end_header,
            "on_end": self._end,
        }

    def _begin_part(self) -> None:
        if len(self.parts) >= MOST_PARTS:
            raise RequestRefused(
                MALFORMED, f"The form has more than {MOST_PARTS} parts. Expected a photo and what is asked of it."
            )
        self._part = _Part(data=bytearray())

    def _add_header(self, data: bytes, start: int, end: int) -> None:
        self._part.header += data[start:end]
        _check_header(self._part.header)

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._part.value += data[start:end]
        _check_header(self._part.value)

    def _end_header(self) -> None:
        part = self._part
        if part.header.lower() == b"content-disposition":
            part.disposition = part.value
        part.header = part.value = b""

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.data is not None:
            self._part.data += data[start:end]

    def _end_part(self) -> None:
        _, options = parse_options_header(self._part.disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if not name:
            raise RequestRefused(
                MALFORMED, 'A part of the form has no name. Expected Content-Disposition: form-data; name="photo".'
            )
        if name in self.parts:
            raise RequestRefused(
                MALFORMED, f"The form has two parts named {repeated(name)}. Expected one of each name."
            )
        self.parts[name] = bytes(self._part.data or b"")

    def _end(self) -> None:
        self.ended = True


def _check_header(header: bytes) -> None:
    if len(header) > MOST_HEADER:
        raise RequestRefused(MALFORMED, f"A header within the form is longer than {MOST_HEADER} bytes.")
