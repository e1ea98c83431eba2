"""The OpenAPI document: generated from the tables, and correct (contract, section 9)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import schemas
from handlers import openapi, routes

Client = Any
DOCUMENT: dict[str, Any] = json.loads(openapi.document("1.2.3"))
OPERATIONS = [
    (path, method)
    for path, item in DOCUMENT["paths"].items()
    for method in item
    if method not in {"servers", "parameters"}
]


def test_it_is_openapi() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_generators_of_clients_can_follow_it() -> None:
    """What openapi-python-client stumbled over: they name types by titles, and follow no deeper."""
    titles = [
        part["title"] for part in DOCUMENT["components"]["schemas"].values() if "title" in part
    ]
    assert len(set(titles)) == len(titles)
    references = re.findall(r'"\$ref": "([^"]*)"', json.dumps(DOCUMENT))
    assert all(re.fullmatch(r"#/components/\w+/[\w-]+", reference) for reference in references)
    update = DOCUMENT["components"]["schemas"]["user_settings_update"]["properties"]
    assert update["theme"]["enum"] == ["light", "dark", "system"]
    assert "default" not in update["theme"]  # it would be sent by who has chosen nothing


def parts(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of a document, but for examples and defaults."""
    if isinstance(node, list):
        for part in node:
            yield from parts(part)
    elif isinstance(node, dict):
        yield node
        for name, part in node.items():
            if name not in {"examples", "example", "default", "value", "const", "enum"}:
                yield from parts(part)


def test_what_generators_of_clients_need() -> None:
    """Path-level servers are ignored by most, `{"type": "null"}` alone crashes one."""
    assert [server["url"] for server in DOCUMENT["servers"]] == ["/"]
    assert all("servers" not in item for item in DOCUMENT["paths"].values())
    assert all(path.startswith(("/api/v1/", "/openai/", "/health", "/metrics"))
               for path in DOCUMENT["paths"])  # fmt: skip
    for part in parts(DOCUMENT):
        if part.get("type") == "array":
            assert "items" in part
        if isinstance(part.get("type"), list):
            assert len(set(part["type"]) - {"null"}) == 1, part
        if "enum" in part or "const" in part:
            assert "type" in part or isinstance(part.get("enum"), dict), part
        for name, one in part.get("properties", {}).items():
            assert one.get("type") != "null", name


def test_what_is_ignored_is_not_offered() -> None:
    """Tools take `readOnly` in a request for forbidden, and it is accepted."""
    components = DOCUMENT["components"]["schemas"]
    assert list(components["message_create"]["properties"])[:2] == ["content", "client_id"]
    assert "sender" not in components["message_create"]["properties"]
    assert not [part for part in parts(DOCUMENT) if "readOnly" in part]


def test_there_is_no_unused_component() -> None:
    text = json.dumps(DOCUMENT)
    for kind, named in DOCUMENT["components"].items():
        for name in named:
            if kind == "securitySchemes":
                assert f'{{"{name}": []}}' in text
            else:
                assert f'"#/components/{kind}/{name}"' in text, name


def test_every_operation_is_described() -> None:
    described = {(path, method.upper()) for path, method in OPERATIONS}
    known = {
        ("/api/v1" + route.path, method) for route in routes.API for method in route.operations
    }
    assert known <= described
    assert ("/health", "GET") in described
    ids = [DOCUMENT["paths"][path][method]["operationId"] for path, method in OPERATIONS]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_what_an_operation_says(path: str, method: str) -> None:
    operation = DOCUMENT["paths"][path][method]
    assert operation["summary"]
    assert {tag["name"] for tag in DOCUMENT["tags"]} >= set(operation["tags"])
    for status, answer in operation["responses"].items():
        assert "X-Request-Id" in answer["headers"]
        assert int(status) < 400 or answer["content"]["application/json"]["schema"]
    if path.startswith(("/health", "/metrics", "/openai")):
        return
    assert "429" in operation["responses"]
    if operation["security"]:
        assert "401" in operation["responses"]
    if "{id}" in path:
        assert "404" in operation["responses"]
        assert operation["parameters"][0]["name"] == "id"


def test_who_may_call_is_told() -> None:
    def security(path: str, method: str) -> list[str]:
        told = DOCUMENT["paths"][path][method]["security"]
        return [name for scheme in told for name in scheme]

    assert security("/api/v1/auth/login", "post") == []
    assert security("/api/v1/chats", "get") == ["session", "api_key"]
    assert security("/api/v1/settings/admin", "put") == ["session"]
    assert set(DOCUMENT["components"]["securitySchemes"]) == {"session", "api_key"}


def test_the_frames_of_the_socket_are_described() -> None:
    components = DOCUMENT["components"]["schemas"]
    told = [part["$ref"].rpartition("/")[2] for part in components["frame_from_server"]["oneOf"]]
    assert sorted(told) == sorted(name for name in schemas.SCHEMAS if name.startswith("server_"))
    sent = [part["properties"]["type"]["const"] for part in components["frame_to_server"]["oneOf"]]
    assert sorted(sent) == ["message", "read", "typing"]


@pytest.mark.parametrize("name", [name for name in schemas.SCHEMAS if name != "common"])
def test_each_schema_has_examples_that_are_what_they_show(name: str) -> None:
    assert schemas.SCHEMAS[name]["examples"]
    for example in schemas.SCHEMAS[name]["examples"]:
        schemas.validate(name, example)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_each_refusal_has_an_example_of_each_code(path: str, method: str) -> None:
    for status, answer in DOCUMENT["paths"][path][method]["responses"].items():
        content = answer.get("content", {}).get("application/json", {})
        form = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if form in {"error", "openai_error"}:
            codes = answer["description"].replace("`", "").split(" or ")
            assert list(content["examples"]) == codes, status
            for code, reference in content["examples"].items():
                name = reference["$ref"].rpartition("/")[2]
                shown = DOCUMENT["components"]["examples"][name]["value"]
                assert shown["error"]["code"] == code
                schemas.validate(form, shown)


async def test_it_is_served_to_anybody(anyone: Client) -> None:
    answer = await anyone("GET /openapi.json")
    assert answer.body == DOCUMENT
    assert (await anyone("GET /openapi.json", prefix="/v1")).body == DOCUMENT


async def test_it_is_shown_offline(anyone: Client) -> None:
    page = await anyone("GET /docs")
    assert b'"static/vendor/swagger-ui.js"' in page.raw
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert b"openapi.json" in (await anyone("GET /static/docs/docs.js")).raw
