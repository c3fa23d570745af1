"""The application: which address does what. Reading, inference and the bounds around them live in their own files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from core import __version__
from core.card import InvalidBundle
from core.service import read as reading
from core.service.admission import Admission
from core.service.bodies import BINARY, FORM, JSON, content_type, read_body, read_form, read_object
from core.service.described import (
    BODY_OF_INFER,
    BODY_OF_READ,
    HEALTH,
    INFERENCE,
    MODEL_METADATA,
    MODELS,
    READING,
    SERVER,
    responses,
)
from core.service.door import Door
from core.service.inference import network
from core.service.inference.tensors import HEADER_LENGTH, read_request, write_response
from core.service.logs import log
from core.service.metrics import CONTENT_TYPE, Metrics
from core.service.refusals import (
    BUSY,
    CANNOT_BE,
    MALFORMED,
    NO_METHOD,
    NOT_NOW,
    NOT_THERE,
    TOO_BIG,
    TOO_SLOW,
    TOOK_TOO_LONG,
    UNFORESEEN,
    WRONG_TYPE,
    RequestRefused,
    repeated,
)
from core.service.served import ServedModels
from core.service.settings import Settings

EXTENSIONS = ("binary_tensor_data", "read")
_ASKED = (MALFORMED, NOT_THERE, TOO_SLOW, TOO_BIG, WRONG_TYPE, BUSY, NOT_NOW, TOOK_TOO_LONG)


class Service:
    """The application and what it holds.

    Args:
        settings: of the service.
        models: folders and all, loaded when the application starts.
        metrics: that it counts in.
    """

    def __init__(self, settings: Settings, models: ServedModels, metrics: Metrics):
        self.settings, self.models, self.metrics = settings, models, metrics
        # Twice as many threads as a batch has images: while one batch is in work, the next is decoded.
        self.admission = Admission(settings.queue, 2 * settings.batch, settings.most_memory, settings.seconds)
        self.metrics.accepted.set_function(lambda: self.admission.accepted)
        self.metrics.bytes.set_function(lambda: self.admission.bytes)
        self.api = self._build()
        self.app = Door(self.api, settings, lambda: self.admission.stopping, metrics.note_request)

    def stop(self) -> None:
        """Lets nobody new in; whoever is in gets an answer."""
        if not self.admission.stopping:
            self.admission.stopping = True
            log("stopping", accepted=self.admission.accepted)

    @asynccontextmanager
    async def _live(self, api: FastAPI) -> AsyncIterator[None]:
        loading = asyncio.get_running_loop().run_in_executor(None, self._load)
        yield
        await loading
        self.admission.close()
        log("stopped")

    def _load(self) -> None:
        self.models.load()
        log("loaded", models=list(self.models.names), damaged=self.models.faults)

    def _build(self) -> FastAPI:
        api = FastAPI(
            title="Melascope",
            version=__version__,
            description="Dermoscopic photos read over HTTP. For research and teaching; not a medical device. Nothing is saved.",
            # Their pages fetch scripts from elsewhere.
            docs_url=None,
            redoc_url=None,
            root_path=self.settings.base_path,
            lifespan=self._live,
        )
        for kind, handler in _HANDLERS.items():
            api.add_exception_handler(kind, handler)
        get, post = {"methods": ["GET"]}, {"methods": ["POST"]}
        api.add_api_route("/v2", self.server, responses=responses(SERVER), **get)
        api.add_api_route("/v2/health/live", self.live, responses=responses(HEALTH), **get)
        api.add_api_route("/v2/health/ready", self.ready, responses=responses(HEALTH, NOT_NOW), **get)
        api.add_api_route("/v2/models", self.list_models, responses=responses(MODELS), **get)
        about = responses(MODEL_METADATA, NOT_THERE, NOT_NOW)
        api.add_api_route("/v2/models/{name}", self.model, responses=about, **get)
        api.add_api_route(
            "/v2/models/{name}/ready", self.model_ready, responses=responses(HEALTH, NOT_THERE, NOT_NOW), **get
        )
        api.add_api_route(
            "/v2/models/{name}/infer",
            self.infer,
            responses=responses(INFERENCE, *_ASKED),
            openapi_extra=BODY_OF_INFER,
            **post,
        )
        api.add_api_route(
            "/v2/models/{name}/read",
            self.read,
            responses=responses(READING, *_ASKED),
            openapi_extra=BODY_OF_READ,
            **post,
        )
        api.add_api_route("/metrics", self.tell_metrics, include_in_schema=False, **get)
        return api

    # ---- what the service is ----

    async def server(self) -> Response:
        """The service, and what it can beyond the protocol."""
        return JSONResponse({"name": "melascope", "version": __version__, "extensions": list(EXTENSIONS)})

    async def live(self) -> Response:
        """Whether the process answers."""
        return JSONResponse({"live": True})

    async def ready(self) -> Response:
        """Whether it takes requests: models are loaded, and it is not stopping."""
        if not self.models.ready or self.admission.stopping:
            raise RequestRefused(
                NOT_NOW, "Not ready: the models are loading, none can be loaded, or the service is stopping.", 2
            )
        return JSONResponse({"ready": True})

    async def list_models(self) -> Response:
        """Names of the models."""
        return JSONResponse({"models": list(self.models.names)})

    async def model(self, request: Request, name: str) -> Response:
        """A model's tensors."""
        bundle = self._find(request, name).bundle
        return JSONResponse(
            {
                "name": bundle.name,
                "versions": [network.weights_version(bundle)],
                "platform": bundle.engine.name,
                "inputs": [kind.to_json() for kind in network.inputs_of(bundle)],
                "outputs": [kind.to_json() for kind in network.outputs_of(bundle)],
            }
        )

    async def model_ready(self, request: Request, name: str) -> Response:
        """Whether a model answers."""
        self._find(request, name)
        return JSONResponse({"name": name, "ready": True})

    async def tell_metrics(self) -> Response:
        return Response(self.metrics.text(), media_type=CONTENT_TYPE)

    # ---- what it answers ----

    async def infer(self, request: Request, name: str) -> Response:
        """Tensors in, tensors out: the network alone, without the photo gate and all that judges an answer."""
        bundle = self._find(request, name).bundle
        self.admission.check()
        content_type(request, JSON, BINARY)
        length = _header_length(request)
        with self.admission.memory() as take:
            body = await self._body(request, take)
            head = body if length is None else body[:length]
            if len(head) > self.settings.most_tensor_bytes:
                most = self.settings.most_tensor_bytes / 1e6
                raise RequestRefused(TOO_BIG, f"The JSON is longer than {most:,.0f} MB. Send tensors as bytes behind it.")
            if length is not None and length > len(body):
                raise RequestRefused(MALFORMED, f"{HEADER_LENGTH} says {length:,}, and the body has {len(body):,} bytes.")

            def work(deadline: float) -> tuple[bytes, int | None]:
                asked = read_request(
                    read_object(head), b"" if length is None else body[length:], network.inputs_of(bundle)
                )
                tensors = network.infer(bundle, asked, length is None, deadline)
                return write_response(network.response_of(bundle, asked), tensors, asked)

            content, told = await self.admission.run(work)
        if told is None:
            return Response(content, media_type=JSON)
        return Response(content, media_type=BINARY, headers={HEADER_LENGTH: str(told)})

    async def read(self, request: Request, name: str) -> Response:
        """A reading, as the command line's `read --json` gives it; `pictures` holds the maps that were asked for."""
        model = self._find(request, name)
        self.admission.check()
        kind, parameters = content_type(request, FORM, JSON)
        if kind == FORM and not parameters.get(b"boundary"):
            raise RequestRefused(MALFORMED, f"The header Content-Type: {FORM} names no boundary.")
        with self.admission.memory() as take:
            body = await self._body(request, take)

            def work(deadline: float) -> bytes:
                if kind == FORM:
                    asked, photo = reading.read_form_request(read_form(body, parameters[b"boundary"]))
                else:
                    asked, photo = reading.read_json_request(read_object(body, flat=True))
                return reading.answer(model, asked, photo, deadline)

            return Response(await self.admission.run(work), media_type=JSON)

    async def _body(self, request: Request, take: Callable[[int], None]) -> bytes:
        settings = self.settings
        body = await read_body(request, settings.most_bytes, settings.upload_seconds, take)
        request.state.received = len(body)
        return body

    def _find(self, request: Request, name: str):
        if name in self.models.names:
            request.state.model = name
        return self.models.find(name)


