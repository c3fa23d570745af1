"""Which folders of Melascope's own computer a visitor may read: all from that computer, else those that its owner named."""

import os
from pathlib import Path

import streamlit as st

ROOTS_VARIABLE = "MELASCOPE_PHOTO_ROOTS"
_HERE = ("localhost", "127.0.0.1", "::1")
_FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via")


class NotAllowed(ValueError):
    """A folder that this visitor may not read."""


def is_local() -> bool:
    """Whether the visitor sits at the computer that runs Melascope: it listens on localhost only, and no proxy stands between."""
    headers = st.context.headers
    host = str(headers.get("Host", "localhost"))
    name = host.rsplit(":", 1)[0] if host.rsplit(":", 1)[-1].isdigit() else host
    return (
        str(st.get_option("server.address")) in _HERE
        and name.strip("[]") in _HERE
        and not any(headers.get(one) for one in _FORWARDED)
    )


def allowed_roots() -> list[Path]:
    """The folders that the computer's owner named for visitors from elsewhere."""
    named = os.environ.get(ROOTS_VARIABLE, "").split(os.pathsep)
    return [Path(one).expanduser().resolve() for one in named if one.strip()]


def check_allowed(folder: Path, local: bool) -> Path:
    """A folder as it is on the disk, links followed.

    Raises:
        NotAllowed: a visitor from elsewhere asks for a folder outside the allowed ones. Whether it exists is not told.
    """
    place = folder.expanduser().resolve()
    if local:
        return place
    roots = allowed_roots()
    if not any(place.is_relative_to(root) for root in roots):
        names = ", ".join(root.name for root in roots)
        raise NotAllowed(
            f"{folder} may not be read from here. Expected a folder within {names}."
            if roots
            else f"{folder} may not be read from here: no folder of this computer is open to visitors. Upload the photos, or ask its "
            f"owner to name folders in {ROOTS_VARIABLE}."
        )
    return place
