"""Guards: the checks that run before a handler method.

Each guard is a function of the `Admission` that raises an error to reject the request. A handler
names its list of guards, which run in order, the cheapest checks first.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from tornado.httputil import HTTPServerRequest
from tornado.web import Finish

from core import errors, fairness
from core.api_paths import is_api, without_prefix
from core.rate_limit import Allowance
from services import Services
from services.limits import too_many
from services.settings import REQUESTS_PER_MINUTE
from web import origins, parameters
from web.admission import Admission, allowed_methods
from web.body import Owner
from web.operations import Access
from web.simulation import of_rule, simulated

SUBPROTOCOL = "quillium.v1"
_BEARER_SUBPROTOCOL = "bearer."

Guard = Callable[[Admission], Awaitable[None] | None]


async def run(guards: tuple[Guard, ...], admission: Admission) -> None:
    """Run guards in order. Raises the error of the first guard that rejects the request."""
    for guard in guards:
        waiting = guard(admission)
        if waiting is not None:
            await waiting


# Origin of the request


def host(admission: Admission) -> None:
    """Reject host names that are not this server's, against DNS rebinding. Raises `Forbidden`.

    Another site can make its own name resolve to this machine, and its pages then count as same-
    origin. An IP literal can't be rebound.
    """
    name = origins.host_name(admission.request.host)
    config = admission.services.config
    if origins.is_local(name) or origins.is_ip_literal(name) or name == config.host.lower():
        return
    if name not in config.allowed_hosts and "*" not in config.allowed_hosts:
        raise errors.Forbidden("This Host is not among the allowed hosts.")


def origin(admission: Admission) -> None:
    """Reject requests from pages of other sites. Raises `Forbidden`."""
    sent = admission.request.headers.get("Origin")
    if sent is None:
        return
    allowed = admission.services.config.cors_allowed_origins
    if (
        sent != admission.own_origin
        and not origins.is_local_origin(sent)
        and sent.lower() not in allowed
        and "*" not in allowed
    ):
        raise errors.Forbidden("This Origin is not among the allowed origins.")
    admission.allowed_origin = sent


# Server state


def draining(admission: Admission) -> None:
    """Reject requests during shutdown. Raises `ShuttingDown`."""
    if admission.is_counted and admission.settings["is_draining"]():
        raise errors.ShuttingDown("The server is shutting down. Try again in a moment.")


def simulation(admission: Admission) -> Awaitable[None] | None:
    """In development mode, simulate the failure that `X-Quillium-Simulate` names (section 10)."""
    return _simulation(admission)


def _simulation(admission: Admission, *, is_socket: bool = False) -> Awaitable[None] | None:
    if not admission.services.config.dev:
        return None
    sent = admission.request.headers.get("X-Quillium-Simulate") or parameters.text(
        admission.request.query_arguments, "simulate"
    )
    admission.simulation = simulated(sent or "", is_socket=is_socket)
    return _simulate(admission) if sent else None


def faults(admission: Admission) -> Awaitable[None] | None:
    """In a test backend, simulate the failure that a rule asks for (section 11).

    Rules don't concern pages, nor the API that sets them.
    """
    dev = admission.services.dev
    path = admission.request.path
    if dev is None or not is_api(path) or admission.route.startswith("/dev/"):
        return None
    user = admission.caller.user if admission.caller is not None else None
    method, route = admission.request.method or "", admission.route
    respond = dev.rules.of_request(method, without_prefix(path), route, user)
    if respond is None:
        return None
    admission.simulation = of_rule(respond)
    return _simulate(admission)


async def socket_faults(admission: Admission) -> None:
    """Like `faults`, but report an expired token over the socket, like a real one."""
    try:
        waiting = faults(admission)
        if waiting is not None:
            await waiting
    except errors.TokenExpired as error:
        admission.refusal = error


async def _simulate(admission: Admission) -> None:
    await admission.settings["in_flight"].pause(admission.simulation.seconds)
    error = admission.simulation.error
    if error is not None:
        if isinstance(error, errors.RateLimited):
            limit = admission.services.settings.admin()["rate_limit_per_minute"]
            admission.allowance = Allowance(
                False, limit or REQUESTS_PER_MINUTE, 0, error.retry_after
            )
        raise error
    if admission.simulation.drop:
        # Closed, not detached, so that the request still ends and is counted.
        admission.request.connection.stream.close()  # type: ignore[union-attr]
        raise Finish


async def socket_simulation(admission: Admission) -> None:
    """Like `simulation`, but report an expired token over the socket, like a real one."""
    try:
        waiting = _simulation(admission, is_socket=True)
        if waiting is not None:
            await waiting
    except errors.TokenExpired as error:
        admission.refusal = error


# Authentication


def authentication(admission: Admission) -> None:
    """Identify the caller, who is charged for the request's work (`core.fairness`).

    Store the error of a bad credential: not every operation needs one.
    """
    _identify(admission, credential(admission.request))


def socket_authentication(admission: Admission) -> None:
    """Identify the caller of a WebSocket; browsers need the error sent over the socket."""
    sent = socket_credential(admission.request)
    if admission.refusal is not None:
        return
    if sent is None:
        admission.refusal = errors.Unauthorized("Open the socket with ?token=<access_token>.")
    _identify(admission, sent)


def control_key(admission: Admission) -> None:
    """Accept only commands of the server's owner, who can read the data folder.

    Raises `Unauthorized`.
    """
    key = admission.settings["control_key"]
    sent = credential(admission.request) or ""
    if not key or not hmac.compare_digest(sent.encode(), key.encode()):
        raise errors.Unauthorized("This is for commands of the server's owner.")


def _identify(admission: Admission, sent: str | None) -> None:
    fairness.charge(admission.client_network)
    if sent is None:
        return
    try:
        admission.caller = admission.services.accounts.authenticate(sent, admission.client)
    except (errors.InvalidToken, errors.TokenExpired) as error:
        admission.refusal = error
    else:
        fairness.charge(admission.caller.user.id)


def credential(request: HTTPServerRequest) -> str | None:
    """Return the access token or API key of a request, None if there is none.

    An `Authorization` header of another scheme yields an empty credential, which is rejected.
    """
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        return value.strip() if scheme.lower() == "bearer" else ""
    return request.headers.get("X-API-Key")


def socket_credential(request: HTTPServerRequest) -> str | None:
    """Return the credential of a handshake: `token=`, a header or a `bearer.` subprotocol.

    Browsers can't set headers in a handshake. Raises `InvalidRequest` for two tokens.
    """
    sent = parameters.text(request.query_arguments, "token") or credential(request)
    if sent is not None:
        return sent
    for offered in request.headers.get("Sec-WebSocket-Protocol", "").split(","):
        if offered.strip().startswith(_BEARER_SUBPROTOCOL):
            return offered.strip().removeprefix(_BEARER_SUBPROTOCOL)
    return None


def owner(request: HTTPServerRequest, services: Services) -> Owner:
    """Return who sends a request: its account, or without one the client's address."""
    admission = Admission(request, services, {})
    authentication(admission)
    if admission.caller is None:
        return Owner(admission.client_network, False)
    return Owner(admission.caller.user.id, True)


