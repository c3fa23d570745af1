"""What Prometheus is told: how many requests, how long, how large the batches. Nothing of a photo or a patient."""

from __future__ import annotations

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)

from core import __version__

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_IMAGES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Of one service. Routes and models are those that there are, so that no client can make new series."""

    def __init__(self):
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        Info("melascope", "The program.", registry=self.registry).info({"version": __version__})
        self._requests = Counter(
            "melascope_requests", "Requests by what came of them.", ("route", "model", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "melascope_request_seconds",
            "From a request's first byte to its answer.",
            ("route", "model"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._batches = Histogram(
            "melascope_batch_images",
            "Images that went through a network together.",
            ("model",),
            buckets=_IMAGES,
            registry=self.registry,
        )
        self.accepted = Gauge("melascope_accepted", "Requests in work or waiting.", registry=self.registry)
        self.bytes = Gauge("melascope_body_bytes", "Bytes of the bodies in memory.", registry=self.registry)

    def note_request(self, route: str, model: str, status: int, seconds: float) -> None:
        self._requests.labels(route, model, str(status)).inc()
        self._seconds.labels(route, model).observe(seconds)

    def note_batch(self, model: str, images: int) -> None:
        self._batches.labels(model).observe(images)

    def text(self) -> bytes:
        return generate_latest(self.registry)
