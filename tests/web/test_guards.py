"""Each guard: what it accepts, rejects and records."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import Finish

from core import errors
from core.errors import QuilliumError
from core.records import Caller
from services import Services
from tests.conftest import CONTROL_KEY, Client
from web import guards
from web.admission import Admission
from web.in_flight import InFlight
from web.operations import Access, Operation

ANY = Operation("An operation", Access.OPEN, response=None)


class Connection:
    """The connection of a request: its client, and a stream that can be closed."""

    class context:
        remote_ip = "192.0.2.1"
        protocol = "http"

    def __init__(self) -> None:
        self.stream = self
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def admit(rooms: Services) -> Any:
    """Make the admission of a request. Names with capitals are headers, others are fields."""

    def make(method: str = "GET", uri: str = "/", body: bytes = b"", **given: Any) -> Admission:
        headers = {k.replace("_", "-"): v for k, v in given.items() if k[0].isupper()}
        settings = {k: v for k, v in given.items() if k[0].islower()}
        config = {f.name for f in dataclasses.fields(rooms.config)}
        changes = {name: settings.pop(name) for name in config & settings.keys()}
        services = dataclasses.replace(rooms, config=dataclasses.replace(rooms.config, **changes))
        request = HTTPServerRequest(
            headers=HTTPHeaders({"Host": "localhost", **headers}),
            body=body,
            connection=Connection(),  # type: ignore[arg-type]
            start_line=RequestStartLine(method, uri, "HTTP/1.1"),
        )
        operations = settings.pop("operations", {"GET": ANY, "POST": ANY})
        is_draining = settings.pop("is_draining", False)
        application = {
            "is_draining": lambda: is_draining,
            "control_key": CONTROL_KEY,
            "in_flight": InFlight(),
        }
        return Admission(request, services, operations, application, **settings)

    return make


def refused_by(guard: guards.Guard, admission: Admission) -> type[QuilliumError]:
    with pytest.raises(QuilliumError) as refused:
        guard(admission)
    return type(refused.value)


# host


@pytest.mark.parametrize(
    "name",
    ["localhost", "LOCALHOST:1", "app.localhost:5173", "a.b-c.localhost", "127.9.9.9", "[::1]:80",
     "192.168.1.5:8080", "203.0.113.7", "[2001:db8::1]", "0.0.0.0", "bound.example", "named.example:1"],
)  # fmt: skip
def test_hosts_of_this_server(admit: Any, name: str) -> None:
    guards.host(admit(Host=name, host="bound.example", allowed_hosts=frozenset({"named.example"})))


@pytest.mark.parametrize(
    "name",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "xlocalhost", "0x7f.1",
     "-.localhost", "127.1", "evil.example:80"],
)  # fmt: skip
def test_other_hosts(admit: Any, name: str) -> None:
    assert refused_by(guards.host, admit(Host=name)) is errors.Forbidden
    guards.host(admit(Host=name, allowed_hosts=frozenset({"*"})))


# origin


@pytest.mark.parametrize(
    "sent",
    ["http://localhost", "https://localhost:3000", "http://app.localhost:5173", "http://127.0.0.1:1",
     "http://[::1]:8080", "tauri://localhost", "http://tauri.localhost", "https://tauri.localhost",
     "capacitor://localhost", "ionic://localhost", "http://quill.example:8080", "https://named.example"],
)  # fmt: skip
def test_origins_that_may_call(admit: Any, sent: str) -> None:
    allowed = frozenset({"https://named.example"})
    admission = admit(Host="quill.example:8080", Origin=sent, cors_allowed_origins=allowed)
    guards.origin(admission)
    assert admission.allowed_origin == sent


@pytest.mark.parametrize(
    "sent",
    ["https://evil.example", "null", "http://localhost.evil.example", "http://localhost@evil.example",
     "http://localhost:80@evil", "tauri://localhost.evil", "capacitor://evil", "file://", "",
     "http://localhost:3000/", "http://192.168.1.5", "https://quill.example:8080", "http://0x7f.1",
     "http://localhost:3000:1", "http://.localhost", "HTTP://LOCALHOST"],
)  # fmt: skip
def test_origins_that_may_not(admit: Any, sent: str) -> None:
    admission = admit(Host="quill.example:8080", Origin=sent)
    assert refused_by(guards.origin, admission) is errors.Forbidden
    assert admission.allowed_origin is None
    guards.origin(admit(Origin=sent, cors_allowed_origins=frozenset({"*"})))


def test_a_request_without_an_origin(admit: Any) -> None:
    admission = admit()
    guards.origin(admission)
    assert admission.allowed_origin is None


def test_the_own_origin_behind_a_proxy_with_tls(admit: Any) -> None:
    sent = {
        "Host": "quill.example",
        "Origin": "https://quill.example",
        "X_Forwarded_Proto": "https",
    }
    guards.origin(admit(**sent, trusted_proxy=True))
    assert refused_by(guards.origin, admit(**sent)) is errors.Forbidden
    ignored = {**sent, "X_Forwarded_Proto": "http", "X_Scheme": "https"}
    assert refused_by(guards.origin, admit(**ignored, trusted_proxy=True)) is errors.Forbidden


# draining


def test_draining(admit: Any) -> None:
    guards.draining(admit())
    guards.draining(admit(is_draining=True, is_counted=False))  # such as /health
    assert refused_by(guards.draining, admit(is_draining=True)) is errors.ShuttingDown


# simulation


async def run(guard: guards.Guard, admission: Admission) -> None:
    await guards.run((guard,), admission)


async def test_simulation_needs_dev(admit: Any) -> None:
    await run(guards.simulation, admit(X_Quillium_Simulate="status=503"))
    await run(guards.simulation, admit(dev=True))
    with pytest.raises(errors.StorageUnavailable):
        await run(guards.simulation, admit(X_Quillium_Simulate="status=503", dev=True))
    with pytest.raises(errors.InvalidRequest):
        await run(guards.simulation, admit(uri="/?simulate=nonsense", dev=True))


async def test_a_simulated_drop_ends_the_request(admit: Any) -> None:
    admission = admit(X_Quillium_Simulate="drop", dev=True)
    with pytest.raises(Finish):
        await run(guards.simulation, admission)
    assert admission.request.connection.is_closed


async def test_a_simulated_expiry_is_reported_over_the_socket(admit: Any) -> None:
    admission = admit(uri="/?simulate=token_expired,drop_after=3", dev=True)
    await run(guards.socket_simulation, admission)
    assert isinstance(admission.refusal, errors.TokenExpired)
    assert admission.simulation.drop_after == 3
    with pytest.raises(errors.StorageUnavailable):
        await run(guards.socket_simulation, admit(uri="/?simulate=status=503", dev=True))


# authentication


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_session_is_identified(admit: Any, ada: Client, scheme: str) -> None:
    admission = admit(Authorization=f"{scheme} {ada.credential}")
    guards.authentication(admission)
    assert admission.caller.user.email == "ada@example.com"
    assert admission.caller.session_id


async def test_a_key_is_identified(admit: Any, ada: Client) -> None:
    key = (await ada("POST /users/api-key")).body["api_key"]
    for sent in ({"X_API_Key": key}, {"Authorization": f"Bearer {key}"}):
        admission = admit(**sent)
        guards.authentication(admission)
        assert admission.caller.api_key_id
        assert admission.caller.session_id is None


@pytest.mark.parametrize("sent", ["Basic YTpi", "Bearer", "Bearer ", "Bearer nonsense", "nonsense"])
def test_a_wrong_credential_is_kept_as_a_refusal(admit: Any, sent: str) -> None:
    admission = admit(Authorization=sent, X_API_Key="not looked at")
    guards.authentication(admission)
    assert admission.caller is None
    assert isinstance(admission.refusal, errors.InvalidToken)


def test_a_request_without_a_credential(admit: Any) -> None:
    admission = admit()
    guards.authentication(admission)
    assert (admission.caller, admission.refusal) == (None, None)


def test_every_way_to_authenticate_a_socket(admit: Any, ada: Client) -> None:
    token = ada.credential
    for sent in (
        {"uri": f"/?token={token}"},
        {"uri": "/?token=", "Authorization": f"Bearer {token}"},
        {"X_API_Key": token},
        {"Sec_WebSocket_Protocol": f"quillium.v1, bearer.{token}"},
        {"Sec_WebSocket_Protocol": f"bearer.{token}"},
        {"uri": f"/?token={token}", "Sec_WebSocket_Protocol": "bearer.another"},
    ):
        admission = admit(**sent)
        guards.socket_authentication(admission)
        assert admission.refusal is None, sent
        assert admission.caller.session_id
    for sent, kind in (
        ({}, errors.Unauthorized),
        ({"Sec_WebSocket_Protocol": "quillium.v1"}, errors.Unauthorized),
        ({"Sec_WebSocket_Protocol": "bearer."}, errors.InvalidToken),
        ({"uri": "/?token=nonsense"}, errors.InvalidToken),
    ):
        admission = admit(**sent)
        guards.socket_authentication(admission)
        assert type(admission.refusal) is kind, sent
    with pytest.raises(errors.InvalidRequest):
        guards.socket_authentication(admit(uri="/?token=a&token=b"))


def test_the_key_of_the_servers_owner(admit: Any) -> None:
    guards.control_key(admit(Authorization=f"Bearer {CONTROL_KEY}"))
    for sent in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer ä"}):
        assert refused_by(guards.control_key, admit(**sent)) is errors.Unauthorized
    unset = admit(Authorization="Bearer ")
    unset.settings["control_key"] = ""
    assert refused_by(guards.control_key, unset) is errors.Unauthorized


# rate limit


def test_callers_without_a_user_are_counted_by_address(admit: Any) -> None:
    for left in range(99, -1, -1):
        admission = admit()
        guards.rate_limit(admission)
        assert admission.allowance.remaining == left
    assert refused_by(guards.rate_limit, admit()) is errors.RateLimited
    forwarded = {"X_Forwarded_For": "198.51.100.1, 198.51.100.2", "X_Real_Ip": "198.51.100.3"}
    assert refused_by(guards.rate_limit, admit(**forwarded)) is errors.RateLimited
    guards.rate_limit(admit(**forwarded, trusted_proxy=True))
    health = admit(is_counted=False)
    guards.rate_limit(health)
    assert health.allowance is None


def test_users_are_counted_wherever_they_are(admit: Any, ada: Client) -> None:
    left = []
    for address in ("198.51.100.1", "198.51.100.2"):
        admission = admit(
            Authorization=f"Bearer {ada.credential}", X_Forwarded_For=address, trusted_proxy=True
        )
        guards.authentication(admission)
        guards.rate_limit(admission)
        left.append(admission.allowance.remaining)
    assert left == [99, 98]


# authorization


def callers(rooms: Services, ada: Client, bob: Client) -> dict[str, Caller | None]:
    admin = rooms.accounts.authenticate(str(ada.credential))
    user = rooms.accounts.authenticate(str(bob.credential))
    return {
        "nobody": None,
        "user": user,
        "user's key": Caller(user.user, api_key_id="key_1"),
        "admin": admin,
        "admin's key": Caller(admin.user, api_key_id="key_2"),
    }


@pytest.mark.parametrize(
    ("access", "granted"),
    [
        (Access.OPEN, {"nobody", "user", "user's key", "admin", "admin's key"}),
        (Access.LOGOUT, {"nobody", "user", "user's key", "admin", "admin's key"}),
        (Access.USER, {"user", "user's key", "admin", "admin's key"}),
        (Access.SESSION, {"user", "admin"}),
        (Access.ADMIN, {"admin"}),
        (Access.WATCHER, {"admin", "admin's key"}),
    ],
)
def test_who_may_call(
    admit: Any, rooms: Services, ada: Client, bob: Client, access: Access, granted: set[str]
) -> None:
    operation = Operation("An operation", access, response=None)
    for name, caller in callers(rooms, ada, bob).items():
        admission = admit(operations={"GET": operation}, caller=caller)
        if name in granted:
            guards.authorization(admission)
        elif caller is None:
            assert refused_by(guards.authorization, admission) is errors.Unauthorized
            admission.refusal = errors.TokenExpired()
            assert refused_by(guards.authorization, admission) is errors.TokenExpired
        else:
            assert refused_by(guards.authorization, admission) is errors.Forbidden


# method, size, media type


@pytest.mark.parametrize(
    ("method", "operations", "kind"),
    [
        ("GET", {"GET": ANY}, None),
        ("HEAD", {"GET": ANY}, None),
        ("PUT", {"PUT": ANY}, None),
        ("POST", {"GET": ANY}, errors.MethodNotAllowed),
        ("HEAD", {"POST": ANY}, errors.MethodNotAllowed),
        ("GET", {}, errors.NotFound),
    ],
)
def test_methods(admit: Any, method: str, operations: Any, kind: Any) -> None:
    admission = admit(method, operations=operations)
    if kind is None:
        guards.method(admission)
    else:
        assert refused_by(guards.method, admission) is kind


def test_size(admit: Any) -> None:
    guards.size(admit())
    assert refused_by(guards.size, admit(is_too_large=True)) is errors.PayloadTooLarge


@pytest.mark.parametrize(
    ("headers", "is_json"),
    [
        ({"Content_Type": "application/json"}, True),
        ({"Content_Type": "Application/JSON; charset=utf-8"}, True),
        ({"Content_Type": "text/plain"}, False),
        ({"Content_Type": "application/jsonx"}, False),
        ({}, False),
        ({"Content_Type": "application/json", "Content_Encoding": "gzip"}, False),
    ],
)
def test_media_type(admit: Any, headers: dict[str, str], is_json: bool) -> None:
    guards.media_type(admit(**headers))  # there is no body
    admission = admit(body=b"{}", **headers)
    if is_json:
        guards.media_type(admission)
    else:
        assert refused_by(guards.media_type, admission) is errors.UnsupportedMediaType


# The lists


async def test_the_first_guard_that_refuses_decides(admit: Any) -> None:
    seen = []

    async def slow(admission: Admission) -> None:
        await asyncio.sleep(0)
        seen.append("slow")

    def quick(admission: Admission) -> None:
        seen.append("quick")

    admission = admit(is_too_large=True)
    with pytest.raises(errors.PayloadTooLarge):
        await guards.run((slow, quick, guards.size, quick), admission)
    assert seen == ["slow", "quick"]


def test_the_order() -> None:
    names = [guard.__name__ for guard in guards.REQUEST]
    assert names == [
        "host",
        "origin",
        "draining",
        "simulation",
        "authentication",
        "faults",
        "rate_limit",
        "authorization",
        "method",
        "size",
        "media_type",
    ]
    for others in (guards.PREFLIGHT, guards.SOCKET, guards.CONTROL):
        assert others[:2] == (guards.host, guards.origin)
