"""Frame numbers, the order of messages sent during a reply, and snapshot reads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core import ids
from core.records import Message
from storage import chats, messages, replay, turns
from storage.connection import Connection
from tests.conftest import Client

NOW = "2026-01-01T00:00:00.000Z"


def say(connection: Connection, chat: str, content: str) -> Message:
    message = Message(0, ids.new("msg"), chat, content, "user", NOW, "complete", None, None)
    return turns.add_message(connection, 1, message, "Title").message


def begin(connection: Connection, chat: str) -> turns.Begun:
    begun = turns.begin_reply(connection, chat, turns.NewReply(ids.new("msg"), "m"), NOW)
    assert begun is not None
    return begun


def end(connection: Connection, begun: turns.Begun, content: str) -> None:
    reply = replace(begun.message, content=content, status="complete", timestamp=NOW)
    ended = turns.end_reply(connection, reply)
    assert ended is not None
    chat = chats.check(connection, 1, ended.chat_id)
    assert ended == messages.find(connection, chat, ended.id)


async def test_a_prompt_is_in_the_order_of_the_conversation(ada: Client, rooms: Any) -> None:
    chat = await ada.chat()

    def talk(connection: Connection) -> Any:
        question = say(connection, chat, "one")
        first = begin(connection, chat)
        meanwhile = say(connection, chat, "two")
        prompts = [turns.history_until(connection, first.answers, 1000, 50)]
        end(connection, first, "answer to one")
        second = begin(connection, chat)
        prompts.append(turns.history_until(connection, second.answers, 1000, 50))
        end(connection, second, "answer to two")
        replies = [turns.reply_to(connection, each) for each in (question, meanwhile)]
        listed = messages.everything(connection, chats.check(connection, 1, chat))
        return prompts, replies, listed

    prompts, replies, listed = await rooms.db.write(talk)
    said = [[line.content for line in prompt] for prompt in prompts]
    assert said == [["one"], ["one", "answer to one", "two"]]
    assert [reply.content for reply in replies] == ["answer to one", "answer to two"]
    assert [m.content for m in listed] == ["one", "two", "answer to one", "answer to two"]
    assert [m.seq for m in listed] == sorted(m.seq for m in listed)
    assert [m.row_id for m in listed] == sorted(m.row_id for m in listed)


async def test_a_read_is_of_one_moment(ada: Client, rooms: Any) -> None:
    """What comes between its statements is not seen by the later ones."""
    chat = await ada.chat()
    await ada.say(chat, "one")
    await rooms.db.write(chats.mark_read, 1, chat, None, NOW)

    def look(connection: Connection) -> tuple[Any, Any]:
        before = replay.missed(connection, 1, 0)
        # The writer's thread stores it while this one looks on.
        rooms.db._writer.submit(lambda writing: chats.mark_read(writing, 1, chat, None, NOW), None)
        rooms.db._writer._enqueue_requested()  # which the loop would do in its next round
        while rooms.db.statistics().writes == written:
            pass
        return before, replay.missed(connection, 1, 0)

    written = rooms.db.statistics().writes
    before, after = rooms.db.read(look)
    assert before == after
    assert rooms.db.read(replay.missed, 1, 0)[-1].seq == before[-1].seq + 1


async def test_what_was_missed_is_found_by_its_number(ada: Client, rooms: Any) -> None:
    def plan(connection: Connection) -> str:
        query = f"EXPLAIN QUERY PLAN {replay._MISSED}"
        return "\n".join(str(row[3]) for row in connection.execute(query, replay._bounds(1, 0, 10)))

    found = rooms.db.read(plan)
    for index in ("messages_by_seq", "chat_changes_by_seq", "reads_by_seq"):
        assert f"INDEX {index} (user=? AND seq>?)" in found
    assert "TEMP B-TREE" not in found