def rate_limit(admission: Admission) -> None:
    """Apply the rate limit per user, or per client address if anonymous. Raises `RateLimited`."""
    if not admission.is_counted:
        return
    services, caller = admission.services, admission.caller
    key = caller.user.id if caller else admission.client_network
    admission.allowance = services.limits.request(key)
    if admission.allowance is not None and not admission.allowance.passed:
        raise too_many(admission.allowance)


def authorization(admission: Admission) -> None:
    """Raise unless the caller has the operation's required access."""
    if admission.operation is not None:
        authorize(admission, admission.operation.access)


def authorize(admission: Admission, access: Access) -> None:
    """Raise `Unauthorized`, `Forbidden` or the credential's error unless access is granted.

    The handler itself checks a refresh token in the body (`LOGOUT`).
    """
    if access in (Access.OPEN, Access.LOGOUT):
        return
    if admission.refusal is not None:
        raise admission.refusal
    if admission.caller is None:
        raise errors.Unauthorized("Send an access token: Authorization: Bearer <access_token>.")
    if access in (Access.SESSION, Access.ADMIN) and admission.caller.session_id is None:
        raise errors.Forbidden("An API key may not do this. Sign in instead.")
    if access in (Access.ADMIN, Access.WATCHER) and not admission.caller.user.is_admin:
        raise errors.Forbidden("Only an admin may do this.")


# Path, method and body


def method(admission: Admission) -> None:
    """Raise `NotFound` for an unknown path, `MethodNotAllowed` for an unsupported method."""
    if not admission.operations:
        raise errors.NotFound("path in this API")
    if admission.operation is None:
        raise errors.MethodNotAllowed(f"Allowed here: {allowed_methods(admission.operations)}.")


def size(admission: Admission) -> None:
    """Raise `PayloadTooLarge`. The server still reads the body so the client sees the response."""
    if admission.is_too_large:
        raise errors.PayloadTooLarge(f"A body may have at most {admission.max_body:,} bytes.")


def media_type(admission: Admission) -> None:
    """Raise `UnsupportedMediaType` unless the body is uncompressed JSON."""
    if not admission.request.body:
        return
    headers = admission.request.headers
    if "Content-Encoding" in headers:
        raise errors.UnsupportedMediaType("Send the body without Content-Encoding.")
    if headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        raise errors.UnsupportedMediaType("Send Content-Type: application/json.")


REQUEST: tuple[Guard, ...] = (
    host,
    origin,
    draining,
    simulation,
    authentication,
    faults,
    rate_limit,
    authorization,
    method,
    size,
    media_type,
)
PREFLIGHT: tuple[Guard, ...] = (host, origin, draining)  # no authentication, no rate limit
SOCKET: tuple[Guard, ...] = (
    host,
    origin,
    draining,
    socket_simulation,
    socket_authentication,
    socket_faults,
    rate_limit,
    method,
)
DEV: tuple[Guard, ...] = (host, origin, method, size, media_type)  # whoever sends it
CONTROL: tuple[Guard, ...] = (host, origin, control_key, method, size, media_type)
