"""Providers from the admin's settings."""

from __future__ import annotations

from typing import Any

import pytest

from assistant import PromptMessage, configured
from assistant.upstream import FIRST_SECONDS, SILENT_SECONDS, TOTAL_SECONDS, Upstream
from tests.assistant.upstream import Caller, upstream

LEAST = {"name": "The Upstream", "base_url": "http://127.0.0.1:1/v1"}


def times(**settings: Any) -> tuple[float, float, float]:
    """Return the time-outs of a provider: to the first token, between two, in all."""
    built: list[Upstream] = []

    def noted(**fields: Any) -> Upstream:
        built.append(Upstream(**fields))
        return built[-1]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(configured, "Upstream", noted)
        configured.provider({**LEAST, **settings})
    (made,) = built
    return made.first_seconds, made.silent_seconds, made.total_seconds


def test_what_was_stored_before_there_were_more_fields() -> None:
    assert configured.provider(LEAST).name == "The Upstream"
    assert times() == (FIRST_SECONDS, SILENT_SECONDS, TOTAL_SECONDS)
    assert times(timeout_seconds=None, total_timeout_seconds=None) == times()


def test_time_outs() -> None:
    assert times(timeout_seconds=7) == (7, 7, TOTAL_SECONDS)
    assert times(total_timeout_seconds=9) == (FIRST_SECONDS, SILENT_SECONDS, 9)
    assert times(timeout_seconds=99, total_timeout_seconds=9) == (99, 99, 99)


async def asked(**settings: Any) -> Caller:
    callers: list[Caller] = []

    async def script(caller: Caller) -> None:
        callers.append(caller)
        await caller.begin()
        await caller.event(content="Hi")
        await caller.done()

    async with upstream(script) as base_url:
        provider = configured.provider({**LEAST, "base_url": base_url, **settings})
        async for _ in provider.reply([PromptMessage("user", "Hello?")], "m"):
            pass
    (caller,) = callers
    return caller


async def test_key_headers_and_body_reach_the_server() -> None:
    caller = await asked(
        api_key="sk-key", headers={"X-Team": "ink"}, extra_body={"top_k": 3}, max_tokens=5
    )
    assert caller.headers["authorization"] == "Bearer sk-key"
    assert caller.headers["x-team"] == "ink"
    assert (caller.body["top_k"], caller.body["max_tokens"]) == (3, 5)


async def test_nothing_is_sent_that_was_not_set() -> None:
    caller = await asked(headers=None, api_key=None)
    assert "authorization" not in caller.headers
    assert caller.body.keys() == {"model", "messages", "stream", "stream_options"}


def test_the_context_window() -> None:
    small, large = (
        configured.provider({**LEAST, "context_window": window}).memory("m")
        for window in (1_000, 100_000)
    )
    assert large == 100 * small
