"""Completions: model resolution, the prompt, and ending early."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.errors import ModelUnavailable, ShuttingDown
from services.completions import Completion

ASKED = {"model": "nobody", "messages": [{"role": "user", "content": "Hello"}]}


async def find(rooms: Any, request: dict[str, Any], prompted: str | None) -> dict[str, Any]:
    await rooms.settings.update_of_admin({"system_prompt": "Be brief."})
    completion: Completion = await rooms.completions.find(request, prompted)
    return completion.request


async def test_the_request_names_the_model_that_answers(rooms: Any) -> None:
    completion = await rooms.completions.find(ASKED, None)
    assert completion.model == "quillium-demo"
    assert completion.request == {**ASKED, "model": "quillium-demo"}
    assert completion.provider.name == "built-in"
    assert completion.forwarding is None
    assert ASKED["model"] == "nobody"


async def test_the_admins_prompt_comes_first(rooms: Any) -> None:
    asked = await find(rooms, ASKED, "messages")
    assert asked["messages"] == [{"role": "system", "content": "Be brief."}, *ASKED["messages"]]
    assert len(ASKED["messages"]) == 1
    assert "Be brief." not in str(await find(rooms, ASKED, None))
    asked = await find(rooms, {"model": "m", "input": "Hello"}, "instructions")
    assert asked["instructions"] == "Be brief."


@pytest.mark.parametrize(
    ("request_", "prompted"),
    [
        ({"messages": [{"role": "system", "content": "Mine"}]}, "messages"),
        ({"messages": [{"role": "user"}, {"role": "developer"}]}, "messages"),
        ({"instructions": "Mine", "input": "Hello"}, "instructions"),
        ({"input": [{"role": "developer", "content": "Mine"}]}, "instructions"),
    ],
)
async def test_a_caller_with_a_prompt_of_their_own_keeps_it(
    rooms: Any, request_: dict[str, Any], prompted: str
) -> None:
    asked = {"model": "quillium-demo", **request_}
    assert await find(rooms, asked, prompted) == asked


async def test_work_that_ends_by_itself(rooms: Any) -> None:
    async def work() -> None:
        done.append(1)

    async def failing() -> None:
        raise ModelUnavailable("planted")

    done: list[int] = []
    completion = await rooms.completions.find(ASKED, None)
    assert await completion.run(work())
    assert done == [1]
    with pytest.raises(ModelUnavailable):
        await completion.run(failing())
    rooms.completions.drain()  # neither is in flight any more


async def begin(completion: Completion) -> asyncio.Task[bool]:
    started = asyncio.Event()

    async def work() -> None:
        started.set()
        await asyncio.Event().wait()

    running = asyncio.ensure_future(completion.run(work()))
    await started.wait()
    return running


async def test_a_caller_that_hangs_up_ends_the_work(rooms: Any) -> None:
    completion = await rooms.completions.find(ASKED, None)
    running = await begin(completion)
    completion.end(None)
    assert await running is False


async def test_a_server_that_shuts_down_says_so(rooms: Any) -> None:
    running = [await begin(await rooms.completions.find(ASKED, None)) for _ in range(2)]
    rooms.completions.drain()
    for task in running:
        with pytest.raises(ShuttingDown):
            await task


async def test_a_cancelled_handler_is_cancelled(rooms: Any) -> None:
    running = await begin(await rooms.completions.find(ASKED, None))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
