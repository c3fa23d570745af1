"""The service under load from real clients, in turn with the bare engine at batch size 8: images a second, median and 99th percentile.

    python -m benchmarks.service --data HAM10000_FOLDER --clients 16 --seconds 10

Clients are those of wrk (Debian's package `wrk`), which shares the machine's cores with the service. Photos are the collection's JPEG
files as they lie there. The bare engine gets the same photos as images, which no service can: reading a photo's file is told beside it.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.side_by_side import tell

PHOTOS, BATCH = 64, 8
TARGET = 0.7
LENGTH = "Inference-Header-Content-Length"
# Each thread of wrk sends its bodies in turn; at its end it tells what came back.
_SCRIPT = """
local bodies = {}
for line in io.lines(os.getenv("BODIES") .. "/list") do
  local file = io.open(line, "rb")
  bodies[#bodies + 1] = file:read("*a")
  file:close()
end
local at, headers = 0, {["Content-Type"] = os.getenv("BODY_TYPE")}
if os.getenv("BODY_JSON") ~= "" then headers["Inference-Header-Content-Length"] = os.getenv("BODY_JSON") end
request = function()
  at = at % #bodies + 1
  return wrk.format("POST", nil, headers, bodies[at])
end
done = function(summary, latency, requests)
  local wrong = summary.errors
  io.write(string.format('{"requests": %d, "microseconds": %d, "p50": %f, "p99": %f, "wrong": %d}\\n', summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99),
    wrong.connect + wrong.read + wrong.write + wrong.status + wrong.timeout))
end
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="HAM10000 folder")
    parser.add_argument("--models", nargs="*", default=["EfficientNetB0", "MobileNetV2", "MobileNetV3Small"])
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=10, help="of each load")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        parser.error("wrk is missing: apt-get install wrk")
    photos = [path.read_bytes() for path in sorted(Path(asked.data).rglob("ISIC_*.jpg"))[:PHOTOS]]
    if len(photos) < PHOTOS:
        parser.error(f"{asked.data} holds {len(photos)} photos. Expected {PHOTOS} or more.")
    with tempfile.TemporaryDirectory() as folder, _service(asked.models, asked.clients) as address:
        for name in asked.models:
            _measure(name, photos, address, Path(folder) / name, asked)


class _service:
    """A service as people start it; gives its address."""

    def __init__(self, models: list[str], clients: int):
        self._models, self._clients = models, clients

    def __enter__(self) -> str:
        import httpx

        command = [
            sys.executable,
            "-m",
            "core",
            "serve",
            *self._models,
            "--port",
            "0",
            "--queue",
            str(4 * self._clients),
        ]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        port = re.search(r'"port": (\d+)', self._process.stderr.readline())
        if port is None:
            raise SystemExit("The service did not start.")
        # Its log goes on; nobody reads it, and a full pipe would stop it.
        subprocess.Popen(["cat"], stdin=self._process.stderr, stdout=subprocess.DEVNULL)
        address = f"http://127.0.0.1:{port[1]}"
        while httpx.get(f"{address}/v2/health/ready", timeout=60).status_code != 200:
            time.sleep(0.5)
        return address

    def __exit__(self, *_) -> None:
        self._process.terminate()
        self._process.wait()


