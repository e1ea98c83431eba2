"""`/ws`: the WebSocket (contract, section 7).

Each received frame becomes one call into `services`. An invalid frame is answered with an `error`
frame, and the socket stays open.
"""

from __future__ import annotations

import base64
import contextlib
import logging
from typing import Any, ClassVar

from tornado.concurrent import Future
from tornado.websocket import WebSocketHandler

import schemas
from core import coroutines, documents, errors
from core.records import Caller
from services import frames
from services.connections import Close
from services.joining import Since
from services.limits import too_many
from services.subscriptions import Subscription
from services.uploads import attached_ids
from web import guards, parameters
from web.base import BaseHandler
from web.frames import FrameWriter, Protocol
from web.guards import SUBPROTOCOL
from web.simulation import of_rule

log = logging.getLogger("quillium.socket")


class Socket(BaseHandler, WebSocketHandler):
    """One WebSocket of a client."""

    guards = guards.SOCKET

    _since: Since = None
    _subscription: Subscription | None = None
    _writer: FrameWriter | None = None
    _is_leaving = False

    @property
    def caller(self) -> Caller:
        return self.known_caller

    # The handshake

    async def get(self, *args: str, **kwargs: str) -> None:
        self._check_handshake()
        self._since = parameters.since(self.request.query_arguments)
        await WebSocketHandler.get(self)

    def _check_handshake(self) -> None:
        """Raise `InvalidRequest` where Tornado would send plain text (RFC 6455, section 4.2.1)."""
        headers = self.request.headers
        connection = headers.get("Connection", "").lower().replace(" ", "").split(",")
        if headers.get("Upgrade", "").lower() != "websocket" or "upgrade" not in connection:
            raise errors.InvalidRequest("This is a WebSocket. Connect with a WebSocket client.")
        if headers.get("Sec-WebSocket-Version") != "13":
            raise errors.InvalidRequest("Sec-WebSocket-Version: expected 13")
        try:
            key = base64.b64decode(headers.get("Sec-WebSocket-Key", ""), validate=True)
        except ValueError:
            key = b""
        if len(key) != 16:
            raise errors.InvalidRequest("Sec-WebSocket-Key: expected 16 bytes in Base64")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Sec-WebSocket-Version", "13")  # for a client that uses another version
        super().write_error(status_code, **kwargs)

    def check_origin(self, origin: str) -> bool:
        return True  # already checked by a guard, as for every request

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return SUBPROTOCOL if SUBPROTOCOL in subprotocols else None

    def get_websocket_protocol(self) -> Protocol | None:
        usual = super().get_websocket_protocol()
        return Protocol(self, False, usual.params) if usual else None  # type: ignore[attr-defined]

    def open(self, *args: str, **kwargs: str) -> None:
        assert self.admission is not None
        assert isinstance(self.ws_connection, Protocol)
        self.set_nodelay(True)  # otherwise Nagle's algorithm delays a frame by up to 40 ms
        self._writer = FrameWriter(self.ws_connection, self._drained)
        refusal = self.admission.refusal
        if refusal is not None:
            self.send(frames.error(refusal).encoded)
            is_expired = isinstance(refusal, errors.TokenExpired)
            self.close(Close.SESSION_ENDED, "token_expired" if is_expired else "invalid_token")
            return
        simulation = self.admission.simulation
        if simulation.frame_error is not None:
            self.send(frames.error(simulation.frame_error).encoded)
        if self._max_frames == 0 or (simulation.close_code and self._max_frames is None):
            self._break()
            return
        try:
            self._subscription = self.services.joining.join(self, self._since)
        except errors.StorageUnavailable as error:
            self._disconnect(error)

    def on_close(self) -> None:
        self._leave()

    def on_pong(self, data: bytes) -> None:
        """Check the session every 30 s, because a session can expire without an event."""
        if not self._is_leaving:
            with contextlib.suppress(errors.StorageUnavailable):
                self._check_session()

    # Sending

    def send(self, encoded: bytes) -> None:
        """Queue a frame. Disconnect a client with more than 1 MiB unsent; it may reconnect."""
        if self._is_leaving or self._writer is None or self._writer.count == self._max_frames:
            return
        if self._writer.is_full:
            self._leave()
            self.close(Close.TRY_AGAIN_LATER, "too slow")
            return
        assert self.admission is not None
        simulation = self.admission.simulation
        if simulation.is_half_open:
            return
        self.services.metrics.frame_sent()
        if self.services.dev is not None:
            self._record("sent", encoded)
        self._writer.write(encoded)
        if simulation.repeat:
            self._writer.write(encoded)

    @property
    def is_busy(self) -> bool:
        return self._writer is not None and self._writer.is_busy

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        self._is_leaving = True
        if self._writer is not None:
            self._writer.flush()
        WebSocketHandler.close(self, code, reason)

    def _drained(self) -> None:
        assert self._writer is not None
        if self._writer.count == self._max_frames:
            self._break()
        if self._subscription is not None and not self._is_leaving:
            try:
                self._subscription.resume()
            except errors.StorageUnavailable as error:
                self._disconnect(error)

    @property
    def _max_frames(self) -> int | None:
        """The number of frames after which a simulation drops the connection."""
        return self.admission.simulation.drop_after if self.admission else None

    def _break(self) -> None:
        """Drop the connection, without a close frame unless the simulated failure has a code."""
        assert isinstance(self.ws_connection, Protocol)
        assert self.admission is not None
        if self.admission.simulation.close_code is not None:
            self._leave()
            self.close(self.admission.simulation.close_code, "simulated")
            return
        self.ws_connection.stream.close()

    def _record(self, kind: str, encoded: bytes | str) -> None:
        """Add a frame to the journal of a test backend."""
        assert self.services.dev is not None
        caller = self.admission.caller if self.admission else None
        user_id = caller.user.id if caller else None
        self.services.dev.journal.add(encoded, kind=kind, user_id=user_id)

    async def _simulate(self, type: str) -> bool:
        """Simulate the failure that a rule of a test backend asks for; return whether to go on."""
        assert self.services.dev is not None
        assert self.admission is not None
        respond = self.services.dev.rules.of_frame(type, self.caller.user)
        if respond is None:
            return True
        fault = of_rule(respond)
        await self.application.settings["in_flight"].pause(fault.seconds)
        if fault.drop or fault.close_code is not None:
            self.admission.simulation = fault
            self._break()
            return False
        error = fault.frame_error or fault.error
        if error is not None:
            raise error
        return True

    def _leave(self) -> None:
        if self._subscription is not None:
            self.services.connections.remove(self._subscription)

    def _disconnect(self, error: errors.QuilliumError) -> None:
        """Disconnect a client whose missed frames can't be read; it may reconnect."""
        self._leave()
        self._send_error(error, None)
        self.close(Close.TRY_AGAIN_LATER, error.code)

    def _check_session(self) -> bool:
        """Return whether the session or key is still valid; close the socket if it is not."""
        if self.services.accounts.is_live(self.caller):
            return True
        self._leave()
        self.close(Close.SESSION_ENDED, "invalid_token")
        return False

    # Receiving

    def on_message(self, message: str | bytes) -> Future[None] | None:
        is_deaf = self.admission is not None and self.admission.simulation.is_half_open
        if self._is_leaving or is_deaf:
            return None
        if isinstance(message, bytes):
            self.close(Close.UNSUPPORTED, "only text frames are supported")
            return None
        return coroutines.begin(self._receive(message))

    async def _receive(self, message: str) -> None:
        data: Any = None
        try:
            if not self._check_session():
                return
            type, data = self._parse(message)
            self.services.metrics.frame_received(type)
            if self.services.dev is not None:
                self._record("received", message)
                if not await self._simulate(type):
                    return
            await self._RECEIVERS[type](self, data)
        except errors.QuilliumError as error:
            self._send_error(error, data)
        except Exception:
            log.exception("a frame could not be handled")
            self._send_error(errors.InternalError("The frame could not be handled."), data)

    def _parse(self, message: str) -> tuple[str, Any]:
        """Return the type and data of a frame. An invalid frame counts against the signal limit."""
        try:
            frame = documents.parse(message, what="frame")
            type = frame.get("type")
            if not isinstance(type, str) or type not in self._RECEIVERS:
                known = ", ".join(self._RECEIVERS)
                raise errors.InvalidRequest(f"type: expected one of {known}")
            data = frame.get("data")
            if not isinstance(data, dict):
                raise errors.InvalidRequest(f"data: {schemas.kind(data)}, expected an object")
            return type, data
        except errors.InvalidRequest:
            self._count_signal()
            raise

    async def receive_message(self, data: Any) -> None:
        allowance = self.services.limits.request(self.caller.user.id)
        if allowance is not None and not allowance.passed:
            raise too_many(allowance)
        schemas.validate("client_message", data)
        added = await self.services.conversation.submit(
            self.caller.user,
            data["chat_id"],
            data["content"],
            data.get("client_id"),
            file_ids=attached_ids(data.get("attachments", [])),
            replaces=data.get("replaces"),
            is_from_page=self.is_from_page,
        )
        if not added.is_new and self._subscription is not None:
            self._subscription.answer(frames.message(added.message))

    async def receive_typing(self, data: Any) -> None:
        self._count_signal()
        schemas.validate("client_typing", data)
        is_typing = data.get("is_typing", True)
        self.services.chats.typing(
            self.caller.user, data["chat_id"], is_typing, sender=self._subscription
        )

    async def receive_read(self, data: Any) -> None:
        self._count_signal()
        schemas.validate("client_read", data)
        await self.services.chats.read(self.caller.user, data["chat_id"], data.get("message_id"))

    _RECEIVERS: ClassVar = {
        "message": receive_message,
        "typing": receive_typing,
        "read": receive_read,
    }

    def _count_signal(self) -> None:
        self.services.limits.signal(self.caller.user.id)

    def _send_error(self, error: errors.QuilliumError, data: Any) -> None:
        """Send an `error` frame with the `chat_id` and `client_id` that caused it, if known."""
        known = data if isinstance(data, dict) else {}
        answers = {
            name: value[:100]
            for name in ("chat_id", "client_id")
            if isinstance(value := known.get(name), str)
        }
        self.send(frames.error(error, **answers).encoded)
