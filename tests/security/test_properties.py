"""Property tests: no input causes a 5xx, a hang, an invalid response or growth of memory.

The server validates each of its responses, so an invalid one becomes a 500. Hypothesis makes the
same choices each time; `EXAMPLES=2000 pytest tests/security/test_properties.py` runs longer.
"""

from __future__ import annotations

import contextlib
import json
import os
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import schemas
from handlers import routes
from tests.security.conftest import Target

EXAMPLES = int(os.environ.get("EXAMPLES", "150"))
thoroughly = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, print_blob=False
)

TEXT = st.text(max_size=30)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4)
)
WRITING = [
    (f"/api/v1{route.path}" if route in routes.API else route.path, method, operation.body)
    for route in routes.ALL
    for method, operation in route.operations.items()
    # A logout would end it for the rest; that of a setting of all would be felt by the rest.
    if operation.body and route.path not in {"/auth/logout", "/settings/admin", "/control"}
]
READING = [
    (f"/api/v1{route.path}" if route in routes.API else route.path)
    for route in routes.ALL
    for method in route.operations
    if method == "GET" and route.path not in {"/static/{file}", "/ws"}
]


@pytest.fixture(scope="module")
def asked(target: Target) -> Iterator[Callable[..., Any]]:
    """Asks as a user whose chat has the id `chat`; raises if that is answered as it must not be."""
    token = target.register("ada@example.com")["access_token"]
    chat = target.api("POST", "/chats", {"title": "x"}, token).body["id"]

    def ask(method: str, path: str, body: Any = None, **headers: str) -> Any:
        headers.setdefault("Authorization", f"Bearer {token}")
        answer = target.ask(method, path.replace("{id}", chat), body, **headers)
        assert answer.status < 500, answer
        is_http = answer.status != 400 or answer.raw  # else Tornado could not read it as such
        if answer.status >= 400 and is_http:
            form = "openai_error" if path.startswith("/openai") else "error"
            schemas.validate(form, answer.body)
        return answer

    with target.bounded():
        yield ask


@st.composite
def changed(draw: st.DrawFn, example: dict[str, Any]) -> Any:
    """An example with fields left out, replaced, or added."""
    body = {name: value for name, value in example.items() if draw(st.booleans())}
    for name in draw(st.lists(st.sampled_from([*example, "id", "is_admin", "__proto__", ""]))):
        body[name] = draw(JSON)
    return body


@thoroughly
@given(data=st.data())
def test_bodies(asked: Callable[..., Any], data: st.DataObject) -> None:
    path, method, schema = data.draw(st.sampled_from(WRITING))
    example = schemas.SCHEMAS[schema]["examples"][0]
    body = data.draw(changed(example) | JSON)
    text = json.dumps(body, ensure_ascii=data.draw(st.booleans()))
    asked(method, path, text.encode("utf-8", "surrogatepass"))


@thoroughly
@given(
    place=st.sampled_from(WRITING),
    body=st.binary(max_size=200) | st.text().map(lambda text: text.encode("utf-16", "replace")),
)
def test_bytes(asked: Callable[..., Any], place: tuple[str, str, str], body: bytes) -> None:
    path, method, _ = place
    asked(method, path, body)


PARAMETERS = st.sampled_from(["limit", "offset", "q", "order", "format", "since", "token", "x"])
VALUES = TEXT | st.integers().map(str) | st.sampled_from(["desc", "asc", "json", "markdown", "5"])


@thoroughly
@given(path=st.sampled_from(READING), query=st.lists(st.tuples(PARAMETERS, VALUES), max_size=4))
def test_query_parameters(
    asked: Callable[..., Any], path: str, query: list[tuple[str, str]]
) -> None:
    encoded = urllib.parse.urlencode(query, errors="surrogatepass")
    asked("GET", f"{path}?{encoded}")


HEADERS = st.sampled_from(
    ["Authorization", "X_API_Key", "Origin", "X_Request_Id", "Accept", "Content_Type", "Host",
     "X_Quillium_Simulate", "If_None_Match", "Range", "Content_Encoding", "X_Forwarded_For",
     "Accept_Encoding", "If_Modified_Since", "Cookie", "Upgrade"]
)  # fmt: skip
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))
KNOWN = st.sampled_from(
    ["text/event-stream", "Bearer", "Bearer qk_", "Basic eDp5", "null", "bytes=0-1", "bytes=-1",
     "gzip", "application/json; charset=latin-1", "localhost:99999", "[::1]:1", "*", "W/\"x\""]
)  # fmt: skip


@thoroughly
@given(
    path=st.sampled_from([*READING, "/static/quillium.js"]),
    headers=st.dictionaries(HEADERS, PRINTABLE | KNOWN, max_size=4),
)
def test_headers(asked: Callable[..., Any], path: str, headers: dict[str, str]) -> None:
    asked("GET", path, **{name: value.strip() for name, value in headers.items()})


@thoroughly
@given(path=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
def test_paths(asked: Callable[..., Any], path: str) -> None:
    answer = asked("GET", f"/{path}")
    # Hypothesis also tries the texts of our code, such as paths for admins, or for other methods.
    assert answer.status in (200, 400, 401, 403, 404, 405)


@thoroughly
@given(data=st.data())
def test_tokens(target: Target, asked: Callable[..., Any], data: st.DataObject) -> None:
    """A genuine token with a piece cut out, put in or turned round is none."""
    genuine = target.admin
    start = data.draw(st.integers(0, len(genuine)))
    end = data.draw(st.integers(start, min(len(genuine), start + 20)))
    piece = data.draw(st.text("abcABC019-_.= ", max_size=5) | st.just(genuine[start:end][::-1]))
    token = (genuine[:start] + piece + genuine[end:]).strip()
    answer = asked("GET", "/api/v1/users/me", Authorization=f"Bearer {token}")
    assert (answer.status == 200) == (token == genuine)


@settings(thoroughly, max_examples=max(5, EXAMPLES // 10))
@given(data=st.data())
def test_frames(target: Target, data: st.DataObject) -> None:
    token = target.register(f"{os.urandom(8).hex()}@example.com")["access_token"]
    chat = target.api("POST", "/chats", {}, token).body["id"]
    frames = data.draw(
        st.lists(
            st.fixed_dictionaries(
                {"type": st.sampled_from(["message", "typing", "read"]) | TEXT},
                optional={
                    "data": JSON
                    | changed(
                        {"chat_id": chat, "content": "x", "client_id": "c", "message_id": "m"}
                    )
                },
            ).map(json.dumps)
            | TEXT,
            max_size=20,
        )
    )
    with target.socket(token) as socket:
        for frame in frames:
            socket.send(frame.encode("utf-8", "replace").decode())
        assert socket.ping().wait(timeout=20)
        with contextlib.suppress(TimeoutError):
            while True:
                frame = json.loads(socket.recv(timeout=0))
                schemas.validate(f"server_{frame['type']}", frame)
                assert frame["data"].get("code") != "internal_error"