def _header_length(request: Request) -> int | None:
    """How long the JSON is, where bytes come behind it."""
    told = request.headers.get(HEADER_LENGTH)
    if told is None:
        return None
    if not (told.isascii() and told.isdigit()):
        raise RequestRefused(MALFORMED, f"The header {HEADER_LENGTH} is {repeated(told)}. Expected the bytes of the JSON.")
    return int(told)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestRefused)
    return error.response()


async def _cannot_be(_: Request, error: Exception) -> Response:
    return RequestRefused(CANNOT_BE, str(error)).response()


async def _damaged(_: Request, error: Exception) -> Response:
    return RequestRefused(NOT_NOW, str(error)).response()


async def _full(_: Request, error: Exception) -> Response:
    return RequestRefused(NOT_NOW, "The memory is full. Ask again, or send less at once.", 5).response()


async def _unforeseen(request: Request, _: Exception) -> Response:
    """The client gets a sentence; the door's log tells where."""
    sentence = f"An error that nobody foresaw; the service's log tells where, under {request.state.identity}."
    return RequestRefused(UNFORESEEN, sentence).response()


async def _http(_: Request, error: Exception) -> Response:
    """What the framework refuses by itself: an address or a method that there is not."""
    assert isinstance(error, HTTPException)
    expected = "Expected an address of /openapi.json."
    sentences = {
        NOT_THERE: f"There is nothing at this address. {expected}",
        NO_METHOD: f"This address takes another method. {expected}",
    }
    response = RequestRefused(error.status_code, sentences.get(error.status_code, f"{error.detail}. {expected}")).response()
    response.headers.update(error.headers or {})
    return response


_HANDLERS = {
    RequestRefused: _refused,
    HTTPException: _http,
    # Another way to have said it is no fault of the service: UnreadablePhoto, InvalidFacts and unknown places among them.
    ValueError: _cannot_be,
    InvalidBundle: _damaged,
    MemoryError: _full,
    Exception: _unforeseen,
}
