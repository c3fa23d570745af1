"""A stand-in on this machine for the ISIC Archive and the Harvard Dataverse: it answers as their interfaces do, and fails when told to.

Forms: ImageMarkup/isic (isic/core/api/image.py and pagination.py), and IQSS/dataverse (JsonPrinter.java, the Data Access API).
"""

import base64
import contextlib
import hashlib
import io
import json
import re
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from PIL import Image

from core.data.drawn import draw_lesion

ATTRIBUTION = "ViDIR Group, Department of Dermatology, Medical University of Vienna"
PAGE = 10  # photos of one answer
HTML = b"<!doctype html><html><body>Please log in</body></html>"


def jpeg(code: str = "mel", seed: int = 0, size: tuple[int, int] = (120, 90)) -> bytes:
    """A drawn photo's file."""
    file = io.BytesIO()
    Image.fromarray(draw_lesion(code, size, seed)[0]).save(file, "JPEG")
    return file.getvalue()


def zipped(entries: dict[str, bytes]) -> bytes:
    """A zip file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


@dataclass
class Fault:
    """What a request gets instead of its answer.

    Args:
        kind: "status"; "cut" (half of it, then the line breaks); "html"; "wrong" (other bytes, as many); "silent" (nothing for
            `seconds`); "trickle" (a byte at a time, for `seconds`).
        status, headers: of a "status".
    """

    kind: str
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


class StandIn:
    """What the server has, and what it was asked.

    Args:
        photos: id -> the file of a photo of the archive.
        files: id of a Dataverse file -> (name, content, whether the Dataverse took the table apart).
        faults: part of a path -> what its next requests get instead.
        asked: [path with query, headers, status], one a request.
    """

    def __init__(self):
        self.photos: dict[str, bytes] = {}
        self.files: dict[int, tuple[str, bytes, bool]] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.asked: list[list] = []
        self.address = ""
        self.licence = "CC-BY-NC"
        self.sums: dict[int, str] = {}
        self.delay = 0.0  # seconds before each photo
        self._signed = 0

    def paths(self, part: str = "") -> list[str]:
        """What was asked for, in order."""
        return [path for path, _, _ in self.asked if part in path]

    def fault(self, path: str) -> Fault | None:
        for part, waiting in self.faults.items():
            if part in path and waiting:
                return waiting.pop(0)
        return None

    # ---- the ISIC Archive ----

    def search(self, query: dict[str, list[str]]) -> dict:
        asked = re.findall(r"isic_id:(\w+)", query.get("query", [""])[0])
        found = [i for i in asked if i in self.photos]
        begin = int(base64.b64decode(query["cursor"][0])) if "cursor" in query else 0
        end = begin + min(PAGE, int(query.get("limit", ["100"])[0]))
        after = None
        if end < len(found):
            cursor = base64.b64encode(str(end).encode()).decode()
            # As behind a proxy: the server's own idea of its name.
            after = f"http://the-archive.internal/api/v2/images/search/?cursor={cursor}&query={query['query'][0].replace(' ', '+')}"
        return {
            "count": len(found) if not begin else None,
            "next": after,
            "previous": None,
            "results": [self.describe(i) for i in found[begin:end]],
        }

    def describe(self, image_id: str) -> dict:
        self._signed += 1
        thumbnail = self.thumbnail(image_id)
        return {
            "public": True,
            "isic_id": image_id,
            "copyright_license": self.licence,
            "attribution": ATTRIBUTION,
            "files": {
                "full": {
                    "url": f"{self.address}/signed/full/{image_id}.jpg?Expires=9&Signature={self._signed}",
                    "size": len(self.photos[image_id]),
                },
                "thumbnail_256": {
                    "url": f"{self.address}/signed/thumbnail/{image_id}.jpg?Expires=9&Signature={self._signed}",
                    "size": len(thumbnail),
                },
            },
            "metadata": {"acquisition": {"pixels_x": 120, "pixels_y": 90}, "clinical": {"sex": "female"}},
        }

    def thumbnail(self, image_id: str) -> bytes:
        file = io.BytesIO()
        picture = Image.open(io.BytesIO(self.photos[image_id]))
        picture.thumbnail((64, 64))
        picture.save(file, "JPEG")
        return file.getvalue()

    # ---- the Dataverse ----

    def listing(self) -> dict:
        return {"status": "OK", "data": {"id": 1, "latestVersion": {"files": [self._listed(i) for i in self.files]}}}

    def _listed(self, number: int) -> dict:
        name, content, taken_apart = self.files[number]
        md5 = self.sums.get(number) or hashlib.md5(content).hexdigest()
        stem = name.rsplit(".", 1)[0] if "." in name else name
        label = f"{stem}.tab" if taken_apart else name
        file = {"id": number, "filename": label, "filesize": len(content) + (77 if taken_apart else 0), "md5": md5}
        file |= {"contentType": "text/tab-separated-values" if taken_apart else "application/zip"}
        file |= {"checksum": {"type": "MD5", "value": md5}}
        if taken_apart:
            file |= {"tabularData": True, "originalFileFormat": "text/csv", "originalFileSize": len(content)}
            file |= {"originalFileName": name}
        return {"label": label, "restricted": False, "version": 1, "dataFile": file}


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stand_in: StandIn

    def log_message(self, format, *args):
        pass

    def do_GET(self):
        stand_in, url = self.stand_in, urlsplit(self.path)
        path, query = unquote(url.path), parse_qs(url.query)
        self._asked = [self.path, dict(self.headers), 0]
        stand_in.asked.append(self._asked)
        if fault := stand_in.fault(self.path):
            self._fail(fault, path)
        elif path == "/api/v2/images/search/":
            self._json(stand_in.search(query))
        elif path.startswith("/signed/"):
            self._photo(path)
        elif path == "/api/datasets/:persistentId/":
            known = query.get("persistentId") == ["doi:10.7910/DVN/DBW86T"]
            self._json(stand_in.listing() if known else {"status": "ERROR"}, 200 if known else 404)
        elif path.startswith("/api/access/datafile/"):
            original = "&original" if query.get("format") == ["original"] else ""
            self._answer(303, b"", {"Location": f"/s3/{path.rsplit('/', 1)[1]}?X-Amz-Signature=abc{original}"})
        elif path.startswith("/s3/"):
            self._content(self._file(path, url.query))
        else:
            self._json({"detail": "Not Found"}, 404)

    def _file(self, path: str, query: str) -> bytes:
        name, content, taken_apart = self.stand_in.files[int(path.rsplit("/", 1)[1])]
        return b'"a"\t"re-exported"\n' + content if taken_apart and "original" not in query else content

    def _photo(self, path: str) -> None:
        # As S3: a signed address and an authorisation header do not go together.
        if {"Authorization", "Cookie"} & set(self.headers):
            self._answer(400, b"<Error><Code>InvalidArgument</Code></Error>", {"Content-Type": "application/xml"})
            return
        time.sleep(self.stand_in.delay)
        image_id = Path(path).stem
        self._content(self.stand_in.photos[image_id] if "/full/" in path else self.stand_in.thumbnail(image_id))

    def _content(self, content: bytes, cut: bool = False) -> None:
        begin = 0
        headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
        if asked := self.headers.get("Range"):
            begin = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            if begin >= len(content):
                self._answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
                return
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        part = content[begin:]
        self._answer(206 if begin else 200, part[: len(part) // 2] if cut else part, headers, len(part))
        if cut:
            self.close_connection = True

    def _json(self, value: object, status: int = 200) -> None:
        self._answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _answer(self, status: int, content: bytes, headers: dict[str, str], length: int | None = None) -> None:
        self._asked[2] = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(content)

    def _fail(self, fault: Fault, path: str) -> None:
        if fault.kind == "status":
            self._answer(fault.status, b"{}", {"Content-Type": "application/json", **fault.headers})
        elif fault.kind == "html":
            self._answer(200, HTML, {"Content-Type": "text/html; charset=utf-8"})
        elif fault.kind == "silent":
            time.sleep(fault.seconds)
            self.close_connection = True
        elif fault.kind == "trickle":
            self._answer(200, b"", {"Content-Type": "application/octet-stream"}, 1000)
            end = time.monotonic() + fault.seconds
            with contextlib.suppress(OSError):
                while time.monotonic() < end:
                    self.wfile.write(b"x")
                    time.sleep(0.02)
            self.close_connection = True
        else:
            content = self._file(path, "original") if path.startswith("/s3/") else self.stand_in.photos[Path(path).stem]
            if fault.kind == "cut":
                self._content(content, cut=True)
            else:
                self._content(bytes(len(content)))


@contextlib.contextmanager
def standing_in() -> Iterator[StandIn]:
    """Runs a stand-in."""
    stand_in = StandIn()
    handler = type("Handler", (_Answers,), {"stand_in": stand_in})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    stand_in.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()


def fill_dataverse(stand_in: StandIn, folder: Path) -> None:
    """Lists a drawn HAM10000 as the Dataverse lists the real one, and a test set of four photos."""
    stand_in.files[1] = ("HAM10000_metadata", (folder / "HAM10000_metadata.csv").read_bytes(), True)
    for number, name in ((2, "HAM10000_images_part_1"), (3, "HAM10000_images_part_2")):
        photos = {path.name: path.read_bytes() for path in sorted((folder / name).iterdir())}
        stand_in.files[number] = (f"{name}.zip", zipped(photos), False)
    masks = folder / "HAM10000_segmentations_lesion_tschandl"
    entries = {f"{masks.name}/{path.name}": path.read_bytes() for path in sorted(masks.iterdir())}
    stand_in.files[4] = (f"{masks.name}.zip", zipped(entries | {f"__MACOSX/{masks.name}/._x.png": b"x"}), False)
    codes = ("nv", "mel", "bcc", "df")
    rows = [f"HAMTEST_{n:07d},ISIC_{8000000 + n:07d},{code},histo,50.0,male,back,t" for n, code in enumerate(codes)]
    table = "\n".join(["lesion_id,image_id,dx,dx_type,age,sex,localization,dataset", *rows]) + "\n"
    stand_in.files[5] = ("ISIC2018_Task3_Test_GroundTruth.csv", table.encode(), True)
    photos = {f"ISIC2018_Task3_Test_Images/ISIC_{8000000 + n:07d}.jpg": jpeg(code, n) for n, code in enumerate(codes)}
    stand_in.files[6] = ("ISIC2018_Task3_Test_Images.zip", zipped(photos), False)
    stand_in.files[7] = ("ISIC2018_Task3_Test_NatureMedicine_AI_Interaction_Benefit.csv", b"a,b\n1,2\n", True)
