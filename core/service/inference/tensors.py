"""Tensors of the Open Inference Protocol V2: numbers as JSON, or as bytes behind it, to NumPy and back.

Reference: Open Inference Protocol 2, "Inference Request JSON Object" and "Tensor Data"; its extension "Binary tensor data".
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.service.refusals import MALFORMED, RequestRefused, repeated

# Of the types that the protocol knows, those that a network here takes or gives.
NUMBERS = {"UINT8": "uint8", "FP32": "<f4", "FP64": "<f8", "INT32": "<i4", "INT64": "<i8"}
TEXT = "BYTES"
# Where the JSON ends, in a body with bytes behind it.
HEADER_LENGTH = "Inference-Header-Content-Length"
# Of a tensor, long before memory is asked for.
MOST_ELEMENTS = 2**31


@dataclass(frozen=True)
class TensorKind:
    """A tensor that a network takes or gives.

    Args:
        shape: -1 where any number goes.
        datatypes: of `NUMBERS`, or `TEXT`; the first is what is given.
        about: one sentence.
        needed: whether a request must bring it.
    """

    name: str
    shape: tuple[int, ...]
    datatypes: tuple[str, ...]
    about: str
    needed: bool = False

    def to_json(self) -> dict:
        return {"name": self.name, "datatype": self.datatypes[0], "shape": list(self.shape)}


@dataclass(frozen=True)
class InferRequest:
    """What came.

    Args:
        identity: as the client calls the request, or None.
        inputs: tensor's name -> numbers, or a list of bytes where its type is `TEXT`.
        outputs: name -> whether it goes back as bytes; those that are wanted, all where empty.
        binary: whether outputs go back as bytes that say nothing of it.
    """

    identity: str | None
    inputs: Mapping[str, np.ndarray | list[bytes]]
    outputs: Mapping[str, bool] = field(default_factory=dict)
    binary: bool = False


def read_request(record: dict[str, Any], behind: bytes, kinds: Sequence[TensorKind]) -> InferRequest:
    """An inference request's tensors.

    Args:
        record: its JSON.
        behind: the bytes after it.
        kinds: of tensors that the network takes.

    Raises:
        RequestRefused: anything that is not as the protocol says, or not as the network takes it.
    """
    known, read = {kind.name: kind for kind in kinds}, {}
    inputs = record.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise _malformed(f"inputs is {repeated(inputs)}", "a list of tensors", known)
    place = 0
    for tensor in inputs:
        if not isinstance(tensor, dict):
            raise _malformed(f"An input is {repeated(tensor)}", "an object with name, shape, datatype and data", known)
        name = tensor.get("name")
        if not isinstance(name, str) or name not in known:
            raise _malformed(f"An input is named {repeated(name)}", f"one of: {', '.join(known)}", known)
        if name in read:
            raise _malformed(f"The input {name} came twice", "each once", known)
        size = _parameters(tensor, name).get("binary_data_size")
        if size is None:
            read[name] = _of_json(tensor, known[name])
            continue
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= len(behind) - place:
            raise _malformed(
                f"The input {name} says binary_data_size {repeated(size)}, and {len(behind) - place:,} bytes are left",
                f"the tensor's bytes behind the JSON, and the header {HEADER_LENGTH}",
                known,
            )
        read[name] = _of_bytes(tensor, known[name], behind[place : place + size])
        place += size
    if place != len(behind):
        raise _malformed(f"{len(behind) - place:,} bytes behind the JSON belong to no input", "none left over", known)
    if missing := [kind.name for kind in kinds if kind.needed and kind.name not in read]:
        raise _malformed(f"The input {missing[0]} is missing", "it", known)
    identity = record.get("id")
    if identity is not None and not isinstance(identity, str):
        raise _malformed(f"The id is {repeated(identity)}", "text", known)
    binary = _parameters(record, "the request").get("binary_data_output", False)
    return InferRequest(identity, read, _outputs(record, binary is True), binary is True)


def _outputs(record: dict[str, Any], binary: bool) -> dict[str, bool]:
    wanted = record.get("outputs", [])
    if not isinstance(wanted, list):
        raise RequestRefused(MALFORMED, f"outputs is {repeated(wanted)}. Expected a list of objects with a name.")
    as_binary = {}
    for one in wanted:
        name = one.get("name") if isinstance(one, dict) else None
        if not isinstance(name, str):
            raise RequestRefused(MALFORMED, f"An output is {repeated(one)}. Expected an object with a name.")
        as_binary[name] = _parameters(one, name).get("binary_data", binary) is True
    return as_binary


def _parameters(record: dict[str, Any], name: str) -> dict:
    parameters = record.get("parameters", {})
    if not isinstance(parameters, dict):
        raise RequestRefused(MALFORMED, f"The parameters of {name} are {repeated(parameters)}. Expected an object.")
    return parameters


def _shape(tensor: dict[str, Any], kind: TensorKind) -> tuple[int, ...]:
    """A tensor's shape, checked against what the network takes."""
    shape, wanted = tensor.get("shape"), kind.shape
    if not _fits(shape, wanted):
        expected = ", ".join("B" if side == -1 else str(side) for side in wanted)
        raise RequestRefused(MALFORMED, f"The input {kind.name} has the shape {repeated(shape)}. Expected [{expected}].")
    datatype = tensor.get("datatype")
    if datatype not in kind.datatypes:
        raise RequestRefused(
            MALFORMED,
            f"The input {kind.name} has the datatype {repeated(datatype)}. Expected {' or '.join(kind.datatypes)}.",
        )
    return tuple(tensor["shape"])


