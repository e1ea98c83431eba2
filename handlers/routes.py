"""The one table of the API: path, handler, who may call, and the schemas of bodies and answers.

The router, the checks of each request, the tests and the documentation read it. An operation that
doesn't say who may call can't be written down: `Operation` has no default for it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from handlers import auth, chats, control, messages, models, settings, system, users, websocket
from handlers.base import BaseHandler
from handlers.operations import Access, Operation

PREFIXES = ("/api/v1", "/v1")  # local, and the path of the hosted address
_PLACEHOLDERS = {"{id}": "([0-9A-Za-z_]{1,100})", "{file}": "(.+)"}


class Route(NamedTuple):
    path: str
    handler: type[BaseHandler]
    operations: dict[str, Operation]


OPEN, USER, SESSION, ADMIN = Access.OPEN, Access.USER, Access.SESSION, Access.ADMIN

API = (
    Route(
        "/auth/register",
        auth.Register,
        {"POST": Operation(OPEN, body="register", status=201, answer="registration")},
    ),
    Route("/auth/login", auth.Login, {"POST": Operation(OPEN, body="login", answer="tokens")}),
    Route(
        "/auth/refresh", auth.Refresh, {"POST": Operation(OPEN, body="refresh", answer="tokens")}
    ),
    Route(
        "/auth/logout",
        auth.Logout,
        {"POST": Operation(SESSION, body="logout", status=204, answer=None)},
    ),
    Route(
        "/users/me",
        users.Me,
        {
            "GET": Operation(USER, answer="user"),
            "PUT": Operation(USER, body="user_update", answer="user"),
        },
    ),
    Route(
        "/users/api-key",
        users.ApiKeys,
        {
            "GET": Operation(USER, answer="api_keys_page"),
            "POST": Operation(SESSION, body="api_key_create", status=201, answer="api_key_created"),
        },
    ),
    Route(
        "/users/api-key/{id}",
        users.OneApiKey,
        {"DELETE": Operation(SESSION, status=204, answer=None)},
    ),
    Route(
        "/chats",
        chats.Chats,
        {
            "GET": Operation(USER, answer="chats_page"),
            "POST": Operation(USER, body="chat_create", status=201, answer="chat"),
        },
    ),
    Route(
        "/chats/import",
        chats.Import,
        {"POST": Operation(USER, body="chat_import", status=201, answer="chat")},
    ),
    Route(
        "/chats/{id}",
        chats.OneChat,
        {
            "GET": Operation(USER, answer="chat"),
            "PATCH": Operation(USER, body="chat_update", answer="chat"),
            "DELETE": Operation(USER, status=204, answer=None),
        },
    ),
    Route(
        "/chats/{id}/messages",
        messages.Messages,
        {
            "GET": Operation(USER, answer="messages_page"),
            "POST": Operation(USER, body="message_create", status=201, answer="message"),
        },
    ),
    Route(
        "/chats/{id}/stop",
        messages.Stop,
        {"POST": Operation(USER, body="nothing", status=202, answer="turn_accepted")},
    ),
    Route(
        "/chats/{id}/regenerate",
        messages.Regenerate,
        {"POST": Operation(USER, body="nothing", status=202, answer="turn_accepted")},
    ),
    Route("/chats/{id}/export", chats.Export, {"GET": Operation(USER, answer="chat_export")}),
    Route("/models", models.Models, {"GET": Operation(USER, answer="models_page")}),
    Route(
        "/settings/user",
        settings.UserSettings,
        {
            "GET": Operation(USER, answer="user_settings"),
            "PUT": Operation(USER, body="user_settings_update", answer="user_settings"),
        },
    ),
    Route(
        "/settings/admin",
        settings.AdminSettings,
        {
            "GET": Operation(ADMIN, answer="admin_settings"),
            "PUT": Operation(ADMIN, body="admin_settings_update", answer="admin_settings"),
        },
    ),
    # A refused token is told over the socket itself, so the socket checks who is calling.
    Route("/ws", websocket.Socket, {"GET": Operation(OPEN, status=101, answer=None)}),
)

# Beside the API: these are not counted by the limiter.
AROUND = (
    Route("/health", system.Health, {"GET": Operation(OPEN, answer="health")}),
    Route("/", system.Page, {"GET": Operation(OPEN, answer=None)}),
    Route(
        "/control",
        control.Control,
        {"POST": Operation(OPEN, body="control", answer="controlled")},
    ),
    Route("/static/{file}", system.Static, {"GET": Operation(OPEN, answer=None)}),
)


NONE = Route("(none)", BaseHandler, {})  # what a request has that reaches no route


def compiled() -> list[tuple[re.Pattern[str], Route]]:
    """Every route under all of its paths, in the order in which they are tried."""
    paths = [(prefix + route.path, route) for prefix in PREFIXES for route in API]
    paths += [(route.path, route) for route in AROUND]
    return [(_pattern(path), route) for path, route in paths]


def _pattern(path: str) -> re.Pattern[str]:
    for placeholder, expression in _PLACEHOLDERS.items():
        path = path.replace(placeholder, expression)
    return re.compile(path + r"\Z")
