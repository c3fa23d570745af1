"""Who is let in: keys, names, a bounded queue, bounded bodies and times. Whoever is not let in hears why."""

import threading
import time

import pytest
from asking import READ, jpeg, opened, said
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from core.__main__ import app
from core.service.app import Service
from core.service.metrics import Metrics
from core.service.served import ServedModels
from core.service.settings import KEYS_VARIABLE, Settings, read_keys

KEY, OTHER = "a" * 24, "b" * 24


def post(client, **more):
    return client.post(READ, files={"photo": jpeg()}, data={"force": "true"}, **more)


@pytest.fixture
def slow(client, monkeypatch):
    """A model that answers when it is let; gives the event that lets it."""
    go, model = threading.Event(), client.service.models.find("Drawn")
    whole = model.answer

    def answer(photo, question, **more):
        go.wait(20)
        return whole(photo, question, **more)

    monkeypatch.setattr(model, "answer", answer)
    yield go
    go.set()


def in_threads(count: int, work) -> list:
    found = []
    threads = [threading.Thread(target=lambda: found.append(work())) for _ in range(count)]
    for thread in threads:
        thread.start()
    return [threads, found]


def wait_until(true, seconds=20):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_only_a_key_opens_and_health_needs_none(measured_bundle_folder, tmp_path, monkeypatch):
    file = tmp_path / "keys.txt"
    file.write_text(f"# of the ward\n\n{KEY}\n")
    monkeypatch.setenv(KEYS_VARIABLE, OTHER)
    with opened([measured_bundle_folder], keys=read_keys(file)) as client:
        for headers in (
            {},
            {"authorization": "Bearer wrong"},
            {"x-api-key": KEY[:-1]},
            {"authorization": f"Basic {KEY}"},
        ):
            words = "A key is needed" if headers == {} or "Basic" in str(headers) else "opens nothing here"
            assert words in said(post(client, headers=headers), 401)
            assert client.get("/metrics", headers=headers).status_code == 401
        for headers in ({"authorization": f"Bearer {KEY}"}, {"x-api-key": KEY}, {"authorization": f"bearer {OTHER}"}):
            assert post(client, headers=headers).status_code == 200
        assert client.get("/v2/health/ready").status_code == 200


def test_keys_that_are_none_and_an_open_door_are_told_before_anything_is_loaded(tmp_path, monkeypatch):
    def serve(*options):
        done = CliRunner().invoke(app, ["serve", "--port", "0", *options])
        assert done.exit_code == 1 and len(done.stderr.splitlines()) == 1
        return done.stderr

    monkeypatch.delenv(KEYS_VARIABLE, raising=False)
    empty, short = tmp_path / "empty.txt", tmp_path / "short.txt"
    empty.write_text("# none\n")
    short.write_text("secret\n")
    assert "holds no key" in serve("--keys", str(empty))
    assert "can be guessed" in serve("--keys", str(short)) and "secret" not in serve("--keys", str(short))
    assert "cannot be read" in serve("--keys", str(tmp_path / "none.txt"))
    assert "reached by others" in serve("--address", "0.0.0.0")
    assert "no path" in serve("--base-path", "a b")
    assert "No model 'Nobody'" in serve("Nobody")


def test_other_names_than_those_allowed_are_refused(client):
    assert "--allowed-host" in said(client.get("/v2", headers={"host": "evil.example.org"}), 421)
    assert client.get("/v2", headers={"host": "testserver:8080"}).status_code == 200
    assert client.get("/v2/health/live", headers={"host": "10.0.0.7"}).status_code == 200


def test_more_than_the_queue_holds_are_refused_and_those_in_it_answered(client, slow, monkeypatch):
    monkeypatch.setattr(client.service.admission, "most", 3)
    threads, found = in_threads(3, lambda: post(client))
    wait_until(lambda: client.service.admission.accepted == 3)
    refused = post(client)
    assert "3 requests" in said(refused, 429) and int(refused.headers["retry-after"]) >= 1
    assert client.get("/v2/health/ready").status_code == 200
    slow.set()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in found] == [200] * 3
    wait_until(lambda: client.service.admission.accepted == 0)
    assert post(client).status_code == 200


