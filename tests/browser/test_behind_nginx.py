"""App and service behind Debian's nginx, by the very configuration that the documents give: TLS, paths, names, policy, sizes."""

import base64
import contextlib
import http.client
import io
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from test_journeys import upload, wait_for_reading, wait_until_idle

from core.data.drawn import draw_lesion

REPOSITORY = Path(__file__).resolve().parents[2]
STARTS_WITHIN, READS_WITHIN = 120, 200  # seconds
HOST, KEY = "skin.example.org", "k" * 32
OTHER = "evil.example.org"
PAGE = REPOSITORY / "docs" / "howto" / "behind-a-proxy.md"
pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def block(kind: str) -> str:
    """A block of the page."""
    return re.search(rf"^```{kind}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[1]


def wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while True:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(address, timeout=30, headers={"host": HOST}).status_code == 200:
                return
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def drawn_png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(draw_lesion("mel", (120, 90), 0)[0]).save(file, "PNG")
    return file.getvalue()


def stop(process: subprocess.Popen) -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(20)
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def nginx(tmp_path_factory, drawn_bundle_folder):
    """nginx, two processes of the app and the service, started as the page says; gives nginx' port, its folder and the processes."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None or shutil.which("openssl") is None:
        pytest.skip("needs nginx and openssl (apt-get install nginx)")
    place = tmp_path_factory.mktemp("nginx")
    ports = {name: free_port() for name in ("tls", "app", "second", "service")}
    certificate = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={HOST} -keyout key.pem -out cert.pem"
    subprocess.run(["openssl", *certificate.split()], cwd=place, check=True, capture_output=True)
    told = block("nginx").replace("listen 443 ssl", f"listen 127.0.0.1:{ports['tls']} ssl")
    told = told.replace("# server 127.0.0.1:8502;", f"server 127.0.0.1:{ports['second']};")
    told = told.replace("127.0.0.1:8501", f"127.0.0.1:{ports['app']}").replace(
        "127.0.0.1:8080", f"127.0.0.1:{ports['service']}"
    )
    told = told.replace(f"/etc/ssl/certs/{HOST}.pem", f"{place}/cert.pem").replace(
        f"/etc/ssl/private/{HOST}.key", f"{place}/key.pem"
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"{kind}_temp_path {place}/{kind};" for kind in kinds)
    # Root's nginx would work as nobody, who may not enter this folder.
    owner = "user root;" if os.geteuid() == 0 else ""
    (place / "nginx.conf").write_text(
        f"{owner} pid {place}/pid; error_log {place}/error.log; daemon off; worker_processes 1;\nevents {{}}\n"
        f"http {{ log_format who '$melascope_visitor $upstream_addr $uri'; access_log {place}/access.log who;\n"
        f"{temporary}\n{told}\n}}\n"
    )
    (place / "keys.txt").write_text(f"{KEY}\n")
    app, service = block("").replace("\\\n", " ").strip().splitlines()
    app = app.split("streamlit")[1].replace("'", "")
    apps = {name: app.replace("8501", str(ports[name])).split() for name in ("app", "second")}
    service = (
        service.split("melascope")[1]
        .replace("8080", str(ports["service"]))
        .replace("keys.txt", f"{place}/keys.txt")
        .split()
    )
    environment = {**os.environ, "MELASCOPE_WEIGHTS": str(drawn_bundle_folder.parent), "TF_CPP_MIN_LOG_LEVEL": "3"}
    commands = {
        **{name: [sys.executable, "-m", "streamlit", *words] for name, words in apps.items()},
        "service": [sys.executable, "-m", "core", *service],
        "nginx": [program, "-p", str(place), "-c", str(place / "nginx.conf")],
    }
    with contextlib.ExitStack() as stack:
        running = {}
        for name, command in commands.items():
            log = stack.enter_context((place / f"{name}.log").open("wb"))
            running[name] = subprocess.Popen(
                command, cwd=REPOSITORY, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
            stack.callback(stop, running[name])
        for name in apps:
            wait_for(f"http://127.0.0.1:{ports[name]}/melascope/_stcore/health", running[name], place / f"{name}.log")
        wait_for(f"http://127.0.0.1:{ports['service']}/v2/health/ready", running["service"], place / "service.log")
        yield ports["tls"], place, {f"127.0.0.1:{ports[name]}": running[name] for name in apps}
    assert "emerg" not in (place / "error.log").read_text()


@pytest.fixture
def client(nginx):
    with httpx.Client(
        verify=False, base_url=f"https://127.0.0.1:{nginx[0]}/lesions/v2/", headers={"host": HOST}, timeout=60
    ) as client:
        yield client


@pytest.fixture(scope="module")
def outside(chromium, nginx):
    """Chromium, for which the name leads to this machine."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    browser = chromium.browser_type.launch(
        executable_path=found, args=["--no-sandbox", f"--host-resolver-rules=MAP {HOST} 127.0.0.1"]
    )
    yield browser.new_context(ignore_https_errors=True), f"https://{HOST}:{nginx[0]}/melascope/"
    browser.close()


@pytest.mark.slow
def test_the_app_works_under_its_path_and_breaks_no_policy(outside):
    context, address = outside
    page, asked, broken, errors = context.new_page(), [], [], []
    page.set_default_timeout(READS_WITHIN * 1000)
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: broken.append(said.text) if "Content Security Policy" in said.text else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    answer = page.goto(address)
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    page.locator("input[type=file]").wait_for(state="attached")
    upload(page, drawn_png())
    wait_for_reading(page)
    page.goto(f"{address}models")
    page.get_by_text("Random weights, for tests only.").wait_for()
    wait_until_idle(page)
    assert not broken and not errors
    outside_urls = {url for url in asked if not re.match(rf"(https|wss)://{HOST}[:/]|data:|blob:", url)}
    assert asked and not outside_urls


