"""The service as OpenAPI tells it: what bodies hold, what answers look like, and which refusals there are."""

from __future__ import annotations

from typing import Any

from core.diagnoses import CODES
from core.service import refusals
from core.service.bodies import BINARY, FORM, JSON
from core.service.inference.tensors import NUMBERS, TEXT
from core.service.read import ReadForm, ReadRequest

REFUSALS: dict[int, str] = {
    refusals.MALFORMED: "The request is not as the protocol says.",
    refusals.NO_KEY: "A key is missing or wrong.",
    refusals.NOT_THERE: "There is no such model.",
    refusals.TOO_SLOW: "The body did not arrive in time.",
    refusals.TOO_BIG: "The body is too long.",
    refusals.WRONG_TYPE: "The body is of another type.",
    refusals.MISDIRECTED: "The service is not known by the name in the Host header.",
    refusals.CANNOT_BE: "A photo that cannot be read, or what cannot be asked.",
    refusals.BUSY: "As many requests are there as may be; Retry-After says when to ask again.",
    refusals.NOT_NOW: "Loading, stopping, or the model is damaged.",
    refusals.TOOK_TOO_LONG: "There was no answer in time.",
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}},
    "additionalProperties": False,
}
_NUMBER, _WORD = {"type": "number"}, {"type": "string"}
_BY_DIAGNOSIS = {"type": "object", "properties": dict.fromkeys(CODES, _NUMBER), "additionalProperties": False}


def _object(required: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": {**required, **more}}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


_TENSOR = _object({"name": _WORD, "datatype": _WORD, "shape": _list({"type": "integer"})})
SERVER = _object({"name": _WORD, "version": _WORD, "extensions": _list(_WORD)})
HEALTH = {"type": "object"}
MODELS = _object({"models": _list(_WORD)})
MODEL_METADATA = _object(
    {"name": _WORD, "versions": _list(_WORD), "platform": _WORD, "inputs": _list(_TENSOR), "outputs": _list(_TENSOR)}
)
INFERENCE = _object({"model_name": _WORD, "model_version": _WORD, "outputs": _list(_TENSOR)}, id=_WORD)
_RECORD = _object(
    {"model": _WORD, "facts": {"type": "object"}, "notes": _list(_WORD), "faults": _list(_WORD), "notice": _WORD},
    probabilities={**_BY_DIAGNOSIS, "description": "Missing where the photo gate kept the photo from being read."},
    top={"type": "string", "enum": list(CODES)},
    malignancy=_NUMBER,
    gate={"type": ["object", "null"]},
    decision={"type": "object", "description": "Of the rule costs, where a threshold was given."},
    pictures={
        "type": "object",
        "description": "Maps as PNG in base64, where they were asked for.",
        "additionalProperties": _WORD,
    },
    frame={"type": "integer", "description": "Of a DICOM file with several, which are answered by a list."},
)
READING = {"oneOf": [_RECORD, _list(_RECORD)]}

_INPUT = {
    "type": "object",
    "required": ["name", "shape", "datatype"],
    "properties": {
        "name": {"type": "string", "enum": ["image", "photo", "age", "sex", "site"]},
        "shape": _list({"type": "integer", "minimum": 0}),
        "datatype": {"type": "string", "enum": [*NUMBERS, TEXT]},
        "parameters": {"type": "object"},
        "data": {"type": "array", "items": {}},
    },
}
_INFER = _object(
    {"inputs": {"type": "array", "minItems": 1, "items": _INPUT}},
    id=_WORD,
    parameters={"type": "object"},
    outputs=_list(_object({"name": {"type": "string", "enum": ["probabilities", "logits", "attention"]}})),
)


def _body(**content: Any) -> dict[str, Any]:
    return {
        "requestBody": {"required": True, "content": {kind: {"schema": schema} for kind, schema in content.items()}}
    }


# Tensors as bytes behind the JSON come with a header of their own; OpenAPI has no words for such a body.
BODY_OF_INFER = _body(**{JSON: _INFER})
BODY_OF_READ = _body(**{FORM: ReadForm.model_json_schema(), JSON: ReadRequest.model_json_schema()})


def responses(answer: dict[str, Any], *statuses: int) -> dict[int | str, dict[str, Any]]:
    """An operation's responses.

    Args:
        answer: schema of what it gives.
        statuses: of refusals, keys of `REFUSALS`; those that every operation has are added.
    """
    by_status: dict[int | str, dict[str, Any]] = {
        200: {"description": "The answer.", "content": {JSON: {"schema": answer}}}
    }
    if answer is INFERENCE:
        by_status[200]["content"][BINARY] = {"schema": {"type": "string", "format": "binary"}}
    for status in sorted({*statuses, refusals.NO_KEY, refusals.MISDIRECTED, refusals.CANNOT_BE}):
        by_status[status] = {"description": REFUSALS[status], "content": {JSON: {"schema": _ERROR}}}
        if status in (refusals.BUSY, refusals.NOT_NOW):
            by_status[status]["headers"] = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}}}
    return by_status
