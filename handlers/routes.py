"""The route table: path, handler, required access, and the schemas of requests and responses.

The router, the guards, the tests and the OpenAPI document use it. Every operation must declare its
required access: `Operation` has no default for it.
"""

from __future__ import annotations

from core import errors
from core.api_paths import PREFIXES as PREFIXES
from handlers import (
    branding,
    chats,
    control,
    files,
    messages,
    models,
    pages,
    settings,
    system,
    websocket,
)
from handlers.account_routes import ACCOUNTS
from handlers.openai_routes import OPENAI
from handlers.route import ADMIN, ANY, OPEN, PAGE, USER
from handlers.route import JSON as JSON
from handlers.route import Route as Route
from web.base import BaseHandler
from web.operations import Access, AlternateResponse, Operation

API = (
    *ACCOUNTS,
    Route(
        "/chats",
        chats.Chats,
        {
            "GET": Operation(
                "List chats, pinned ones first, then by their last change, or search them with `q`",
                USER,
                response="chats_page",
                parameters=(*PAGE, "q", "archived"),
            ),
            "POST": Operation(
                "Create a chat",
                USER,
                body="chat_create",
                status=201,
                response="chat",
                more=(
                    AlternateResponse(
                        200, JSON, "chat", "The same `client_id` again: the stored chat"
                    ),
                ),
            ),
        },
    ),
    Route(
        "/chats/import",
        chats.Import,
        {
            "POST": Operation(
                "Import an exported chat of up to 16 MiB under new ids",
                USER,
                body="chat_import",
                status=201,
                response="chat",
                errors=(errors.Conflict,),
                more=(
                    AlternateResponse(
                        200, JSON, "chat", "The same `client_id` again: the stored chat"
                    ),
                    AlternateResponse(
                        200,
                        "text/event-stream",
                        None,
                        "Events `progress` with `share` and `messages`, then `chat` or `error`, for"
                        " `Accept: text/event-stream`",
                    ),
                ),
            )
        },
    ),
    Route(
        "/chats/export",
        chats.ExportAll,
        {
            "GET": Operation(
                "Export all chats, one in a line, each in the format that an import takes",
                USER,
                response=None,
                media_type="application/x-ndjson",
            )
        },
    ),
    Route(
        "/chats/delete",
        chats.Delete,
        {
            "POST": Operation(
                "Delete several chats; ids of chats that are gone are skipped",
                USER,
                body="chats_delete",
                status=204,
                response=None,
            )
        },
    ),
    Route(
        "/chats/{id}",
        chats.OneChat,
        {
            "GET": Operation("Get a chat", USER, response="chat"),
            "PATCH": Operation(
                "Change a chat's title, model or order", USER, body="chat_update", response="chat"
            ),
            "DELETE": Operation(
                "Delete a chat and its messages; a reply in progress is cancelled",
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
                "List messages, oldest first; a reply in progress is the last one",
                USER,
                response="messages_page",
                parameters=(*PAGE, "order", "before", "after", "around"),
            ),
            "POST": Operation(
                "Send a message; the reply is streamed over the WebSocket or as Server-Sent Events",
                USER,
                body="message_create",
                status=201,
                response="message",
                errors=(errors.Conflict,),
                more=(
                    AlternateResponse(
                        200,
                        JSON,
                        "message",
                        "A message with the same `client_id` is already stored",
                    ),
                    AlternateResponse(
                        200,
                        "text/event-stream",
                        None,
                        "The frames of the reply, for `Accept: text/event-stream`",
                    ),
                ),
            ),
        },
    ),
    Route(
        "/chats/{id}/messages/{message_id}",
        messages.OneMessage,
        {
            "DELETE": Operation(
                "Delete a message with all that follows it; its newest other version is shown",
                USER,
                status=204,
                response=None,
                errors=(errors.Conflict,),
            )
        },
    ),
    Route(
        "/chats/{id}/messages/{message_id}/versions",
        messages.Versions,
        {
            "GET": Operation(
                "List the versions of a message, oldest first",
                USER,
                response="messages_page",
                parameters=PAGE,
            )
        },
    ),
    Route(
        "/chats/{id}/messages/{message_id}/select",
        messages.Select,
        {
            "POST": Operation(
                "Show a version of a message, with its newest continuation",
                USER,
                body="nothing",
                response="chat",
                errors=(errors.Conflict,),
            )
        },
    ),
    Route(
        "/chats/{id}/stop",
        messages.Stop,
        {
            "POST": Operation(
                "Stop the reply in progress and keep its text",
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
                "Write another version of a reply, by default of the last one; the old one is kept",
                USER,
                body="regenerate",
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
                "Export a chat as a file",
                USER,
                response="chat_export",
                parameters=("format",),
                more=(
                    AlternateResponse(
                        200, "text/markdown", None, "The chat in Markdown, with `format=markdown`"
                    ),
                ),
            )
        },
    ),
    Route(
        "/files",
        files.Files,
        {
            "POST": Operation(
                "Upload a file of up to 20 MiB, to attach it to a message",
                USER,
                status=201,
                accepts=ANY,
                response="file",
                parameters=("name",),
                errors=(errors.QuotaExceeded,),
            )
        },
    ),
    Route(
        "/files/{id}",
        files.OneFile,
        {
            "GET": Operation(
                "Download a file",
                USER,
                response=None,
                media_type=ANY,
            ),
            "DELETE": Operation(
                "Delete a file that is attached to no message",
                USER,
                status=204,
                response=None,
                errors=(errors.Conflict,),
            ),
        },
    ),
    Route(
        "/models",
        models.Models,
        {
            "GET": Operation(
                "List the available models", USER, response="models_page", parameters=PAGE
            )
        },
    ),
    Route(
        "/settings/user",
        settings.UserSettings,
        {
            "GET": Operation("Get the caller's settings", USER, response="user_settings"),
            "PUT": Operation(
                "Update the caller's settings; omitted fields stay unchanged",
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
            "GET": Operation("Get the server's settings", ADMIN, response="admin_settings"),
            "PUT": Operation(
                "Update the server's settings; omitted fields stay unchanged",
                ADMIN,
                body="admin_settings_update",
                response="admin_settings",
            ),
        },
    ),
    Route(
        "/brand",
        branding.GetBrand,
        {"GET": Operation("Get how the server presents itself", OPEN, response="brand")},
    ),
    Route(
        "/openapi.json",
        system.OpenAPI,
        {"GET": Operation("Get this document", OPEN, response=None)},
    ),
    # A rejected token is reported over the socket, so the socket's own guard checks it.
    Route(
        "/ws",
        websocket.Socket,
        {
            "GET": Operation(
                "Open the WebSocket", OPEN, status=101, response=None, parameters=("token", "since")
            )
        },
    ),
)

# Outside the API prefixes.
AROUND = (
    *OPENAI,
    Route(
        "/health",
        system.Health,
        {
            "GET": Operation(
                "Check the server's health",
                OPEN,
                response="health",
                more=(AlternateResponse(503, JSON, "health", "The database is not writable"),),
            )
        },
    ),
    Route(
        "/metrics",
        system.Metrics,
        {
            "GET": Operation(
                "Get metrics for Prometheus, if they are enabled",
                Access.WATCHER,
                response=None,
                media_type="text/plain",
                errors=(errors.NotFound,),
            )
        },
    ),
    Route("/", pages.Page, {"GET": Operation("Get the chat page", OPEN, response=None)}),
    Route("/docs", pages.Docs, {"GET": Operation("Get the API reference", OPEN, response=None)}),
    Route(
        "/control",
        control.Control,
        {
            "POST": Operation(
                "Run an account action of the server's owner",
                OPEN,
                body="control",
                response="controlled",
            )
        },
    ),
    Route(
        "/brand/icon",
        branding.GetIcon,
        {"GET": Operation("Get the icon of the brand", OPEN, response=None, media_type=ANY)},
    ),
    Route("/favicon.ico", pages.Favicon, {"GET": Operation("Get the icon", OPEN, response=None)}),
    Route("/static/{file}", pages.Static, {"GET": Operation("Get a file", OPEN, response=None)}),
)

ALL = (*API, *AROUND)
NONE = Route("(none)", BaseHandler, {})  # of a request whose path is unknown
# Of a request for the base path without a slash, where the page's relative links would be wrong.
BASE = Route(
    "(base path)", pages.Base, {"GET": Operation("Get the page", OPEN, status=307, response=None)}
)
