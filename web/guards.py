"""Guards: what a request must pass before a method of its handler runs.

Each guard is a function of the `Admission` that raises to refuse the request. A handler names the
list that applies to it; the order is the order of the list, the cheapest checks first.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from tornado.httputil import HTTPServerRequest
from tornado.web import Finish

from core import errors
from services.limits import too_many
from web import origins, parameters
from web.admission import Admission, allowed_methods
from web.errors import ERRORS_BY_STATUS
from web.operations import Access
from web.simulation import simulated

SUBPROTOCOL = "quillium.v1"
_BEARER_SUBPROTOCOL = "bearer."

Guard = Callable[[Admission], Awaitable[None] | None]


async def run(guards: tuple[Guard, ...], admission: Admission) -> None:
    """Run guards in order. Raises what the first one that refuses the request raises."""
    for guard in guards:
        waiting = guard(admission)
        if waiting is not None:
            await waiting


# Where the request comes from


def host(admission: Admission) -> None:
    """Refuse names that are not this server's, against DNS rebinding. Raises `Forbidden`.

    A page of another site can have its own name resolve to this machine, and is then of the same
    origin. An IP literal can't be rebound.
    """
    name = origins.host_name(admission.request.host)
    config = admission.services.config
    if origins.is_local(name) or origins.is_ip_literal(name) or name == config.host.lower():
        return
    if name not in config.allowed_hosts and "*" not in config.allowed_hosts:
        raise errors.Forbidden("This Host is not among the allowed hosts.")


def origin(admission: Admission) -> None:
    """Refuse pages of other sites. Raises `Forbidden`."""
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


# Whether requests are served now


def draining(admission: Admission) -> None:
    """Refuse requests once the server shuts down. Raises `ShuttingDown`."""
    if admission.is_counted and admission.settings["is_draining"]():
        raise errors.ShuttingDown("The server is shutting down. Try again in a moment.")


def simulation(admission: Admission) -> Awaitable[None] | None:
    """With `--dev`, fail as `X-Quillium-Simulate` asks (contract, section 10)."""
    if not admission.services.config.dev:
        return None
    sent = admission.request.headers.get("X-Quillium-Simulate") or parameters.text(
        admission.request.query_arguments, "simulate"
    )
    admission.simulation = simulated(sent or "", ERRORS_BY_STATUS)
    return _simulate(admission) if sent else None


async def _simulate(admission: Admission) -> None:
    await admission.settings["in_flight"].pause(admission.simulation.seconds)
    if admission.simulation.error is not None:
        raise admission.simulation.error
    if admission.simulation.drop:
        # Closed, not detached: then the request still ends, for those who count it.
        admission.request.connection.stream.close()  # type: ignore[union-attr]
        raise Finish


async def socket_simulation(admission: Admission) -> None:
    """As `simulation`, but an expired token is reported over the socket, as a real one is."""
    try:
        waiting = simulation(admission)
        if waiting is not None:
            await waiting
    except errors.TokenExpired as error:
        admission.refusal = error


# Who is calling


def authentication(admission: Admission) -> None:
    """Identify the caller. A credential that is refused is kept: not every operation needs one."""
    _identify(admission, credential(admission.request))


def socket_authentication(admission: Admission) -> None:
    """Identify the caller of a WebSocket; the refusal is sent over the socket, for browsers."""
    sent = socket_credential(admission.request)
    if admission.refusal is not None:
        return
    if sent is None:
        admission.refusal = errors.Unauthorized("Open the socket with ?token=<access_token>.")
    _identify(admission, sent)


def control_key(admission: Admission) -> None:
    """Let in commands of the server's owner, who can read the data folder.

    Raises `Unauthorized`.
    """
    key = admission.settings["control_key"]
    sent = credential(admission.request) or ""
    if not key or not hmac.compare_digest(sent.encode(), key.encode()):
        raise errors.Unauthorized("This is for commands of the server's owner.")


def _identify(admission: Admission, sent: str | None) -> None:
    if sent is None:
        return
    try:
        admission.caller = admission.services.accounts.authenticate(sent, admission.client)
    except (errors.InvalidToken, errors.TokenExpired) as error:
        admission.refusal = error


def credential(request: HTTPServerRequest) -> str | None:
    """Return the access token or API key of a request, None if there is none.

    An `Authorization` of another kind is an empty one: it is refused, not overlooked.
    """
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        return value.strip() if scheme.lower() == "bearer" else ""
    return request.headers.get("X-API-Key")


def socket_credential(request: HTTPServerRequest) -> str | None:
    """Return the credential of a handshake: `token=`, a header, or a `bearer.` subprotocol.

    A browser can't send headers with a handshake. Raises `InvalidRequest` for two tokens.
    """
    sent = parameters.text(request.query_arguments, "token") or credential(request)
    if sent is not None:
        return sent
    for offered in request.headers.get("Sec-WebSocket-Protocol", "").split(","):
        if offered.strip().startswith(_BEARER_SUBPROTOCOL):
            return offered.strip().removeprefix(_BEARER_SUBPROTOCOL)
    return None


def rate_limit(admission: Admission) -> None:
    """Count the request by user, or by client address without one. Raises `RateLimited`."""
    if not admission.is_counted:
        return
    services, caller = admission.services, admission.caller
    key = caller.user.id if caller else admission.client_address
    admission.allowance = services.limits.request(key)
    if admission.allowance is not None and not admission.allowance.passed:
        raise too_many(admission.allowance)


def authorization(admission: Admission) -> None:
    """Raise unless the caller may call the operation."""
    if admission.operation is not None:
        authorize(admission, admission.operation.access)


def authorize(admission: Admission, access: Access) -> None:
    """Raise `Unauthorized`, `Forbidden` or the credential's refusal unless access is granted.

    A refresh token in the body (`LOGOUT`) is the handler's to check.
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


# What is sent


def method(admission: Admission) -> None:
    """Raise `NotFound` for an unknown path, `MethodNotAllowed` for a method it does not have."""
    if not admission.operations:
        raise errors.NotFound("path in this API")
    if admission.operation is None:
        raise errors.MethodNotAllowed(f"Allowed here: {allowed_methods(admission.operations)}.")


def size(admission: Admission) -> None:
    """Raise `PayloadTooLarge`. The server reads on so that the client sees the response."""
    if admission.is_too_large:
        raise errors.PayloadTooLarge(f"A body may have at most {admission.max_body:,} bytes.")


def media_type(admission: Admission) -> None:
    """Raise `UnsupportedMediaType` unless a body is plain JSON."""
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
    rate_limit,
    authorization,
    method,
    size,
    media_type,
)
PREFLIGHT: tuple[Guard, ...] = (host, origin, draining)  # needs no token and is not counted
SOCKET: tuple[Guard, ...] = (
    host,
    origin,
    draining,
    socket_simulation,
    socket_authentication,
    rate_limit,
    method,
)
CONTROL: tuple[Guard, ...] = (host, origin, control_key, method, size, media_type)
