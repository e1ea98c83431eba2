"""The OpenAPI 3.1 document, made of `routes` and `schemas`: it can't say what they don't."""

from __future__ import annotations

import functools
import json
import re
from http import HTTPStatus
from typing import Any

import schemas
from core import errors
from handlers import routes
from handlers.route import JSON, Route
from web.errors import status_of
from web.operations import Access, Operation

_ABOUT = """\
The backend of an AI chat. Errors come as `{"error": {"code", "message", "details"}}`; `message` is
always the same for a code, `details` says what was wrong this time. A minute has so many requests
for each user as the admin allows (`X-RateLimit-*`). No text but a password may hold U+0000, and
none half of a surrogate pair; white space around names, titles and addresses is taken off.

The WebSocket at `/ws` takes frames as `frame_to_server` describes them, and sends those of
`frame_from_server`."""

_PARAMETERS: dict[str, dict[str, Any]] = {
    "limit": {
        "description": "Items of a page",
        "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    },
    "offset": {
        "description": "Items to skip",
        "schema": {"type": "integer", "minimum": 0, "maximum": 10**15 - 1, "default": 0},
    },
    "q": {
        "description": "Words to look for in titles and messages, such as `garden spring`",
        "schema": {"type": "string"},
    },
    "order": {
        "description": "Oldest or newest first",
        "schema": {"enum": ["asc", "desc"], "default": "asc"},
    },
    "format": {
        "description": "What file",
        "schema": {"enum": ["json", "markdown"], "default": "json"},
    },
    "token": {
        "description": "An access token; browsers can't send headers with a WebSocket",
        "schema": {"type": "string"},
    },
    "since": {
        "description": "The `seq` of the last frame that was seen, or `latest`",
        "schema": {"type": "string", "pattern": "^(latest|[0-9]{1,15})$"},
    },
}

# With no `example`: the viewer at `/docs` would send it when somebody tries an operation.
_SENT_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "A name for the request, which its answer and the log carry; another one is"
        " made if this is not valid",
        "schema": {"type": "string"},
    },
    "X-Quillium-Simulate": {
        "description": "How the request is to go, where the server was started with `--dev`: a"
        " comma-separated list of `latency=800`, `status=CODE`, `token_expired`, `rate_limited`,"
        " `drop`. A WebSocket takes it as the query parameter `simulate`, with `drop_after=N` too",
        "schema": {"type": "string"},
    },
}

_HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "X-Request-Id": ("Names the request in the log", {"type": "string"}),
    "X-RateLimit-Limit": ("Requests a minute; absent if there is no limit", {"type": "integer"}),
    "X-RateLimit-Remaining": ("Requests that are left", {"type": "integer"}),
    "X-RateLimit-Reset": ("When all are there again; epoch seconds", {"type": "integer"}),
    "Retry-After": ("Seconds to wait", {"type": "integer"}),
    "WWW-Authenticate": ("How to say who is calling", {"type": "string"}),
    "Allow": ("The methods of this path", {"type": "string"}),
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
    "auth": "Sessions",
    "users": "The caller's account, and user administration",
    "chats": "Chats and messages",
    "models": "Who can answer",
    "settings": "What was chosen",
    "ws": "In real time",
    "openai": "For tools that know OpenAI's API",
    "around": "Around the API",
}
_ANYWHERE = (errors.InvalidRequest, errors.Forbidden, errors.InternalError, errors.ShuttingDown)
_WRONG = "What was wrong this time, and what to do."
_PAGES = {"/", "/docs", "/control", "/static/{file}"}  # not part of the API
_NOT_SHOWN = {"$schema", "$id", "x-trim", "x-email", "x-visible"}


@functools.cache
def document(version: str) -> bytes:
    """The whole document, encoded."""
    described = {
        "openapi": "3.1.1",
        "info": {"title": "Quillium", "version": version, "description": _ABOUT},
        "servers": [{"url": prefix} for prefix in routes.PREFIXES],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "examples": _examples(),
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
                    "description": "An access token. An API key is taken here, too, where the"
                    " operation allows one.",
                },
                "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
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
        if route not in routes.API:
            item["servers"] = [{"url": "/"}]
        for method, operation in route.operations.items():
            item[method.lower()] = _operation(route, method, operation)
        paths[route.path] = item
    return paths


