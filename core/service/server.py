"""A service that listens, and ends in order: nobody new, whoever is in gets an answer, then the door closes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from types import FrameType
from typing import Any

import uvicorn

from core.service.app import Service
from core.service.logs import log, start_logs
from core.service.metrics import Metrics
from core.service.served import ServedModels, list_folders
from core.service.settings import Settings

# For so long a service that stops still takes connections, and refuses in words, seconds: clients hear that they should ask elsewhere.
LAST_WORDS = 1.0
# And for so long those whom it took last may say what they want.
LAST_HEARD = 0.5
# An unused connection is kept for so long, seconds.
KEPT = 20
BACKLOG = 512


class _Server(uvicorn.Server):
    """uvicorn, which on SIGTERM and SIGINT first refuses in words."""

    def __init__(self, config: uvicorn.Config, service: Service, listener: socket.socket):
        super().__init__(config)
        self._service = service
        # uvicorn closes its own; connections that wait to be taken when it does would be lost.
        self._door: socket.socket | None = listener.dup()
        self._asked_to_stop: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._asked_to_stop is None:
            self._asked_to_stop = time.monotonic()
            self._service.stop()
        elif sig == signal.SIGINT:
            self.should_exit = self.force_exit = True

    async def on_tick(self, counter: int) -> bool:
        if self._asked_to_stop is not None:
            waited = time.monotonic() - self._asked_to_stop
            if self._door is not None and waited >= LAST_WORDS:
                await self._close_door(self._door)
                self._door = None
            if waited >= LAST_WORDS + LAST_HEARD:
                self.should_exit = True
        return await super().on_tick(counter)

    async def _close_door(self, door: socket.socket) -> None:
        """Takes the last connections that wait, and no others."""
        loop = asyncio.get_running_loop()
        for server in self.servers:
            server.close()
        door.setblocking(False)
        last = []
        with contextlib.suppress(BlockingIOError), door:
            while True:
                last.append(door.accept()[0])
        for connection in last:
            connection.setblocking(False)
            with contextlib.suppress(OSError):
                await loop.connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        make: Any = self.config.http_protocol_class
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


def listen(address: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        ValueError: the address is none of this machine, or another program has the port.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ValueError(
            f"{address}:{port} cannot be listened to ({error.strerror or error}). Choose another --address, or --port {port + 1}."
        ) from None
    return listener


def serve(address: str, port: int, names: list[str], settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT.

    Args:
        port: 0 takes any that is free; the log tells which.
        names: of the models; all on the shelf where empty.

    Raises:
        ValueError: see `listen` and `list_folders`.
    """
    metrics = Metrics()
    service = Service(settings, ServedModels(list_folders(names), settings.batch, metrics.note_batch), metrics)
    with listen(address, port) as listener:
        start_logs()
        log("listening", address=address, port=listener.getsockname()[1], keys=len(settings.keys))
        config = uvicorn.Config(
            service.app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEPT,
            lifespan="on",
        )
        _Server(config, service, listener).run(sockets=[listener])