def test_an_answer_that_takes_too_long_is_refused_and_keeps_its_place_until_it_ends(client, slow, monkeypatch):
    monkeypatch.setattr(client.service.admission, "_seconds", 0.2)
    refused = post(client)
    assert "within 0.2 s" in said(refused, 504)
    assert client.service.admission.accepted == 1
    slow.set()
    wait_until(lambda: client.service.admission.accepted == 0)


def test_who_waits_is_answered_while_the_service_stops_and_nobody_new_is_let_in(measured_bundle_folder, monkeypatch):
    with opened([measured_bundle_folder]) as client:
        go, model = threading.Event(), client.service.models.find("Drawn")
        whole = model.answer
        monkeypatch.setattr(model, "answer", lambda *given, **more: (go.wait(20), whole(*given, **more))[1])
        threads, found = in_threads(2, lambda: post(client))
        wait_until(lambda: client.service.admission.accepted == 2)
        client.service.stop()
        refused = post(client)
        assert "stopping" in said(refused, 503)
        assert refused.headers["retry-after"] == "1" and refused.headers["connection"] == "close"
        assert said(client.get("/v2/health/ready"), 503)
        assert client.get("/v2/health/live").status_code == 200
        go.set()
        for thread in threads:
            thread.join()
        assert [answer.status_code for answer in found] == [200, 200]


def test_bodies_are_bounded_each_and_together(measured_bundle_folder):
    with opened([measured_bundle_folder], most_bytes=20_000, most_memory=15_000, most_tensor_bytes=500) as client:
        headers = {"content-type": "application/json"}
        assert "longer than" in said(client.post(READ, content=b"x" * 20_001, headers=headers), 413)
        assert "fill the" in said(client.post(READ, content=b"x" * 16_000, headers=headers), 429)
        inference = client.post("/v2/models/Drawn/infer", content=b"{" + b" " * 600 + b"}", headers=headers)
        assert "as bytes behind it" in said(inference, 413)
        assert client.service.admission.bytes == 0
        assert post(client).status_code == 200


def test_a_damaged_model_is_named_and_the_others_answer(measured_bundle_folder, drawn_bundle_folder, tmp_path):
    import shutil

    broken = shutil.copytree(drawn_bundle_folder, tmp_path / "Broken")
    (broken / "model.weights.h5").write_bytes(b"nothing")
    metrics = Metrics()
    service = Service(Settings(hosts=("*",)), ServedModels([broken, measured_bundle_folder], 8), metrics)
    with TestClient(service.app) as client:
        wait_until(lambda: service.models.loaded, 60)
        assert client.get("/v2/health/ready").status_code == 200
        assert "does not match its card" in said(client.get("/v2/models/Broken/ready"), 503)
        assert post(client).status_code == 200


def test_an_error_that_nobody_foresaw_is_a_sentence_and_the_log_tells_where_but_not_what(client, monkeypatch, caplog):
    def answer(photo, question, **more):
        raise KeyError("Anne Example")

    monkeypatch.setattr(client.service.models.find("Drawn"), "answer", answer)
    with caplog.at_level("ERROR", logger="melascope.service"):
        assert "nobody foresaw" in said(post(client), 500)
    from core.service.logs import JsonLines

    (record,) = caplog.records
    line = JsonLines().format(record)
    assert '"KeyError"' in line and "test_bounds.py" in line and "Anne" not in line


def test_metrics_count_and_name_only_what_there_is(client):
    post(client)
    client.get("/v2/models/Anne-Example/ready")
    client.get("/anne/example")
    text = client.get("/metrics").text
    assert 'melascope_requests_total{model="Drawn",route="/v2/models/{name}/read",status="200"}' in text
    assert 'melascope_batch_images_count{model="Drawn"}' in text
    assert "anne" not in text.lower()
