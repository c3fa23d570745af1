"""What tests of the service share: a client of one in this process, a drawn photo, and the sentence of a refusal."""

import base64
import io
import json
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from starlette.testclient import TestClient

from core.data.drawn import draw_lesion
from core.service.app import Service
from core.service.metrics import Metrics
from core.service.served import ServedModels
from core.service.settings import Settings

READ = "/v2/models/Drawn/read"


@contextmanager
def opened(folders, **settings):
    """A client of a service whose models are loaded."""
    metrics, chosen = Metrics(), Settings(**{"hosts": ("testserver",), **settings})
    service = Service(chosen, ServedModels(folders, chosen.batch, metrics.note_batch), metrics)
    with TestClient(service.app, base_url="http://testserver") as client:
        while not service.models.loaded:
            client.get("/v2/health/live")
        assert not service.models.faults
        client.service = service
        yield client


def jpeg(code="mel", seed=0) -> bytes:
    file = io.BytesIO()
    Image.fromarray(draw_lesion(code, (120, 90), seed)[0]).save(file, "JPEG", quality=95)
    return file.getvalue()


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def said(answer, status: int) -> str:
    """The sentence of a refusal."""
    assert answer.status_code == status, answer.text
    assert (
        answer.headers["content-type"] == "application/json" and answer.headers["x-content-type-options"] == "nosniff"
    )
    assert set(answer.json()) == {"error"}
    return answer.json()["error"]


def lines_of(log: Path) -> list[dict]:
    return [json.loads(line) for line in log.read_text().splitlines()]
