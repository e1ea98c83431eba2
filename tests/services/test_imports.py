"""Imports: lossless, in slices, and all or nothing."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from core import large_documents
from core.documents import encoded
from core.errors import Conflict, InvalidRequest, NotFound, StorageUnavailable
from core.records import UNKNOWN_CLIENT, Chat, User
from core.times import rfc3339
from services import imports
from storage import chats, hidden_chats, messages
from tests.conftest import Clock
from tests.services.exports import TIME, exported, message
from tests.services.sockets import FakeSocket, subscribed


@pytest.fixture(params=["at once", "in slices"], autouse=True)
def slices(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import each document twice: as a small one, and as one that needs many slices."""
    if request.param == "in slices":
        monkeypatch.setattr(imports, "_SLICE_MESSAGES", 1)
        monkeypatch.setattr(imports, "_TURN_SECONDS", 0.0)
        monkeypatch.setattr(hidden_chats, "SLICE_SECONDS", 0.0)
        monkeypatch.setattr(large_documents, "WINDOW", 100)


async def take(rooms: Any, user: User, document: dict[str, Any]) -> Chat:
    chat: Chat = (await rooms.imports.run(user, encoded(document))).chat
    return chat


async def nothing_is_left(rooms: Any, user: User) -> None:
    await rooms.removal.finished()
    assert rooms.db.read(hidden_chats.everything) == []
    assert rooms.db.read(lambda c: c.execute("SELECT id FROM messages").fetchall()) == []
    page = rooms.db.read(chats.page, user.row_id, 20, 0)
    assert (page.items, page.total) == ("", 0)


async def test_an_export_comes_back_as_it_was(rooms: Any, user: User, other: User) -> None:
    reply = message(
        "Hi",
        "assistant",
        model="m",
        status="stopped",
        reasoning="Hm",
        finish_reason="length",
        usage={"prompt_tokens": 1, "completion_tokens": 2},
    )
    chat = await take(
        rooms,
        user,
        exported(
            message(client_id="c"),
            reply,
            system_prompt="Be brief.",
            parameters={"seed": 1},
            created_at=TIME,
            updated_at=TIME,
        ),
    )
    assert chat.unread_count == 0
    export = await rooms.chats.export(user, chat.id)
    assert (export["format"], export["version"]) == ("quillium-chat", 1)
    again = await rooms.chats.export(user, (await take(rooms, user, export)).id)

    def content(export: dict[str, Any]) -> Any:
        own = {"id", "chat_id", "parent_id", "last_message", "leaf_id"}
        parts = [export["chat"], *export["messages"]]
        return [{k: v for k, v in part.items() if k not in own} for part in parts]

    assert content(again) == content(export)
    assert again["chat"]["id"] != export["chat"]["id"]
    assert again["messages"][0]["id"] != export["messages"][0]["id"]
    assert reply.items() <= again["messages"][1].items()
    assert again["chat"]["updated_at"] == TIME
    with pytest.raises(NotFound):
        await rooms.chats.export(other, chat.id)


async def test_versions_come_back_with_the_path(rooms: Any, user: User) -> None:
    def said(id: str, parent: str | None, sender: str = "user") -> dict[str, Any]:
        return message(id, sender, id=id, parent_id=parent)

    export = exported(
        said("a", None),
        said("b", "a", "assistant"),
        said("c", "a", "assistant"),
        said("d", None),
        said("e", "b"),
        leaf_id="b",
    )
    chat = await take(rooms, user, export)
    assert (chat.message_count, chat.unread_count) == (2, 0)
    again = await rooms.chats.export(user, (await take(rooms, user, export)).id)
    names = {m["id"]: m["content"] for m in again["messages"]}
    found = [
        (m["content"], names.get(m["parent_id"]), m["version"], m["version_count"])
        for m in again["messages"]
    ]
    assert found == [
        ("a", None, 1, 2),
        ("b", "a", 1, 2),
        ("c", "a", 2, 2),
        ("d", None, 2, 2),
        ("e", "b", 1, 1),
    ]
    assert names[again["chat"]["leaf_id"]] == "b"
    del export["chat"]["leaf_id"]
    assert (await take(rooms, user, export)).message_count == 3  # the last one is shown
    for wrong in ({"leaf_id": "x"}, {"message": said("f", "x")}):
        broken = {
            **export,
            "chat": {**export["chat"], "leaf_id": wrong.get("leaf_id")},
            "messages": [*export["messages"], *filter(None, [wrong.get("message")])],
        }
        with pytest.raises(InvalidRequest, match="has this id"):
            await take(rooms, user, broken)


