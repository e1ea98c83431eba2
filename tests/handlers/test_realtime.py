"""Real-time replay without loss, duplicates or reordering: contract section 7, `since`."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from core import ids
from core.records import Message
from core.times import rfc3339
from storage import replay, turns
from tests.conftest import Client, Clock, Socket


async def said(client: Client, chat: str) -> list[dict[str, Any]]:
    answer = await client("GET /chats/{id}/messages", id=chat, query={"limit": 100})
    return [message for message in answer.body["data"] if message["status"] != "streaming"]


async def caught_up(client: Client, since: int | str, chat: str) -> Socket:
    """A socket opened with `since` that has seen all until now."""
    socket, other = await client.socket(since=since), await client.socket()
    await other.send("typing", chat_id=chat)
    await socket.until("typing", sender="user")
    socket.frames.pop()
    return socket


def numbered(socket: Socket) -> list[int]:
    return [frame["seq"] for frame in socket.frames if "seq" in frame]


def kinds(socket: Socket) -> list[str]:
    return [f"{frame['type']} {frame['data'].get('sender', '')}".strip() for frame in socket.frames]


async def test_seq_grows_with_each_frame_and_is_in_the_order_of_the_list(ada: Client) -> None:
    chat = await ada.chat()
    socket = await ada.socket()
    await socket.send("message", chat_id=chat, content="/slow 100")
    await socket.until("typing", offset=4)
    await socket.send("message", chat_id=chat, content="meanwhile")
    await socket.until("message", content="meanwhile")
    running = (await ada("GET /chats/{id}/messages", id=chat)).body["data"]
    assert [m["status"] for m in running] == ["complete", "complete", "streaming"]
    await ada("POST /chats/{id}/stop", id=chat)
    for _ in range(2):
        await socket.reply()
    await socket.send("read", chat_id=chat)
    await socket.until("read", sender="user")
    seqs = numbered(socket)
    assert seqs == sorted(set(seqs))
    for frame in socket.frames:
        assert ("seq" in frame) == (frame["type"] in {"message", "read"})
    sent = [frame["data"] for frame in socket.frames if frame["type"] == "message"]
    assert sent == await said(ada, chat)
    chats = (await ada("GET /chats")).body["data"]
    assert chats[0]["last_message"] == sent[-1]


async def test_since_replays_what_was_missed_then_goes_on_live(ada: Client) -> None:
    chat = await ada.chat()
    steady = await ada.socket()
    first = await ada.socket()
    await first.send("message", chat_id=chat, content="Hello")
    await first.reply()
    last = max(numbered(first))
    first.connection.close()
    for content in ("one", "two", "three"):
        await ada.say(chat, content)
    again = await ada.socket(since=last)
    await again.send("message", chat_id=chat, content="live")
    await again.until("message", content="live")
    await again.reply()
    while steady.frames == [] or steady.frames[-1] != again.frames[-1]:
        assert await steady.next()
    wanted = [frame for frame in steady.frames if frame.get("seq", 0) > last]
    seen = [frame for frame in again.frames if frame["type"] != "chat" and "seq" in frame]
    messages = [frame for frame in seen if frame["type"] == "message"]
    assert messages == [frame for frame in wanted if frame["type"] == "message"]
    # Of the assistant's marks only the last is kept, for it makes the others obsolete.
    assert [frame for frame in wanted if frame not in seen] == [
        frame for frame in wanted if frame["type"] == "read"
    ][:-2]
    assert numbered(again) == sorted(set(numbered(again)))


@pytest.mark.parametrize("since", [0, "latest"])
async def test_a_new_user_has_missed_nothing(ada: Client, since: int | str) -> None:
    socket = await ada.socket(since=since)
    chat = await ada.chat(title="New")
    frame = await socket.next()
    assert frame is not None
    assert (frame["type"], frame["data"]["id"]) == ("chat", chat)
    await socket.send("message", chat_id=chat, content="Hello")
    await socket.reply()
    assert kinds(socket)[:3] == ["chat", "message user", "read assistant"]


async def test_latest_begins_with_what_happens_now(ada: Client) -> None:
    chat = await ada.chat()
    await ada.say(chat, "before")
    socket = await caught_up(ada, "latest", chat)
    assert socket.frames == []


async def test_a_long_absence_is_replayed_in_order(ada: Client, rooms: Any) -> None:
    chat = await ada.chat()
    user = rooms.accounts.authenticate(ada.credential).user
    contents = [f"{n} " + "x" * (20_000 if n < 60 else 20) for n in range(300)]
    now = rfc3339(rooms.clock())
    said = [
        Message(0, ids.new("msg"), chat, content, "user", now, "complete", None, None)
        for content in contents
    ]
    adding = [rooms.db.write(turns.add_message, user.row_id, message, "Title") for message in said]
    await asyncio.gather(*adding)
    socket = await ada.socket(since=0)
    while len(socket.frames) < 301:
        assert await socket.next()
    replayed = [frame["data"]["content"] for frame in socket.frames if frame["type"] == "message"]
    assert replayed == contents
    assert numbered(socket) == sorted(set(numbered(socket)))
    await ada.say(chat, "live")
    assert (await socket.until("message", sender="user"))["content"] == "live"


async def test_a_socket_that_joins_in_the_middle_with_since(ada: Client) -> None:
    chat = await ada.chat()
    first = await ada.socket()
    await first.send("message", chat_id=chat, content="/slow 50")
    question = (await first.until("message"))["id"]
    await first.until("typing", offset=4)
    late = await ada.socket(since=0)
    await ada("POST /chats/{id}/stop", id=chat)
    final = await late.reply()
    assert kinds(late)[:3] == ["message user", "chat", "read assistant"]
    assert late.frames[0]["data"]["id"] == question
    deltas = [frame["data"] for frame in late.frames if frame["type"] == "typing"]
    assert deltas[0]["offset"] == 0
    assert deltas[0]["delta"].startswith("This is")
    assert "".join(data["delta"] for data in deltas) == final["content"]


async def test_chats_that_are_made_renamed_and_deleted(ada: Client) -> None:
    plain, socket = await ada.socket(), await ada.socket(since="latest")
    chat = await ada.chat()
    await ada.say(chat, "These words become the title")
    await ada("PATCH /chats/{id}", {"title": "Renamed"}, id=chat)
    export = (await ada("GET /chats/{id}/export", id=chat)).body
    imported = (await ada("POST /chats/import", export)).body
    await ada("DELETE /chats/{id}", id=chat)
    await socket.until("chat", deleted=True)
    frames = [frame["data"] for frame in socket.frames if frame["type"] == "chat"]
    assert [frame.get("title") for frame in frames] == [
        "New Conversation",
        "These words become the title",
        "Renamed",
        "Renamed",
        None,
    ]
    assert frames[3] == imported
    assert frames[4] == {"id": chat, "deleted": True}
    await plain.reply()
    await socket.send("typing", chat_id=imported["id"])
    await plain.until("typing", sender="user")
    assert {frame["type"] for frame in plain.frames} == {"message", "read", "typing"}


async def test_chats_that_changed_meanwhile(ada: Client) -> None:
    kept, gone = await ada.chat(title="Kept"), await ada.chat(title="Gone")
    await ada.say(gone, "secret")
    for title in ("Once", "Twice"):
        await ada("PATCH /chats/{id}", {"title": title}, id=kept)
    await ada("DELETE /chats/{id}", id=gone)
    socket = await caught_up(ada, 0, kept)
    changes = [frame["data"] for frame in socket.frames]
    assert [change.get("title", change) for change in changes] == [
        "Twice",
        {"id": gone, "deleted": True},
    ]
    again = await caught_up(ada, socket.frames[-1]["seq"], kept)
    assert again.frames == []


async def test_a_regenerated_reply_is_replayed_once(ada: Client) -> None:
    chat = await ada.chat()
    await ada.say(chat, "/slow 1000")
    watching = await ada.socket()
    await ada("PATCH /chats/{id}", {"model": "quillium-demo"}, id=chat)
    begun = await ada("POST /chats/{id}/regenerate", id=chat)
    await watching.until("typing", offset=0)
    during = await ada.socket(since=0)
    typed = await during.until("typing", sender="assistant")
    assert typed["message_id"] == begun.body["message_id"]
    assert during.frames[-2]["data"]["leaf_id"] == begun.body["message_id"]  # list again
    await watching.reply()
    after = await caught_up(ada, 0, chat)
    assert kinds(after).count("message assistant") == 2
    told = [frame["data"] for frame in after.frames if frame["type"] == "message"]
    assert [told[0], told[-1]] == await said(ada, chat)
    assert told[-1]["parent_id"] == told[0]["id"]


async def test_what_was_read_stays_right_on_every_device(ada: Client) -> None:
    chat = await ada.chat()
    phone, laptop = await ada.socket(), await ada.socket(since="latest")
    for content in ("one", "two", "three"):
        await ada.say(chat, content)
    replies = [message["id"] for message in await said(ada, chat) if message["sender"] != "user"]

    async def read(message_id: str) -> dict[str, Any]:
        await phone.send("read", chat_id=chat, message_id=message_id)
        mark = await phone.until("read", sender="user")
        assert await laptop.until("read", sender="user") == mark
        listed = (await ada("GET /chats/{id}", id=chat)).body
        assert listed["unread_count"] == mark["unread_count"]
        return mark

    assert (await read(replies[1]))["unread_count"] == 1
    late = await read(replies[0])  # a device that lags behind takes nothing back
    assert (late["message_id"], late["unread_count"]) == (replies[1], 1)
    missed = await caught_up(ada, 0, chat)
    marks = [f["data"] for f in missed.frames if f["type"] == "read"]
    assert [mark["sender"] for mark in marks] == ["assistant", "user"]
    assert marks[1] == late
    assert (await read(replies[2]))["unread_count"] == 0
    await ada.say(chat, "four")
    assert (await ada("GET /chats/{id}", id=chat)).body["unread_count"] == 1


async def test_numbers_are_each_users_own(ada: Client, bob: Client) -> None:
    mine, theirs = await ada.chat(), await bob.chat()
    await ada.say(mine, "a secret of Ada's")
    await bob.say(theirs, "something")
    socket = await caught_up(bob, 0, theirs)
    assert {f["data"].get("chat_id", f["data"].get("id")) for f in socket.frames} == {theirs}
    assert numbered(socket)[0] <= 2


@pytest.mark.parametrize("since", ["", "-1", "1e3", "٣", "1.0", "newest", "1" * 16])
async def test_a_since_that_is_no_number(ada: Client, since: str) -> None:
    with pytest.raises(HTTPClientError) as refused:
        await ada.socket(since=since)
    assert refused.value.code == 400


async def test_a_number_that_was_never_given(ada: Client) -> None:
    chat = await ada.chat()
    socket = await ada.socket(since=1_000_000)
    error = await socket.until("error")
    assert error["code"] == "resync_required"
    await socket.send("message", chat_id=chat, content="and on it goes")
    await socket.reply()
    assert kinds(socket)[1:4] == ["message user", "chat", "read assistant"]


async def test_too_much_was_missed(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    chat = await ada.chat(title="x")
    await ada.say(chat, "one")  # four frames: chat, message, read, message
    monkeypatch.setattr(replay, "MAX_MISSED", 4)
    assert len((await caught_up(ada, 0, chat)).frames) == 4
    monkeypatch.setattr(replay, "MAX_MISSED", 3)
    socket = await caught_up(ada, 0, chat)
    assert [frame["data"]["code"] for frame in socket.frames] == ["resync_required"]
    assert "More than 3 frames" in socket.frames[0]["data"]["details"]


async def test_the_same_client_id_again_is_the_same_frame(ada: Client) -> None:
    chat = await ada.chat()
    socket = await ada.socket()
    for _ in range(2):
        await socket.send("message", chat_id=chat, content="once", client_id="a")
    await socket.until("message", sender="user")
    await socket.until("message", sender="user")
    first, again = (f for f in socket.frames if f["data"].get("client_id") == "a")
    assert first == again


async def test_a_reply_goes_on_when_nobody_is_connected(ada: Client, rooms: Any) -> None:
    await ada("PUT /settings/admin", {"rate_limit_per_minute": 0})
    chat = await ada.chat()
    socket = await ada.socket()
    await socket.send("message", chat_id=chat, content="/slow 200")
    last = 0
    for _ in itertools.repeat(None):
        frame = await socket.next()
        assert frame is not None
        last = frame.get("seq", last)
        if frame["data"].get("offset"):
            break
    socket.connection.close()
    await socket.closed()
    while len(await said(ada, chat)) < 2:
        pass
    late = await caught_up(ada, last, chat)
    assert [f["data"] for f in late.frames] == (await said(ada, chat))[1:]


async def test_a_session_that_expires_closes_its_socket(
    ada: Client, app: Any, clock: Clock
) -> None:
    app.settings["websocket_ping_interval"] = 0.01  # seconds, instead of 30
    app.settings["websocket_ping_timeout"] = 0.01
    socket = await ada.socket()
    clock.advance(7 * 24 * 60 * 60 - 1)
    await socket.send("typing", chat_id="none")
    assert (await socket.until("error"))["code"] == "not_found"
    clock.advance(1)
    assert await socket.closed() == 4401


async def test_a_deleted_account_closes_its_sockets(ada: Client, app: Any, rooms: Any) -> None:
    app.settings["websocket_ping_interval"] = 0.01
    app.settings["websocket_ping_timeout"] = 0.01
    socket = await ada.socket()
    await rooms.db.write(lambda connection: connection.execute("DELETE FROM users").rowcount)
    assert await socket.closed() == 4401
