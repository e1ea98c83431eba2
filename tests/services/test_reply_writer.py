"""The life of a reply: begin, stream, end, and every reason to end early."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from assistant import Parameters
from assistant.directory import BUILT_IN_MODEL
from assistant.events import End, Reasoning, ReplyEvent, Text, ToolCall, Usage
from core.errors import StorageUnavailable
from core.records import User
from services import reply_writer
from services.watchers import Watcher
from storage import turns
from tests.conftest import Client


class Scripted:
    """A provider whose replies are written by a test: `emit` yields an event, None waits on."""

    name = "scripted"

    def __init__(self) -> None:
        self.events: asyncio.Queue[ReplyEvent | Exception | None] = asyncio.Queue()
        self.prompts: list[list[str]] = []
        self.parameters: list[Parameters] = []
        self.closed = 0

    def memory(self, model: str) -> int:
        return 10_000

    async def reply(
        self, messages: Any, model: str, parameters: Parameters
    ) -> AsyncGenerator[ReplyEvent, None]:
        self.parameters.append(parameters)
        self.prompts.append([message.content for message in messages])
        try:
            while (event := await self.events.get()) is not None:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self.closed += 1

    def write(self, *events: ReplyEvent | Exception | None) -> None:
        for event in events:
            self.events.put_nowait(event)


@pytest.fixture
def scripted(rooms: Any) -> Scripted:
    """The provider of the default model."""
    provider = Scripted()
    rooms.directory._embedded[BUILT_IN_MODEL] = provider
    return provider


@pytest.fixture
def user(rooms: Any, ada: Client) -> User:
    found: User = rooms.accounts.authenticate(ada.credential).user
    return found


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


async def listed(ada: Client, chat: str) -> list[tuple[str, str, str]]:
    """What the chat's messages are, in their order."""
    page = await ada("GET /chats/{id}/messages", id=chat)
    return [(m["sender"], m["content"], m["status"]) for m in page.body["data"]]


async def test_one_reply_at_a_time_and_what_comes_meanwhile_is_answered_together(
    ada: Client, rooms: Any, user: User, scripted: Scripted
) -> None:
    chat = await ada.chat()
    await rooms.conversation.submit(user, chat, "one")
    scripted.write(Text("first"))
    await until(lambda: rooms.conversation.streamed_replies(user.id))
    for content in ("two", "three"):
        await rooms.conversation.submit(user, chat, content)
    assert len(scripted.prompts) == 1
    scripted.write(End(), Text("second"), End())
    await until(lambda: not rooms.conversation.count_active())
    assert scripted.prompts == [["one"], ["one", "first", "two", "three"]]
    assert await listed(ada, chat) == [
        ("user", "one", "complete"),
        ("user", "two", "complete"),
        ("user", "three", "complete"),
        ("assistant", "first", "complete"),
        ("assistant", "second", "complete"),
    ]


@pytest.mark.parametrize(
    ("script", "content", "code"),
    [
        ((Text("so far"), None), "so far", "model_unavailable"),  # no `End`: it broke off
        ((None,), "", "model_unavailable"),
        ((Text("so far"), ValueError("a bug")), "so far", "model_unavailable"),
        ((TimeoutError(),), "", "model_unavailable"),
        ((Text("\ud800"), End()), "", "model_unavailable"),  # can't be stored
    ],
)
async def test_a_reply_without_an_end_has_failed(
    ada: Client, rooms: Any, user: User, scripted: Scripted, script: Any, content: str, code: str
) -> None:
    chat = await ada.chat()
    await rooms.conversation.submit(user, chat, "Hello")
    scripted.write(*script)
    await until(lambda: not rooms.conversation.count_active())
    end = (await ada("GET /chats/{id}/messages", id=chat)).body["data"][-1]
    assert (end["content"], end["status"], end["error"]["code"]) == (content, "failed", code)


async def _stop(rooms: Any, ada: Client, chat: str) -> None:
    await ada("POST /chats/{id}/stop", id=chat)