async def test_it_fills_in_what_is_missing(rooms: Any, user: User, clock: Clock) -> None:
    said = message("Ha", "assistant", status="streaming", reasoning="")
    chat = await take(rooms, user, exported(said, title=" T "))
    assert chat.title == "T"
    assert chat.created_at == chat.updated_at == rfc3339(clock())
    (found,) = rooms.db.read(messages.everything, chat.row_id)
    assert (found.status, found.reasoning, found.usage) == ("interrupted", None, None)


async def test_the_chat_may_come_after_its_messages(rooms: Any, user: User) -> None:
    document = exported(*(message(str(number)) for number in range(5)))
    chat = await take(rooms, user, dict(reversed(document.items())))
    assert (chat.title, chat.model, chat.message_count) == ("Title", "m", 5)
    assert (await take(rooms, user, {**document, "messages": []})).message_count == 0


async def test_nobody_sees_it_before_it_is_complete(rooms: Any, user: User) -> None:
    socket = subscribed(rooms.connections, FakeSocket(user))
    seen = list[Any]()

    async def look(share: float, count: int) -> None:
        seen.append((share, count))
        assert socket.frames == []
        for read in (chats.page, lambda *a: chats.find_with(a[0], a[1], "word", *a[2:])):
            page = rooms.db.read(read, user.row_id, 20, 0)
            assert (page.items, page.total) == ("", 0)

    document = exported(*(message(f"word {number}") for number in range(5)))
    chat = (await rooms.imports.run(user, encoded(document), look)).chat
    assert [frame["type"] for frame in socket.frames] == ["chat"]
    for read in (chats.page, lambda *a: chats.find_with(a[0], a[1], "word", *a[2:])):
        page = rooms.db.read(read, user.row_id, 20, 0)
        assert page.total == 1
        assert json.loads(page.items)["id"] == chat.id
    if seen:
        assert [count for _, count in seen] == [1, 2, 3, 4, 5]
        assert seen == sorted(seen)
        assert 0 < seen[0][0] < 0.5 < seen[-1][0] <= 1