def test_the_service_answers_under_its_path_with_a_key_only(client):
    ask = {"files": {"photo": drawn_png()}, "data": {"force": "true"}}
    assert client.post("models/Drawn/read", **ask).status_code == 401
    answer = client.post("models/Drawn/read", **ask, headers={"authorization": f"Bearer {KEY}"})
    assert answer.status_code == 200 and sum(answer.json()["probabilities"].values()) == pytest.approx(1)
    assert answer.headers["strict-transport-security"] and answer.headers["cache-control"] == "no-store"


def test_under_another_name_the_service_is_not_reached(client):
    wrong = {"host": OTHER}
    assert client.get("models", headers={**wrong, "authorization": f"Bearer {KEY}"}).status_code == 421


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [(HOST, HOST, 101), (OTHER, OTHER, 403), (HOST, OTHER, 403), (OTHER, HOST, 403), (f"{OTHER}.{HOST}", HOST, 403)],
)
def test_under_another_name_or_from_another_page_the_app_takes_no_connection(nginx, host, origin, status):
    """All that a page shows and is sent goes over its WebSocket; without one there is an empty frame only."""
    connection = http.client.HTTPSConnection("127.0.0.1", nginx[0], timeout=60, context=ssl._create_unverified_context())
    headers = {"Host": host, "Origin": f"https://{origin}", "Connection": "Upgrade", "Upgrade": "websocket"}
    headers |= {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode()}
    connection.request("GET", "/melascope/_stcore/stream", headers=headers)
    assert connection.getresponse().status == status
    connection.close()


def test_an_upload_never_lies_on_nginx_disk_and_a_giant_one_is_refused(nginx, client):
    port, place, _ = nginx
    seen = []

    def slowly():
        yield b'--b\r\nContent-Disposition: form-data; name="photo"\r\n\r\n'
        for _ in range(20):
            yield np.random.default_rng(0).bytes(100_000)
            seen.extend(path for path in (place / "client_body").rglob("*") if path.is_file())
        yield b"\r\n--b--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=b", "authorization": f"Bearer {KEY}"}
    assert client.post("models/Drawn/read", content=slowly(), headers=headers).status_code == 422
    assert not seen
    giant = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=ssl._create_unverified_context())
    giant.putrequest("POST", "/lesions/v2/models/Drawn/read", skip_host=True)
    for name, value in {**headers, "host": HOST, "content-length": str(10**9)}.items():
        giant.putheader(name, value)
    giant.endheaders()
    assert giant.getresponse().status == 413
    giant.close()


# ---- two processes of the app ----


def processes_of(place: Path) -> dict[str, set[str]]:
    """Visitor -> the processes that answered it."""
    found: dict[str, set[str]] = {}
    for line in (place / "access.log").read_text().splitlines():
        visitor, process, uri = line.split(" ", 2)
        if uri.startswith("/melascope/") and process != "-":
            found.setdefault(visitor, set()).add(process)
    return found


@pytest.mark.slow
def test_visitors_spread_over_the_processes_and_each_stays_with_one(nginx):
    port, place, processes = nginx
    visitors = set()
    for _ in range(16):
        with httpx.Client(verify=False, headers={"host": HOST}, timeout=60) as visitor:
            address = f"https://127.0.0.1:{port}/melascope/"
            name = visitor.get(address).headers["set-cookie"].split(";")[0].removeprefix("melascope=")
            for _ in range(3):
                again = visitor.get(f"{address}_stcore/health", headers={"cookie": f"melascope={name}"})
                assert again.status_code == 200 and f"melascope={name};" in again.headers["set-cookie"]
        visitors.add(name)
    found = processes_of(place)
    assert len(visitors) == 16 and all(len(found[name]) == 1 for name in visitors)
    assert set.union(*(found[name] for name in visitors)) == set(processes)


@pytest.mark.slow
def test_two_people_are_each_answered_by_a_process_of_their_own_and_one_that_is_killed_costs_a_reload(outside, nginx):
    """Page, WebSocket, upload and the pictures of an answer of one person all go to one process."""
    context, address = outside
    _, place, processes = nginx
    people = {}
    for _ in range(40):
        person = context.browser.new_context(ignore_https_errors=True)
        page = person.new_page()
        page.set_default_timeout(READS_WITHIN * 1000)
        page.goto(address)
        (cookie,) = (one["value"] for one in person.cookies() if one["name"] == "melascope")
        (process,) = processes_of(place)[cookie]
        if process in people:
            person.close()
            continue
        people[process] = person, page, cookie
        if len(people) == len(processes):
            break
    for _, page, _ in people.values():
        page.locator("input[type=file]").wait_for(state="attached")
        upload(page, drawn_png())
        wait_for_reading(page)
        shown = page.locator("img").evaluate_all(
            "images => images.every(image => image.complete && image.naturalWidth)"
        )
        assert shown
    found = processes_of(place)
    assert all(found[cookie] == {process} for process, (_, _, cookie) in people.items())
    killed = next(iter(people))
    processes[killed].kill()
    processes[killed].wait()
    _, page, _ = people[killed]
    page.goto(address)
    page.locator("input[type=file]").wait_for(state="attached")
    upload(page, drawn_png())
    wait_for_reading(page)