async def _delete(rooms: Any, ada: Client, chat: str) -> None:
    await ada("DELETE /chats/{id}", id=chat)


async def _drain(rooms: Any, ada: Client, chat: str) -> None:
    await rooms.conversation.drain()


@pytest.mark.parametrize(
    ("end", "last"), [(_stop, "message"), (_delete, "error"), (_drain, "message")]
)
@pytest.mark.parametrize("text", ["", "so far"])
async def test_whatever_ends_a_reply_frees_its_chat(
    ada: Client, rooms: Any, user: User, scripted: Scripted, end: Any, last: str, text: str
) -> None:
    chat, watcher = await ada.chat(), Watcher()
    await rooms.conversation.submit(user, chat, "Hello", watcher=watcher)
    if text:
        scripted.write(Text(text))
        await until(lambda: any(r.text() for r in rooms.conversation.streamed_replies(user.id)))
    await until(lambda: scripted.prompts)
    await end(rooms, ada, chat)
    await until(lambda: not rooms.conversation.count_active())
    assert scripted.closed == 1  # the provider's work has ended
    seen = [frame async for frame in watcher.frames(silence=10)]
    assert seen[-1] is not None
    assert seen[-1].type == last
    if last == "error":
        assert seen[-1].data["code"] == "not_found"
    else:
        status = "stopped" if end is _stop else "interrupted"
        assert (await listed(ada, chat))[-1] == ("assistant", text, status)


async def test_nothing_is_published_after_a_deletion(
    ada: Client, rooms: Any, user: User, scripted: Scripted
) -> None:
    socket, chat = await ada.socket(since=0), await ada.chat()
    await rooms.conversation.submit(user, chat, "Hello")
    scripted.write(Text("one "))
    await socket.until("typing", delta="one ")
    scripted.write(Text("two "), Text("three "))  # wait for the timer of the next delta
    await ada("DELETE /chats/{id}", id=chat)
    await until(lambda: not rooms.conversation.count_active())
    other = await ada.chat()
    await socket.until("chat", id=other)
    kinds = [(frame["type"], frame["data"].get("deleted")) for frame in socket.frames]
    assert kinds[kinds.index(("chat", True)) :] == [("chat", True), ("chat", None)]


async def test_the_end_is_stored_once_the_disk_is_back(
    ada: Client, rooms: Any, user: User, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reply_writer, "_RETRY_SECONDS", 0.001)
    socket, chat = await ada.socket(), await ada.chat()
    write = rooms.db.write
    refused: list[Any] = []

    async def fail_twice(work: Any, *arguments: Any, **more: Any) -> Any:
        if work is turns.end_reply and len(refused) < 2:
            refused.append(work)
            raise StorageUnavailable
        return await write(work, *arguments, **more)

    monkeypatch.setattr(rooms.db, "write", fail_twice)
    await rooms.conversation.submit(user, chat, "Hello")
    scripted.write(Text("all of it"), End())
    assert (await socket.reply())["content"] == "all of it"
    assert len(refused) == 2


