"""What a service is started with: where it listens, who may ask, and how much."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from core.data.images import MAX_BYTES

KEYS_VARIABLE = "MELASCOPE_SERVICE_KEYS"
# A key is long and random, so that its plain hash cannot be turned back and trying keys leads nowhere.
SHORTEST_KEY = 20
LOCAL = ("localhost", "127.0.0.1", "::1")
ANY_HOST = "*"


@dataclass(frozen=True)
class Settings:
    """Of a service.

    Args:
        keys: SHA-256 of each key that opens it; empty where nobody needs one.
        hosts: names by which it may be called in the Host header; `ANY_HOST` among them lets all through.
        queue: requests that may be in work or wait; further ones are refused.
        batch: images that go through a network together at most.
        seconds: from the arrival of a request's body to its answer at most.
        upload_seconds: for a body to arrive.
        most_bytes: of a body. A photo as base64 is a third longer than its file.
        most_tensor_bytes: of the JSON of an `infer` request; numbers as text take many times their memory.
        most_memory: bytes of all bodies at a time.
        base_path: below which a proxy shows the service.
    """

    keys: tuple[bytes, ...] = field(default=(), repr=False)
    hosts: tuple[str, ...] = LOCAL
    queue: int = 64
    batch: int = 8
    seconds: float = 30.0
    upload_seconds: float = 30.0
    most_bytes: int = MAX_BYTES * 4 // 3 + 1_000_000
    most_tensor_bytes: int = 16_000_000
    most_memory: int = 4 * (MAX_BYTES * 4 // 3 + 1_000_000)
    base_path: str = ""

    def opens(self, key: str) -> bool:
        """Whether a key is one of those, in a time that does not tell how much of it fits, or which."""
        given, opened = hashlib.sha256(key.encode("utf-8", "replace")).digest(), False
        for known in self.keys:
            opened |= hmac.compare_digest(given, known)
        return opened


def read_keys(file: Path | None = None) -> tuple[bytes, ...]:
    """Hashes of the keys in a file, one a line, and in the environment, with spaces or commas between them.

    Args:
        file: empty lines and those that begin with # are passed over.

    Raises:
        ValueError: the file cannot be read, holds no key, or a key is too short to be a secret.
    """
    lines = os.environ.get(KEYS_VARIABLE, "").replace(",", " ").split()
    if file is not None:
        try:
            told = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not text"
            raise ValueError(
                f"The keys cannot be read: {file}: {why}. Expected a text file with one key a line."
            ) from None
        told = [line for line in told if line and not line.startswith("#")]
        if not told:
            raise ValueError(f"{file} holds no key. Expected one a line; `openssl rand -hex 24` makes one.")
        lines += told
    if short := [line for line in lines if len(line) < SHORTEST_KEY]:
        raise ValueError(
            f"A key of {len(short[0])} characters can be guessed. Expected {SHORTEST_KEY} or more; `openssl rand -hex 24` makes one."
        )
    return tuple(hashlib.sha256(line.encode()).digest() for line in dict.fromkeys(lines))


def check_guarded(address: str, keys: Iterable[bytes], without_keys: bool) -> None:
    """Stops a service that anybody on the network could ask, unless that is wanted.

    Raises:
        ValueError: no keys, and an address that others reach.
    """
    if address not in LOCAL and not tuple(keys) and not without_keys:
        raise ValueError(
            f"{address} is reached by others, and there are no keys. Give --keys FILE or set {KEYS_VARIABLE}; --without-keys lets "
            "everybody ask, which is for a proxy that asks who they are."
        )


def read_base_path(typed: str) -> str:
    """A path as it goes before others: "/lesions", or empty.

    Raises:
        ValueError: no path.
    """
    path = typed.strip().rstrip("/")
    if path and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", path):
        raise ValueError(f"{typed!r} is no path. Expected one such as /lesions.")
    return path
