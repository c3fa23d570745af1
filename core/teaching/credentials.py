"""Codes that people type, and secrets that programs keep: only hashes of the secrets are stored."""

import hashlib
import hmac
import secrets

# Without vowels, so that no word comes about, and without what looks alike on a projector: 0 O, 1 I L, 5 S, 2 Z, 8 B, U V.
ALPHABET = "34679CDFGHJKMNPQRTWXY"
CODE_LENGTH = 5  # four million codes
SECRET_BYTES = 24
_LONGEST = 200


def make_code() -> str:
    """A new code of a room, such as "K7PXC"."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def read_code(typed: object) -> str:
    """A code as a person typed it: any case, with spaces or hyphens. What cannot be a code stays one that no room has."""
    return "".join(c for c in str(typed)[:_LONGEST].upper() if c.isalnum())[:12]


def make_secret() -> str:
    """A new secret of a teacher, or token of a student."""
    return secrets.token_urlsafe(SECRET_BYTES)


def make_salt() -> str:
    """A key that keys of photos are made with; it never leaves the server."""
    return secrets.token_hex(32)


def hash_secret(secret: object) -> str:
    """What is stored of a secret. Secrets are long and random, so that a plain hash cannot be turned back."""
    return hashlib.sha256(str(secret)[:_LONGEST].encode("utf-8", "replace")).hexdigest()


def is_secret(given: object, stored_hash: str) -> bool:
    """Whether a secret is the one of a hash, in a time that does not tell how much of it fits."""
    return hmac.compare_digest(hash_secret(given), stored_hash)


def photo_key(salt: str, position: int | str) -> str:
    """What a phone asks a photo by: an ISIC id would let it look the truth up."""
    return hmac.new(salt.encode(), f"photo {position}".encode(), hashlib.sha256).hexdigest()[:24]
