"""The Open Inference Protocol V2: the engine's own digits, as JSON and as bytes, and a sentence for tensors that do not fit."""

import base64
import json

import numpy as np
import pytest
from asking import jpeg, said

from core.bundle import load_bundle
from core.data.images import fit_image, read_photo
from core.data.patient import Facts
from core.service.inference.tensors import text_tensor

INFER = "/v2/models/Drawn/infer"
LENGTH = "Inference-Header-Content-Length"


@pytest.fixture(scope="module")
def bundle(measured_bundle_folder):
    return load_bundle(measured_bundle_folder)


@pytest.fixture(scope="module")
def images(bundle):
    return np.stack([fit_image(read_photo(jpeg(seed=seed)), bundle.card.image_size) for seed in range(3)])


def tensor(name, values, datatype, **more):
    values = np.asarray(values)
    return {"name": name, "shape": list(values.shape), "datatype": datatype, "data": values.ravel().tolist(), **more}


def outputs(answer) -> dict:
    assert answer.status_code == 200, answer.text
    return {o["name"]: np.reshape(o["data"], o["shape"]) for o in answer.json()["outputs"]}


def bytes_request(tensors, **more):
    """A request with its tensors behind the JSON."""
    inputs = [
        {"name": n, "shape": shape, "datatype": kind, "parameters": {"binary_data_size": len(data)}}
        for n, shape, kind, data in tensors
    ]
    head = json.dumps({"inputs": inputs, **more}).encode()
    headers = {"content-type": "application/octet-stream", LENGTH: str(len(head))}
    return {"content": head + b"".join(t[3] for t in tensors), "headers": headers}


def test_the_engines_own_digits_come_back(client, bundle, images):
    facts = [Facts(55, "female", "back"), Facts(), Facts(7.5, "unknown", "lower extremity")]
    metadata = np.stack([bundle.card.facts_encoder.encode(f) for f in facts])
    logits, attention = bundle.engine.head(bundle.engine.encode(images), metadata)
    told = [
        tensor("age", [55.0, -1.0, 7.5], "FP32"),
        {"name": "sex", "shape": [3], "datatype": "BYTES", "data": ["female", "unknown", "unknown"]},
        {"name": "site", "shape": [3], "datatype": "BYTES", "data": ["back", "unknown", "lower extremity"]},
    ]
    answer = client.post(INFER, json={"id": "one", "inputs": [tensor("image", images.astype("uint8"), "UINT8"), *told]})
    found = outputs(answer)
    np.testing.assert_array_equal(found["logits"].astype("float32"), logits)
    np.testing.assert_array_equal(found["attention"].astype("float32"), attention)
    np.testing.assert_allclose(found["probabilities"], bundle.card.calibration.probabilities(logits), rtol=1e-6)
    assert answer.json()["id"] == "one" and answer.json()["model_name"] == "Drawn"


def test_bytes_nested_lists_floats_and_photo_files_say_the_same(client, images):
    shape, wanted = list(images.shape), [{"name": "logits"}]
    plain = outputs(client.post(INFER, json={"inputs": [tensor("image", images, "FP32")], "outputs": wanted}))
    assert list(plain) == ["logits"]
    nested = {"name": "image", "shape": shape, "datatype": "UINT8", "data": images.astype("uint8").tolist()}
    photos = [jpeg(seed=seed) for seed in range(3)]
    in_json = [base64.b64encode(photo).decode() for photo in photos]
    others = [
        client.post(INFER, json={"inputs": [nested]}),
        client.post(INFER, **bytes_request([("image", shape, "UINT8", images.astype("uint8").tobytes())])),
        client.post(INFER, **bytes_request([("image", shape, "FP32", images.astype("<f4").tobytes())])),
        client.post(INFER, json={"inputs": [{"name": "photo", "shape": [3], "datatype": "BYTES", "data": in_json}]}),
        client.post(INFER, **bytes_request([("photo", [3], "BYTES", text_tensor(photos))])),
    ]
    for answer in others:
        np.testing.assert_array_equal(outputs(answer)["logits"], plain["logits"])
    answer = client.post(
        INFER,
        **bytes_request(
            [("image", shape, "UINT8", images.astype("uint8").tobytes())],
            outputs=[{"name": "logits", "parameters": {"binary_data": True}}],
        ),
    )
    length = int(answer.headers[LENGTH])
    (told,) = json.loads(answer.content[:length])["outputs"]
    assert told["parameters"] == {"binary_data_size": len(answer.content) - length}
    np.testing.assert_array_equal(
        np.frombuffer(answer.content[length:], "<f4").reshape(3, 7), plain["logits"].astype("f4")
    )


def test_a_model_tells_its_tensors_and_the_service_its_extensions(client, bundle):
    told = client.get("/v2/models/Drawn").json()
    assert told["name"] == "Drawn" and told["platform"] == "onnxruntime"
    size = bundle.card.image_size
    assert told["inputs"][0] == {"name": "image", "datatype": "UINT8", "shape": [-1, size, size, 3]}
    assert told["outputs"][0] == {"name": "probabilities", "datatype": "FP32", "shape": [-1, 7]}
    assert "binary_tensor_data" in client.get("/v2").json()["extensions"]
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/Drawn/ready"):
        assert client.get(path).status_code == 200
    assert client.get("/v2/models").json() == {"models": ["Drawn"]}
    assert said(client.get("/v2/models/Other/ready"), 404)


