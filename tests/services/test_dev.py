"""The clock and the journal of a test backend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core import ids
from services.dev import MAX_BODY, MAX_BYTES, MAX_ENTRIES
from tests.conftest import Client, Clock

pytestmark = pytest.mark.flags("--dev")


async def move(client: Client, **change: Any) -> dict[str, Any]:
    answer = await client("PUT /dev/clock", change)
    assert answer.status == 200, answer.body
    return dict(answer.body)


async def test_time_passes_as_a_test_wants(ada: Client, clock: Clock) -> None:
    now = await move(ada, now="2030-05-01T12:00:00+02:00")
    assert now == {"now": "2030-05-01T10:00:00.000Z", "is_frozen": False}
    clock.advance(5)
    assert (await ada("GET /dev/clock")).body["now"] == "2030-05-01T10:00:05.000Z"
    assert (await move(ada, is_frozen=True))["is_frozen"]
    clock.advance(5)
    assert (await ada("GET /dev/clock")).body["now"] == "2030-05-01T10:00:05.000Z"
    assert (await move(ada, advance_seconds=60))["now"] == "2030-05-01T10:01:05.000Z"
    again = await move(ada, now="2031-01-01T00:00:00Z", is_frozen=False)
    assert again == {"now": "2031-01-01T00:00:00.000Z", "is_frozen": False}
    clock.advance(1)
    assert (await ada("GET /dev/clock")).body["now"] == "2031-01-01T00:00:01.000Z"


async def test_tokens_expire_by_that_clock(ada: Client, anyone: Client) -> None:
    await move(ada, advance_seconds=901)
    assert (await ada("GET /users/me")).error == "401 token_expired"
    body = {"refresh_token": ada.tokens["refresh_token"]}
    assert (await anyone("POST /auth/refresh", body)).status == 200


@pytest.mark.flags("--dev", "--rate-limit=2")
async def test_limits_refill_by_that_clock(anyone: Client) -> None:
    assert [(await anyone("GET /models")).status for _ in range(3)] == [401, 401, 429]
    await move(anyone, advance_seconds=60)
    assert (await anyone("GET /models")).status == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"now": "2024-02-30T00:00:00Z"},
        {"advance_seconds": -1},
        {"now": "0000-01-01T00:00:00Z"},
        {"now": "0001-01-01T00:00:00+01:00"},
        {"now": "1969-12-31T23:59:59.999Z"},
        {"now": "9000-01-01T00:00:00Z"},
        {"now": "9999-12-31T23:59:59.999Z"},
        {"now": "8999-12-31T23:59:59Z", "advance_seconds": 1},
    ],
)
async def test_a_wrong_time(ada: Client, wrong: dict[str, Any]) -> None:
    before = (await ada("GET /dev/clock")).body
    assert (await ada("PUT /dev/clock", wrong)).error == "400 invalid_request"
    assert (await ada("GET /dev/clock")).body == before


@pytest.mark.parametrize("now", ["1970-01-01T00:00:00.000Z", "8999-12-31T23:59:59.000Z"])
async def test_the_first_and_the_last_time(anyone: Client, now: str) -> None:
    assert (await move(anyone, now=now, is_frozen=True))["now"] == now
    body = {"email": "ada@example.com", "password": "correct horse battery"}
    registered = await anyone("POST /auth/register", body)
    assert registered.body["user"]["created_at"] == now
    refresh = {"refresh_token": registered.body["refresh_token"]}
    assert (await anyone("POST /auth/refresh", refresh)).status == 200


async def test_the_clock_is_not_moved_out_of_range(ada: Client) -> None:
    far = {"advance_seconds": 10_000_000_000}
    moved = [(await ada("PUT /dev/clock", far)).status for _ in range(30)]
    assert set(moved) == {200, 400}
    assert moved == sorted(moved)


@pytest.fixture
def counting() -> Iterator[None]:
    ids.count({})
    yield
    ids.count(None)


@pytest.mark.flags("--dev", "--deterministic")
async def test_deterministic(counting: None, anyone: Client) -> None:
    ada = await anyone.register("ada@example.com")
    assert ada.user["id"] == "user_00000000000000000001"
    assert ada.user["created_at"] == "2024-01-01T00:00:00.000Z"
    assert await ada.chat() == "chat_00000000000000000001"
    assert await ada.chat() == "chat_00000000000000000002"
    assert ids.counts() == {"user": 1, "sess": 1, "chat": 2}


async def test_the_journal(ada: Client) -> None:
    await ada("DELETE /dev/journal")
    chat = await ada.chat(title="Rome")
    socket = await ada.socket()
    await socket.send("message", chat_id=chat, content="Hello")
    await socket.reply()
    await ada("PUT /users/me", {"name": "Ada", "current_password": "secret"}, query={"a": "b"})
    await ada("POST /auth/login", b"{")
    entries = (await ada("GET /dev/journal")).body["entries"]
    requests = [e for e in entries if e["kind"] == "request" and e["path"] != "/ws"]
    made, changed, login = requests
    assert (made["method"], made["path"], made["status"]) == ("POST", "/chats", 201)
    assert made["body"] == {"title": "Rome"}
    assert made["user_id"] == ada.user["id"]
    assert changed["body"] == {"name": "Ada", "current_password": "…"}
    assert changed["query"] == "a=b"
    assert (login["user_id"], login["body"], login["status"]) == (ada.user["id"], None, 400)
    received = [entry for entry in entries if entry["kind"] == "received"]
    assert [entry["body"]["data"]["content"] for entry in received] == ["Hello"]
    sent = [entry["body"]["type"] for entry in entries if entry["kind"] == "sent"]
    assert (sent[0], sent[-1]) == ("message", "message")
    socket.connection.close()
    await socket.closed()
    assert (await ada("DELETE /dev/journal")).status == 204
    assert (await ada("GET /dev/journal")).body == {"entries": []}


async def entries(client: Client) -> list[dict[str, Any]]:
    return list((await client("GET /dev/journal")).body["entries"])


async def test_the_journal_has_the_api_alone(ada: Client) -> None:
    await ada("DELETE /dev/journal")
    for path in ("/", "/static/quillium.js", "/v1/nothing", "/api/v1/models", "/openai/v1/models"):
        await ada(f"GET {path}", prefix="")
    paths = [entry["path"] for entry in await entries(ada)]
    assert paths == ["/nothing", "/models", "/openai/v1/models"]


async def test_the_journal_is_bounded(ada: Client) -> None:
    await ada("DELETE /dev/journal")
    title = "x" * MAX_BODY
    await ada("POST /chats", {"title": title})
    await ada("POST /chats", {"title": title[:-20]})
    (large, small) = await entries(ada)
    assert large["body"] is None
    assert small["body"] == {"title": title[:-20]}
    for _ in range(MAX_BYTES // MAX_BODY):
        await ada("POST /chats", {"title": title[:-20]})
    kept = sum(len(entry["body"]["title"]) for entry in await entries(ada))
    assert 0.9 * MAX_BYTES < kept < MAX_BYTES
    for _ in range(MAX_ENTRIES + 1):
        await ada("GET /models")
    assert len(await entries(ada)) == MAX_ENTRIES


async def test_the_journal_has_no_secrets(ada: Client) -> None:
    await ada("DELETE /dev/journal")
    provider = {
        "name": "Other",
        "base_url": "http://127.0.0.1:9/v1",
        "api_key": "sk-secret",
        "headers": {"X-Token": "secret"},
        "models": ["other"],
    }
    assert (await ada("PUT /settings/admin", {"providers": [provider]})).status == 200
    (entry,) = await entries(ada)
    hidden = {"api_key": "…", "headers": {"X-Token": "…"}}
    assert entry["body"] == {"providers": [{**provider, **hidden}]}
