"""Metrics without a collector cost nothing and break nothing."""

from __future__ import annotations

import inspect

from core.metrics import Metrics
from services.metrics import Prometheus


def test_every_metric_is_collected_by_prometheus() -> None:
    for name, method in inspect.getmembers(Metrics, inspect.isfunction):
        assert inspect.signature(method) == inspect.signature(getattr(Prometheus, name))
        assert name in vars(Prometheus)


def test_metrics_accept_anything_and_do_nothing() -> None:
    metrics = Metrics()
    metrics.request("/x", "GET", 200, 0.1)
    metrics.frame_received("message")
    metrics.frame_sent()
    metrics.refused("requests")
    metrics.time_to_first_token(0.1)
    metrics.reply_ended("complete")
