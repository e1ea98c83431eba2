"""Resolving a model name: the admin's providers, built-in models, discovered servers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from assistant.directory import Directory
from assistant.upstream import Upstream
from tests.assistant.upstream import Caller, Script, upstream


def lists(*models: str) -> Script:
    async def script(caller: Caller) -> None:
        listed = {"data": [{"id": model} for model in models]}
        await caller.respond("200 OK", json.dumps(listed).encode())

    return script


def settings(base_url: str, *models: str, **more: Any) -> dict[str, Any]:
    return {"name": "Mine", "base_url": base_url, "models": list(models), **more}


async def settled(directory: Directory, count: int) -> dict[str, str]:
    """Who serves each model, once there are so many."""
    while len(directory.models()) < count:
        await asyncio.sleep(0.001)
    return {model.id: model.provider for model in directory.models()}


async def test_nobody_takes_a_built_in_name() -> None:
    async with upstream(lists("quillium-demo", "other")) as base_url:
        directory = Directory(discovered=[Upstream("Ollama", base_url)])
        directory.configure([settings(base_url, "*")])
        served = await settled(directory, 2)
        assert served == {"other": "Mine", "quillium-demo": "built-in"}
        assert directory.resolve("quillium-demo", None)[0].name == "built-in"
        assert directory.is_built_in("quillium-demo")
        assert not directory.is_built_in("other")
        await directory.close()


async def test_a_discovered_server_takes_no_model_that_was_configured() -> None:
    async with upstream(lists("gpt-4", "mine", "llama")) as base_url:
        directory = Directory(discovered=[Upstream("Ollama", base_url)])
        directory.configure(
            [
                settings("http://127.0.0.1:9/v1", "gpt-4"),
                settings("http://127.0.0.1:9/v1", "mine", is_enabled=False, name="Off"),
            ]
        )
        served = await settled(directory, 3)
        assert served == {"gpt-4": "Mine", "llama": "Ollama", "quillium-demo": "built-in"}
        assert [m.id for m in directory.models() if m.is_discovered] == ["llama"]
        assert directory.resolve("mine", None)[1] == "quillium-demo"
        await directory.close()


async def test_a_discovered_server_does_not_answer_before_a_configured_one_has_listed() -> None:
    may_answer = asyncio.Event()

    async def slow(caller: Caller) -> None:
        await may_answer.wait()
        await lists("gpt-4")(caller)

    async with upstream(slow) as slow_url, upstream(lists("gpt-4")) as found_url:
        directory = Directory(discovered=[Upstream("Ollama", found_url)])
        directory.configure([settings(slow_url, "*")])
        await settled(directory, 2)
        assert not directory.is_settled("gpt-4")
        may_answer.set()
        await directory.wait_for("gpt-4")
        assert directory.resolve("gpt-4", None)[0].name == "Mine"
        await directory.close()


async def test_a_server_that_lists_very_many_models() -> None:
    async with upstream(lists(*(f"m{n}" for n in range(50_000)))) as base_url:
        directory = Directory()
        directory.configure([settings(base_url, "*")])
        assert len(await settled(directory, 2)) == 1_001
        await directory.close()


@pytest.mark.parametrize("name", ["a" * 150, "/models/a b.gguf", "名前", "org/m:free", "x" * 200])
async def test_names_of_models(name: str) -> None:
    async with upstream(lists(name, "x" * 201, "", "a\nb", " ")) as base_url:
        directory = Directory()
        directory.configure([settings(base_url, "*")])
        assert set(await settled(directory, 2)) == {name, "quillium-demo"}
        await directory.close()


async def test_settings_of_a_provider_reach_it() -> None:
    directory = Directory()
    given = settings("http://127.0.0.1:9/v1", "m", "gpt-4o", context_window=4096, max_tokens=7,
                     timeout_seconds=3, total_timeout_seconds=20, headers={"X": "y"},
                     extra_body={"a": 1}, api_key="k")  # fmt: skip
    directory.configure([given])
    provider: Any = directory.resolve("m", None)[0]
    asked = provider.upstream
    assert (asked.first_seconds, asked.silent_seconds, asked.total_seconds) == (3, 3, 20)
    assert (asked.headers, asked.api_key) == ((("X", "y"),), "k")
    assert provider.extra_body == {"a": 1}
    assert {m.id: m.context_window for m in directory.models()}["gpt-4o"] == 4096
    directory.configure([settings("http://127.0.0.1:9/v1", "m", "gpt-4o")])
    asked = directory.resolve("m", None)[0].upstream  # type: ignore[attr-defined]
    assert (asked.first_seconds, asked.silent_seconds, asked.total_seconds) == (300, 60, 600)
    windows = {m.id: m.context_window for m in directory.models()}
    assert windows == {"m": None, "gpt-4o": 128_000, "quillium-demo": None}
    await directory.close()
