"""Every answer that is no answer: a status and one sentence, as {"error": SENTENCE}."""

from __future__ import annotations

import math

from starlette.responses import JSONResponse

MALFORMED, NO_KEY, NOT_THERE, NO_METHOD, TOO_SLOW = 400, 401, 404, 405, 408
TOO_BIG, WRONG_TYPE, MISDIRECTED, CANNOT_BE, BUSY = 413, 415, 421, 422, 429
UNFORESEEN, NOT_NOW, TOOK_TOO_LONG = 500, 503, 504
# What of a request is repeated in a sentence at most, characters.
SHOWN = 80


class RequestRefused(Exception):
    """A request that gets no answer.

    Args:
        status: of the response.
        sentence: what came, what was expected, how to fix it.
        retry_after: seconds after which asking again makes sense; None where it does not.
    """

    def __init__(self, status: int, sentence: str, retry_after: float | None = None):
        super().__init__(sentence)
        self.status, self.sentence, self.retry_after = status, sentence, retry_after

    def response(self) -> JSONResponse:
        headers = {}
        if self.retry_after is not None:
            headers["Retry-After"] = str(max(1, math.ceil(self.retry_after)))
        if self.status == NO_KEY:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse({"error": self.sentence}, self.status, headers)


def repeated(came: object) -> str:
    """What came, as far as a sentence repeats it."""
    text = repr(came)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