def _fits(shape: object, wanted: tuple[int, ...]) -> bool:
    if not isinstance(shape, list) or len(shape) != len(wanted):
        return False
    if not all(isinstance(side, int) and not isinstance(side, bool) and side >= 0 for side in shape):
        return False
    return math.prod(shape) <= MOST_ELEMENTS and all(one in (side, -1) for side, one in zip(shape, wanted, strict=True))


def _of_json(tensor: dict[str, Any], kind: TensorKind) -> np.ndarray | list[bytes]:
    """A tensor whose elements stand in the JSON, nested or in one list."""
    shape, data = _shape(tensor, kind), tensor.get("data")
    if not isinstance(data, list):
        raise RequestRefused(MALFORMED, f"The data of the input {kind.name} is {repeated(data)}. Expected a list.")
    datatype = tensor["datatype"]
    if datatype == TEXT:
        if len(data) != math.prod(shape) or not all(isinstance(one, str) for one in data):
            raise RequestRefused(
                MALFORMED, f"The input {kind.name} holds no {math.prod(shape)} texts. Expected as many as its shape."
            )
        return [one.encode("utf-8", "surrogatepass") for one in data]
    try:
        values = np.array(data)
    except (ValueError, RecursionError):
        raise RequestRefused(MALFORMED, f"The lists of the input {kind.name} differ in length. Expected rows alike.") from None
    if values.size != math.prod(shape) or (values.ndim > 1 and values.shape != shape):
        raise RequestRefused(
            MALFORMED,
            f"The input {kind.name} holds {values.size:,} numbers in lists of {list(values.shape)}. Expected {list(shape)}.",
        )
    if values.size and values.dtype.kind not in "iuf":
        raise RequestRefused(MALFORMED, f"The input {kind.name} holds what is no number. Expected {datatype}.")
    wanted = np.dtype(NUMBERS[datatype])
    whole = wanted.kind in "iu"
    bounds = np.iinfo(wanted) if whole else np.finfo(wanted)
    out = values.size and not (bounds.min <= values.min() and values.max() <= bounds.max)
    if out or (whole and values.dtype.kind == "f" and (values % 1 != 0).any()):
        raise RequestRefused(MALFORMED, f"The input {kind.name} holds numbers that are no {datatype}.")
    return values.astype(wanted).reshape(shape)


def _of_bytes(tensor: dict[str, Any], kind: TensorKind, data: bytes) -> np.ndarray | list[bytes]:
    """A tensor whose elements came behind the JSON, little-endian; texts each with its length before it."""
    shape, datatype = _shape(tensor, kind), tensor["datatype"]
    if datatype == TEXT:
        texts, place = [], 0
        while place < len(data):
            length = int.from_bytes(data[place : place + 4], "little")
            place += 4
            if place + length > len(data):
                break
            texts.append(data[place : place + length])
            place += length
        if place != len(data) or len(texts) != math.prod(shape):
            raise RequestRefused(
                MALFORMED,
                f"The bytes of the input {kind.name} are no {math.prod(shape)} elements. Expected each after its length in 4 bytes.",
            )
        return texts
    dtype = np.dtype(NUMBERS[datatype])
    length = math.prod(shape) * dtype.itemsize
    if len(data) != length:
        raise RequestRefused(
            MALFORMED,
            f"The input {kind.name} has {len(data):,} bytes. Expected {length:,} for {list(shape)} of {datatype}.",
        )
    return np.frombuffer(data, dtype).reshape(shape)


def write_response(record: dict, tensors: Mapping[str, np.ndarray], asked: InferRequest) -> tuple[bytes, int | None]:
    """A response's body.

    Args:
        record: its JSON but for the outputs.
        tensors: name -> finite numbers.

    Returns:
        The body, and how long its JSON is where bytes come behind it.

    Raises:
        RequestRefused: an output is wanted that there is none of.
    """
    if unknown := [name for name in asked.outputs if name not in tensors]:
        raise RequestRefused(MALFORMED, f"There is no output {repeated(unknown[0])}. Expected one of: {', '.join(tensors)}.")
    outputs, behind = [], []
    for name, values in tensors.items():
        if asked.outputs and name not in asked.outputs:
            continue
        values = np.ascontiguousarray(values, NUMBERS["FP32"])
        told: dict[str, Any] = {"name": name, "shape": list(values.shape), "datatype": "FP32"}
        if asked.outputs.get(name, asked.binary):
            behind.append(values.tobytes())
            told["parameters"] = {"binary_data_size": len(behind[-1])}
        else:
            told["data"] = values.ravel().tolist()
        outputs.append(told)
    head = json.dumps({**record, "outputs": outputs}, allow_nan=False).encode()
    return head + b"".join(behind), len(head) if behind else None


def text_tensor(values: Sequence[bytes]) -> bytes:
    """Texts as the bytes that stand for them behind the JSON."""
    return b"".join(struct.pack("<I", len(one)) + one for one in values)


def _malformed(came: str, expected: str, known: Mapping[str, TensorKind]) -> RequestRefused:
    return RequestRefused(MALFORMED, f"{came}. Expected {expected}. Inputs are {', '.join(known)}.")
