"""Readings over HTTP: the command line's record, its maps, and a sentence for whatever cannot be read or asked."""

import base64
import io
import json
import struct
import tempfile
import zlib

import numpy as np
import pytest
from asking import READ, encoded, jpeg, said
from made_up_dicom import make_dataset, to_bytes
from PIL import Image
from typer.testing import CliRunner

from core.__main__ import app
from core.trust.measures.drawings import draw_document


def timeless(record: dict) -> dict:
    return {key: value for key, value in record.items() if key not in ("seconds", "pictures")}


def bomb() -> bytes:
    """A PNG of a gigapixel in some kilobytes."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 32000, 32000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.fixture(scope="module")
def alone(measured_bundle_folder, tmp_path_factory):
    """What the command line says of a photo and facts, and the folder with its maps."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "mole.jpg").write_bytes(jpeg())
    asked = (
        "--age",
        "55",
        "--sex",
        "female",
        "--site",
        "back",
        "--prevalence",
        "0.1",
        "--threshold",
        "0.2",
        "--class",
        "bcc",
    )
    run = CliRunner().invoke(
        app,
        [
            "read",
            str(folder / "mole.jpg"),
            "--model",
            str(measured_bundle_folder),
            "--out",
            str(folder),
            "--force",
            *asked,
        ],
        catch_exceptions=False,
    )
    assert run.exit_code == 0, run.stderr
    return json.loads((folder / "reading.json").read_text()), folder


ASKED = {"age": 55, "sex": "female", "site": "back", "prevalence": 0.1, "threshold": 0.2, "class": "bcc", "force": True}


def test_a_form_and_json_give_the_record_and_the_maps_of_the_command_line(client, alone):
    record, folder = alone
    form = client.post(READ, files={"photo": ("anne-example.jpg", jpeg())}, data={**ASKED, "maps": "attention,heatmap"})
    body = client.post(READ, json={**ASKED, "photo": encoded(jpeg()), "maps": ["heatmap"]})
    assert form.status_code == body.status_code == 200, form.text
    for found in (form.json(), body.json()):
        assert timeless(found) == timeless(record)
    assert record["decision"]["threshold"] == 0.2 and record["target"] == "bcc"
    assert sorted(form.json()["pictures"]) == ["attention.png", "heatmap.png"] and len(body.json()["pictures"]) == 1
    for name, picture in form.json()["pictures"].items():
        assert base64.b64decode(picture) == (folder / name).read_bytes()
    assert "anne-example" not in form.text


