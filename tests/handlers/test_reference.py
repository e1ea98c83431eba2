"""A client written from the reference alone works: every example of `docs/reference.txt` is sent.

That file is the reference, word for word. Objects from responses are sent back, too, because a
reader of the reference sends what it shows (contract, section 1).
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

import schemas
from tests.conftest import ROOT, Client

REFERENCE = (ROOT / "docs" / "reference.txt").read_text()
PREFIXES = ("/api/v1", "/v1")


def object_after(words: str, text: str = REFERENCE) -> dict[str, Any]:
    """The JSON object that follows these words; its lines are not indented."""
    shown = text.partition(words)[2].lstrip().replace("[...]", "[]")
    found: dict[str, Any] = json.JSONDecoder().raw_decode(shown)[0]
    return found


EXAMPLES = {
    operation: (object_after(operation), object_after("Response:", REFERENCE.partition(line)[2]))
    for line, operation in re.findall(r"(Request:\n(\w+ /\S+))\n", REFERENCE)
}
FRAME = object_after("use the following format:")
TYPES = ("message", "typing", "read", "error")
ENDPOINTS = re.findall(r"(/[a-z]\S*) \|\n(\w+) \|", REFERENCE)
PAIRS = [  # what a response contains, and where a client may send it
    ("tokens", "refresh"),
    ("registration", "refresh"),
    ("tokens", "logout"),
    ("registration", "logout"),
    ("user", "user_update"),
    ("chat", "chat_create"),
    ("chat", "chat_update"),
    ("message", "message_create"),
    ("message", "client_message"),
    ("user_settings", "user_settings_update"),
    ("admin_settings", "admin_settings_update"),
    ("api_key", "api_key_create"),
    ("api_key_created", "api_key_create"),
    ("chat_export", "chat_import"),
]


def starts_like(example: dict[str, Any], body: dict[str, Any]) -> None:
    """The reference's fields come first, in its order, with values of the same type."""
    assert list(body)[: len(example)] == list(example)
    for name, value in example.items():
        assert type(body[name]) is type(value), name


def test_the_reference_was_understood() -> None:
    assert list(EXAMPLES) == ["POST /auth/login", "POST /chats", "PUT /settings/user"]
    assert all(f"{type}\n: " in REFERENCE for type in TYPES)
    assert len(ENDPOINTS) == 17
    assert list(FRAME["data"]) == ["chat_id", "content", "sender", "timestamp"]


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_every_example(anyone: Client, prefix: str) -> None:
    sent, received = EXAMPLES["POST /auth/login"]
    assert (await anyone("POST /auth/register", sent, prefix=prefix)).status == 201
    login = await anyone("POST /auth/login", sent, prefix=prefix)
    assert list(login.body) == list(received)
    assert (login.body["expires_in"], login.body["token_type"]) == (900, "Bearer")
    user = anyone.with_credential(login.body["access_token"])
    for operation, (sent, received) in EXAMPLES.items():
        answer = await user(operation, sent, prefix=prefix)
        assert answer.status in {200, 201}
        starts_like(received, answer.body)
        for name in sent.keys() & received.keys():
            assert answer.body[name] == sent[name]
    page = await user("GET /chats", query={"limit": 20}, prefix=prefix)
    example = object_after("pagination metadata:")
    assert list(page.body) == list(example)
    assert list(page.body["pagination"]) == list(example["pagination"])
    for name in re.findall(r"^(X-\S+): ", REFERENCE, re.MULTILINE):
        assert page.headers[name].isdigit()
    for _ in range(2):
        await user("POST /chats", {}, prefix=prefix)
    first = await user("GET /chats", query={"limit": 2}, prefix=prefix)
    assert first.body["pagination"]["next"] == f"{prefix}/chats?limit=2&offset=2"


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_every_endpoint(ada: Client, prefix: str) -> None:
    chat = await ada.chat()
    for path, method in [*ENDPOINTS, *ENDPOINTS]:
        answer = await ada(f"{method} {path}", id=chat, prefix=prefix)
        assert answer.status < 500
        assert answer.status != 405, (method, path)
    wrong = await ada("POST /chats", {"title": 1}, prefix=prefix)
    assert list(wrong.body) == ["error"]
    starts_like(object_after("JSON body with details:")["error"], wrong.body["error"])


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_the_message_that_is_shown(ada: Client, prefix: str) -> None:
    """Over REST and over the WebSocket, as it is printed but for the chat."""
    chat = await ada.chat()
    data = {**FRAME["data"], "chat_id": chat}
    stored = await ada("POST /chats/{id}/messages", data, id=chat, prefix=prefix)
    assert stored.status == 201
    assert {name: stored.body[name] for name in ("chat_id", "content", "sender")} == {
        name: data[name] for name in ("chat_id", "content", "sender")
    }
    assert stored.body["timestamp"] != data["timestamp"]
    again = await ada("POST /chats/{id}/messages", stored.body, id=chat, prefix=prefix)
    assert again.status == 201
    other = await ada.chat()
    wrong = await ada("POST /chats/{id}/messages", data, id=other, prefix=prefix)
    assert wrong.details == f'chat_id: can\'t be changed, expected "{other}"'


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("type", TYPES[:3])
async def test_every_type_of_frame(ada: Client, type: str, prefix: str) -> None:
    chat = await ada.chat()
    await ada.say(chat, "so that there is something to read")
    sending, receiving = await ada.socket(prefix=prefix), await ada.socket(prefix=prefix)
    data = {**FRAME["data"], "chat_id": chat}
    await sending.send(type, **data)
    received = await receiving.until(type, sender="user")
    for name in data:  # a message's own `id` stands first
        assert name in received
    assert received["content"] == (data["content"] if type == "message" else "")
    assert list(receiving.frames[0])[:2] == list(FRAME)
    # What was received can be sent.
    await sending.send(type, **received)
    assert (await receiving.until(type, sender="user"))["chat_id"] == chat
    assert not [frame for frame in sending.frames if frame["type"] == "error"]


