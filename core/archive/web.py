"""Asking a public server for files: patiently, no faster than it likes, and going on where it was cut off.

Nothing of the user is sent: no cookie, no token, no authorisation. Signed addresses, to which archives redirect, take none.
"""

import contextlib
import datetime
import email.utils
import hashlib
import http.client
import json
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core import __version__
from core.files import make_folder, written_at

# What passes by itself: too many requests, and a server that is restarted or overloaded.
PASSING = (429, 500, 502, 503, 504)
MOST_JSON = 20_000_000  # bytes
_CHUNK = 1 << 18
# A file that comes more slowly than this, over so long, is asked for again.
SLOWEST, OVER = 1_000, 60.0  # bytes a second, seconds


class FetchFailed(ValueError):
    """Something could not be fetched; the sentence says what, why and what to do. What had come stays and is gone on with."""


class Offline(FetchFailed):
    """The server cannot be reached at all."""


class NotThere(FetchFailed):
    """The server has no such thing."""


class Denied(FetchFailed):
    """The server refuses; a signed address is refused once it is out of date."""


class Stopped(FetchFailed):
    """Somebody stopped it."""


class Web:
    """Asks servers, one request after the other.

    Args:
        attempts: how often in a row nothing may come before it is given up.
        timeout: seconds to wait for the next bytes.
        wait: seconds before the second attempt; doubled each time. A `Retry-After` of the server goes before it.
        longest: seconds that are waited at most; a server that asks for more is told in a sentence.
        apart: seconds between the beginnings of two requests.
        stop: set by whoever wants it to stop.
        slowest, over: bytes a second, over so many seconds, below which a file is asked for again.
    """

    def __init__(
        self,
        *,
        attempts: int = 5,
        timeout: float = 30.0,
        wait: float = 1.0,
        longest: float = 120.0,
        apart: float = 0.1,
        stop: threading.Event | None = None,
        slowest: float = SLOWEST,
        over: float = OVER,
    ):
        self.attempts, self.timeout, self.wait, self.longest, self.apart = attempts, timeout, wait, longest, apart
        self.stop = stop or threading.Event()
        self.slowest, self.over = slowest, over
        self._opener = urllib.request.build_opener(_NeverToPlain)
        self._next = 0.0

    def json(self, address: str) -> Any:
        """What a server answers, read as JSON. Raises `FetchFailed`."""
        host = urlsplit(address).netloc

        def read(response) -> bytes:
            content = b""
            for chunk in self._chunks(response, address):
                content += chunk
                if len(content) > MOST_JSON:
                    raise FetchFailed(
                        f"{host} answered with more than {MOST_JSON / 1e6:.0f} MB where a list was expected."
                    )
            return content

        content = self._ask(address, {"Accept": "application/json"}, read)
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            what = "a web page" if content.lstrip()[:1] == b"<" else "something else"
            raise FetchFailed(
                f"{host} answered with {what} where JSON was expected. Perhaps a proxy or a login page stands between; open the address "
                "in a browser, and try again later."
            ) from None

    def file(
        self,
        address: str,
        target: str | Path,
        size: int | None = None,
        checksum: tuple[str, str] | None = None,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> Path:
        """Fetches a file. What came before a cut, a kill or an error lies beside it, and the next call goes on there.

        Args:
            address: of the file.
            target: where it is to lie; it appears there whole and checked, or not at all.
            size: in bytes; None where it is not known.
            checksum: name for `hashlib` and hexadecimal digest, or None.
            progress: called with (bytes that are there, bytes in all).

        Raises:
            FetchFailed: it cannot be had, or is not what was announced.
            CannotWrite: the disk is full.
        """
        target = Path(target)
        make_folder(target.parent)
        part = target.with_name(f".{target.name}.part")
        for last in (False, True):
            self._complete(address, part, size, progress)
            fault = _fault(part, size, checksum)
            if not fault:
                break
            part.unlink(missing_ok=True)
            if last:
                raise FetchFailed(
                    f"{target.name} came from {urlsplit(address).netloc} with {fault}, twice. Nothing of it was kept; try again later."
                )
        with written_at(target):
            part.replace(target)
        return target

    # ---- one file, part by part ----

    def _complete(self, address: str, part: Path, size: int | None, progress) -> None:
        left = self.attempts
        while True:
            have = part.stat().st_size if part.is_file() else 0
            if size is not None and have > size:
                part.unlink()
                have = 0
            if size is not None and have == size and part.is_file():
                return
            try:
                self._ask(
                    address,
                    {"Range": f"bytes={have}-"} if have else {},
                    lambda response, have=have: self._append(response, part, have, size, progress, address),
                    attempts=left,
                )
                return
            except _Cut as cut:
                # Bytes came: the line is not dead, and patience begins anew.
                left = self.attempts if part.stat().st_size > have else left - 1
                if left < 1:
                    raise FetchFailed(f"{_sentence(cut, address)} What came so far stays; try again later.") from None
                self._sleep(self.wait)

    def _append(self, response, part: Path, have: int, size: int | None, progress, address: str) -> None:
        host = urlsplit(address).netloc
        if response.headers.get_content_type() == "text/html":
            raise FetchFailed(
                f"{host} answered with a web page instead of the file {part.name[1:-5]}. Perhaps a proxy or a login page stands between."
            )
        goes_on = response.status == 206 and _begins_at(response.headers.get("Content-Range")) == have
        if response.status == 206 and not goes_on:
            part.unlink(missing_ok=True)
            raise _Cut("another part came than was asked for")
        there = have if goes_on else 0
        length = response.headers.get("Content-Length", "")
        total = size if size is not None else (there + int(length) if length.isdigit() else None)
        # A full disk fails again as the file is closed. The line's faults are no OSErrors any more: see `_chunks`.
        with written_at(part), open(part, "ab" if goes_on else "wb") as file:
            for chunk in self._chunks(response, address):
                there += len(chunk)
                if size is not None and there > size:
                    break  # more than was announced: the check afterwards tells
                file.write(chunk)
                file.flush()
                if progress:
                    progress(there, total)
        if total is not None and there < total:
            raise _Cut("the connection was cut")

    def _chunks(self, response, address: str) -> Iterator[bytes]:
        """What comes, piece by piece; ends with `_Cut` where it stops or is too slow."""
        begun, came = time.monotonic(), 0
        while True:
            if self.stop.is_set():
                raise Stopped("Stopped. What came so far stays.")
            try:
                chunk = response.read1(_CHUNK)
            except (OSError, http.client.HTTPException) as error:
                raise _Cut("it stopped in the middle", error) from error
            if not chunk:
                return
            yield chunk
            came += len(chunk)
            if (passed := time.monotonic() - begun) > self.over:
                if came < self.slowest * passed:
                    raise _Cut("it came too slowly")
                begun, came = time.monotonic(), 0

    # ---- one request ----

    def _ask(self, address: str, headers: dict[str, str], use: Callable, attempts: int | None = None):
        """Opens an address and gives the response to `use`, again and again while what goes wrong passes by itself."""
        attempts = self.attempts if attempts is None else attempts
        headers = {"User-Agent": f"Melascope/{__version__}", **headers}
        with_range = "Range" in headers
        wait = self.wait
        for left in range(attempts - 1, -1, -1):
            self._sleep(max(0.0, self._next - time.monotonic()))
            self._next = time.monotonic() + self.apart
            # A new one each time: it counts its redirects, and the same one again and again would look like a loop.
            request = urllib.request.Request(address, headers=headers)
            try:
                with contextlib.closing(self._opener.open(request, timeout=self.timeout)) as response:
                    return use(response)
            except urllib.error.HTTPError as error:
                error.close()
                if with_range and error.code == 416:  # there is no such part: the file is another one by now
                    headers.pop("Range", None)
                    continue
                wished = _wished(error.headers.get("Retry-After"))
                if error.code not in PASSING or not left or (wished or 0) > self.longest:
                    raise _refusal(error, address, wished) from None
                wait_now = wait if wished is None else wished
            except _Cut as error:
                if with_range or "Accept" not in headers:
                    raise  # a file: whoever asked knows how much came
                if not left:
                    raise FetchFailed(f"{_sentence(error, address)} Try again later.") from None
                wait_now = wait
            except (OSError, http.client.HTTPException) as error:
                reason = getattr(error, "reason", error)
                # A name that is not found and a door that is shut do not open within seconds, but may after a blink.
                if (
                    not left
                    or (_is_away(reason) and left < attempts - 1)
                    or isinstance(reason, ssl.SSLCertVerificationError)
                ):
                    raise _away(reason, address) from None
                wait_now = wait
            wait *= 2
            self._sleep(min(wait_now, self.longest))
        raise FetchFailed(f"{urlsplit(address).netloc} does not answer. Try again later.")

    def _sleep(self, seconds: float) -> None:
        if self.stop.wait(seconds) if seconds > 0 else self.stop.is_set():
            raise Stopped("Stopped. What came so far stays.")


class _Cut(Exception):
    """The line broke; whoever asked may go on."""


class _NeverToPlain(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but from an encrypted address to no other kind."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise urllib.error.HTTPError(newurl, code, "redirected to an address without encryption", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


# ---- details ----


def _fault(part: Path, size: int | None, checksum: tuple[str, str] | None) -> str:
    """What of a file is not as announced; empty where all is."""
    came = part.stat().st_size if part.is_file() else 0
    if size is not None and came != size:
        return f"{came:,} bytes instead of {size:,}"
    if checksum:
        name, expected = checksum
        with written_at(part), open(part, "rb") as file:
            digest = hashlib.file_digest(file, name).hexdigest()
        if digest != expected.lower():
            return f"a wrong {name.upper()} checksum"
    return ""


def _begins_at(content_range: str | None) -> int | None:
    """Where a part begins, by its header "bytes 100-199/1000"."""
    with contextlib.suppress(ValueError, AttributeError, IndexError):
        return int(content_range.split()[1].split("-")[0])
    return None


def _wished(retry_after: str | None) -> float | None:
    """Seconds that a server asks to wait: a number, or a date."""
    if not retry_after:
        return None
    with contextlib.suppress(ValueError):
        return max(0.0, float(retry_after))
    with contextlib.suppress(ValueError, TypeError):
        until = email.utils.parsedate_to_datetime(retry_after)
        until = until if until.tzinfo else until.replace(tzinfo=datetime.UTC)
        return max(0.0, (until - datetime.datetime.now(datetime.UTC)).total_seconds())
    return None


def _refusal(error: urllib.error.HTTPError, address: str, wished: float | None) -> FetchFailed:
    host = urlsplit(address).netloc
    if error.code in (404, 410):
        return NotThere(f"{host} has nothing at {urlsplit(address).path} ({error.code}).")
    if error.code in (401, 403):
        return Denied(f"{host} does not give out {urlsplit(address).path} ({error.code}).")
    if error.code == 429:
        when = f"in {wished / 60:.0f} minutes" if wished and wished > 90 else "in some minutes"
        return FetchFailed(f"{host} was asked too often (429). What came so far stays; try again {when}.")
    if error.code in PASSING:
        return FetchFailed(f"{host} is out of order ({error.code}). What came so far stays; try again later.")
    return FetchFailed(f"{host} refused {urlsplit(address).path} ({error.code} {error.reason}).")


def _is_away(reason: object) -> bool:
    return isinstance(reason, socket.gaierror | ConnectionRefusedError) or getattr(reason, "errno", None) in (101, 113)


def _away(reason: object, address: str) -> FetchFailed:
    host = urlsplit(address).netloc
    if isinstance(reason, ssl.SSLCertVerificationError):
        return FetchFailed(
            f"The certificate of {host} cannot be checked ({reason.verify_message}). Is the computer's date right, or does a proxy stand "
            "between?"
        )
    if isinstance(reason, TimeoutError):
        return FetchFailed(f"{host} does not answer in time. What came so far stays; try again later.")
    return Offline(
        f"{host} cannot be reached ({getattr(reason, 'strerror', None) or reason}). Is this computer on the internet? Behind a proxy, "
        "HTTPS_PROXY names it. What came so far stays."
    )


def _sentence(cut: _Cut, address: str) -> str:
    return f"{urlsplit(address).netloc}: {cut.args[0]}, again and again."