def _operation(route: Route, method: str, operation: Operation) -> dict[str, Any]:
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
        id = {"type": "string", "pattern": "^[0-9A-Za-z_]{1,100}$"}
        described["parameters"].insert(
            0, {"name": "id", "in": "path", "required": True, "schema": id}
        )
    if "{model}" in route.path:
        name = {"description": "The name of a model", "schema": {"type": "string"}}
        described["parameters"].append({"name": "model", "in": "path", "required": True, **name})
    if operation.body is not None:
        described["requestBody"] = {
            "required": bool(schemas.SCHEMAS[operation.body].get("required")),
            "content": {JSON: {"schema": _reference(operation.body)}},
        }
    return described


def _responses(route: Route, operation: Operation) -> dict[str, Any]:
    phrase = HTTPStatus(operation.status).phrase
    answers: dict[int, dict[str, Any]] = {operation.status: {"description": phrase}}
    if operation.response is not None:
        content = {JSON: {"schema": _reference(operation.response)}}
        answers[operation.status]["content"] = content
    elif operation.status == 200:
        kind = "object" if operation.media_type == JSON else "string"
        answers[200]["content"] = {operation.media_type: {"schema": {"type": kind}}}
    for also in operation.more:
        answer = answers.setdefault(also.status, {"description": also.description})
        schema = _reference(also.schema) if also.schema else {"type": "string"}
        answer.setdefault("content", {})[also.media_type] = {"schema": schema}
    for status, refusals in _refusals(route, operation).items():
        if status in answers:  # such as the 503 of `/health`
            continue
        form = route.handler.error_schema
        answers[status] = {
            "description": " or ".join(f"`{error.code}`" for error in refusals),
            "content": {
                JSON: {
                    "schema": _reference(form),
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


def _refusals(route: Route, operation: Operation) -> dict[int, list[type[errors.QuilliumError]]]:
    """The errors that an operation may answer, by status."""
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


def _examples() -> dict[str, Any]:
    """Each error in each form that it has."""
    return {
        f"{handler.error_schema}_{error.code}": {
            "value": handler.envelope(errors.of(error, _WRONG))
        }
        for handler in {route.handler.error_schema: route.handler for route in routes.ALL}.values()
        for error in handler.statuses
    }


# Schemas


def _schemas() -> dict[str, Any]:
    """Each file is a component, and each common part as well."""
    components = {
        name: _component(schema) for name, schema in schemas.SCHEMAS.items() if name != "common"
    }
    for part, schema in schemas.SCHEMAS["common"]["$defs"].items():
        components[_common(part)] = _component(schema)
    sent = [name for name in schemas.SCHEMAS if name.startswith("client_")]
    told = [name for name in schemas.SCHEMAS if name.startswith("server_")]
    components["frame_to_server"] = {
        "title": "Frame to the server",
        "description": "What a client may send over the WebSocket",
        "oneOf": [
            {
                "type": "object",
                "properties": {
                    "type": {"const": name.removeprefix("client_")},
                    "data": _reference(name),
                },
                "required": ["type", "data"],
            }
            for name in sent
        ],
    }
    components["frame_from_server"] = {
        "title": "Frame from the server",
        "description": "What comes over the WebSocket",
        "oneOf": [_reference(name) for name in told],
    }
    return components


def _component(schema: Any) -> Any:
    """The schema with its references led to the components."""
    if isinstance(schema, list):
        return [_component(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    shown = {
        name: _component(part)
        for name, part in schema.items()
        if name not in _NOT_SHOWN and name != "$ref"
    }
    return {**_led(schema["$ref"]), **shown} if "$ref" in schema else shown


def _led(reference: str) -> Any:
    """What a reference of a schema file becomes in the document.

    Generators of clients follow one to a whole component alone: a part of one is put in its place,
    without its default, which would have them send what nobody has chosen.
    """
    file, _, place = reference.partition(".json")
    if file == "common":
        return _reference(_common(place.removeprefix("#/$defs/")))
    if not place:
        return _reference(file)
    part = schemas.SCHEMAS[file]
    for name in place.removeprefix("#/").split("/"):
        part = part[name]
    return _component({name: value for name, value in part.items() if name != "default"})


def _common(part: str) -> str:
    """The component of a common part: its own name, unless a file has that."""
    return f"{part}_object" if part in schemas.SCHEMAS else part


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