def test_a_large_photo_stays_in_memory(client, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (900, 900, 3), "uint8")
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    assert len(file.getvalue()) > 2_000_000

    def refuse(*args, **kwargs):
        raise AssertionError("a file was opened")

    for name in ("SpooledTemporaryFile", "TemporaryFile", "NamedTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    assert client.post(READ, files={"photo": file.getvalue()}, data={"force": "true"}).status_code == 200


def test_what_the_gate_refuses_is_told_and_force_reads_it(client):
    file = io.BytesIO()
    Image.fromarray(draw_document(np.random.default_rng(5))).save(file, "PNG")
    refused = client.post(READ, files={"photo": file.getvalue()}, data={"maps": "heatmap"}).json()
    assert refused["gate"]["verdict"] == "refuse" and "probabilities" not in refused and "pictures" not in refused
    assert any(note.startswith("Not read. force reads it") for note in refused["notes"])
    forced = client.post(READ, files={"photo": file.getvalue()}, data={"force": "true"}).json()
    assert sum(forced["probabilities"].values()) == pytest.approx(1)


def test_a_dicom_file_is_read_frame_by_frame_and_names_nobody(client):
    pytest.importorskip("pydicom", reason="needs the extra `dicom`")
    one = to_bytes(make_dataset(PatientName="Example^Anne", PatientAge="055Y", PatientSex="F"))
    kept = client.post(READ, files={"photo": one}, data={"force": "true"})
    used = client.post(READ, files={"photo": one}, data={"force": "true", "header_facts": "true"}).json()
    assert kept.json()["header_facts"]["age"] == 55 and kept.json()["facts"]["age"] is None
    assert any("header_facts takes what age, sex and site leave out" in note for note in kept.json()["notes"])
    assert used["facts"]["age"] == 55 and used["facts"]["sex"] == "female"
    assert "Example" not in kept.text


LETTER = {"photo": encoded(b"not a photo")}
BAD = {
    "no type": ({"content": b"x"}, 415, "Content-Type"),
    "another type": ({"content": b"<p>", "headers": {"content-type": "text/html"}}, 415, "'text/html'"),
    "no body": ({"content": b"", "headers": {"content-type": "application/json"}}, 400, "empty"),
    "no boundary": ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, "boundary"),
    "half a form": (
        {
            "content": b'--b\r\nContent-Disposition: form-data; name="photo"\r\n\r\nab',
            "headers": {"content-type": "multipart/form-data; boundary=b"},
        },
        400,
        "too early",
    ),
    "no form": ({"content": b"hello", "headers": {"content-type": "multipart/form-data; boundary=b"}}, 400, "form"),
    "a part without a name": (
        {
            "content": b"--b\r\nA: b\r\n\r\nx\r\n--b--\r\n",
            "headers": {"content-type": "multipart/form-data; boundary=b"},
        },
        400,
        "no name",
    ),
    "parts without end": ({"files": [(f"f{i}", b"x") for i in range(40)]}, 400, "more than 30"),
    "a form without a photo": ({"files": {"picture": b"x"}}, 422, "no photo"),
    "no JSON": ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "JSON"),
    "a list": ({"json": [1]}, 400, "object"),
    "nested JSON": ({"content": b"[" * 900, "headers": {"content-type": "application/json"}}, 400, "JSON"),
    "a JSON bomb": (
        {"content": b"[" * 100_000, "headers": {"content-type": "application/json"}},
        400,
        "too many parts",
    ),
    "NaN": (
        {"content": b'{"photo": "aa", "threshold": NaN}', "headers": {"content-type": "application/json"}},
        400,
        "NaN",
    ),
    "no photo": ({"json": {"age": 5}}, 422, "photo is missing"),
    "no base64": ({"json": {"photo": "%%%"}}, 422, "base64"),
    "no photo in it": ({"json": LETTER}, 422, "text, not a photo"),
    "half a photo": ({"files": {"photo": jpeg()[:900]}}, 422, "damaged"),
    "a bomb": ({"files": {"photo": bomb()}}, 422, "would unpack to"),
    "an unknown field": ({"json": {**LETTER, "name": "Anne"}}, 422, "nothing named 'name'"),
    "an impossible age": ({"files": {"photo": jpeg()}, "data": {"age": "130"}}, 422, "Age 130"),
    "an age in words": ({"files": {"photo": jpeg()}, "data": {"age": "old"}}, 422, "age came as"),
    "HTML as site": ({"files": {"photo": jpeg()}, "data": {"site": "<script>"}}, 422, "body site"),
    "a wrong threshold": ({"files": {"photo": jpeg()}, "data": {"threshold": "1"}}, 422, "threshold"),
    "an infinite threshold": ({"files": {"photo": jpeg()}, "data": {"threshold": "1e999"}}, 422, "threshold"),
    "an unknown place": ({"files": {"photo": jpeg()}, "data": {"prevalence": "moon"}}, 422, "Unknown prevalence"),
    "an unknown class": ({"files": {"photo": jpeg()}, "data": {"class": "wart"}}, 422, "Unknown diagnosis"),
    "a slow method": ({"files": {"photo": jpeg()}, "data": {"explain": "score-cam"}}, 422, "offers"),
    "another map": ({"files": {"photo": jpeg()}, "data": {"maps": "gold"}}, 422, "maps"),
    "text that is none": ({"files": {"photo": jpeg()}, "data": {"sex": b"\xff\xfe"}}, 422, "UTF-8"),
}


@pytest.mark.parametrize("case", BAD)
def test_whatever_cannot_be_read_or_asked_gets_a_sentence(client, case):
    request, status, words = BAD[case]
    assert words in said(client.post(READ, **request), status)


def test_other_addresses_methods_and_models_get_a_sentence(client):
    photo = {"files": {"photo": jpeg()}}
    assert "'Nobody'" in said(client.post("/v2/models/Nobody/read", **photo), 404)
    for name in ("..%2f..%2fetc", "%2e%2e", "a%00b", "Drawn%2f..", "x" * 5000):
        assert said(client.post(f"/v2/models/{name}/read", **photo), 404)
    assert "nothing at this address" in said(client.get("/nothing"), 404)
    assert "another method" in said(client.get(READ), 405)
    assert "another method" in said(client.delete("/v2"), 405)
