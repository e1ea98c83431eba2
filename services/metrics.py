"""Metrics for Prometheus at `/metrics` (contract, section 9), with `prometheus-client`.

Figures that other modules already count are collected at scrape time; events are counted here.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from typing import Any

from core.metrics import Metrics
from core.options import MissingExtra
from storage.writer import Statistics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_FIRST_TEXT_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Prometheus(Metrics):
    """Metrics in a separate `prometheus-client` registry."""

    def __init__(self) -> None:
        """Create the metrics. Raises `MissingExtra` if `prometheus-client` is not installed."""
        if importlib.util.find_spec("prometheus_client") is None:
            raise MissingExtra("metrics")
        # Imported late, so that servers without metrics don't pay for it.
        from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

        registry: Any = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._registry = registry
        self._requests = Histogram(
            "quillium_request_seconds",
            "Completed requests, including WebSocket handshakes",
            ["route", "method", "status"],
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self._sent = Counter("quillium_frames_sent", "WebSocket frames sent", registry=registry)
        self._received = Counter(
            "quillium_frames_received", "WebSocket frames received", ["type"], registry=registry
        )
        self._refusals = Counter(
            "quillium_refusals", "Refusals by a rate limit", ["bucket"], registry=registry
        )
        self._first_text = Histogram(
            "quillium_first_text_seconds",
            "From a stored message to the first text of its reply",
            buckets=_FIRST_TEXT_SECONDS,
            registry=registry,
        )
        self._replies = Counter(
            "quillium_replies", "Ended replies by status", ["status"], registry=registry
        )

    def observe(
        self,
        sockets: Callable[[], int],
        replies: Callable[[], int],
        writer: Callable[[], Statistics],
    ) -> None:
        """Register sources of figures that are collected at scrape time."""
        self._registry.register(_Observed(sockets, replies, writer))

    def text(self) -> bytes:
        """Return all metrics in the Prometheus text format 0.0.4."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        self._requests.labels(route, method, str(status)).observe(seconds)

    def frame_sent(self) -> None:
        self._sent.inc()

    def frame_received(self, type: str) -> None:
        self._received.labels(type).inc()

    def refused(self, bucket: str) -> None:
        self._refusals.labels(bucket).inc()

    def time_to_first_token(self, seconds: float) -> None:
        self._first_text.observe(seconds)

    def reply_ended(self, status: str) -> None:
        self._replies.labels(status).inc()


class _Observed:
    """A `prometheus-client` collector for figures of other modules."""

    def __init__(
        self,
        sockets: Callable[[], int],
        replies: Callable[[], int],
        writer: Callable[[], Statistics],
    ) -> None:
        self._sockets = sockets
        self._replies = replies
        self._writer = writer

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        writer = self._writer()
        yield GaugeMetricFamily("quillium_sockets", "Open sockets", value=self._sockets())
        yield GaugeMetricFamily(
            "quillium_replies_under_way", "Replies in progress", value=self._replies()
        )
        for name, text, value in (
            ("commits", "Commits, one per batch of writes", writer.commits),
            ("writes", "Stored writes", writer.writes),
            ("write_wait_seconds", "Total waiting time of writes", writer.seconds_waited),
        ):
            yield CounterMetricFamily(f"quillium_{name}", text, value=value)
