"""Logs as one JSON object a line, which name no patient, no file and no photo: neither facts nor what was sent ever reach them."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback

NAME = "melascope.service"


class JsonLines(logging.Formatter):
    """A record as one line of JSON. Of an error the kind and the place are told, not its words, which may repeat what was sent."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage() if record.name == NAME else "server",
            **getattr(record, "told", {}),
        }
        if record.name != NAME:
            # uvicorn's own sentences on connections; the arguments may hold what was sent.
            told["logger"], told["said"] = record.name, str(record.msg)
        if record.exc_info and record.exc_info[0] is not None:
            told["error"] = record.exc_info[0].__name__
            told["at"] = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(record.exc_info[2])[-5:]]
        return json.dumps(told)


def start_logs() -> None:
    """Sends the service's and uvicorn's logs to standard error as JSON, uvicorn's without its list of requests."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name in (NAME, "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO if name == NAME else logging.WARNING)


def log(event: str, **told: object) -> None:
    """Writes a line.

    Args:
        told: names and plain values, none of which a client chose.
    """
    logging.getLogger(NAME).info(event, extra={"told": told})


def log_error(event: str, error: BaseException, **told: object) -> None:
    """Writes a line on an error that nobody foresaw."""
    logging.getLogger(NAME).error(event, exc_info=error, extra={"told": told})
