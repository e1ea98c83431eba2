"""Generates the OpenAPI 3.1 document from `routes` and `schemas`, its only sources."""

from __future__ import annotations

import functools
import json
import re
from http import HTTPStatus
from typing import Any

import schemas
from core import errors
from handlers import routes
from handlers.route import ANY
from schemas.components import components, reference
from web.compression import PreparedBody
from web.errors import status_of
from web.operations import Access, Operation

_ABOUT = """\
The backend of an AI chat. Every path below `/api/v1` is also available below `/v1`.

Errors have the form `{"error": {"code", "message", "details"}}`. `message` is a fixed sentence for
each code; `details` explains what was wrong with this request. The admin sets how many requests
each user may send per minute; the `X-RateLimit-*` headers contain the remaining quota.

Strings are stored as sent. U+0000, except in passwords, and unpaired surrogates are errors.
Leading and trailing white space is removed from names, titles and email addresses.

The WebSocket at `/api/v1/ws` accepts `frame_to_server` and sends `frame_from_server`."""

_PARAMETERS: dict[str, dict[str, Any]] = {
    "limit": {
        "description": "Number of items on a page",
        "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    },
    "offset": {
        "description": "Number of items to skip",
        "schema": {"type": "integer", "minimum": 0, "maximum": 10**15 - 1, "default": 0},
    },
    "q": {
        "description": "Search words, such as `garden spring`; all of them must occur in the chat",
        "schema": {"type": "string"},
    },
    "archived": {
        "description": "Whether to list the archived chats or the others; a search finds both if"
        " omitted",
        "schema": {"type": "string", "enum": ["true", "false"]},
    },
    "order": {
        "description": "Sort order: `asc` lists the oldest message first, `desc` the newest",
        "schema": {"type": "string", "enum": ["asc", "desc"], "default": "asc"},
    },
    "before": {
        "description": "The id of a message: list the messages just before it, instead of `offset`",
        "schema": {"type": "string", "maxLength": 100},
    },
    "after": {
        "description": "The id of a message: list the messages just after it, instead of `offset`",
        "schema": {"type": "string", "maxLength": 100},
    },
    "around": {
        "description": "The id of a message: list it with those around it, instead of `offset`",
        "schema": {"type": "string", "maxLength": 100},
    },
    "format": {
        "description": "Format of the file",
        "schema": {"type": "string", "enum": ["json", "markdown"], "default": "json"},
    },
    "name": {
        "description": "Name of the file, such as `screenshot.png`; folders in it are removed",
        "schema": {"type": "string", "default": "file"},
    },
    "token": {
        "description": "An access token or API key; browsers can't set headers for a WebSocket",
        "schema": {"type": "string"},
    },
    "since": {
        "description": "The `seq` of the last received frame, or `latest`; if omitted, no"
        " `chat` frames are sent",
        "schema": {"type": "string", "pattern": "^(latest|[0-9]{1,15})$"},
    },
}

# Without an `example`, which the viewer at `/docs` would send with each request.
_SENT_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "An id for the request, included in the response and the log; one is"
        " generated if it is missing or invalid",
        "schema": {"type": "string"},
    },
    "X-Quillium-Simulate": {
        "description": "In development mode, the failures to simulate: a comma-separated list of"
        " `latency=800` (milliseconds), `status=CODE`, `token_expired`, `rate_limited` and `drop`."
        " For a WebSocket, use the query parameter `simulate`, which also accepts `drop_after=N`",
        "schema": {"type": "string"},
    },
}

_HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "X-Request-Id": ("Request id, as written to the log", {"type": "string"}),
    "X-RateLimit-Limit": ("Requests per minute; absent if there is no limit", {"type": "integer"}),
    "X-RateLimit-Remaining": ("Remaining requests", {"type": "integer"}),
    "X-RateLimit-Reset": ("Time at which the limit resets, in epoch seconds", {"type": "integer"}),
    "Retry-After": ("Seconds to wait before retrying", {"type": "integer"}),
    "WWW-Authenticate": ("The authentication scheme", {"type": "string"}),
    "Allow": ("The methods that this path supports", {"type": "string"}),
}
_COUNTED = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
_WITH_STATUS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After"}

