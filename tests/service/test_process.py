"""The service as a process: it stops in order under load, refuses giants while they arrive, and logs nothing of a patient."""

import contextlib
import http.client
import signal
import socket
import threading
import time
from collections import Counter

import httpx
import pytest
from asking import READ, jpeg, lines_of

ACCEPTED = {200, 429, 503}


def test_a_service_that_is_stopped_answers_or_refuses_whoever_it_let_in(start, tmp_path):
    """Clients who ask without pause, on connections old and new, get an answer, a refusal in words, or no connection at all."""
    process, address = start(tmp_path / "log.txt")
    photo, found, lost, told = jpeg(), Counter(), [], threading.Event()

    def ask(keep: bool):
        client = httpx.Client(timeout=60)
        while True:
            if not keep:
                client.close()
                client = httpx.Client(timeout=60)
            try:
                answer = client.post(
                    address + READ, files={"photo": ("anne-example.jpg", photo)}, data={"age": "55.25", "force": "true"}
                )
            except httpx.ConnectError:
                break
            except httpx.TransportError as error:
                lost.append(repr(error))
                break
            found[answer.status_code] += 1
            if answer.status_code == 200:
                assert answer.json()["facts"]["age"] == 55.25
            told.set()
        client.close()

    threads = [threading.Thread(target=ask, args=(number % 2 == 0,)) for number in range(8)]
    for thread in threads:
        thread.start()
    assert told.wait(60)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join(60)
    assert process.wait(60) == 0
    assert not lost
    assert set(found) <= ACCEPTED and found[200] > 0 and found[503] > 0, found
    lines = lines_of(tmp_path / "log.txt")
    assert [line["event"] for line in lines if line["event"] != "request"] == [
        "listening",
        "loaded",
        "stopping",
        "stopped",
    ]
    asked = [line for line in lines if line["event"] == "request" and line["route"].endswith("/read")]
    assert len(asked) == sum(found.values()) and {line["model"] for line in asked} == {"Drawn"}
    text = (tmp_path / "log.txt").read_text()
    assert "anne" not in text and "55.25" not in text


@pytest.fixture
def small(start, tmp_path):
    _, address = start(tmp_path / "log.txt", "--megabytes", "1", "--seconds", "5")
    return address.removeprefix("http://127.0.0.1:")


def test_a_giant_body_is_refused_while_it_arrives(small):
    """Whether it says how long it is, or not."""
    told = http.client.HTTPConnection("127.0.0.1", int(small), timeout=30)
    told.putrequest("POST", READ)
    told.putheader("Content-Type", "multipart/form-data; boundary=b")
    told.putheader("Content-Length", str(10**12))
    told.endheaders()
    assert told.getresponse().status == 413
    told.close()
    with socket.create_connection(("127.0.0.1", int(small)), timeout=30) as silent:
        headers = "Host: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked"
        head = f"POST {READ} HTTP/1.1\r\n{headers}\r\n\r\n"
        silent.sendall(head.encode())
        sent, chunk = 0, b"40000\r\n" + bytes(0x40000) + b"\r\n"
        answer = b""
        silent.settimeout(0.05)
        while not answer and sent < 100:
            with contextlib.suppress(TimeoutError, ConnectionError):
                silent.sendall(chunk)
            sent += 1
            with contextlib.suppress(TimeoutError):
                answer = silent.recv(4096)
        assert answer.startswith(b"HTTP/1.1 413") and sent < 50


def test_nothing_is_lost_when_the_service_is_killed_since_it_saves_nothing(start, tmp_path):
    (tmp_path / "scratch").mkdir()
    process, address = start(tmp_path / "log.txt", environment={"TMPDIR": str(tmp_path / "scratch")})
    asked = httpx.post(address + READ, files={"photo": jpeg()}, data={"force": "true"}, timeout=60)
    assert asked.status_code == 200
    process.kill()
    process.wait()
    # ONNX Runtime leaves a mark of some bytes there.
    assert not [path for path in (tmp_path / "scratch").rglob("*") if path.name != ".ses" or path.stat().st_size > 1000]
    _, address = start(tmp_path / "again.txt")
    again = httpx.post(address + READ, files={"photo": jpeg()}, data={"force": "true"}, timeout=60)
    assert again.json()["probabilities"] == asked.json()["probabilities"]
