"""No byte of one user's content ever reaches another (SECURITY, "Who may see what")."""

from __future__ import annotations

from typing import Any

from handlers import routes
from tests.conftest import Client

SECRET = "xyzzy"
BODIES: dict[str, Any] = {
    "PUT /users/me": {"name": "Bob"},
    "PATCH /chats/{id}": {"title": "stolen"},
    "POST /chats/{id}/messages": {"content": "stolen"},
}


async def test_every_route_with_another_users_ids(ada: Client, bob: Client) -> None:
    await ada("PUT /settings/admin", {"rate_limit_per_minute": 0})
    chat = await ada.chat(title=f"{SECRET} title")
    message = (await ada.say(chat, f"{SECRET} content"))[0]["data"]["id"]
    key = (await ada("POST /users/api-key", {"name": f"{SECRET} key"})).body["id"]
    before = [(await ada("GET /chats/{id}", id=chat)).body, (await ada("GET /users/me")).body]
    ids = [chat, message, key, ada.user["id"]]
    for route in routes.API:
        for method in route.operations:
            operation = f"{method} {route.path}"
            if operation in {"POST /auth/logout", "GET /ws"}:
                continue
            for id in ids:
                body = BODIES.get(operation, {} if method in {"POST", "PUT", "PATCH"} else None)
                answer = await bob(operation, body, id=id)
                made_up = await bob(operation, body, id=f"{id.split('_')[0]}_0000")
                assert SECRET.encode() not in answer.raw, operation
                if "{id}" in route.path:
                    assert answer.error == "404 not_found", operation
                    assert answer.body == made_up.body, operation
    after = [(await ada("GET /chats/{id}", id=chat)).body, (await ada("GET /users/me")).body]
    assert after == before
    search = await bob("GET /chats", query={"q": SECRET})
    assert search.body["data"] == []


async def test_frames_with_another_users_ids(ada: Client, bob: Client) -> None:
    chat = await ada.chat(title=SECRET)
    message = (await ada.say(chat, SECRET))[0]["data"]["id"]
    mine, theirs = await ada.socket(), await bob.socket()
    for type, data in (
        ("message", {"content": "stolen"}),
        ("typing", {}),
        ("read", {}),
        ("read", {"message_id": message}),
    ):
        await theirs.send(type, chat_id=chat, **data)
        error = await theirs.until("error")
        assert (error["code"], error["details"]) == ("not_found", "There is no such chat.")
    await ada.say(chat, f"{SECRET} again")
    await mine.reply()
    own = await bob.chat()
    await bob.say(own, "Hello")
    await theirs.reply()
    assert all(SECRET not in str(frame) for frame in theirs.frames)
    assert all(frame["data"]["chat_id"] == chat for frame in mine.frames)