_SECURITY: dict[Access, list[dict[str, list[str]]]] = {
    Access.OPEN: [],
    Access.USER: [{"session": []}, {"api_key": []}],
    Access.SESSION: [{"session": []}],
    Access.LOGOUT: [{"session": []}, {}],
    Access.ADMIN: [{"session": []}],
    Access.WATCHER: [{"session": []}, {"api_key": []}],
}
_TAGS = {
    "auth": "Accounts and sessions",
    "users": "The caller's account and API keys, and user administration",
    "chats": "Chats and messages",
    "files": "Files to attach to messages",
    "models": "Language models",
    "settings": "User and server settings",
    "ws": "The WebSocket",
    "openai": "An OpenAI-compatible API for existing tools",
    "around": "Health, metrics and this document",
}
_ANYWHERE = (errors.InvalidRequest, errors.Forbidden, errors.InternalError, errors.ShuttingDown)
_WRONG = "What was wrong with this request, and how to fix it."
_BODIES = {routes.JSON: {"type": "object"}, ANY: {"type": "string", "format": "binary"}}
_PAGES = {
    "/",
    "/docs",
    "/control",
    "/favicon.ico",
    "/brand/icon",
    "/static/{file}",
}  # not part of the API


# OpenAPI can't describe the frames of a WebSocket; a callback is the closest match.
_FRAMES = {
    "operationId": "frames",
    "security": [],
    "summary": "Frames from the server; the response describes frames to the server",
    "requestBody": {"content": {routes.JSON: {"schema": reference("frame_from_server")}}},
    "responses": {
        "200": {
            "description": "A frame that the client sends",
            "content": {routes.JSON: {"schema": reference("frame_to_server")}},
        }
    },
}


@functools.lru_cache(maxsize=8)
def prepared(version: str, base_path: str) -> PreparedBody:
    """Return the document for the server at a base path."""
    return PreparedBody(document(version, base_path))


def document(version: str, base_path: str = "") -> bytes:
    """Return the document, with paths relative to the base path, as JSON in UTF-8."""
    paths, examples = _paths(), _examples()
    described = {
        "openapi": "3.1.1",
        "info": {
            "title": "Quillium",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": base_path or "/", "description": "This server"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": components(paths),
            "examples": _used(examples, paths),
            "parameters": {
                name: {"name": name, "in": "header", **described}
                for name, described in _SENT_HEADERS.items()
            },
            "headers": {
                name: {"description": text, "schema": schema}
                for name, (text, schema) in _HEADERS.items()
            },
            "securitySchemes": {
                "session": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An access token, or an API key where the operation allows one.",
                },
                "api_key": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-API-Key",
                    "description": "An API key.",
                },
            },
        },
    }
    return json.dumps(described, ensure_ascii=False).encode()


def _paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in routes.ALL:
        if route.path in _PAGES:
            continue
        item: dict[str, Any] = {
            "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in _SENT_HEADERS]
        }
        for method, operation in route.operations.items():
            item[method.lower()] = _operation(route, method, operation)
        # Full paths under one server: most generators ignore the servers of a path.
        prefix = routes.PREFIXES[0] if route in routes.API else ""
        paths[prefix + route.path] = item
    return paths


