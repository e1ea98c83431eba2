"""Seeds of a test backend: what they may contain, and that they come back as they were."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from core.errors import InvalidRequest
from services import Services
from tests.conftest import Client, Clock

pytestmark = pytest.mark.flags("--dev")
KEY = "qk_abcdefgh12345678"
HISTORY = [
    {"id": "msg_1", "content": "When is Rome quiet?", "sender": "user"},
    {"id": "msg_2", "content": "In November.", "sender": "assistant", "model": "quillium-demo"},
    {"content": "", "sender": "assistant", "status": "streaming", "reasoning": "Hm."},
]
SEED = {
    "users": [
        {
            "id": "user_ada",
            "email": "Ada@example.com",
            "password": "password",  # a common one: it is for tests
            "access_token": "token-of-ada",
            "settings": {"theme": "dark"},
            "api_keys": [{"id": "key_1", "name": "CI", "api_key": KEY}],
            "chats": [
                {
                    "id": "chat_1",
                    "title": "Rome",
                    "updated_at": "2024-01-01T10:00:00+02:00",
                    "parameters": {"temperature": 0.5},
                    "system_prompt": "Be brief.",
                    "messages": HISTORY,
                },
                {"messages": [{"content": "Untitled so far", "sender": "user"}]},
                {},
            ],
        },
        {"email": "bob@example.com", "name": "Bob", "is_admin": True},
        {"email": "eve@example.com", "is_disabled": True, "access_token": "token-of-eve"},
    ],
    "settings": {"allow_registration": False, "default_model": "quillium-demo"},
}


async def seeded(anyone: Client, seed: dict[str, Any] = SEED) -> Client:
    answer = await anyone("POST /dev/seed", seed)
    assert answer.status == 204, answer.body
    return anyone.with_credential("token-of-ada")


async def test_a_seed_can_fix_ids_tokens_and_keys(anyone: Client) -> None:
    ada = await seeded(anyone)
    me = (await ada("GET /users/me")).body
    assert (me["id"], me["email"], me["name"]) == ("user_ada", "ada@example.com", "ada")
    assert me["is_admin"]
    assert (await ada("GET /settings/user")).body["theme"] == "dark"
    assert (await ada("GET /auth/sessions")).status == 200  # it is a session, not an API key
    assert (await anyone.with_credential(KEY)("GET /users/me")).body == me
    login = await anyone("POST /auth/login", {"email": "ada@example.com", "password": "password"})
    assert login.status == 200
    assert (await anyone.with_credential("token-of-eve")("GET /users/me")).status == 401
    assert (await anyone("POST /auth/refresh", {"refresh_token": "token-of-ada"})).status == 401


async def test_chats_and_messages_of_a_seed(anyone: Client) -> None:
    ada = await seeded(anyone)
    newest, untitled, rome = (await ada("GET /chats")).body["data"]
    assert rome["updated_at"] == "2024-01-01T08:00:00.000Z"
    assert (rome["id"], rome["title"], rome["model"]) == ("chat_1", "Rome", "quillium-demo")
    assert (rome["system_prompt"], rome["parameters"]) == ("Be brief.", {"temperature": 0.5})
    assert rome["unread_count"] == 0
    assert (untitled["title"], newest["title"]) == ("Untitled so far", "New Conversation")
    said = (await ada("GET /chats/chat_1/messages")).body["data"]
    assert [m["content"] for m in said] == [m["content"] for m in HISTORY]
    assert [m["id"] for m in said[:2]] == ["msg_1", "msg_2"]
    assert [m["status"] for m in said] == ["complete", "complete", "interrupted"]
    assert said[2]["reasoning"] == "Hm."
    times = [message["timestamp"] for message in said]
    assert times == sorted(set(times))


async def test_the_state_comes_back_as_a_seed(anyone: Client) -> None:
    ada = await seeded(anyone)
    assert (await ada("POST /chats", {"title": "Made by hand"})).status == 201
    state = await anyone("GET /dev/seed")
    assert state.status == 200
    first, bob, eve = state.body["users"]
    assert [chat["title"] for chat in first["chats"]][0::3] == ["Rome", "Made by hand"]
    assert first["access_token"] == "token-of-ada"
    assert (bob["name"], bob["is_admin"], eve["is_disabled"]) == ("Bob", True, True)
    assert not state.body["settings"]["allow_registration"]
    for user in (bob, eve):
        assert (await ada("DELETE /users/{id}", id=user["id"])).status == 204
    assert (await anyone("GET /dev/seed")).body == {**state.body, "users": [first]}
    more = {"users": [bob, eve]}
    assert (await anyone("POST /dev/seed", more)).status == 204
    assert (await anyone("GET /dev/seed")).body == state.body


async def test_versions_and_the_order_of_chats_come_back(anyone: Client) -> None:
    ada = await seeded(anyone)
    await ada.say("chat_1", "Rome again", replaces="msg_1")
    select = "POST /chats/{id}/messages/msg_1/select"
    assert (await ada(select, id="chat_1")).body["message_count"] == len(HISTORY)
    await ada("PATCH /chats/{id}", {"is_pinned": True, "is_archived": True}, id="chat_1")
    state = (await anyone("GET /dev/seed")).body
    before = (await ada("GET /chats/{id}", id="chat_1")).body
    assert (await ada("DELETE /chats/{id}", id="chat_1")).status == 204
    first = state["users"][0]
    rome = next(chat for chat in first["chats"] if chat["id"] == "chat_1")
    more = {"users": [{"email": first["email"], "chats": [rome]}]}
    assert (await anyone("POST /dev/seed", more)).status == 204
    assert (await ada("GET /chats/{id}", id="chat_1")).body == before
    versions = "GET /chats/{id}/messages/msg_1/versions"
    assert (await ada(versions, id="chat_1")).body["pagination"]["total"] == 2


async def test_a_seed_adds_to_an_account_and_its_sockets_see_it(anyone: Client) -> None:
    ada = await seeded(anyone)
    socket = await ada.socket(since=0)
    more = {"users": [{"email": "ada@example.com", "chats": [{"id": "chat_2"}]}]}
    await seeded(anyone, more)
    await socket.until("chat", id="chat_2")
    assert (await ada("GET /chats")).body["pagination"]["total"] == 4


@pytest.mark.parametrize(
    ("seed", "error", "details"),
    [
        ({"users": [{}]}, "400 invalid_request", "users.0.email: is required"),
        ({"user": []}, "400 invalid_request", "'user': unknown field"),
        (
            {"users": [{"email": "a@b", "chats": [{"messages": [{"content": "x"}]}]}]},
            "400 invalid_request",
            "users.0.chats.0.messages.0.sender: is required",
        ),
        (
            {"users": [{"email": "a@b", "chats": [{"id": "1"}]}]},
            "400 invalid_request",
            "users.0.chats.0.id: expected",
        ),
        (
            {"users": [{"email": "a@b", "access_token": "token-of-ada"}]},
            "400 invalid_request",
            "users.0.access_token: another user has this token",
        ),
        (
            {"users": [{"email": "a@b"}, {"email": "b@b", "chats": [{"id": "chat_1"}]}]},
            "409 conflict",
            "The seed has a value that exists already: chats.id.",
        ),
        (
            {"users": [{"email": "a@b", "chats": [{"client_id": "c"}, {"client_id": "c"}]}]},
            "409 conflict",
            "The seed has the client_id of a chat that exists: c.",
        ),
    ],
)
async def test_a_mistake_stores_nothing(
    anyone: Client, seed: dict[str, Any], error: str, details: str
) -> None:
    await seeded(anyone)
    before = (await anyone("GET /dev/seed")).body
    answer = await anyone("POST /dev/seed", seed)
    assert answer.error == error
    assert details in answer.details
    assert (await anyone("GET /dev/seed")).body == before


async def test_fixed_tokens_do_not_expire(anyone: Client, clock: Clock) -> None:
    ada = await seeded(anyone)
    clock.advance(400 * 86_400)
    assert (await ada("GET /users/me")).status == 200
    assert (await ada("POST /auth/logout")).status == 204
    assert (await ada("GET /users/me")).error == "401 invalid_token"


async def test_rules_and_replies_of_a_seed(anyone: Client) -> None:
    rule = {"match": {"path": "/models", "times": 1}, "respond": {"status": 503}}
    reply = {"match": {"content": "Hello"}, "reply": {"text": "Hi Ada!"}}
    ada = await seeded(anyone, {**SEED, "rules": [rule], "replies": [reply]})
    assert (await ada("GET /models")).error == "503 storage_unavailable"
    assert (await ada("GET /models")).status == 200
    assert (await ada.say("chat_1", "Hello"))[-1]["data"]["content"] == "Hi Ada!"
    state = (await anyone("GET /dev/seed")).body
    assert (state["rules"], state["replies"]) == ([rule], [reply])


async def test_nothing_is_limited(anyone: Client) -> None:
    ada = await seeded(anyone)
    wrong = {"email": "ada@example.com", "password": "wrong password"}
    for _ in range(30):
        assert (await anyone("POST /auth/login", wrong)).error == "401 invalid_credentials"
    for _ in range(120):
        answer = await ada("GET /users/me")
    assert answer.status == 200
    assert "X-RateLimit-Limit" not in answer.headers


@pytest.mark.flags("--dev", "--rate-limit=3")
async def test_a_limit_can_be_set(anyone: Client) -> None:
    statuses = [(await anyone("GET /users/me")).status for _ in range(4)]
    assert statuses == [401, 401, 401, 429]


@pytest.mark.flags
async def test_without_dev_there_are_no_such_paths(anyone: Client) -> None:
    for operation in ("POST /dev/reset", "GET /dev/seed", "POST /dev/seed"):
        assert (await anyone(operation)).error == "404 not_found"


NOTES = {"id": "file_1", "name": "a/notes.txt", "content": base64.b64encode(b"Rome").decode()}
LARGE = bytes(range(256)) * 3000  # three pieces in the database


async def test_files_of_a_seed(anyone: Client) -> None:
    large = {"name": "large.bin", "content": base64.b64encode(LARGE).decode()}
    said = [
        {"content": "Read this", "sender": "user", "attachments": ["file_1", "file_1"]},
        {"content": "Done", "sender": "assistant"},
    ]
    user = {"email": "ada@example.com", "access_token": "token-of-ada", "files": [NOTES, large]}
    admin = {"email": "bob@example.com", "access_token": "token-of-bob", "is_admin": True}
    ada = await seeded(anyone, {"users": [{**user, "chats": [{"messages": said}]}, admin]})
    chat = (await ada("GET /chats")).body["data"][0]["id"]
    first, second = (await ada("GET /chats/{id}/messages", id=chat)).body["data"]
    (notes,) = first["attachments"]
    assert (notes["name"], notes["content_type"], notes["size"]) == ("notes.txt", "text/plain", 4)
    assert second["attachments"] == []
    assert (await ada("GET /files/file_1")).raw == b"Rome"
    state = (await anyone("GET /dev/seed")).body
    assert state["users"][0]["files"][0] == {**notes, "content": NOTES["content"]}
    again = state["users"][0]["files"][1]
    assert (await ada("GET /files/{id}", id=again["id"])).raw == LARGE
    bob = anyone.with_credential("token-of-bob")
    assert (await bob("DELETE /users/{id}", id=state["users"][0]["id"])).status == 204
    assert (await anyone("POST /dev/seed", {"users": state["users"][:1]})).status == 204
    back = {user["email"]: user for user in (await anyone("GET /dev/seed")).body["users"]}
    assert back["ada@example.com"] == state["users"][0]
    assert (await ada("GET /files/{id}", id=again["id"])).raw == LARGE
    more = {"users": [{"email": "eve@example.com", "files": [NOTES]}]}
    answer = await anyone("POST /dev/seed", more)
    assert (answer.error, "files.id" in answer.details) == ("409 conflict", True)


@pytest.mark.parametrize(
    ("files", "attachments", "details"),
    [
        ([{**NOTES, "content": "?"}], [], "users.0.files.0.content: expected base64"),
        (
            [NOTES],
            ["file_2"],
            "users.0.chats.0.messages.0.attachments: the user's files have none with the id file_2",
        ),
        (
            [{**NOTES, "content": "AAAA" * (7 << 20)}],
            [],
            "users.0.files.0.content: a file may have at most 20,971,520 bytes",
        ),
    ],
)
async def test_files_that_can_not_be_stored(
    rooms: Services, files: Any, attachments: Any, details: str
) -> None:
    assert rooms.dev is not None
    said = [{"content": "x", "sender": "user", "attachments": attachments}]
    user = {"email": "ada@example.com", "files": files, "chats": [{"messages": said}]}
    with pytest.raises(InvalidRequest) as raised:
        await rooms.dev.seeding.add({"users": [user]})
    assert raised.value.details == details
    assert rooms.dev.seeding.document()["users"] == []
