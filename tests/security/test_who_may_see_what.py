"""Access control: two users' ids on all routes (docs/security.md, "Who may see what")."""

from __future__ import annotations

import json
import random
from typing import Any, NamedTuple

import pytest
from websockets.sync.client import ClientConnection

from handlers import routes
from handlers.route import Route
from tests.security.conftest import Target
from web.operations import Access

SECRET = "xyzzy"  # stands in whatever is Ada's
BODIES: dict[str, list[Any]] = {
    "PUT /users/me": [{"name": "Bob"}],
    "PATCH /chats/{id}": [{"title": "stolen"}, {"model": "stolen"}],
    "POST /chats/{id}/messages": [{"content": "stolen"}, {"content": "x", "client_id": "c1"}],
    "POST /openai/v1/chat/completions": [
        {"model": "m", "messages": [{"role": "user", "content": "What did the others say?"}]}
    ],
}
LEFT_OUT = {
    "POST /auth/logout",
    "GET /ws",
    "GET /docs",
    "GET /",
    "GET /favicon.ico",
    "GET /static/{file}",
}


class Users(NamedTuple):
    ada: str  # their access tokens
    bob: str
    ids: list[str]  # of what is Ada's
    export: Any
    chat: str


@pytest.fixture(scope="module")
def users(target: Target) -> Users:
    made = target.register("ada@example.com")
    ada = made["access_token"]
    bob = target.register("bob@example.com")["access_token"]
    target.api("PUT", "/users/me", {"name": f"{SECRET} name"}, ada)
    chat = target.api("POST", "/chats", {"title": f"{SECRET} title"}, ada).body["id"]
    path = f"/chats/{chat}/messages"
    said = {"content": f"{SECRET} content", "client_id": "c1"}
    message = target.api("POST", path, said, ada).body["id"]
    key = target.api("POST", "/users/api-key", {"name": f"{SECRET} key"}, ada).body["id"]
    export = target.api("GET", f"/chats/{chat}/export", token=ada).body
    return Users(ada, bob, [chat, message, key, made["user"]["id"]], export, chat)


def paths(route: Route) -> list[str]:
    prefixes = routes.PREFIXES if route in routes.API else ("",)
    return [prefix + route.path for prefix in prefixes]


def test_every_route_with_another_users_ids(target: Target, users: Users) -> None:
    before = target.api("GET", f"/chats/{users.chat}/export", token=users.ada).body["messages"]
    for route in routes.ALL:
        for method in route.operations:
            operation = f"{method} {route.path}"
            if operation in LEFT_OUT:
                continue
            bodies = BODIES.get(operation, [{} if method in {"POST", "PUT", "PATCH"} else None])
            for id in users.ids:
                unknown = f"{id.split('_')[0]}_0000"
                for path in paths(route):
                    for body in bodies:
                        real = target.ask(method, path.replace("{id}", id), body, users.bob)
                        assert SECRET.encode() not in real.raw, operation
                        if "{id}" in path:
                            made_up = path.replace("{id}", unknown)
                            is_for_admins = route.operations[method].access is Access.ADMIN
                            refused = ("404 not_found", "403 forbidden")[: 1 + is_for_admins]
                            assert real.error in refused, operation
                            assert real.body == target.ask(method, made_up, body, users.bob).body
    after = target.api("GET", f"/chats/{users.chat}/export", token=users.ada).body["messages"]
    assert after == before


def test_search_and_lists(target: Target, users: Users) -> None:
    for query in (SECRET, f"{SECRET} title", "content", "c1", users.chat):
        found = target.ask("GET", f"/api/v1/chats?q={query.replace(' ', '+')}", token=users.bob)
        assert found.status == 200
        assert SECRET.encode() not in found.raw
    theirs = target.ask("GET", f"/api/v1/chats?q={SECRET}", token=users.ada)
    assert theirs.body["pagination"]["total"] == 1


def test_an_import_with_another_users_ids_makes_new_ones(target: Target, users: Users) -> None:
    taken = target.api("POST", "/chats/import", users.export, users.bob).body["id"]
    assert taken != users.chat
    listed = target.api("GET", f"/chats/{taken}/messages", token=users.bob).body["data"]
    assert not {message["id"] for message in listed} & set(users.ids)
    assert target.api("DELETE", f"/chats/{taken}", token=users.bob).status == 204
    assert target.api("GET", f"/chats/{users.chat}", token=users.ada).status == 200


def until_quiet(target: Target, socket: ClientConnection, token: str) -> list[Any]:
    """All frames until one that is an answer to something sent after them."""
    socket.send(json.dumps({"type": "nonsense", "data": {}}))
    frames = []
    while True:
        frames.append(json.loads(socket.recv(timeout=10)))
        if "type: expected" in frames[-1]["data"].get("details", ""):
            return frames


def test_frames_and_replay_with_another_users_ids(target: Target, users: Users) -> None:
    choose = random.Random(7)
    with target.socket(users.bob, "&since=0") as bob, target.socket(users.ada) as ada:
        for number in range(300):
            id = choose.choice([*users.ids, "chat_0000"])
            type = choose.choice(["message", "typing", "read"])
            data: dict[str, Any] = {"chat_id": id}
            if type == "message":
                data |= {"content": "stolen", "client_id": choose.choice(["c1", f"b{number}"])}
            elif type == "read" and choose.random() < 0.5:
                data["message_id"] = choose.choice(users.ids)
            bob.send(json.dumps({"type": type, "data": data}))
            if number % 50 == 0:
                said = {"content": f"{SECRET} {number}"}
                target.api("POST", f"/chats/{users.chat}/messages", said, users.ada)
        seen = until_quiet(target, bob, users.bob)
        theirs = until_quiet(target, ada, users.ada)
    assert all(SECRET not in json.dumps(frame) for frame in seen)
    refused = [frame for frame in seen if frame["data"].get("code") == "not_found"]
    assert len(refused) == 300
    assert {frame["data"]["details"] for frame in refused} == {"There is no such chat."}
    assert all("stolen" not in json.dumps(frame) for frame in theirs)


def test_a_message_of_another_users_chat_can_not_be_read(target: Target, users: Users) -> None:
    own = target.api("POST", "/chats", {}, users.bob).body["id"]
    with target.socket(users.bob) as bob:
        for id in (users.ids[1], "msg_0000"):
            bob.send(json.dumps({"type": "read", "data": {"chat_id": own, "message_id": id}}))
            error = json.loads(bob.recv(timeout=10))
            assert error["data"]["details"] == "There is no such message in this chat."