def one(**changes):
    return {"inputs": [{"name": "image", "shape": [1, 64, 64, 3], "datatype": "UINT8", "data": [1] * 12288, **changes}]}


BAD = {
    "no inputs": ({}, "inputs is None"),
    "inputs of another kind": ({"inputs": ["image"]}, "An input is 'image'"),
    "an unknown input": (one(name="<b>"), "named '<b>'"),
    "one input twice": ({"inputs": one()["inputs"] * 2}, "came twice"),
    "another shape": (one(shape=[1, 32, 32, 3]), "shape [1, 32, 32, 3]"),
    "a negative shape": (one(shape=[-1, 64, 64, 3]), "shape"),
    "a giant shape": (one(shape=[10**12, 64, 64, 3]), "shape"),
    "a shape in words": (one(shape="large"), "'large'"),
    "no shape": ({"inputs": [{"name": "image", "datatype": "UINT8", "data": [1]}]}, "shape None"),
    "another type": (one(datatype="FP16"), "datatype 'FP16'"),
    "too few numbers": (one(data=[1] * 5), "holds 5 numbers"),
    "no list": (one(data="1, 2"), "Expected a list"),
    "ragged lists": (one(data=[[1, 2], [3]]), "differ in length"),
    "words": (one(data=["a"] * 12288), "no number"),
    "nothing": (one(data=[None] * 12288), "no number"),
    "truths": (one(data=[True] * 12288), "no number"),
    "no colours": (one(data=[256] * 12288), "no UINT8"),
    "halves": (one(data=[1.5] * 12288), "no UINT8"),
    "negative colours": (one(data=[-1.0] * 12288, datatype="FP32"), "no colours"),
    "an infinite number": (one(data=[1] * 12287 + [1e39], datatype="FP32"), "no FP32"),
    "an empty batch": (one(shape=[0, 64, 64, 3], data=[]), "0 images"),
    "facts of another patient": ({"inputs": [*one()["inputs"], tensor("age", [5.0, 6.0], "FP32")]}, "2 rows"),
    "facts alone": ({"inputs": [tensor("age", [5.0], "FP32")]}, "image or the input photo"),
    "an unknown output": ({**one(), "outputs": [{"name": "truth"}]}, "no output 'truth'"),
    "outputs of another kind": ({**one(), "outputs": "all"}, "outputs is 'all'"),
    "bytes that are not there": (one(parameters={"binary_data_size": 10}), "0 bytes are left"),
    "parameters of another kind": (one(parameters=[]), "parameters"),
    "an id of another kind": ({**one(), "id": 5}, "id is 5"),
    "no base64": ({"inputs": [{"name": "photo", "shape": [1], "datatype": "BYTES", "data": ["%"]}]}, "base64"),
}


@pytest.mark.parametrize("case", BAD)
def test_tensors_that_do_not_fit_get_a_sentence(client, case):
    request, words = BAD[case]
    assert words in said(client.post(INFER, json=request), 400)


def test_numbers_that_are_none_are_refused_in_every_form(client, images):
    spoilt = images.astype("<f4")
    spoilt[1, 5, 5, 0] = np.nan
    request = bytes_request([("image", list(spoilt.shape), "FP32", spoilt.tobytes())])
    assert "no NaN" in said(client.post(INFER, **request), 400)
    text = json.dumps(one(data=[float("nan")] * 12288, datatype="FP32"))
    assert "NaN" in said(client.post(INFER, content=text, headers={"content-type": "application/json"}), 400)
    age = np.array([np.nan], "<f4").tobytes()
    request = bytes_request([("image", [1, 64, 64, 3], "UINT8", bytes(12288)), ("age", [1], "FP32", age)])
    assert "age holds NaN" in said(client.post(INFER, **request), 400)


def test_facts_and_photos_that_cannot_be_are_refused(client):
    impossible = {"inputs": [*one()["inputs"], tensor("age", [500.0], "FP32")]}
    assert "Age 500" in said(client.post(INFER, json=impossible), 422)
    letter = base64.b64encode(b"not a photo").decode()
    request = {"inputs": [{"name": "photo", "shape": [1], "datatype": "BYTES", "data": [letter]}]}
    assert "Photo 1 is text" in said(client.post(INFER, json=request), 422)


def test_bytes_that_do_not_fit_the_json_are_refused(client):
    request = bytes_request([("image", [1, 64, 64, 3], "UINT8", bytes(12288))])
    cut = {**request, "content": request["content"][:-1]}
    assert "bytes are left" in said(client.post(INFER, **cut), 400)
    more = {**request, "content": request["content"] + b"x"}
    assert "belong to no input" in said(client.post(INFER, **more), 400)
    for length, words in (("-5", "Expected the bytes"), ("9" * 30, "the body has"), ("2", "JSON")):
        wrong = {**request, "headers": {**request["headers"], LENGTH: length}}
        assert words in said(client.post(INFER, **wrong), 400)
    short = bytes_request([("image", [1, 64, 64, 3], "UINT8", bytes(12287))])
    assert "Expected 12,288" in said(client.post(INFER, **short), 400)
    torn = bytes_request([("photo", [1], "BYTES", b"\xff\xff\xff\xffab")])
    assert "after its length" in said(client.post(INFER, **torn), 400)