@pytest.mark.parametrize("is_whole", [False, True])
async def test_logout_with_a_refresh_token_alone(
    ada: Client, anyone: Client, is_whole: bool
) -> None:
    body = ada.tokens if is_whole else {"refresh_token": ada.tokens["refresh_token"]}
    socket, other = await ada.socket(), await anyone.login("ada@example.com")
    assert (await anyone("POST /auth/logout", body)).status == 204
    assert await socket.closed() == 4401
    assert (await ada("GET /users/me")).error == "401 invalid_token"
    assert (await anyone("POST /auth/refresh", body)).error == "401 invalid_token"
    assert (await anyone("POST /auth/logout", body)).status == 204  # it has ended already
    assert (await other("GET /users/me")).status == 200
    access = {"refresh_token": other.credential}
    assert (await anyone("POST /auth/logout", access)).error == "401 invalid_token"
    assert (await anyone("POST /auth/logout", {})).error == "401 unauthorized"
    everywhere = {**other.tokens, "everywhere": True}
    assert (await anyone("POST /auth/logout", everywhere)).status == 204


async def test_an_access_token_that_has_expired_does_not_hinder_logout(
    ada: Client, clock: Any
) -> None:
    clock.advance(3600)
    assert (await ada("POST /auth/logout", ada.tokens)).status == 204


@pytest.mark.parametrize(("response", "request_"), PAIRS)
def test_every_field_that_is_shown_is_accepted(response: str, request_: str) -> None:
    shown = schemas.SCHEMAS[response]["properties"]
    assert shown.keys() <= schemas.SCHEMAS[request_]["properties"].keys()


@pytest.mark.parametrize("type", TYPES[:3])
def test_every_field_of_a_frame_is_accepted(type: str) -> None:
    data = schemas.SCHEMAS[f"server_{type}"]["properties"]["data"]
    shown = data["properties"] if "properties" in data else schemas.SCHEMAS["message"]["properties"]
    assert shown.keys() <= schemas.SCHEMAS[f"client_{type}"]["properties"].keys()


async def test_what_was_received_can_be_sent_back(ada: Client) -> None:
    """Every object that a client reads, changes and writes, with nothing taken out of it."""
    chat = await ada.chat(title="Before")
    await ada.say(chat, "Hello")
    shown = (await ada("GET /chats/{id}", id=chat)).body
    renamed = await ada("PATCH /chats/{id}", {**shown, "title": "After"}, id=chat)
    assert (renamed.body["title"], renamed.body["message_count"]) == ("After", 2)
    copied = (await ada("POST /chats", shown)).body
    assert (copied["title"], copied["message_count"]) == ("Before", 0)
    assert copied["id"] != chat
    for path in ("/settings/user", "/settings/admin", "/users/me"):
        current = (await ada(f"GET {path}")).body
        answer = await ada(f"PUT {path}", current)
        assert answer.status == 200, answer.body
        assert {**answer.body, "updated_at": None} == {**current, "updated_at": None}
    key = (await ada("POST /users/api-key", {"name": "one"})).body
    assert (await ada("POST /users/api-key", key)).body["id"] != key["id"]
    listed = (await ada("GET /users/api-key")).body["data"][0]
    assert (await ada("POST /users/api-key", listed)).status == 201
    tokens = await ada("POST /auth/refresh", ada.tokens)
    assert tokens.status == 200


async def test_what_cant_be_changed_is_not_passed_over(ada: Client, bob: Client) -> None:
    """Sent back unchanged it is accepted; a change is refused, not ignored."""
    chat, other = await bob.chat(), await bob.chat()
    refused = await bob("PATCH /chats/{id}", {"id": other, "title": "x"}, id=chat)
    assert refused.error == "400 invalid_request"
    for change in ({"is_admin": True}, {"id": ada.user["id"]}, {"created_at": "2020"}):
        answer = await bob("PUT /users/me", {**bob.user, **change, "name": "Bobby"})
        assert answer.error == "400 invalid_request"
    assert (await bob("GET /users/me")).body == bob.user
    address = await bob("PUT /users/me", {**bob.user, "email": "new@example.com"})
    assert address.details == "current_password: is required to change email"
    empty = await bob("PUT /users/me", {"email": "new@example.com", "current_password": ""})
    assert empty.error == "401 invalid_credentials"