@pytest.mark.parametrize(
    ("change", "details"),
    [
        ({"format": "other"}, 'format: expected "quillium-chat"'),
        ({"messages": "none"}, "messages: a string, expected a list"),
        ({"chat": {"title": "x"}}, "chat.model: is required"),
        ({"more": 1}, "'more': unknown field"),
        ({"messages": [message(), message(), {"sender": "user"}]}, "messages.2.content: is requ"),
        ({"messages": [message(), [], message()]}, "messages.1: a list, expected an object"),
        ({"messages": [message(usage=3)]}, "messages.0.usage"),
    ],
)
async def test_what_is_wrong_leaves_nothing(
    rooms: Any, user: User, change: dict[str, Any], details: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await take(rooms, user, {**exported(message("a"), message("b")), **change})
    assert details in refused.value.details
    await nothing_is_left(rooms, user)


async def test_a_document_that_breaks_off_leaves_nothing(rooms: Any, user: User) -> None:
    data = encoded(exported(*(message(str(number)) for number in range(20))))
    with pytest.raises(InvalidRequest, match="not valid JSON"):
        await rooms.imports.run(user, data[:-5])
    await nothing_is_left(rooms, user)


async def test_one_client_id_twice_leaves_nothing(rooms: Any, user: User) -> None:
    said = [message(client_id=id) for id in ("a", "b", "a")]
    with pytest.raises(Conflict, match="client_id"):
        await take(rooms, user, exported(*said))
    await nothing_is_left(rooms, user)


def with_client_id(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "chat": {**document["chat"], "client_id": "chatgpt-1"}}


async def test_a_document_is_imported_once(rooms: Any, user: User, other: User) -> None:
    document = with_client_id(exported(*(message(str(number)) for number in range(3))))
    added = await rooms.imports.run(user, encoded(document))
    assert added.change is not None
    longer = {**document, "messages": [message("x")] * 5}
    again = await asyncio.gather(
        *(rooms.imports.run(user, encoded(repeated)) for repeated in (document, longer, document))
    )
    assert again == [(added.chat, None)] * 3
    for wrong in ({"messages": [message("x"), {}]}, {"more": 1}, {"files": [{"id": "x"}]}):
        with pytest.raises(InvalidRequest):
            await take(rooms, user, {**document, **wrong})
    unnamed = {**document, "chat": {"title": "t", "client_id": "chatgpt-1"}}
    with pytest.raises(InvalidRequest, match="model: is required"):
        await take(rooms, user, unnamed)
    assert (await take(rooms, other, document)).id != added.chat.id
    await rooms.chats.delete(user, added.chat.id)
    assert (await take(rooms, user, document)).id != added.chat.id
    await rooms.removal.finished()
    assert rooms.db.read(hidden_chats.everything) == []
    assert rooms.db.read(chats.page, user.row_id, 20, 0).total == 1


@pytest.mark.parametrize("has_chat_first", [True, False])
async def test_imports_of_one_document_at_the_same_time(
    rooms: Any, user: User, has_chat_first: bool
) -> None:
    document = with_client_id(exported(*(message(str(number)) for number in range(3))))
    if not has_chat_first:
        document["chat"] = document.pop("chat")
    socket = subscribed(rooms.connections, FakeSocket(user))
    added = await asyncio.gather(*(rooms.imports.run(user, encoded(document)) for _ in range(3)))
    assert len({each.chat.id for each in added}) == 1
    assert [each.change is not None for each in added].count(True) == 1
    assert [frame["type"] for frame in socket.frames] == ["chat"]
    await rooms.removal.finished()
    assert rooms.db.read(hidden_chats.everything) == []
    assert len(rooms.db.read(lambda c: c.execute("SELECT id FROM messages").fetchall())) == 3


async def test_a_full_disk_half_way_leaves_nothing(
    rooms: Any, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, count = rooms.db.write, 0

    async def failing(*arguments: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        if count == 3:
            raise StorageUnavailable
        return await write(*arguments, **options)

    monkeypatch.setattr(rooms.db, "write", failing)
    said = [message(str(number)) for number in range(5)]
    try:
        await take(rooms, user, exported(*said))
    except StorageUnavailable:
        await nothing_is_left(rooms, user)
    else:
        assert count == 1  # all in one transaction


async def test_an_account_that_is_deleted_meanwhile(rooms: Any, user: User, other: User) -> None:
    async def delete(share: float, count: int) -> None:
        if count == 2:
            await rooms.administration.delete(other, UNKNOWN_CLIENT)

    document = exported(*(message(str(number)) for number in range(5)))
    try:
        await rooms.imports.run(other, encoded(document), delete)
    except NotFound:
        await nothing_is_left(rooms, user)


async def test_others_get_a_turn(rooms: Any, user: User) -> None:
    """Between any two slices, whoever waits is served."""
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.ensure_future(count_turns())
    document = exported(*(message(str(number)) for number in range(50)))
    chat = await take(rooms, user, document)
    counting.cancel()
    if chat.message_count == 50 and imports._SLICE_MESSAGES == 1:
        assert turns > 50


def file(id: str, content: bytes, name: str = "a.txt") -> dict[str, Any]:
    return {"id": id, "name": name, "content": base64.b64encode(content).decode()}


def with_files(*files: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An export of a message that has these files, which stand before the messages."""
    attachments = [{"id": file["id"]} for file in files]
    document = exported(message("one"), message("two", attachments=attachments), **more)
    return {"files": [*files], **document}


async def test_files_come_with_their_messages(rooms: Any, user: User) -> None:
    large = bytes(range(256)) * 2000
    chat = await take(rooms, user, with_files(file("f1", b"hello"), file("f2", large, "../b.bin")))
    said = rooms.db.read(messages.everything, chat.row_id)
    assert said[0].attachments == ()
    first, second = said[1].attachments
    assert (first.name, first.content_type, second.name) == ("a.txt", "text/plain", "b.bin")
    stored = [rooms.uploads.find(user, each.id) for each in (first, second)]
    contents = [b"".join(rooms.uploads.pieces(each.row_id)) for each in stored]
    assert contents == [b"hello", large]
    await rooms.chats.delete(user, chat.id)
    await rooms.removal.finished()
    assert files_left(rooms) == 0


def files_left(rooms: Any) -> int:
    count: int = rooms.db.read(lambda c: c.execute("SELECT COUNT(*) FROM files").fetchone()[0])
    return count


async def test_files_that_the_user_has(rooms: Any, user: User, other: User) -> None:
    own = await rooms.uploads.store(user, "mine.txt", b"mine")
    theirs = await rooms.uploads.store(other, "theirs.txt", b"theirs")
    sent = [own.id, theirs.id, {"id": "file_unknown", "name": "x"}, {"id": own.id}]
    chat = await take(rooms, user, exported(message("one", attachments=sent)))
    assert rooms.db.read(messages.everything, chat.row_id)[0].attachments == (own,)


@pytest.mark.parametrize(
    ("document", "details"),
    [
        (with_files(file("f1", b"hello"), {**file("f2", b""), "content": "%"}), "files.1.content"),
        (with_files(file("f1", b"hello"), file("f2", b"")), "files.1.content: 0 characters"),
        (with_files({"id": "f1", "name": "x"}), "files.0.content: is required"),
        ({**exported(), "files": []}, "files: must stand before messages"),
        ({**with_files(file("f1", b"hello")), "format": "x"}, "format: expected"),
    ],
)
async def test_files_of_a_failed_import_are_removed(
    rooms: Any, user: User, document: dict[str, Any], details: str
) -> None:
    with pytest.raises(InvalidRequest, match=details):
        await take(rooms, user, document)
    await nothing_is_left(rooms, user)
    assert files_left(rooms) == 0
