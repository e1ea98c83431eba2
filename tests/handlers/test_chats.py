"""Chats, search, export and import: contract section 6."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

import handlers.chats
from storage import search as stored_search
from tests.conftest import Client, Clock


async def test_create_as_the_reference_prints_it(ada: Client) -> None:
    answer = await ada("POST /chats", {"title": "New Conversation", "model": "gpt-4"})
    assert answer.status == 201
    chat = answer.body
    assert list(chat)[:5] == ["id", "title", "model", "created_at", "updated_at"]
    assert chat["id"].startswith("chat_")
    assert (chat["title"], chat["model"]) == ("New Conversation", "gpt-4")
    assert chat["created_at"] == chat["updated_at"]
    assert (chat["message_count"], chat["unread_count"], chat["last_message"]) == (0, 0, None)
    assert (await ada("GET /chats/{id}", id=chat["id"])).body == chat


async def test_the_same_client_id_creates_one_chat(ada: Client, anyone: Client) -> None:
    bob = await anyone.register("bob@example.com")
    body = {"title": "Once", "client_id": "c-1"}
    first, again = await ada("POST /chats", body), await ada("POST /chats", body)
    assert (first.status, again.status) == (201, 200)
    assert again.body == first.body
    renamed = await ada("PATCH /chats/{id}", {"title": "Renamed"}, id=first.body["id"])
    assert (await ada("POST /chats", body)).body == renamed.body  # as it is by now
    assert (await bob("POST /chats", body)).status == 201  # ids of others don't matter
    at_once = await asyncio.gather(*(ada("POST /chats", {"client_id": "c-2"}) for _ in range(10)))
    assert sorted(answer.status for answer in at_once) == [200] * 9 + [201]
    assert len({answer.body["id"] for answer in at_once}) == 1
    await ada("DELETE /chats/{id}", id=first.body["id"])
    assert (await ada("POST /chats", body)).status == 201  # the deleted one is gone
    for _ in range(2):
        assert (await ada("POST /chats", {"client_id": None})).status == 201


async def test_defaults_of_a_chat(ada: Client) -> None:
    chat = (await ada("POST /chats")).body
    assert (chat["title"], chat["model"]) == ("New Conversation", "quillium-demo")
    await ada("PUT /settings/user", {"default_model": "mine"})
    assert (await ada("POST /chats", {})).body["model"] == "mine"


async def test_the_first_message_gives_a_title(ada: Client) -> None:
    untitled, titled = await ada.chat(), await ada.chat(title="New Conversation")
    words = "Tell me   something about the\nhistory of the quill, and please take your time with it"
    for chat in (untitled, titled):
        await ada.say(chat, words)
        await ada.say(chat, "A second message")
    first = (await ada("GET /chats/{id}", id=untitled)).body["title"]
    assert first == "Tell me something about the history of the quill, and…"
    assert (await ada("GET /chats/{id}", id=titled)).body["title"] == "New Conversation"


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"title": "x" * 201}, "title: 201 characters, at most 200"),
        ({"title": " "}, "title: 0 characters, at least 1"),
        ({"model": ""}, "model: 0 characters, at least 1"),
        ({"model": "x" * 201}, "model: 201 characters, at most 200"),
        ({"titel": "x"}, "'titel': unknown field"),
        ({"system_prompt": "x" * 20_001}, "system_prompt: 20,001 characters, at most 20,000"),
        ({"system_prompt": 1}, "system_prompt: a number, expected a string or null"),
        ({"parameters": None}, "parameters: null, expected an object"),
        ({"parameters": {"top_k": 1}}, "parameters: 'top_k': unknown field"),
        (
            {"parameters": {"temperature": 3}},
            "parameters.temperature: expected a number of at most 2",
        ),
        (
            {"parameters": {"max_tokens": 0}},
            "parameters.max_tokens: expected a number of at least 1",
        ),
    ],
)
async def test_create_and_update_refuse(ada: Client, body: dict[str, Any], details: str) -> None:
    made = await ada("POST /chats", body)
    changed = await ada("PATCH /chats/{id}", body, id=await ada.chat())
    for answer in (made, changed):
        assert answer.error == "400 invalid_request"
        assert answer.details == details


async def test_patch(ada: Client, clock: Clock) -> None:
    chat = await ada.chat(title="Before", model="m")
    clock.advance(1)
    answer = await ada("PATCH /chats/{id}", {"title": " After "}, id=chat)
    assert (answer.status, answer.body["title"], answer.body["model"]) == (200, "After", "m")
    assert answer.body["updated_at"] > answer.body["created_at"]
    answer = await ada("PATCH /chats/{id}", {"model": "n"}, id=chat)
    assert (answer.body["title"], answer.body["model"]) == ("After", "n")
    await ada.say(chat, "opening words")
    assert (await ada("GET /chats/{id}", id=chat)).body["title"] == "After"


async def test_a_chats_instructions(ada: Client) -> None:
    chosen = {"system_prompt": "Be brief.", "parameters": {"temperature": 0.5, "seed": 7}}
    chat = await ada.chat(title="Quills", **chosen)

    async def instructions() -> dict[str, Any]:
        found = (await ada("GET /chats/{id}", id=chat)).body
        listed = (await ada("GET /chats")).body["data"][0]
        assert {**listed, "last_message": None} == {**found, "last_message": None}
        return {name: found[name] for name in chosen}

    assert await instructions() == chosen
    await ada("PATCH /chats/{id}", {"title": "Pens"}, id=chat)
    assert await instructions() == chosen
    export = (await ada("GET /chats/{id}/export", id=chat)).body
    imported = (await ada("POST /chats/import", export)).body
    assert {name: imported[name] for name in chosen} == chosen
    await ada("DELETE /chats/{id}", id=imported["id"])
    found = (await ada("GET /chats/{id}", id=chat)).body
    assert (await ada("PATCH /chats/{id}", found, id=chat)).status == 200  # sent back as it came
    for change in ({"system_prompt": None}, {"system_prompt": ""}):
        changed = await ada("PATCH /chats/{id}", change, id=chat)
        assert (changed.body["system_prompt"], changed.body["title"]) == (None, "Pens")
    await ada("PATCH /chats/{id}", {"parameters": {}}, id=chat)
    assert await instructions() == {"system_prompt": None, "parameters": {}}


async def test_a_list_does_not_grow_with_its_messages(ada: Client) -> None:
    export = (await ada("GET /chats/{id}/export", id=await ada.chat())).body

    async def listed(content: str, **more: Any) -> dict[str, Any]:
        line = {"content": content, "sender": "assistant", "timestamp": export["exported_at"]}
        imported = await ada("POST /chats/import", {**export, "messages": [{**line, **more}]})
        found = (await ada("GET /chats/{id}", id=imported.body["id"])).body
        assert found["last_message"]["content"] == content
        (message,) = (await ada("GET /chats/{id}/messages", id=found["id"])).body["data"]
        assert message == found["last_message"]
        last: dict[str, Any] = (await ada("GET /chats")).body["data"][0]["last_message"]
        assert last["id"] == message["id"]
        return last

    assert "is_truncated" not in await listed("é" * 500, reasoning="x" * 500)
    error = {"code": "model_timeout", "message": "It took too long.", "details": "Yes."}
    long = await listed("é" * 501, status="failed", error=error)
    assert (long["content"], long["is_truncated"], long["error"]) == ("é" * 500, True, error)
    thoughtful = await listed("Yes.", reasoning="x" * 501)
    assert (thoughtful["reasoning"], thoughtful["is_truncated"]) == ("x" * 500, True)
    await ada.say(await ada.chat(), "wordless " + "é" * 501)
    hit = (await ada("GET /chats", query={"q": "wordless"})).body["data"][0]["last_message"]
    assert len(hit["content"]) <= 500


async def test_delete_takes_the_messages_along(ada: Client) -> None:
    chat = await ada.chat(title="Doomed")
    await ada.say(chat, "remember the quill")
    assert (await ada("DELETE /chats/{id}", id=chat)).status == 204
    for operation in ("GET /chats/{id}", "DELETE /chats/{id}", "GET /chats/{id}/messages"):
        assert (await ada(operation, id=chat)).error == "404 not_found"
    assert (await ada("GET /chats", query={"q": "quill"})).body["data"] == []
    assert (await ada("GET /chats")).body["pagination"]["total"] == 0


async def test_list_is_newest_first_and_paged(ada: Client, clock: Clock) -> None:
    chats = []
    for number in range(25):
        clock.advance(1)
        chats.append(await ada.chat(title=str(number)))
    clock.advance(1)
    await ada.say(chats[3], "now the newest")
    page = (await ada("GET /chats")).body
    assert page["pagination"] == {
        "total": 25,
        "limit": 20,
        "offset": 0,
        "next": "/api/v1/chats?limit=20&offset=20",
        "previous": None,
    }
    shown = [chat["title"] for chat in page["data"]]
    assert shown == ["3", *(str(number) for number in range(24, 5, -1))]
    assert page["data"][0]["last_message"]["sender"] == "assistant"
    rest = (await ada("GET /chats", query={"limit": 20, "offset": 20}, prefix="/v1")).body
    assert [chat["title"] for chat in rest["data"]] == ["5", "4", "2", "1", "0"]
    assert rest["pagination"]["next"] is None
    assert rest["pagination"]["previous"] == "/v1/chats?limit=20&offset=0"
    deep = (await ada("GET /chats", query={"offset": 5000})).body
    assert deep["data"] == []


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=101", "limit=1e3", "limit=%D9%A3", "offset=-1", "limit=",
     f"offset=1{'0' * 30}", "limit=1&limit=2", "limit=+5", "offset=1.0", "limit=%FF", "q=%00"],
)  # fmt: skip
async def test_bad_parameters(ada: Client, query: str) -> None:
    assert (await ada(f"GET /chats?{query}")).error == "400 invalid_request"
    if not query.startswith("q="):
        chat = await ada.chat()
        assert (await ada(f"GET /chats/{{id}}/messages?{query}", id=chat)).status == 400


async def search(client: Client, words: str) -> list[str]:
    answer = await client("GET /chats", query={"q": words})
    assert answer.status == 200, answer.body
    assert answer.body["pagination"]["total"] == len(answer.body["data"])
    return [chat["title"] for chat in answer.body["data"]]


async def test_search_wants_every_word_somewhere_in_the_chat(ada: Client) -> None:
    birds, ink = await ada.chat(title="Birds"), await ada.chat(title="Ink")
    await ada.say(birds, "The goose gives the Quill its name")
    await ada.say(ink, "A quill wants ink, café noir, 東京に住んでいます")
    assert sorted(await search(ada, "quill")) == ["Birds", "Ink"]
    assert await search(ada, "QUILL goose") == ["Birds"]
    assert await search(ada, "birds quill") == ["Birds"]  # one in the title, one in a message
    assert await search(ada, "goose ink") == []
    assert await search(ada, "cafe") == ["Ink"]
    assert await search(ada, "東京") == ["Ink"]
    assert await search(ada, "京東") == []
    assert await search(ada, "goo") == ["Birds"]
    await ada("PATCH /chats/{id}", {"title": "Poultry"}, id=birds)
    assert await search(ada, "birds") == []
    assert await search(ada, "poultry") == ["Poultry"]
    assert len(await search(ada, "  ")) == 2


async def test_a_search_hit_shows_where_it_is(ada: Client) -> None:
    chat = await ada.chat(title="Die Straße")
    await ada.say(chat, "Ask about C++ first")
    listed = (await ada("GET /chats/{id}/messages", id=chat)).body["data"]
    (hit,) = (await ada("GET /chats", query={"q": "c++ first"})).body["data"]
    newest = [m for m in listed if "C++ first" in m["content"]][-1]
    assert hit["match"]["message_id"] == newest["id"]
    assert "about \ue000C++\ue001 \ue000first\ue001" in hit["match"]["snippet"]
    (hit,) = (await ada("GET /chats", query={"q": "strasse"})).body["data"]
    assert hit["match"] is None  # only in the title
    assert "match" not in (await ada("GET /chats")).body["data"][0]


async def test_a_query_has_at_most_32_words(ada: Client) -> None:
    await ada.chat(title=" ".join(f"w{n}" for n in range(32)))
    words = [f"w{n}" for n in range(33)]
    assert len(await search(ada, " ".join(words[:32]))) == 1
    assert len(await search(ada, " ".join(words[:32] * 2))) == 1  # different words count
    refused = await ada("GET /chats", query={"q": " ".join(words)})
    assert refused.error == "400 invalid_request"
    assert "at most 32 words" in refused.body["error"]["details"]


async def test_a_search_that_takes_too_long_is_refused(
    ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = await ada.chat()
    for _ in range(5):
        await ada("POST /chats/{id}/messages", {"content": "word " * 20_000}, id=chat)
    monkeypatch.setattr(stored_search, "MAX_SECONDS", -1)
    monkeypatch.setattr(stored_search, "_STEPS_BETWEEN_LOOKS", 1)
    refused = await ada("GET /chats", query={"q": "word"})
    assert refused.error == "400 invalid_request"
    assert "takes too long" in refused.body["error"]["details"]
    monkeypatch.undo()
    assert await search(ada, "word") != []  # the connection is as good as new


@pytest.mark.parametrize(
    "words",
    ['"', "'", "a AND", "NEAR(a b)", "*", "%", "a*b", "owner : u1", "-x", "^zq", "(", "\\", ";--",
     "x" * 10_000, "a OR b NOT c", '"a" "b', "content:", "🪶", "\u0301", "{zq}"],
)  # fmt: skip
async def test_no_syntax_breaks_the_search(ada: Client, words: str) -> None:
    await ada.say(await ada.chat(title="Something"), "else entirely, u1")
    assert await search(ada, words) == []


async def test_export_and_import(ada: Client, clock: Clock) -> None:
    chat = await ada.chat(title="Quills")
    await ada.say(chat, "My name is Ada", client_id="one")
    await ada.say(chat, "/error")
    export = await ada("GET /chats/{id}/export", id=chat)
    assert export.headers["Content-Disposition"] == f'attachment; filename="{chat}.json"'
    assert export.body["format"] == "quillium-chat"
    clock.advance(600)
    imported = await ada("POST /chats/import", export.body)
    assert imported.status == 201
    assert imported.body["id"] != chat
    for field in ("title", "model", "created_at", "updated_at", "message_count"):
        assert imported.body[field] == export.body["chat"][field]
    assert imported.body["unread_count"] == 0
    again = (await ada("GET /chats/{id}/export", id=imported.body["id"])).body
    ours = {"id", "chat_id", "parent_id"}

    def said(document: dict[str, Any]) -> list[dict[str, Any]]:
        return [{k: v for k, v in m.items() if k not in ours} for m in document["messages"]]

    assert said(again) == said(export.body)
    assert said(again)[-1]["status"] == "failed"
    assert sorted(await search(ada, "ada")) == ["Quills", "Quills"]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2024-02-29T14:00:00+02:00", "2024-02-29T12:00:00.000Z"),
        ("2024-02-29t12:00:00.25z", "2024-02-29T12:00:00.250Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z"),
    ],
)
async def test_import_takes_every_valid_time(ada: Client, sent: str, stored: str) -> None:
    export = (await ada("GET /chats/{id}/export", id=await ada.chat())).body
    export["chat"] |= {"created_at": sent, "updated_at": sent}
    export |= {"exported_at": sent}
    export["messages"] = [{"content": "x", "sender": "user", "timestamp": sent}]
    imported = await ada("POST /chats/import", export)
    assert imported.status == 201
    again = (await ada("GET /chats/{id}/export", id=imported.body["id"])).body
    assert (again["chat"]["created_at"], again["chat"]["updated_at"]) == (stored, stored)
    assert again["messages"][0]["timestamp"] == stored


@pytest.mark.parametrize(
    "path", [("exported_at",), ("chat", "created_at"), ("chat", "updated_at"), ("messages",)]
)
async def test_import_refuses_an_impossible_time(ada: Client, path: tuple[str, ...]) -> None:
    impossible = "2024-13-45T99:99:99.999Z"
    export = (await ada("GET /chats/{id}/export", id=await ada.chat())).body
    export["messages"] = [{"content": "x", "sender": "user", "timestamp": "2024-01-01T00:00:00Z"}]
    if path == ("messages",):
        export["messages"][0]["timestamp"] = impossible
    elif len(path) == 1:
        export[path[0]] = impossible
    else:
        export[path[0]][path[1]] = impossible
    answer = await ada("POST /chats/import", export)
    assert answer.error == "400 invalid_request"
    assert "expected a time that exists, in any form of RFC 3339" in answer.details


async def test_import_keeps_what_a_provider_told(ada: Client) -> None:
    export = (await ada("GET /chats/{id}/export", id=await ada.chat())).body
    told = {
        "reasoning": "Let me think.",
        "finish_reason": "length",
        "usage": {"prompt_tokens": 3, "completion_tokens": 5},
    }
    line = {"content": "x", "sender": "assistant", "timestamp": export["exported_at"], **told}
    imported = await ada("POST /chats/import", {**export, "messages": [line]})
    (message,) = (await ada("GET /chats/{id}/messages", id=imported.body["id"])).body["data"]
    assert {name: message[name] for name in told} == told
    for wrong in ({"usage": {"prompt_tokens": 1}}, {"finish_reason": "tired"}, {"reasoning": 1},
                  {"usage": {"prompt_tokens": 10**30, "completion_tokens": 1}}):  # fmt: skip
        refused = await ada("POST /chats/import", {**export, "messages": [{**line, **wrong}]})
        assert refused.error == "400 invalid_request"


async def test_export_as_markdown(ada: Client) -> None:
    chat = await ada.chat(title="Quills")
    await ada.say(chat, "Hello")
    answer = await ada("GET /chats/{id}/export", id=chat, query={"format": "markdown"})
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    text = answer.raw.decode()
    assert text.startswith("# Quills\n\n**You**, ")
    assert "**Assistant** (quillium-demo), " in text
    bad = await ada("GET /chats/{id}/export", id=chat, query={"format": "pdf"})
    assert bad.details == "format: expected json or markdown"


@pytest.mark.parametrize(
    ("change", "details"),
    [
        ({"format": "other"}, 'format: expected "quillium-chat"'),
        ({"version": 2}, "version: expected 1"),
        ({"messages": [{}]}, "messages.0.content: is required"),
        (
            {"messages": [{"content": "x", "sender": "eve", "timestamp": "now"}]},
            "messages.0.sender",
        ),
        ({"chat": {"title": "x" * 201, "model": "m"}}, "chat.title: 201 characters, at most 200"),
    ],
)
async def test_import_refuses(ada: Client, change: dict[str, Any], details: str) -> None:
    export = (await ada("GET /chats/{id}/export", id=await ada.chat())).body
    answer = await ada("POST /chats/import", {**export, **change})
    assert answer.error == "400 invalid_request"
    assert details in answer.details


async def test_import_of_one_client_id_twice_stores_nothing(ada: Client) -> None:
    export = (await ada("GET /chats/{id}/export", id=await ada.chat())).body
    line = {"content": "x", "sender": "user", "timestamp": export["exported_at"], "client_id": "a"}
    answer = await ada("POST /chats/import", {**export, "messages": [line, line]})
    assert answer.error == "409 conflict"
    assert (await ada("GET /chats")).body["pagination"]["total"] == 1


async def test_import_of_more_than_a_mebibyte(ada: Client) -> None:
    export = (await ada("GET /chats/{id}/export", id=await ada.chat())).body
    line = {"content": "x" * 1000, "sender": "user", "timestamp": export["exported_at"]}
    imported = await ada("POST /chats/import", {**export, "messages": [line] * 2000})
    assert imported.status == 201
    assert imported.body["message_count"] == 2000
    too_large = await ada("POST /chats/import", {**export, "messages": ["x" * (16 << 20)]})
    assert too_large.error == "413 payload_too_large"
    assert "16,777,216 bytes" in too_large.details
    anonymous = await ada.with_credential(None)("POST /chats/import", b"x" * (2 << 20))
    assert anonymous.error == "401 unauthorized"


async def test_import_reports_its_progress(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers.chats, "_REPORT_SECONDS", 0.0)
    export = (await ada("GET /chats/{id}/export", id=await ada.chat(title="Long"))).body
    line = {"content": "x", "sender": "user", "timestamp": export["exported_at"]}
    events = {"Accept": "text/event-stream"}

    async def take(messages: list[Any]) -> list[tuple[str, Any]]:
        answer = await ada("POST /chats/import", {**export, "messages": messages}, headers=events)
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        parts = re.findall(r"event: (.*)\ndata: (.*)\n\n", answer.raw.decode())
        return [(name, json.loads(data)) for name, data in parts]

    *progress, (last, chat) = await take([line] * 1000)
    assert last == "chat"
    assert (chat["title"], chat["message_count"]) == ("Long", 1000)
    assert {name for name, _ in progress} == {"progress"}
    assert [data["messages"] for _, data in progress] == [200, 400, 600, 800, 1000]
    assert 0 < progress[0][1]["share"] < progress[-1][1]["share"] <= 1
    assert (await take([line]))[0][0] == "chat"
    *_, (last, error) = await take([*[line] * 1000, {}])
    assert last == "error"
    assert "messages.1000.content: is required" in error["error"]["details"]
    early = await ada("POST /chats/import", {**export, "version": 2}, headers=events)
    assert early.error == "400 invalid_request"
    assert (await ada("GET /chats")).body["pagination"]["total"] == 3


async def test_pinned_and_archived_chats(ada: Client) -> None:
    ids = [await ada.chat(title=f"Goose {number}") for number in range(4)]

    async def listed(**query: Any) -> list[int]:
        answer = await ada("GET /chats", query=query)
        assert answer.body["pagination"]["total"] == len(answer.body["data"])
        return [ids.index(chat["id"]) for chat in answer.body["data"]]

    phone = await ada.socket(since="latest")
    pinned = await ada("PATCH /chats/{id}", {"is_pinned": True}, id=ids[1])
    assert (pinned.body["is_pinned"], pinned.body["is_archived"]) == (True, False)
    assert (await phone.until("chat"))["is_pinned"] is True
    assert pinned.body["updated_at"] == (await ada("GET /chats/{id}", id=ids[1])).body["created_at"]
    await ada("PATCH /chats/{id}", {"is_archived": True}, id=ids[2])
    assert await listed() == [1, 3, 0]
    assert await listed(archived="true") == [2]
    assert sorted(await listed(q="goose")) == [0, 1, 2, 3]
    assert await listed(q="goose", archived="true") == [2]
    assert 2 not in await listed(q="goose", archived="false")
    wrong = await ada("GET /chats", query={"archived": "1"})
    assert wrong.details == "archived: expected true or false"
    export = (await ada("GET /chats/{id}/export", id=ids[2])).body
    again = await ada("POST /chats/import", export)
    assert again.body["is_archived"] is True
    await ada("DELETE /chats/{id}", id=again.body["id"])
    await ada("PATCH /chats/{id}", {"is_archived": False}, id=ids[2])
    assert sorted(await listed()) == [0, 1, 2, 3]


async def test_an_import_with_a_client_id_can_be_repeated(ada: Client, anyone: Client) -> None:
    export = (await ada("GET /chats/{id}/export", id=await ada.chat(title="Goose"))).body
    export["chat"]["client_id"] = "claude-1"
    first = await ada("POST /chats/import", export)
    again = await ada("POST /chats/import", export)
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    events = {"Accept": "text/event-stream"}
    streamed = await ada("POST /chats/import", export, headers=events)
    assert first.body["id"] in streamed.raw.decode()
    assert (await ada("GET /chats")).body["pagination"]["total"] == 2
    created = await ada("POST /chats", {"title": "Other", "client_id": "claude-1"})
    assert (created.status, created.body["id"]) == (200, first.body["id"])
    bob = await anyone.register("bob@example.com")
    assert (await bob("POST /chats/import", export)).status == 201
    invalid: list[Any] = ["", "x" * 65, "a b", 1, {}]
    for wrong in invalid:
        export["chat"]["client_id"] = wrong
        assert (await ada("POST /chats/import", export)).error == "400 invalid_request"


async def test_all_chats_are_exported_and_deleted(ada: Client, anyone: Client) -> None:
    bob = await anyone.register("bob@example.com")
    ids = [await ada.chat(title=f"{number}") for number in range(3)]
    await ada.say(ids[0], "Hello")
    everything = await ada("GET /chats/export")
    exports = [json.loads(line) for line in everything.raw.splitlines()]
    assert [export["chat"]["id"] for export in exports] == ids
    for export in exports:
        assert (await bob("POST /chats/import", export)).status == 201
    assert (await bob("GET /chats")).body["pagination"]["total"] == 3
    await bob("POST /chats/delete", {"ids": ids})  # which are ada's
    assert (await ada("GET /chats")).body["pagination"]["total"] == 3
    gone = await ada("POST /chats/delete", {"ids": [*ids[:2], "chat_x"]})
    assert gone.status == 204
    assert [chat["id"] for chat in (await ada("GET /chats")).body["data"]] == ids[2:]
    assert (await ada("POST /chats/delete", {"ids": []})).error == "400 invalid_request"
