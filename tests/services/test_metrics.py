"""Prometheus metrics: counted as they happen, or read on demand."""

from __future__ import annotations

import importlib.util

import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.options import ConfigError
from services.metrics import Prometheus
from storage.writer import Statistics


def figures(metrics: Prometheus) -> dict[tuple[str, ...], float]:
    """Each sample by its name and the values of its labels, in the order of the labels' names."""
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def test_what_happens_is_counted() -> None:
    metrics = Prometheus()
    metrics.request("/chats", "GET", 200, 0.004)
    metrics.frame_sent()
    metrics.frame_received("typing")
    metrics.refused("logins")
    metrics.time_to_first_token(0.3)
    metrics.reply_ended("stopped")
    seen = figures(metrics)
    assert seen["quillium_request_seconds_sum", "GET", "/chats", "200"] == 0.004
    assert seen["quillium_request_seconds_bucket", "0.0025", "GET", "/chats", "200"] == 0
    assert seen["quillium_request_seconds_bucket", "0.005", "GET", "/chats", "200"] == 1
    assert seen["quillium_frames_sent_total",] == 1
    assert seen["quillium_frames_received_total", "typing"] == 1
    assert seen["quillium_refusals_total", "logins"] == 1
    assert seen["quillium_first_text_seconds_bucket", "0.25"] == 0
    assert seen["quillium_first_text_seconds_bucket", "0.5"] == 1
    assert seen["quillium_replies_total", "stopped"] == 1


def test_what_others_count_is_asked_for_at_each_reading() -> None:
    metrics, sockets = Prometheus(), [1]
    metrics.observe(lambda: sockets[0], lambda: 2, lambda: Statistics(3, 4, 5.5))
    assert figures(metrics)["quillium_sockets",] == 1
    sockets[0] = 9
    seen = figures(metrics)
    names = ("sockets", "replies_under_way", "commits_total", "writes_total")
    assert [seen[f"quillium_{name}",] for name in names] == [9, 2, 3, 4]
    assert seen["quillium_write_wait_seconds_total",] == 5.5


def test_two_have_registries_of_their_own() -> None:
    one, two = Prometheus(), Prometheus()
    one.frame_sent()
    assert figures(two)["quillium_frames_sent_total",] == 0


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="the metrics extra is not installed"):
        Prometheus()
