"""Replies from providers: what is stored, failures, and cancelling the upstream request."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from assistant import directory
from assistant.directory import Directory
from assistant.upstream import Upstream
from tests.assistant.upstream import Caller, Script, upstream
from tests.conftest import Client


def provider(base_url: str, *models: str, name: str = "Mine", **more: Any) -> dict[str, Any]:
    return {"name": name, "base_url": base_url, "models": list(models), "api_key": None, **more}


async def configure(ada: Client, *providers: dict[str, Any]) -> None:
    answer = await ada("PUT /settings/admin", {"providers": list(providers)})
    assert answer.status == 200, answer.body


def talks(*pieces: str) -> Script:
    async def script(caller: Caller) -> None:
        if caller.path.startswith("GET"):
            listed = {"data": [{"id": "big", "context_length": 4096}, {"id": "small"}]}
            await caller.respond("200 OK", json.dumps(listed).encode())
            return
        await caller.begin()
        for piece in pieces:
            await caller.event(content=piece)
        await caller.done()

    return script


async def listed(ada: Client, *models: str) -> list[dict[str, Any]]:
    """Wait until these models are listed, which comes about in the background."""
    while True:
        found: list[dict[str, Any]] = (await ada("GET /models")).body["data"]
        if {model["id"] for model in found} >= set(models):
            return found


async def test_a_provider_answers_for_its_model(ada: Client) -> None:
    async with upstream(talks("Good ", "morning.")) as base_url:
        await configure(ada, provider(base_url, "gpt-4", "o5"))
        models = (await ada("GET /models")).body["data"]
        assert [(m["id"], m["provider"]) for m in models] == [
            ("gpt-4", "Mine"),
            ("o5", "Mine"),
            ("quillium-demo", "built-in"),
        ]
        frames = await ada.say(await ada.chat(model="gpt-4"), "Hello")
        final = frames[-1]["data"]
        assert (final["content"], final["status"], final["model"]) == (
            "Good morning.",
            "complete",
            "gpt-4",
        )
        # One that nobody serves is answered by the default, which the message tells.
        final = (await ada.say(await ada.chat(model="gpt-9"), "Hello"))[-1]["data"]
        assert final["model"] == "quillium-demo"
        await ada("PUT /settings/admin", {"default_model": "o5"})
        final = (await ada.say(await ada.chat(model="gpt-9"), "Hello"))[-1]["data"]
        assert (final["model"], final["content"]) == ("o5", "Good morning.")
    await configure(ada)
    assert len((await ada("GET /models")).body["data"]) == 1


async def test_what_the_model_is_told(ada: Client) -> None:
    conversations: list[Any] = []

    async def script(caller: Caller) -> None:
        conversations.append(caller.body.get("messages"))
        await talks("Yes.")(caller)

    async with upstream(script) as base_url:
        await configure(ada, provider(base_url, "m"))
        await ada("PUT /settings/admin", {"system_prompt": "Be brief."})
        chat = await ada.chat(model="m")
        await ada.say(chat, "one")
        await ada.say(chat, "two")
    assert conversations[-1] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "two"},
    ]


async def test_all_the_models_of_a_server(ada: Client) -> None:
    asked = []

    async def script(caller: Caller) -> None:
        asked.append(caller.path.split()[0])
        await talks("ok")(caller)

    async with upstream(script) as base_url:
        await configure(ada, provider(base_url, "*"))
        assert [m["id"] for m in await listed(ada, "big", "small")] == [
            "big",
            "small",
            "quillium-demo",
        ]
        chat = await ada.chat(model="big")
        long = "x" * 99_000  # some 33,000 tokens: far too long for the window that the server told
        final = (await ada.say(chat, long))[-1]["data"]
        assert final["status"] == "failed"
        assert final["error"]["code"] == "model_refused"
        assert "its window holds 4,096" in final["error"]["details"]
        for _ in range(5):
            await ada("GET /models")
        assert asked.count("GET") == 1  # within a minute it is not asked again
        await configure(ada, provider(base_url, "*"), provider(base_url, "x", name="Other"))
        assert len((await ada("GET /models")).body["data"]) == 4  # nothing is forgotten


async def test_the_first_message_waits_for_the_first_list(ada: Client) -> None:
    """Else it would be answered by the default, as whenever nobody serves a model."""
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def script(caller: Caller) -> None:
        if caller.path.startswith("GET"):
            asked.set()
            await may_answer.wait()
        await talks("It is me.")(caller)

    async with upstream(script) as base_url:
        await configure(ada, provider(base_url, "*"))
        await asked.wait()
        socket = await ada.socket()
        chat = await ada.chat(model="big")
        sent = await ada("POST /chats/{id}/messages", {"content": "Who is it?"}, id=chat)
        assert sent.status == 201  # which nobody waits for
        may_answer.set()
        reply = await socket.reply()
    assert (reply["model"], reply["content"]) == ("big", "It is me.")


async def test_a_server_that_could_not_list_is_soon_asked_again(
    ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "FAILED_SECONDS", 0)
    asked: list[str] = []

    async def script(caller: Caller) -> None:
        asked.append(caller.path)
        if len(asked) == 1:
            await caller.respond("503 Service Unavailable", b"{}")
        else:
            await talks("ok")(caller)

    async with upstream(script) as base_url:
        await configure(ada, provider(base_url, "*"))
        await listed(ada, "big")
    assert len(asked) == 2


async def test_a_provider_that_fails_is_not_replaced(
    ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with upstream(talks("ok")) as base_url:
        await configure(ada, provider(base_url, "*"))
        await listed(ada, "big")
        monkeypatch.setattr(directory, "FRESH_SECONDS", 0)
    chat = await ada.chat(model="big")
    for _ in range(2):
        final = (await ada.say(chat, "Hello"))[-1]["data"]
        assert (final["status"], final["model"]) == ("failed", "big")
        assert final["error"]["details"] == "Mine can't be reached. Is it running?"


async def test_a_failure_keeps_what_was_said_and_can_be_tried_again(ada: Client) -> None:
    attempts: list[int] = []

    async def script(caller: Caller) -> None:
        if caller.path.startswith("GET"):
            return
        attempts.append(1)
        if len(attempts) > 1:
            await talks("All of it.")(caller)
            return
        await caller.begin()
        await caller.event(content="Half of")
        await caller.chunk(b'data: {"error": {"message": "out of memory"}}\n\n')
        await caller.wait_for_close()

    async with upstream(script) as base_url:
        await configure(ada, provider(base_url, "m"))
        chat = await ada.chat(model="m")
        failed = (await ada.say(chat, "Hello"))[-1]["data"]
        assert (failed["content"], failed["status"]) == ("Half of", "failed")
        assert failed["error"]["code"] == "model_unavailable"
        socket = await ada.socket()
        await ada("POST /chats/{id}/regenerate", id=chat)
        again = await socket.reply()
        assert (again["version"], again["content"]) == (2, "All of it.")
        assert "error" not in again


@pytest.mark.parametrize("ending", ["stop", "delete", "drain"])
async def test_what_ends_a_reply_ends_the_upstreams_work(
    ada: Client, rooms: Any, ending: str
) -> None:
    hung_up = asyncio.Event()

    async def script(caller: Caller) -> None:
        if caller.path.startswith("POST"):
            await caller.begin()
            await caller.event(content="On and on")
            await caller.wait_for_close()
            hung_up.set()

    async with upstream(script) as base_url:
        await configure(ada, provider(base_url, "m"))
        chat = await ada.chat(model="m")
        socket = await ada.socket()
        await socket.send("message", chat_id=chat, content="Hello")
        await socket.until("typing", delta="On and on")
        if ending == "stop":
            await ada("POST /chats/{id}/stop", id=chat)
            assert (await socket.reply())["status"] == "stopped"
        elif ending == "delete":
            await ada("DELETE /chats/{id}", id=chat)
        else:
            await rooms.conversation.drain()
            assert (await socket.reply())["status"] == "interrupted"
        await hung_up.wait()


async def test_a_reply_larger_than_what_may_wait(ada: Client) -> None:
    """A frame of some MiB doesn't close the socket of one who reads, live or replayed."""
    piece = "x" * 50_000

    async with upstream(talks(*[piece] * 60)) as base_url:
        await configure(ada, provider(base_url, "m"))
        chat = await ada.chat(model="m")
        socket = await ada.socket()
        await socket.send("message", chat_id=chat, content="Hello")
        assert len((await socket.reply())["content"]) == 3_000_000
    again = await ada.socket(since=0)
    assert len((await again.reply())["content"]) == 3_000_000
    await again.send("message", chat_id=chat, content="Still there?")
    await again.until("message", content="Still there?")


