"""The one table of the API: path, handler, who may call, and the schemas of bodies and answers.

The router, the checks of each request, the tests and the documentation read it. An operation that
doesn't say who may call can't be written down: `Operation` has no default for it.
"""

from __future__ import annotations

import re

from core import errors
from handlers import (
    chats,
    control,
    messages,
    models,
    settings,
    system,
    websocket,
)
from handlers.account_routes import ACCOUNTS
from handlers.openai_routes import OPENAI
from handlers.route import ADMIN, OPEN, PAGE, USER
from handlers.route import JSON as JSON
from handlers.route import Route as Route
from web.base import BaseHandler
from web.operations import Access, AlternateResponse, Operation

PREFIXES = ("/api/v1", "/v1")  # local, and the path of the hosted address
_PLACEHOLDERS = {
    # Only what looks like an account's id, so that `/users/ME` is an unknown path.
    "/users/{id}": "/users/(user_[0-9A-Za-z]{1,80})",
    "{id}": "([0-9A-Za-z_]{1,100})",
    "{file}": "(.+)",
    "{model}": "(.+)",
}


API = (
    *ACCOUNTS,
    Route(
        "/chats",
        chats.Chats,
        {
            "GET": Operation(
                "The chats, newest first, or those in which all words of `q` occur",
                USER,
                response="chats_page",
                parameters=(*PAGE, "q"),
            ),
            "POST": Operation("Make a chat", USER, body="chat_create", status=201, response="chat"),
        },
    ),
    Route(
        "/chats/import",
        chats.Import,
        {
            "POST": Operation(
                "Make a chat of an export, with new ids",
                USER,
                body="chat_import",
                status=201,
                response="chat",
                errors=(errors.Conflict,),
            )
        },
    ),
    Route(
        "/chats/{id}",
        chats.OneChat,
        {
            "GET": Operation("One chat", USER, response="chat"),
            "PATCH": Operation("Change title or model", USER, body="chat_update", response="chat"),
            "DELETE": Operation(
                "Delete a chat with its messages; a running reply ends",
                USER,
                status=204,
                response=None,
            ),
        },
    ),
    Route(
        "/chats/{id}/messages",
        messages.Messages,
        {
            "GET": Operation(
                "The messages, oldest first; a reply that is being written stands last",
                USER,
                response="messages_page",
                parameters=(*PAGE, "order"),
            ),
            "POST": Operation(
                "Say something; the reply follows over the WebSocket, or as events",
                USER,
                body="message_create",
                status=201,
                response="message",
                errors=(errors.Conflict,),
                more=(
                    AlternateResponse(
                        200, JSON, "message", "The same `client_id` again: what was stored"
                    ),
                    AlternateResponse(
                        200,
                        "text/event-stream",
                        None,
                        "The frames of the turn, for those who accept text/event-stream",
                    ),
                ),
            ),
        },
    ),
    Route(
        "/chats/{id}/stop",
        messages.Stop,
        {
            "POST": Operation(
                "Stop the running reply and keep what was said",
                USER,
                body="nothing",
                status=202,
                response="turn_accepted",
            )
        },
    ),
    Route(
        "/chats/{id}/regenerate",
        messages.Regenerate,
        {
            "POST": Operation(
                "Replace the last reply; it keeps its id",
                USER,
                body="nothing",
                status=202,
                response="turn_accepted",
                errors=(errors.Conflict,),
            )
        },
    ),
    Route(
        "/chats/{id}/export",
        chats.Export,
        {
            "GET": Operation(
                "The chat as a file",
                USER,
                response="chat_export",
                parameters=("format",),
                more=(AlternateResponse(200, "text/markdown", None, "With `format=markdown`"),),
            )
        },
    ),
    Route(
        "/models",
        models.Models,
        {
            "GET": Operation(
                "The models that can answer", USER, response="models_page", parameters=PAGE
            )
        },
    ),
    Route(
        "/settings/user",
        settings.UserSettings,
        {
            "GET": Operation("The caller's settings", USER, response="user_settings"),
            "PUT": Operation(
                "Change some of the caller's settings",
                USER,
                body="user_settings_update",
                response="user_settings",
            ),
        },
    ),
    Route(
        "/settings/admin",
        settings.AdminSettings,
        {
            "GET": Operation("Everybody's settings", ADMIN, response="admin_settings"),
            "PUT": Operation(
                "Change some of everybody's settings",
                ADMIN,
                body="admin_settings_update",
                response="admin_settings",
            ),
        },
    ),
    Route(
        "/openapi.json",
        system.OpenAPI,
        {"GET": Operation("This document", OPEN, response=None)},
    ),
    # A refused token is told over the socket itself, so the socket checks who is calling.
    Route(
        "/ws",
        websocket.Socket,
        {
            "GET": Operation(
                "The WebSocket", OPEN, status=101, response=None, parameters=("token", "since")
            )
        },
    ),
)

# Beside the API, under one address alone.
AROUND = (
    *OPENAI,
    Route(
        "/health",
        system.Health,
        {
            "GET": Operation(
                "Whether all is well",
                OPEN,
                response="health",
                more=(AlternateResponse(503, JSON, "health", "The database can't be written"),),
            )
        },
    ),
    Route(
        "/metrics",
        system.Metrics,
        {
            "GET": Operation(
                "Figures for Prometheus, where the server was started with --metrics",
                Access.WATCHER,
                response=None,
                media_type="text/plain",
                errors=(errors.NotFound,),
            )
        },
    ),
    Route("/", system.Page, {"GET": Operation("The page to chat on", OPEN, response=None)}),
    Route(
        "/docs", system.Docs, {"GET": Operation("This API, to read and try", OPEN, response=None)}
    ),
    Route(
        "/control",
        control.Control,
        {"POST": Operation("For `quillium user`", OPEN, body="control", response="controlled")},
    ),
    Route("/static/{file}", system.Static, {"GET": Operation("Files", OPEN, response=None)}),
)

ALL = (*API, *AROUND)
NONE = Route("(none)", BaseHandler, {})  # what a request has that reaches no route


def literal() -> dict[str, Route]:
    """The routes by each of their paths, for those with no placeholder in them."""
    return {path: route for path, route in _paths() if "{" not in path}


def compiled() -> list[tuple[re.Pattern[str], Route]]:
    """The others, in the order in which they are tried."""
    return [(_pattern(path), route) for path, route in _paths() if "{" in path]


def _paths() -> list[tuple[str, Route]]:
    paths = [(prefix + route.path, route) for prefix in PREFIXES for route in API]
    return paths + [(route.path, route) for route in AROUND]


def _pattern(path: str) -> re.Pattern[str]:
    for placeholder, expression in _PLACEHOLDERS.items():
        path = path.replace(placeholder, expression)
    return re.compile(path + r"\Z")
