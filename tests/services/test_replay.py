"""A test backend records and replays a provider, in each form of the API (section 11)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.dev import SeededServer, model_servers
from core.options import ConfigError
from services import Services
from tests.assistant.upstream import Caller, upstream
from tests.conftest import Client, events

RECORD = pytest.mark.flags("--dev", "--record={tmp_path}/talk.jsonl")
REPLAY = pytest.mark.flags("--dev", "--replay={tmp_path}/talk.jsonl")
HEADER = '{"format": "quillium-recording", "version": 1}\n'


def streamed(*texts: str) -> list[Any]:
    choices: list[Any] = [{"delta": {"content": text}} for text in texts]
    choices.append({"delta": {}, "finish_reason": "stop"})
    chunks = [json.dumps({"choices": [choice]}) for choice in choices]
    return [[0, f"data: {chunk}\n\n"] for chunk in (*chunks, "[DONE]")]


def line(content: str, is_streamed: bool, type: str, sent: list[Any]) -> str:
    messages = [{"role": "user", "content": content}]
    exchange = {
        "provider": "Real",
        "path": "/chat/completions",
        "request": {"model": "gpt-x", "messages": messages, "stream": is_streamed},
        "status": 200,
        "headers": [["Content-Type", type]],
        "events": sent,
        "is_complete": True,
    }
    return json.dumps(exchange) + "\n"


WHOLE = {"object": "chat.completion", "choices": [{"message": {"content": "Whole"}}]}


@pytest.fixture(autouse=True)
def talk(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A recording, unless the test makes one."""
    file = tmp_path / "talk.jsonl"
    if request.node.get_closest_marker("flags").args == REPLAY.args:
        first = line("Hello", True, "text/event-stream", streamed("Real", "ly"))
        second = line("Hello", True, "text/event-stream", streamed("Again"))
        third = line("Hello", False, "application/json", [[0, json.dumps(WHOLE)]])
        file.write_text(HEADER + first + second + third)
    return file


async def reply(client: Client, content: str) -> Any:
    """Say something in a new chat, and return the reply."""
    chat = await client.chat(model="gpt-x")
    return (await client.say(chat, content))[-1]["data"]


@REPLAY
async def test_a_reply_over_http(ada: Client) -> None:
    models = (await ada("GET /models")).body["data"]
    assert (models[0]["id"], models[0]["provider"]) == ("gpt-x", "Real")
    chat = await ada.chat(model="gpt-x")
    headers = {"Accept": "text/event-stream"}
    said = await ada("POST /chats/{id}/messages", {"content": "Hello"}, id=chat, headers=headers)
    deltas = [event["data"].get("delta") for event in events(said.raw) if event["type"] == "typing"]
    assert "".join(filter(None, deltas)) == "Really"


@REPLAY
async def test_a_reply_over_a_socket(ada: Client) -> None:
    chat = await ada.chat(model="gpt-x")
    socket = await ada.socket()
    await socket.send("message", chat_id=chat, content="Hello")
    assert (await socket.reply())["content"] == "Really"


@REPLAY
async def test_completions(ada: Client) -> None:
    body = {"model": "gpt-x", "messages": [{"role": "user", "content": "Hello"}]}
    whole = await ada("POST /openai/v1/chat/completions", body)
    assert whole.body == WHOLE
    stream = await ada("POST /openai/v1/chat/completions", {**body, "stream": True})
    assert stream.raw.decode() == "".join(text for _, text in streamed("Real", "ly"))
    other = await ada("POST /openai/v1/chat/completions", {**body, "temperature": 1})
    assert other.status == 502
    assert "talk.jsonl has no response to this request" in other.body["error"]["message"]
    assert "temperature is null instead of 1" in other.body["error"]["message"]


@REPLAY
async def test_an_unknown_message(ada: Client) -> None:
    failed = await reply(ada, "Hello!")
    assert failed["status"] == "failed"
    assert failed["error"]["code"] == "model_unavailable"
    assert 'messages.0.content is "Hello" instead of "Hello!"' in failed["error"]["details"]


@REPLAY
async def test_a_reset_replays_from_the_beginning(
    anyone: Client, seeded_server: SeededServer, rooms: Services
) -> None:
    await seeded_server.seed(rooms, [])
    for _ in range(2):
        ada = await anyone.register("ada@example.com")
        assert (await reply(ada, "Hello"))["content"] == "Really"
        assert (await reply(ada, "Hello"))["content"] == "Again"
        assert (await anyone("POST /dev/reset")).status == 204


@RECORD
async def test_a_provider_is_recorded(ada: Client, talk: Path) -> None:
    async def script(caller: Caller) -> None:
        if caller.path.startswith("GET"):
            await caller.respond("200 OK", b'{"data": [{"id": "gpt-x"}]}')
            return
        await caller.begin()
        await caller.event(content="Hi")
        await caller.done()

    async with upstream(script) as base_url:
        key = "sk-abcdefghij0123456789"
        provider = {"name": "Real", "base_url": base_url, "api_key": key, "models": ["gpt-x"]}
        assert (await ada("PUT /settings/admin", {"providers": [provider]})).status == 200
        assert (await reply(ada, "Hello"))["content"] == "Hi"
        body = {"model": "gpt-x", "messages": [{"role": "user", "content": "Hello"}]}
        await ada("POST /openai/v1/chat/completions", {**body, "stream": True})
        assert (await ada("PUT /settings/admin", {"providers": []})).status == 200
    lines = [json.loads(line) for line in talk.read_text().splitlines()[1:]]
    said = [line for line in lines if line["path"] == "/chat/completions"]
    assert [line["request"]["messages"] for line in said] == [body["messages"]] * 2
    assert [line["provider"] for line in said] == ["Real"] * 2
    assert key not in talk.read_text()


@REPLAY
def test_an_unusable_file(rooms: Services, talk: Path) -> None:
    talk.write_text("x")
    for flag in ("--replay", "--record"):
        file: dict[str, Any] = {"replay": None, "record": None, flag.strip("-"): talk}
        config = replace(rooms.config, **file)
        with pytest.raises(ConfigError) as raised, model_servers(config):
            pass
        assert str(raised.value) == f"{flag} {talk} is not a recording."
        missing = replace(rooms.config, **{**file, flag.strip("-"): talk.parent / "no" / "file"})
        with pytest.raises(ConfigError, match="No such file or directory"), model_servers(missing):
            pass