async def test_a_key_never_shows(ada: Client) -> None:
    key = "sk-a-very-secret-key"

    async def script(caller: Caller) -> None:
        await caller.respond("400 No", json.dumps({"error": {"message": f"bad {key}"}}).encode())

    async with upstream(script) as base_url:
        await configure(ada, provider(base_url, "m", api_key=key))
        chat = await ada.chat(model="m")
        assert "very-secret" not in json.dumps(await ada.say(chat, "Hello"))
        assert "very-secret" not in (await ada("GET /settings/admin")).raw.decode()
        assert "very-secret" not in (await ada("GET /chats/{id}/export", id=chat)).raw.decode()


async def test_servers_of_this_machine_are_found() -> None:
    async with upstream(talks("ok")) as base_url:
        found = Directory(discovered=[Upstream("Ollama", base_url)])
        found.configure([])
        assert [model.id for model in found.models()] == ["quillium-demo"]  # nobody waits
        while len(found.models()) == 1:
            await asyncio.sleep(0.001)
        assert [(m.id, m.provider) for m in found.models()] == [
            ("big", "Ollama"),
            ("small", "Ollama"),
            ("quillium-demo", "built-in"),
        ]
        # What the admin has configured comes first.
        found.configure([provider("http://127.0.0.1:9/v1", "small", name="Mine")])
        assert ("small", "Mine") in [(m.id, m.provider) for m in found.models()]
        assert found.default(None) == "quillium-demo"
        await found.close()


