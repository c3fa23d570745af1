"""What every request passes: a name by which it is asked for, a key, headers that keep browsers careful, a log line and a count."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.service.logs import log, log_error
from core.service.refusals import MISDIRECTED, NO_KEY, RequestRefused
from core.service.settings import ANY_HOST, Settings

# Whoever watches over a service asks these by whatever name and without a key; they tell nothing.
HEALTH = ("/v2/health/live", "/v2/health/ready")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
NOBODY = "-"


class Door:
    """Middleware around the whole application.

    Args:
        stopping: whether connections are to be closed after their answer.
        note: told route, model, status and seconds of each request.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        stopping: Callable[[], bool],
        note: Callable[[str, str, int, float], None],
    ):
        self._app, self._settings, self._stopping, self._note = app, settings, stopping, note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status, sent, identity = time.perf_counter(), 0, 0, secrets.token_hex(8)
        scope.setdefault("state", {})["identity"] = identity

        async def answer(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers["X-Request-ID"] = identity
                if self._stopping():
                    headers["Connection"] = "close"
            else:
                sent += len(message.get("body", b""))
            await send(message)

        try:
            refused = self._refuse(scope)
            if refused is None:
                await self._app(scope, receive, answer)
            else:
                await refused.response()(scope, receive, answer)
        except Exception as error:  # noqa: BLE001 - the application has told the client, and raises what only the log should know
            log_error("unforeseen", error, id=identity)
        finally:
            seconds, state = time.perf_counter() - begun, scope["state"]
            # The route's own path: what the client wrote may hold anything.
            route, model = getattr(scope.get("route"), "path", NOBODY), state.get("model", NOBODY)
            self._note(route, model, status, seconds)
            log(
                "request",
                id=identity,
                method=scope["method"] if scope["method"] in ("GET", "POST", "HEAD") else "other",
                route=route,
                model=model,
                status=status,
                seconds=round(seconds, 4),
                received=state.get("received", 0),
                sent=sent,
            )

    def _refuse(self, scope: Scope) -> RequestRefused | None:
        path = scope["path"].removeprefix(self._settings.base_path)
        if path in HEALTH:
            return None
        headers, hosts = Headers(scope=scope), self._settings.hosts
        if ANY_HOST not in hosts and _host(headers.get("host", "")) not in hosts:
            return RequestRefused(
                MISDIRECTED,
                "The service is not known by the name in the Host header. Start it with --allowed-host NAME.",
            )
        key = _key(headers)
        if self._settings.keys and not self._settings.opens(key):
            why = "The key that came opens nothing here" if key else "A key is needed"
            return RequestRefused(NO_KEY, f"{why}. Send the header Authorization: Bearer KEY, or X-API-Key: KEY.")
        return None


def _host(header: str) -> str:
    """The name in a Host header, without its port."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def _key(headers: Headers) -> str:
    kind, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if kind.lower() == "bearer" else headers.get("x-api-key", "").strip()
