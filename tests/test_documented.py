"""Every operation, setting, command and error is documented and tested."""

from __future__ import annotations

from pathlib import Path

import pytest

import schemas
from cli import arguments
from core import errors, options
from handlers import routes
from web import errors as web_errors
from web.operations import Operation

ROOT = Path(__file__).parent.parent
OPERATIONS = [
    (f"{method} {route.path}", operation)
    for route in routes.ALL
    for method, operation in route.operations.items()
]


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_each_operation_has_schema_docs_and_test(name: str, operation: Operation) -> None:
    method, path = name.split()
    documented = (ROOT / "docs" / "api.md").read_text()
    assert f"| `{path}` | {method} |" in documented
    tests = "".join(file.read_text() for file in (ROOT / "tests" / "handlers").glob("*.py"))
    if path not in {"/ws", "/static/{file}"}:  # reached by Client.socket and by raw requests
        assert f'"{name}"' in tests
    for schema in (operation.body, operation.response):
        assert schema is None or schema in schemas.SCHEMAS
    if path not in {
        "/ws",
        "/",
        "/favicon.ico",
        "/static/{file}",
        "/docs",
        "/openapi.json",
        "/metrics",
        "/brand/icon",
        "/files/{id}",
        "/chats/export",
    } and (operation.status != 204):
        assert operation.response is not None
    if method in {"POST", "PUT", "PATCH"}:
        assert operation.body is not None or operation.accepts is not None


@pytest.mark.parametrize("option", options.OPTIONS, ids=lambda option: option.name)
def test_each_setting_is_documented(option: options.Option) -> None:
    documented = (ROOT / "docs" / "settings.md").read_text()
    assert f"| `{option.flag}` | `{option.variable}` |" in documented


@pytest.mark.parametrize("command", arguments.COMMANDS, ids=lambda command: command.name)
def test_each_command_is_documented(command: arguments.Command) -> None:
    documented = (ROOT / "docs" / "settings.md").read_text()
    argument = f" {command.argument[0]}" if command.argument else ""
    assert f"| `{command.name}{argument}` |" in documented


def test_each_error_has_one_status_and_is_documented() -> None:
    documented = (ROOT / "docs" / "api.md").read_text()
    codes = set()
    for error, status in web_errors.STATUS.items():
        assert f"| {status} | `{error.code}` |" in documented
        codes.add(error.code)
    assert len(codes) == len(web_errors.STATUS)
    models = {errors.ModelUnavailable, errors.ModelRefused, errors.ModelTimeout}
    frames = {errors.ResyncRequired}
    for told in (*models, *frames):
        assert f"`{told.code}`" in documented
    known = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.QuilliumError)
    }
    assert known - {errors.QuilliumError} - models - frames == set(web_errors.STATUS)


@pytest.mark.parametrize("name", sorted(schemas.SCHEMAS))
def test_each_schema_is_used(name: str) -> None:
    sources = [*ROOT.glob("handlers/*.py"), *ROOT.glob("cli/*.py"), *ROOT.glob("tests/conftest.py")]
    sources += ROOT.glob("schemas/*.json")
    text = "".join(path.read_text() for path in sources)
    assert f'"{name}"' in text or f'"{name}.json' in text or name.startswith("server_")