async def test_long_silence_is_a_timeout(ada: Client) -> None:
    async def script(caller: Caller) -> None:
        await caller.begin()
        await caller.wait_for_close()

    async with upstream(script) as base_url:
        await configure(ada, provider(base_url, "m", timeout_seconds=1))
        final = (await ada.say(await ada.chat(model="m"), "Hello"))[-1]["data"]
    assert (final["status"], final["error"]["code"]) == ("failed", "model_timeout")
    assert final["error"]["details"] == "Mine sent nothing for 1 second."


async def test_what_a_model_sees_of_files(ada: Client) -> None:
    """An image and a text go from the upload to the model; a later message has them again."""
    bodies: list[Any] = []

    async def script(caller: Caller) -> None:
        if caller.body:
            bodies.append(caller.body)
        await talks("I see.")(caller)

    image = b"\x89PNG\r\n\x1a\n" + bytes(300_000)
    async with upstream(script) as base_url:
        await configure(ada, provider(base_url, "gpt-4"))
        chat = await ada.chat(model="gpt-4")
        sent = [
            (await ada("POST /files", content, query={"name": name})).body["id"]
            for content, name in ((image, "a.png"), ("Grüße".encode("latin-1"), "b.txt"))
        ]
        await ada.say(chat, "Look", attachments=sent)
        await ada.say(chat, "And now?")
        url = "data:image/png;base64," + base64.b64encode(image).decode()
        assert bodies[0]["messages"][-1]["content"] == [
            {"type": "text", "text": "Look\n\nFile b.txt:\n\n```txt\nGrüße\n```"},
            {"type": "image_url", "image_url": {"url": url}},
        ]
        assert bodies[1]["messages"][0] == bodies[0]["messages"][-1]
        paper = (await ada("POST /files", b"%PDF-1.7", query={"name": "c.pdf"})).body
        ended = (await ada.say(chat, "Read it", attachments=[paper["id"]]))[-1]["data"]
        assert (ended["status"], ended["error"]["code"]) == ("failed", "model_refused")
        assert ended["error"]["details"].startswith("c.pdf can't be read by a model: it is damaged")
        assert len(bodies) == 2
