"""The networks over HTTP: Open Inference Protocol V2, and readings as the command line gives them. Extra `service`.

Nothing is saved: a photo lives in memory until its answer is sent.
"""

MISSING = "The service is not installed. It comes with the extra `service`: pip install 'melascope[service]'."


class ServiceMissing(ValueError):
    """FastAPI, uvicorn or another part of the extra is not installed."""


def check_service() -> None:
    """Stops before anything long where the extra is not there.

    Raises:
        ServiceMissing: see `MISSING`.
    """
    try:
        import fastapi  # noqa: F401
        import prometheus_client  # noqa: F401
        import python_multipart  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError:
        raise ServiceMissing(MISSING) from None