def _operation(route: routes.Route, method: str, operation: Operation) -> dict[str, Any]:
    tag = route.path.split("/")[1]
    described: dict[str, Any] = {
        "operationId": "_".join([method.lower(), *re.findall(r"\w+", route.path)]),
        "summary": operation.summary,
        "tags": [tag if tag in _TAGS else "around"],
        "security": _SECURITY[operation.access],
        "parameters": [
            {"name": name, "in": "query", **_PARAMETERS[name]} for name in operation.parameters
        ],
        "responses": _responses(route, operation),
    }
    if "{id}" in route.path:
        ids = (
            "user_[0-9A-Za-z]{1,80}"
            if route.path.startswith("/users/{id}")
            else "[0-9A-Za-z_]{1,100}"
        )
        id = {"type": "string", "pattern": f"^{ids}$"}
        described["parameters"].insert(
            0, {"name": "id", "in": "path", "required": True, "schema": id}
        )
    if "{message_id}" in route.path:
        message = {"type": "string", "pattern": "^[0-9A-Za-z_]{1,100}$"}
        described["parameters"].insert(
            1, {"name": "message_id", "in": "path", "required": True, "schema": message}
        )
    if "{model}" in route.path:
        name = {"description": "The name of a model", "schema": {"type": "string"}}
        described["parameters"].append({"name": "model", "in": "path", "required": True, **name})
    if operation.body is not None:
        described["requestBody"] = {
            "description": schemas.SCHEMAS[operation.body]["description"],
            "required": bool(schemas.SCHEMAS[operation.body].get("required")),
            "content": {routes.JSON: {"schema": reference(operation.body)}},
        }
    if operation.accepts is not None:
        content = {operation.accepts: {"schema": _BODIES[operation.accepts]}}
        described["requestBody"] = {
            "description": "The bytes of the file",
            "required": True,
            "content": content,
        }
    if route.path == "/ws":
        described["callbacks"] = {"frames": {"{$url}": {"post": _FRAMES}}}
    return described


def _responses(route: routes.Route, operation: Operation) -> dict[str, Any]:
    phrase = HTTPStatus(operation.status).phrase
    answers: dict[int, dict[str, Any]] = {operation.status: {"description": phrase}}
    if operation.response is not None:
        content = {routes.JSON: {"schema": reference(operation.response)}}
        answers[operation.status]["content"] = content
    elif operation.status == 200:
        schema = _BODIES.get(operation.media_type, {"type": "string"})
        answers[200]["content"] = {operation.media_type: {"schema": schema}}
    for also in operation.more:
        answer = answers.setdefault(also.status, {"description": also.description})
        schema = reference(also.schema) if also.schema else {"type": "string"}
        answer.setdefault("content", {})[also.media_type] = {"schema": schema}
    for status, refusals in _refusals(route, operation).items():
        if status in answers:  # such as the 503 of `/health`
            continue
        form = route.handler.error_schema
        answers[status] = {
            "description": " or ".join(f"`{error.code}`" for error in refusals),
            "content": {
                routes.JSON: {
                    "schema": reference(form),
                    "examples": {
                        error.code: {"$ref": f"#/components/examples/{form}_{error.code}"}
                        for error in refusals
                    },
                }
            },
        }
    for status, answer in answers.items():
        names = ["X-Request-Id", *(_COUNTED if route.handler.is_counted else ())]
        if status in _WITH_STATUS:
            names.append(_WITH_STATUS[status])
        answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return {str(status): answers[status] for status in sorted(answers)}


def _refusals(
    route: routes.Route, operation: Operation
) -> dict[int, list[type[errors.QuilliumError]]]:
    """Return the possible errors of an operation, by status."""
    possible: list[type[errors.QuilliumError]] = [*_ANYWHERE, *operation.errors]
    possible.append(errors.PayloadTooLarge)
    possible.append(errors.UnsupportedMediaType)
    possible.append(errors.MethodNotAllowed)
    if route.handler.is_counted:
        possible += [errors.RateLimited, errors.StorageUnavailable]
    if operation.access is not Access.OPEN:
        possible += [errors.Unauthorized, errors.InvalidToken, errors.TokenExpired]
    if "{id}" in route.path:
        possible.append(errors.NotFound)
    refusals: dict[int, list[type[errors.QuilliumError]]] = {}
    for error in dict.fromkeys(possible):
        refusals.setdefault(status_of(error, route.handler.statuses), []).append(error)
    return refusals


def _used(named: dict[str, Any], part: Any) -> dict[str, Any]:
    """Return the named components that a part of the document references."""
    text = json.dumps(part)
    return {name: value for name, value in named.items() if f'/{name}"' in text}


def _examples() -> dict[str, Any]:
    """Return an example of each error in each error format."""
    return {
        f"{handler.error_schema}_{error.code}": {
            "value": handler.envelope(errors.of(error, _WRONG))
        }
        for handler in {route.handler.error_schema: route.handler for route in routes.ALL}.values()
        for error in handler.statuses
    }
