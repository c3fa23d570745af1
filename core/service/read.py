"""A photo and what is asked about it -> the record that the command line's `read --json` gives, and its maps if they are wanted."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.data.patient import SEXES, SITES
from core.diagnoses import CODES
from core.explain import EXPLAINERS, encode_png
from core.interchange import read_photos
from core.prevalence import AS_CALIBRATED, MIXTURES, find_mixture
from core.questions import OpenModel, Question, Words, read_facts
from core.reading import METHOD
from core.service.admission import expect_time
from core.service.refusals import CANNOT_BE, RequestRefused, repeated

MAPS = ("attention", "heatmap")
# Those that load TensorFlow take seconds and a gigabyte: nothing for a service that others wait for.
METHODS = tuple(name for name, row in EXPLAINERS.items() if not row.loads_tensorflow)
_WORDS = Words(force="force", header="header_facts", facts="age, sex and site")
_WRONG = "Expected as /openapi.json describes it."


def _one_of(*words: str) -> Any:
    return Field(json_schema_extra={"enum": list(words)})


class _Asked(BaseModel):
    """What is asked about a photo, however it comes."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    age: Annotated[
        float | Literal["unknown"] | None, Field(description="In years.", json_schema_extra={"examples": [55]})
    ] = None
    sex: Annotated[str, _one_of(*SEXES)] = "unknown"
    site: Annotated[str, _one_of(*SITES)] = "unknown"
    threshold: Annotated[
        float | None,
        Field(gt=0, lt=1, description="Yours, on the probability of melanoma: adds `decision` to the answer."),
    ] = None
    prevalence: Annotated[
        str | float,
        Field(
            description=f"Where the photo comes from: {', '.join((AS_CALIBRATED, *MIXTURES))}, or a share of melanoma."
        ),
    ] = AS_CALIBRATED
    explain: Annotated[str, _one_of(*METHODS)] = METHOD
    target: Annotated[str | None, Field(alias="class", description=f"Diagnosis to explain: {', '.join(CODES)}.")] = None
    jury: Annotated[bool, Field(description="Asks the other networks, too.")] = True
    force: Annotated[bool, Field(description="Reads also what the photo gate refuses.")] = False
    header_facts: Annotated[bool, Field(description="Takes from a DICOM header what age, sex and site leave out.")] = (
        False
    )
    maps: Annotated[
        list[Literal["attention", "heatmap"]],
        Field(description="Maps over the photo, as PNG in base64.", max_length=len(MAPS)),
    ] = []


class ReadRequest(_Asked):
    """What is asked, and the photo."""

    photo: Annotated[
        str, Field(min_length=1, description="The photo's file, as base64.", json_schema_extra={"format": "byte"})
    ]


class ReadForm(_Asked):
    """The same as a form, whose photo is the file itself."""

    photo: Annotated[bytes, Field(description="The photo's file.", json_schema_extra={"format": "binary"})]


def read_json_request(record: dict[str, Any]) -> tuple[ReadRequest, bytes]:
    """What was asked, and the photo.

    Raises:
        RequestRefused: a field that is missing, unknown or of another kind, or no base64.
    """
    asked = _checked(record)
    try:
        return asked, base64.b64decode(asked.photo, validate=True)
    except (binascii.Error, ValueError):
        raise RequestRefused(
            CANNOT_BE, "photo is no base64. Expected the photo's file as base64, without line ends."
        ) from None


def read_form_request(parts: dict[str, bytes]) -> tuple[ReadRequest, bytes]:
    """What was asked by a form, and the photo; empty fields are as if they were left out.

    Raises:
        RequestRefused: see `read_json_request`.
    """
    if not parts.get("photo"):
        raise RequestRefused(CANNOT_BE, "The form has no photo, or an empty one. Expected the photo's file as the part photo.")
    record: dict[str, Any] = {"photo": "sent apart"}
    for name, value in parts.items():
        if name == "photo":
            continue
        try:
            text = value.decode("utf-8").strip()
        except UnicodeDecodeError:
            raise RequestRefused(CANNOT_BE, f"{repeated(name)} is no text. Expected UTF-8.") from None
        if text:
            record[name] = [one.strip() for one in text.split(",")] if name == "maps" else text
    return _checked(record), parts["photo"]


def _checked(record: dict[str, Any]) -> ReadRequest:
    try:
        asked = ReadRequest.model_validate(record)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = str(first["loc"][0]) if first["loc"] else "The request"
        if first["type"] == "extra_forbidden":
            names = ", ".join(field.alias or name for name, field in ReadRequest.model_fields.items())
            raise RequestRefused(CANNOT_BE, f"There is nothing named {repeated(place)} to ask. Expected {names}.") from None
        if first["type"] == "missing":
            raise RequestRefused(CANNOT_BE, f"{place} is missing. {_WRONG}") from None
        raise RequestRefused(CANNOT_BE, f"{place} came as {repeated(first['input'])}: {first['msg']}. {_WRONG}") from None
    if asked.explain not in METHODS:
        raise RequestRefused(CANNOT_BE, f"explain came as {repeated(asked.explain)}. The service offers {', '.join(METHODS)}.")
    return asked


def answer(model: OpenModel, asked: ReadRequest, photo: bytes, deadline: float) -> bytes:
    """Reads a photo: one record, or a list of records where a DICOM file holds several frames.

    Args:
        deadline: of `time.monotonic`.

    Returns:
        JSON.

    Raises:
        RequestRefused: the time is over, or maps are wanted of too many frames.
        ValueError: an unreadable photo, facts that cannot be, or a place, method or diagnosis that there is not.
    """
    mixture = find_mixture(str(asked.prevalence), model.card.calibrated_shares)
    question = Question(
        read_facts(asked.age, asked.sex, asked.site),
        asked.explain,
        asked.target or None,
        mixture,
        asked.threshold,
        force=asked.force,
        jury=asked.jury,
        use_header=asked.header_facts,
        words=_WORDS,
    )
    expect_time(deadline)
    photos = read_photos(photo, "The photo", force=asked.force)
    records = []
    for number, one in enumerate(photos, 1):
        expect_time(deadline)
        answered = model.answer(one, question, paint=bool(asked.maps))
        record = {"frame": number, **answered.record} if len(photos) > 1 else dict(answered.record)
        if asked.maps and answered.reading is not None:
            overlays = dict(zip(MAPS, (answered.reading.attention_overlay, answered.reading.heatmap_overlay), strict=True))
            record["pictures"] = {
                f"{name}.png": base64.b64encode(encode_png(overlays[name])).decode()
                for name in dict.fromkeys(asked.maps)
            }
        records.append(record)
    return json.dumps(records if len(records) > 1 else records[0], allow_nan=False).encode()