async def test_a_reply_that_cannot_begin_is_told_and_can_be_asked_for_again(
    ada: Client, rooms: Any, user: User, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket, chat, watcher = await ada.socket(), await ada.chat(), Watcher()
    with monkeypatch.context() as patched:
        patched.setattr(rooms.directory, "is_settled", lambda model: False)

        async def fail(model: str) -> None:
            raise StorageUnavailable

        patched.setattr(rooms.directory, "wait_for", fail)
        await rooms.conversation.submit(user, chat, "Hello", watcher=watcher)
        await socket.until("error", code="storage_unavailable", chat_id=chat)
    seen = [frame.type async for frame in watcher.frames(silence=10) if frame]
    assert seen == ["message", "error"]
    assert not rooms.conversation.count_active()
    scripted.write(Text("Here"), End())
    await rooms.conversation.regenerate(user, chat)
    assert (await socket.reply())["content"] == "Here"


@pytest.mark.parametrize("failure", [None, StorageUnavailable()])
async def test_a_model_that_is_not_known_yet_begins_one_reply(
    ada: Client,
    rooms: Any,
    user: User,
    scripted: Scripted,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception | None,
) -> None:
    """While the first message waits for a server's list, the next one may begin the reply."""
    chat, known = await ada.chat(), asyncio.Event()
    is_settled = [False]

    async def wait_for(model: str) -> None:
        await known.wait()
        if failure is not None:
            raise failure

    monkeypatch.setattr(rooms.directory, "is_settled", lambda model: is_settled[0])
    monkeypatch.setattr(rooms.directory, "wait_for", wait_for)
    await rooms.conversation.submit(user, chat, "one")
    is_settled[0] = True
    await rooms.conversation.submit(user, chat, "two")
    known.set()
    scripted.write(Text("both"), End())
    await until(lambda: not rooms.conversation.count_active())
    assert scripted.prompts == [["one", "two"]]
    assert [row[0] for row in await listed(ada, chat)] == ["user", "user", "assistant"]


async def test_a_caller_that_is_cancelled_still_gets_a_reply(
    ada: Client, rooms: Any, user: User, scripted: Scripted
) -> None:
    chat = await ada.chat()
    submitting = asyncio.ensure_future(rooms.conversation.submit(user, chat, "Hello"))
    await asyncio.sleep(0)
    submitting.cancel()
    scripted.write(Text("Here"), End())
    await until(lambda: scripted.closed)
    await until(lambda: not rooms.conversation.count_active())
    assert [row[1] for row in await listed(ada, chat)] == ["Hello", "Here"]


async def test_draining_waits_for_a_message_that_is_being_stored(
    ada: Client, rooms: Any, user: User, scripted: Scripted
) -> None:
    chat = await ada.chat()
    submitting = asyncio.ensure_future(rooms.conversation.submit(user, chat, "Hello"))
    await asyncio.sleep(0)
    await rooms.conversation.drain()
    assert (await submitting).begun is not None
    assert await listed(ada, chat) == [
        ("user", "Hello", "complete"),
        ("assistant", "", "interrupted"),
    ]
    assert scripted.prompts == []


async def test_a_message_sent_again_shows_its_reply(
    ada: Client, rooms: Any, user: User, scripted: Scripted
) -> None:
    chat = await ada.chat()

    async def seen(watcher: Watcher) -> list[tuple[str, Any]]:
        text = {"message": "content", "typing": "delta", "read": "message_id", "error": "code"}
        return [
            (frame.type, frame.data[text[frame.type]])
            async for frame in watcher.frames(silence=10)
            if frame is not None
        ]

    await rooms.conversation.submit(user, chat, "Hello", "once")
    scripted.write(Text("so far"))
    await until(lambda: any(r.text() for r in rooms.conversation.streamed_replies(user.id)))
    meanwhile, later = Watcher(), Watcher()
    await rooms.conversation.submit(user, chat, "Hello", "once", meanwhile)
    scripted.write(End())
    assert await seen(meanwhile) == [
        ("message", "Hello"),
        ("typing", "so far"),
        ("message", "so far"),
    ]
    await rooms.conversation.submit(user, chat, "Hello", "once", later)
    assert await seen(later) == [("message", "Hello"), ("message", "so far")]
    assert len(scripted.prompts) == 1


async def test_reasoning_is_streamed_and_stored_beside_the_text(
    ada: Client, rooms: Any, user: User, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reply_writer, "CHECKPOINT_SECONDS", 0)
    socket, chat = await ada.socket(), await ada.chat()
    await rooms.conversation.submit(user, chat, "Hello")
    scripted.write(Reasoning("First "))
    await socket.until("typing", reasoning_delta="First ", reasoning_offset=0)
    joined = await ada.socket()
    await joined.until("typing", reasoning_delta="First ", reasoning_offset=0)
    scripted.write(Reasoning("think."))
    for each in (socket, joined):
        await each.until("typing", reasoning_delta="think.", reasoning_offset=6)
    scripted.write(Text("Then "))
    await socket.until("typing", delta="Then ", offset=0)
    late = await ada.socket()
    assert await late.until("typing", reasoning_delta="First think.")
    assert await late.until("typing", delta="Then ", offset=0)
    stored = (await ada("GET /chats/{id}/messages", id=chat)).body["data"][-1]
    assert (stored["status"], stored["reasoning"]) == ("streaming", "First think.")  # a checkpoint
    scripted.write(Text("speak."), End("length", Usage(3, 5)))
    for each in (socket, joined, late):
        reply = await each.reply()
        assert (reply["content"], reply["reasoning"]) == ("Then speak.", "First think.")
        assert (reply["status"], reply["finish_reason"]) == ("complete", "length")
        assert reply["usage"] == {"prompt_tokens": 3, "completion_tokens": 5}
    assert (await ada("GET /chats/{id}/messages", id=chat)).body["data"][-1] == reply
    scripted.write(Text("Anew."), End())
    await ada("POST /chats/{id}/regenerate", id=chat)
    again = await socket.reply()
    assert (again["reasoning"], again["finish_reason"], again["usage"]) == (None, "stop", None)


async def test_a_tool_call_that_nobody_asked_for_is_reported(
    ada: Client, rooms: Any, user: User, scripted: Scripted
) -> None:
    socket, chat = await ada.socket(), await ada.chat()
    await rooms.conversation.submit(user, chat, "What's the weather?")
    scripted.write(ToolCall(0, "call_1", "get_weather", "{"), ToolCall(0, None, None, "}"))
    scripted.write(End("tool_calls"))
    end = await socket.reply()
    assert (end["status"], end["finish_reason"]) == ("failed", "tool_calls")
    assert "get_weather" in end["error"]["details"]


async def test_a_chats_own_instructions_reach_the_model(
    ada: Client, rooms: Any, user: User, scripted: Scripted
) -> None:
    chosen = {"temperature": 0.5, "top_p": 1, "max_tokens": 9, "seed": 7, "reasoning_effort": "low"}
    chat = await ada.chat(system_prompt="In verse.", parameters=chosen)

    async def asked() -> tuple[list[str], Parameters]:
        scripted.write(Text("Yes."), End())
        await rooms.conversation.submit(user, chat, "Hello")
        await until(lambda: not rooms.conversation.count_active())
        return scripted.prompts[-1][:2], scripted.parameters[-1]

    assert await asked() == (["In verse.", "Hello"], Parameters(0.5, 1, 9, 7, "low"))
    await ada("PUT /settings/admin", {"system_prompt": "In English."})
    assert (await asked())[0][0] == "In English.\n\nIn verse."
    await ada("PATCH /chats/{id}", {"system_prompt": None, "parameters": {"seed": 1}}, id=chat)
    assert await asked() == (["In English.", "Hello"], Parameters(seed=1))


@pytest.mark.parametrize("count", [48, 49, 50, 51, 120])
async def test_a_conversation_of_any_length_reaches_the_model_whole_and_in_order(
    ada: Client, rooms: Any, user: User, scripted: Scripted, count: int
) -> None:
    """Up to 50 messages are read in one way, more of them in another."""
    said = [f"message {number}" for number in range(count)]
    document = {
        "format": "quillium-chat",
        "version": 1,
        "chat": {"title": "Long", "model": "quillium-demo"},
        "messages": [
            {
                "content": content,
                "sender": ("user", "assistant")[number % 2],
                "timestamp": "2024-01-01T00:00:00.000Z",
            }
            for number, content in enumerate(said)
        ],
    }
    imported = await ada("POST /chats/import", document)
    assert imported.status == 201, imported.body
    scripted.write(Text("Yes."), End())
    await rooms.conversation.submit(user, imported.body["id"], "the last")
    await until(lambda: not rooms.conversation.count_active())
    (prompt,) = scripted.prompts
    assert prompt == [*said, "the last"]
