"""Whatever the service's OpenAPI allows, and what it does not: no error of the server, and only answers that it describes."""

import hypothesis
import pytest

from core.service.app import Service
from core.service.metrics import Metrics
from core.service.served import ServedModels
from core.service.settings import Settings

schemathesis = pytest.importorskip("schemathesis", reason="needs the extra `test`")

from schemathesis import checks  # noqa: E402

# A photo that is drawn at random is none, so that what fits the description may still be refused, in words.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)


@pytest.fixture(scope="module")
def served(measured_bundle_folder):
    service = Service(Settings(hosts=("*",)), ServedModels([measured_bundle_folder], 8), Metrics())
    service.models.load()
    return service


def test_every_operation_answers_as_it_is_described(served):
    schema = schemathesis.openapi.from_asgi("/openapi.json", served.app)
    wanted = [checks.CHECKS.get_one(name) for name in CHECKS]
    seen = set()
    for found in schema.get_all_operations():
        operation = found.ok()

        @hypothesis.given(case=operation.as_strategy())
        @hypothesis.settings(
            max_examples=15,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        def answers_as_described(case):
            case.call_and_validate(checks=wanted)

        answers_as_described()
        seen.add(f"{operation.method.upper()} {operation.path}")
    assert {"POST /v2/models/{name}/read", "POST /v2/models/{name}/infer", "GET /v2/health/ready"} <= seen


def test_no_page_that_fetches_scripts_from_elsewhere_is_shown(served):
    from starlette.testclient import TestClient

    client = TestClient(served.app)
    assert client.get("/docs").status_code == client.get("/redoc").status_code == 404