def _measure(name: str, photos: list[bytes], address: str, folder: Path, asked: argparse.Namespace) -> None:
    """A network's loads, in turn with the bare engine."""
    import numpy as np

    from core.bundle import load_bundle
    from core.data.images import fit_image, read_photo
    from core.data.patient import Facts
    from core.service.inference.tensors import text_tensor

    bundle = load_bundle(name)
    engine, size = bundle.engine, bundle.card.image_size
    images = np.stack([fit_image(read_photo(photo), size) for photo in photos])
    metadata = np.tile(bundle.card.facts_encoder.encode(Facts()), (BATCH, 1))

    def bare() -> float:
        """Images a second."""
        count, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < asked.seconds / 2:
            at = count % (len(images) - BATCH)
            engine.head(engine.encode(images[at : at + BATCH]), metadata)
            count += BATCH
        return count / (time.perf_counter() - begun)

    def tensors(kind: str, shape: list[int], datatype: str, parts: list[bytes]) -> tuple[list[bytes], str, int]:
        """Bodies of one tensor each, all with JSON of one length."""
        longest = max(map(len, parts))
        head = {"name": kind, "shape": shape, "datatype": datatype, "parameters": {"binary_data_size": longest}}
        heads = [
            json.dumps({"inputs": [{**head, "parameters": {"binary_data_size": len(part)}}]}).encode() for part in parts
        ]
        length = max(map(len, heads))
        return (
            [one.ljust(length) + part for one, part in zip(heads, parts, strict=True)],
            "application/octet-stream",
            length,
        )

    pixels = images.astype("uint8")
    loads = {
        "infer, an image a request": (*tensors("image", [1, size, size, 3], "UINT8", [p.tobytes() for p in pixels]), 1),
        "infer, a photo's file a request": (*tensors("photo", [1], "BYTES", [text_tensor([p]) for p in photos]), 1),
        "infer, eight images a request": (
            *tensors(
                "image",
                [BATCH, size, size, 3],
                "UINT8",
                [p.tobytes() for p in pixels.reshape(-1, BATCH, size, size, 3)],
            ),
            BATCH,
        ),
        "read, a photo's file a request, no jury": (
            [_form(p) for p in photos],
            "multipart/form-data; boundary=frontier",
            0,
            1,
        ),
    }
    bare()  # sessions are made when first asked for
    found: dict[str, list[dict]] = {load: [] for load in loads}
    for _ in range(asked.rounds):
        for load, (bodies, kind, length, per_request) in loads.items():
            alone = bare()
            route = "read" if load.startswith("read") else "infer"
            told = _load(
                f"{address}/v2/models/{name}/{route}", bodies, kind, length, folder / load.replace(" ", "-"), asked
            )
            told["images_s"] = told["requests"] * per_request / (told["microseconds"] / 1e6)
            found[load].append({**told, "bare": statistics.mean([alone, bare()])})
    for load, rounds in found.items():
        ratio = statistics.median(one["images_s"] / one["bare"] for one in rounds)
        targeted = load == "infer, an image a request"
        tell(
            f"service: {name}: {load}",
            ratio,
            f">= {TARGET} of the bare engine at batch size {BATCH}" if targeted else "none",
            ratio >= TARGET if targeted else None,
            requests_s=round(statistics.median(one["requests"] / (one["microseconds"] / 1e6) for one in rounds), 1),
            images_s=round(statistics.median(one["images_s"] for one in rounds), 1),
            bare_images_s=round(statistics.median(one["bare"] for one in rounds), 1),
            p50_ms=round(statistics.median(one["p50"] for one in rounds) / 1000, 1),
            p99_ms=round(statistics.median(one["p99"] for one in rounds) / 1000, 1),
            wrong=sum(one["wrong"] for one in rounds),
            clients=asked.clients,
            rounds=len(rounds),
            load=[round(x, 1) for x in os.getloadavg()],
        )


def _form(photo: bytes) -> bytes:
    field = b'--frontier\r\nContent-Disposition: form-data; name="%s"\r\n\r\n'
    return field % b"jury" + b"false\r\n" + field % b"photo" + photo + b"\r\n--frontier--\r\n"


def _load(address: str, bodies: list[bytes], kind: str, length: int, folder: Path, asked: argparse.Namespace) -> dict:
    """One run of wrk."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03d}" for number in range(len(bodies))]
    for path, body in zip(paths, bodies, strict=True):
        path.write_bytes(body)
    (folder / "list").write_text("".join(f"{path}\n" for path in paths))
    script = folder / "script.lua"
    script.write_text(_SCRIPT)
    command = [
        "wrk",
        "-t1",
        f"-c{asked.clients}",
        f"-d{asked.seconds}s",
        "--timeout",
        "60s",
        "-s",
        str(script),
        address,
    ]
    environment = {**os.environ, "BODIES": str(folder), "BODY_TYPE": kind, "BODY_JSON": str(length) if length else ""}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))


if __name__ == "__main__":
    main()
