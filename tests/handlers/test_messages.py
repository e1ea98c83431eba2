"""Messages and turns over REST and SSE: contract section 6."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from assistant.demo import Demo
from storage import messages as stored_messages
from tests.conftest import Client, events


async def messages(client: Client, chat: str, **query: Any) -> list[dict[str, Any]]:
    answer = await client("GET /chats/{id}/messages", id=chat, query=query)
    assert answer.status == 200
    return list(answer.body["data"])


async def test_send_and_list(ada: Client) -> None:
    chat = await ada.chat()
    socket = await ada.socket()
    sent = await ada("POST /chats/{id}/messages", {"content": " Hello, world!\n"}, id=chat)
    assert sent.status == 201
    assert list(sent.body) == [
        "id", "chat_id", "content", "sender", "timestamp", "status", "model", "client_id",
        "parent_id", "version", "version_count", "reasoning", "finish_reason", "usage",
        "attachments",
    ]  # fmt: skip
    assert sent.body["id"].startswith("msg_")
    assert sent.body["content"] == " Hello, world!\n"  # exactly as sent
    assert (sent.body["sender"], sent.body["status"]) == ("user", "complete")
    reply = await socket.reply()
    assert await messages(ada, chat) == [sent.body, reply]
    assert (reply["status"], reply["model"]) == ("complete", "quillium-demo")
    newest = await ada("GET /chats/{id}/messages", id=chat, query={"order": "desc", "limit": 1})
    assert newest.body["data"] == [reply]
    assert newest.body["pagination"]["next"] == (
        f"/api/v1/chats/{chat}/messages?limit=1&offset=1&order=desc"
    )
    wrong = await ada("GET /chats/{id}/messages", id=chat, query={"order": "up"})
    assert wrong.details == "order: expected asc or desc"


async def test_storage_is_used_up(ada: Client) -> None:
    await ada("PUT /settings/admin", {"storage_per_user_mib": 1})
    chat = await ada.chat()
    socket = await ada.socket()
    for _ in range(10):
        sent = await ada("POST /chats/{id}/messages", {"content": "é" * 50_000}, id=chat)
        assert sent.status == 201
        await socket.reply()
    content = {"content": "é" * 50_000}
    refused = await ada("POST /chats/{id}/messages", content, id=chat)
    assert refused.error == "403 quota_exceeded"
    assert "may store 1 MiB. Delete chats" in refused.details
    await socket.send("message", chat_id=chat, **content)
    assert (await socket.until("error"))["code"] == "quota_exceeded"
    assert (await ada("DELETE /chats/{id}", id=chat)).status == 204
    assert (await ada("POST /chats/{id}/messages", content, id=await ada.chat())).status == 201


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({}, "content: is required"),
        ({"content": ""}, "content: 0 characters, at least 1"),
        ({"content": " \n\t\u3000"}, "content: expected text that is not all white space"),
        ({"content": "x" * 100_001}, "content: 100,001 characters, at most 100,000"),
        ({"content": 1}, "content: a number, expected a string"),
        ({"content": "x", "client_id": "a b"}, "client_id: expected 1 to 64 letters"),
        ({"content": "x", "client_id": "a\n"}, "client_id: expected 1 to 64 letters"),
        ({"content": "x", "client_id": "x" * 65}, "client_id: 65 characters, at most 64"),
        ({"content": "x", "role": "user"}, "'role': unknown field"),
    ],
)
async def test_send_refuses(ada: Client, body: dict[str, Any], details: str) -> None:
    chat = await ada.chat()
    answer = await ada("POST /chats/{id}/messages", body, id=chat)
    assert answer.error == "400 invalid_request"
    assert details in answer.details
    assert await messages(ada, chat) == []


@pytest.mark.parametrize("content", ["x" * 100_000, "🙂" * 100_000, "\u202e א ́ \u0001 </script>"])
async def test_strings_come_back_as_sent(ada: Client, content: str) -> None:
    chat = await ada.chat()
    await ada.say(chat, content)
    assert (await messages(ada, chat))[0]["content"] == content


async def test_client_id_makes_a_retry_safe(ada: Client) -> None:
    chat, other = await ada.chat(), await ada.chat()
    body = {"content": "once", "client_id": "retry-1"}
    answers = await asyncio.gather(
        *(ada("POST /chats/{id}/messages", body, id=chat) for _ in range(5))
    )
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 200, 201]
    assert len({answer.body["id"] for answer in answers}) == 1
    clash = await ada("POST /chats/{id}/messages", {**body, "content": "other"}, id=chat)
    assert clash.error == "409 conflict"
    assert (await ada("POST /chats/{id}/messages", body, id=other)).status == 201
    replay = await ada.say(chat, "once", client_id="retry-1")
    assert replay[0]["data"]["id"] == answers[0].body["id"]
    assert replay[-1]["data"]["sender"] == "assistant"
    said = await messages(ada, chat)
    assert [message["content"] for message in said if message["sender"] == "user"] == ["once"]


async def test_a_turn_as_events(ada: Client) -> None:
    chat = await ada.chat(model="gpt-4")
    answer = await ada(
        "POST /chats/{id}/messages",
        {"content": "/lorem 400"},
        id=chat,
        headers={"Accept": "text/event-stream"},
    )
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.headers["Cache-Control"] == "no-store"
    check_turn(events(answer.raw), "/lorem 400")
    final = events(answer.raw)[-1]["data"]
    assert len(final["content"].split()) == 400
    assert final["model"] == "quillium-demo"  # who really spoke: nobody serves gpt-4 here
    assert final == (await messages(ada, chat))[-1]


def check_turn(frames: list[dict[str, Any]], content: str) -> None:
    """A whole turn, in the order that contract section 7 promises."""
    kinds = [frame["type"] for frame in frames]
    assert kinds[:2] == ["message", "read"]
    assert kinds[-1] == "message"
    assert set(kinds[2:-1]) == {"typing"}
    mine, read, *typing, final = (frame["data"] for frame in frames)
    assert (mine["content"], mine["sender"]) == (content, "user")
    assert (read["message_id"], read["sender"]) == (mine["id"], "assistant")
    said = ""
    for frame in typing:
        assert (frame["message_id"], frame["sender"]) == (final["id"], "assistant")
        assert frame["offset"] == len(said)
        said += frame["delta"]
    assert said == final["content"]
    assert final["sender"] == "assistant"


async def test_a_reply_that_fails_keeps_what_was_said(ada: Client) -> None:
    chat = await ada.chat()
    final = (await ada.say(chat, "/error"))[-1]["data"]
    assert (final["status"], final["content"]) == ("failed", "This reply is about to fail")
    assert final["error"]["code"] == "model_unavailable"
    assert (await messages(ada, chat))[-1] == final


async def test_stop_keeps_what_was_said(ada: Client) -> None:
    chat = await ada.chat()
    socket = await ada.socket()
    turn = asyncio.ensure_future(ada.say(chat, "/slow 20"))
    said = await socket.until("typing", offset=4)
    running = (await messages(ada, chat))[-1]
    assert running["status"] == "streaming"
    stopped = await ada("POST /chats/{id}/stop", id=chat)
    assert (stopped.status, stopped.body) == (202, {"chat_id": chat, "message_id": running["id"]})
    final = (await turn)[-1]["data"]
    assert final["status"] == "stopped"
    assert said["delta"] in final["content"]
    assert final["content"].startswith("This is")
    assert "error" not in final
    idle = await ada("POST /chats/{id}/stop", {}, id=chat)
    assert (idle.status, idle.body["message_id"]) == (202, None)


async def test_messages_that_come_meanwhile_are_answered_together(ada: Client) -> None:
    chat = await ada.chat()
    socket = await ada.socket()
    await ada("POST /chats/{id}/messages", {"content": "/slow 20"}, id=chat)
    await socket.until("typing", sender="assistant", offset=0)
    for content in ("My name is Ada", "My dog is called Rex"):
        await ada("POST /chats/{id}/messages", {"content": content}, id=chat)
    await ada("POST /chats/{id}/stop", id=chat)
    assert (await socket.reply())["status"] == "stopped"
    read = await socket.until("read", sender="assistant")
    together = await socket.reply()
    assert "Nice to meet you, Ada" in together["content"]
    assert "your dog is called Rex" in together["content"]
    said = await messages(ada, chat)
    # In the order in which they were said to the end, as the frames came.
    assert [m["sender"] for m in said] == ["user", "user", "user", "assistant", "assistant"]
    assert [m["id"] for m in said] == [
        frame["data"]["id"] for frame in socket.frames if frame["type"] == "message"
    ]
    assert read["message_id"] == said[2]["id"]


async def test_an_event_stream_of_a_message_that_waits(ada: Client) -> None:
    chat = await ada.chat()
    socket = await ada.socket()
    await ada("POST /chats/{id}/messages", {"content": "/slow 20"}, id=chat)
    await socket.until("typing", sender="assistant")
    waiting = asyncio.ensure_future(ada.say(chat, "Thanks"))
    await socket.until("message", content="Thanks")
    await ada("POST /chats/{id}/stop", id=chat)
    check_turn(await waiting, "Thanks")


async def test_regenerate_keeps_the_last_reply_as_a_version(ada: Client) -> None:
    chat = await ada.chat()
    nothing = await ada("POST /chats/{id}/regenerate", id=chat)
    assert nothing.error == "409 conflict"
    first = (await ada.say(chat, "/error"))[-1]["data"]
    socket = await ada.socket()
    again = await ada("POST /chats/{id}/regenerate", id=chat)
    assert (again.status, again.body["chat_id"]) == (202, chat)
    final = await socket.reply()
    assert final["id"] == again.body["message_id"] != first["id"]
    assert (final["version"], final["version_count"]) == (2, 2)
    said = await messages(ada, chat)
    assert [message["sender"] for message in said] == ["user", "assistant"]
    assert said[-1] == final
    assert (await ada("GET /chats/{id}", id=chat)).body["unread_count"] == 1


async def test_regenerate_while_a_reply_runs(ada: Client) -> None:
    chat = await ada.chat()
    socket = await ada.socket()
    await ada("POST /chats/{id}/messages", {"content": "/slow 20"}, id=chat)
    await socket.until("typing")
    assert (await ada("POST /chats/{id}/regenerate", id=chat)).error == "409 conflict"


async def test_deleting_a_chat_ends_its_reply(ada: Client) -> None:
    chat = await ada.chat()
    socket = await ada.socket()
    turn = asyncio.ensure_future(ada.say(chat, "/slow 20"))
    await socket.until("typing")
    waiting = asyncio.ensure_future(ada.say(chat, "And then?"))
    await socket.until("message", content="And then?")
    assert (await ada("DELETE /chats/{id}", id=chat)).status == 204
    assert (await turn)[-1]["data"]["code"] == "not_found"
    assert (await waiting)[-1]["data"]["code"] == "not_found"
    again = await ada.chat()
    await ada.say(again, "still here")


async def test_a_client_that_hangs_up_does_not_stop_the_reply(ada: Client, base_url: str) -> None:
    chat = await ada.chat()
    socket = await ada.socket()
    host, port = base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = b'{"content": "/slow 100"}'
    head = (
        f"POST /api/v1/chats/{chat}/messages HTTP/1.1\r\nHost: {host}\r\n"
        f"Authorization: Bearer {ada.credential}\r\nAccept: text/event-stream\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await reader.readuntil(b"event: typing")
    writer.close()
    final = await socket.reply()
    assert final["status"] == "complete"
    assert final["content"].endswith("comes to its end.")


async def test_unread_counts_the_assistants_messages(ada: Client) -> None:
    chat = await ada.chat()
    frames = [await ada.say(chat, "one"), await ada.say(chat, "two")]
    assert (await ada("GET /chats/{id}", id=chat)).body["unread_count"] == 2
    socket = await ada.socket()
    await socket.send("read", chat_id=chat, message_id=frames[0][-1]["data"]["id"])
    assert (await socket.until("read"))["unread_count"] == 1
    await socket.send("read", chat_id=chat)
    read = await socket.until("read")
    assert (read["unread_count"], read["sender"]) == (0, "user")
    assert read["message_id"] == frames[1][-1]["data"]["id"]
    await socket.send("read", chat_id=chat, message_id=frames[0][0]["data"]["id"])
    assert (await socket.until("read"))["unread_count"] == 0  # what was read stays read
    assert (await ada("GET /chats/{id}", id=chat)).body["unread_count"] == 0


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_a_page_ends_early_rather_than_be_too_large(
    ada: Client, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    monkeypatch.setattr(stored_messages, "MAX_PAGE_BYTES", 3_000)
    chat = await ada.chat()
    for number in range(5):
        await ada.say(chat, f"{number} " + "é" * 700)
    whole = (await ada("GET /chats/{id}/messages", id=chat, query={"limit": 1, "offset": 4})).body
    assert len(whole["data"]) == 1  # one is always there, however large
    seen: list[str] = []
    path = f"/api/v1/chats/{chat}/messages?limit=20&offset=0&order={order}"
    sizes = []
    while path:
        page = (await ada(f"GET {path.removeprefix('/api/v1')}")).body
        assert page["pagination"]["total"] == 10
        sizes.append(len(page["data"]))
        seen += [message["id"] for message in page["data"]]
        path = page["pagination"]["next"]
    assert max(sizes) < 10
    assert len(seen) == len(set(seen)) == 10  # nothing twice, nothing left out


@pytest.mark.parametrize(("pace", "from_page", "from_others"), [(None, 60, 0), (7, 7, 7)])
async def test_the_page_gets_a_reply_that_can_be_read(
    ada: Client, monkeypatch: Any, rooms: Any, pace: int | None, from_page: int, from_others: int
) -> None:
    seen: list[int] = []
    reply = Demo.reply

    def spy(self: Demo, messages: Any, model: str, parameters: Any) -> Any:
        seen.append(parameters.tokens_per_second)
        return reply(self, messages, model, replace(parameters, tokens_per_second=0))

    monkeypatch.setattr(Demo, "reply", spy)
    tools = rooms.conversation._tools
    monkeypatch.setattr(rooms.conversation, "_tools", tools._replace(demo_pace=pace))
    for origin in (ada.base_url, "http://localhost:5173"):
        chat = await ada.chat()
        headers = {"Origin": origin, "Accept": "text/event-stream"}
        await ada("POST /chats/{id}/messages", {"content": "Hi"}, id=chat, headers=headers)
    assert seen == [from_page, from_others]


async def test_an_edited_message_is_a_version(ada: Client, anyone: Client) -> None:
    chat = await ada.chat()
    for content in ("one", "two"):
        await ada.say(chat, content)
    one, _, two, _ = before = await messages(ada, chat)
    phone = await ada.socket(since="latest")
    edited = (await ada.say(chat, "1", replaces=one["id"]))[0]["data"]
    assert (edited["parent_id"], edited["version"], edited["version_count"]) == (None, 2, 2)
    told = await phone.until("message", sender="assistant")
    shown = await messages(ada, chat)
    assert [m["id"] for m in shown] == [edited["id"], told["id"]]
    versions = "GET /chats/{id}/messages/{message_id}/versions".replace("{message_id}", one["id"])
    listed = (await ada(versions, id=chat)).body
    assert [m["content"] for m in listed["data"]] == ["one", "1"]
    assert listed["pagination"]["total"] == 2

    select = "POST /chats/{id}/messages/{message_id}/select".replace("{message_id}", one["id"])
    selected = await ada(select, id=chat)
    assert selected.body["leaf_id"] == before[-1]["id"]
    assert (await phone.until("chat"))["leaf_id"] == before[-1]["id"]
    again = await messages(ada, chat)
    assert [m["id"] for m in again] == [m["id"] for m in before]
    assert (again[0]["version"], again[0]["version_count"]) == (1, 2)

    delete = "DELETE /chats/{id}/messages/{message_id}".replace("{message_id}", two["id"])
    assert (await ada(delete, id=chat)).status == 204
    assert (await phone.until("chat"))["leaf_id"] == before[1]["id"]
    assert await messages(ada, chat) == again[:2]
    bob = await anyone.register("bob@example.com")
    for operation in (versions, select, delete):
        assert (await ada(operation.replace(one["id"], "msg_x"), id=chat)).status in (200, 404)
        assert (await bob(operation, id=chat)).error == "404 not_found"
    unknown = await ada("POST /chats/{id}/messages", {"content": "x", "replaces": "m"}, id=chat)
    assert unknown.error == "404 not_found"


async def test_an_edit_by_socket_and_a_reply_of_another_model(ada: Client) -> None:
    chat = await ada.chat()
    await ada.say(chat, "one")
    one, reply = await messages(ada, chat)
    socket = await ada.socket()
    body = {"message_id": reply["id"], "model": "quillium-demo"}
    begun = await ada("POST /chats/{id}/regenerate", body, id=chat)
    assert (await socket.reply())["id"] == begun.body["message_id"]
    refused = await ada("POST /chats/{id}/regenerate", {"message_id": one["id"]}, id=chat)
    assert refused.error == "409 conflict"
    await socket.send("message", chat_id=chat, content="two", replaces=one["id"])
    assert (await socket.until("message", content="two"))["version"] == 2
    await socket.reply()
    assert next(m["content"] for m in await messages(ada, chat)) == "two"


async def test_pages_beside_a_message(ada: Client) -> None:
    chat = await ada.chat()
    for number in range(4):
        await ada.say(chat, f"{number}")
    ids = [message["id"] for message in await messages(ada, chat)]

    async def page(**query: Any) -> list[int]:
        answer = await ada("GET /chats/{id}/messages", id=chat, query=query)
        assert answer.status == 200, answer.body
        offset = answer.body["pagination"]["offset"]
        found = [ids.index(message["id"]) for message in answer.body["data"]]
        shown = ids[::-1] if query.get("order") == "desc" else ids
        assert found == [ids.index(id) for id in shown[offset : offset + len(found)]]
        return found

    assert await page(before=ids[3], limit=2) == [1, 2]
    assert await page(before=ids[0]) == []
    assert await page(before=ids[3], limit=2, order="desc") == [2, 1]
    assert await page(after=ids[3], limit=2) == [4, 5]
    assert await page(after=ids[6], order="desc") == [7]
    assert await page(around=ids[4], limit=3) == [3, 4, 5]
    assert await page(around=ids[0], limit=2) == [0, 1]
    for query in ({"before": ids[0], "after": ids[1]}, {"around": ids[0], "offset": 0}):
        both = await ada("GET /chats/{id}/messages", id=chat, query=query)
        assert both.error == "400 invalid_request"
    unknown = await ada("GET /chats/{id}/messages", id=chat, query={"around": "msg_x"})
    assert unknown.error == "404 not_found"
