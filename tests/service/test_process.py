"""The service as a process: it stops in order under load, refuses giants while they arrive, and logs nothing of a patient."""

import signal
import threading
import time
from collections import Counter

import httpx
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


def test_nothing_is_lost_when_the_service_is_killed_since_it_saves_nothing(start, tmp_path):
    process, address = start(tmp_path / "log.txt", environment={"TMPDIR": str(tmp_path / "scratch")})
    (tmp_path / "scratch").mkdir(exist_ok=True)
    asked = httpx.post(address + READ, files={"photo": jpeg()}, data={"force": "true"}, timeout=60)
    assert asked.status_code == 200
    process.kill()
    process.wait()
    assert not list((tmp_path / "scratch").iterdir())
    _, address = start(tmp_path / "again.txt")
    again = httpx.post(address + READ, files={"photo": jpeg()}, data={"force": "true"}, timeout=60)
    assert again.json()["probabilities"] == asked.json()["probabilities"]
