"""Which folders of this computer a page may look into: any where only this computer reaches the app, else those that its owner names."""

import os
from pathlib import Path

import streamlit as st

FOLDER_VARIABLE = "HAM10000_DIR"
ROOTS_VARIABLE = "MELASCOPE_PHOTO_ROOTS"
NOT_ALLOWED = (
    f"Others reach this app, so that only folders which the computer's owner named can be chosen here. Name it in {ROOTS_VARIABLE} or "
    f"{FOLDER_VARIABLE} where the app is started."
)
_LOCAL = ("localhost", "127.0.0.1", "::1")
# What proxies add to a request.
_FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via")


def is_allowed(folder: str | Path) -> bool:
    """Whether a page may look into a folder, links in its path followed; what is there is not looked at."""
    if not others_reach():
        return True
    try:
        place = Path(folder).expanduser().resolve()
    except (OSError, RuntimeError, ValueError):
        return False
    return any(place.is_relative_to(root) for root in allowed_roots())


def others_reach() -> bool:
    """Whether the app listens to others, has a name for them because a proxy does, or this visitor came by another name or a proxy."""
    if any(st.get_option(name) not in _LOCAL for name in ("server.address", "browser.serverAddress")):
        return True
    headers = st.context.headers
    host = str(headers.get("Host") or "localhost")
    name = host.rsplit(":", 1)[0] if host.rsplit(":", 1)[-1].isdigit() else host
    return name.strip("[]") not in _LOCAL or any(headers.get(one) for one in _FORWARDED)


def allowed_roots() -> list[Path]:
    """The folders that the computer's owner named for visitors from elsewhere."""
    named = [*os.environ.get(ROOTS_VARIABLE, "").split(os.pathsep), os.environ.get(FOLDER_VARIABLE, "")]
    return [Path(root).expanduser().resolve() for root in named if root.strip()]
