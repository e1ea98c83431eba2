"""`/ws`: frames in, one call into `services`, frames out (contract, section 7).

It forwards, nothing else. A frame that can't be handled gets an `error` frame and the socket lives.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
from typing import Any, ClassVar

from tornado.concurrent import Future, future_add_done_callback
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketHandler

import schemas
from core import coroutines, documents, errors
from core.records import Caller
from services import frames
from services.connections import Close
from services.joining import Since
from services.limits import too_many
from services.subscriptions import Subscription
from web import parameters
from web.base import BaseHandler
from web.operations import Access

log = logging.getLogger("quillium.socket")

MAX_WAITING = 1 << 20  # bytes for a reader that does not read
BUSY_WAITING = 1 << 16  # bytes, beside what the system holds; fewer frames from here on


class Socket(BaseHandler, WebSocketHandler):
    """One connection of a client."""

    caller: Caller
    _since: Since = None
    _subscription: Subscription | None = None
    _waiting = 0
    _sent_frames = 0
    _is_leaving = False

    def initialize(self, **given: Any) -> None:  # type: ignore[override]
        super().initialize(**given)
        self._unsent: list[bytes] = []  # heads and payloads of frames, by turns

    # The handshake

    def credential(self) -> str | None:
        return self.parameter("token") or super().credential()

    async def simulate(self) -> bool:
        try:
            return await super().simulate()
        except errors.TokenExpired as error:
            self._refusal = error
            return False

    def identify(self, access: Access) -> None:
        """Find out who is calling; a refusal is told over the socket, for a browser to see."""
        credential = self.credential()
        try:
            if self._refusal is not None:
                raise self._refusal
            if credential is None:
                raise errors.Unauthorized("Open the socket with ?token=<access_token>.")
            self.caller = self.services.accounts.authenticate(credential)
        except (errors.Unauthorized, errors.InvalidToken, errors.TokenExpired) as error:
            self._refusal = error
        self.count()

    async def get(self, *args: str, **kwargs: str) -> None:
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            raise errors.InvalidRequest("This is a WebSocket: open it with a WebSocket client.")
        self._since = parameters.since(self.request.query_arguments)
        await WebSocketHandler.get(self)

    def check_origin(self, origin: str) -> bool:
        return True  # `prepare` has checked it, as for every request

    def open(self, *args: str, **kwargs: str) -> None:
        if self._refusal is not None:
            self.send(frames.error(self._refusal).encoded)
            is_expired = isinstance(self._refusal, errors.TokenExpired)
            self.close(Close.SESSION_ENDED, "token_expired" if is_expired else "invalid_token")
            return
        if self._simulation.drop_after == 0:
            self._break()
            return
        try:
            self._subscription = self.services.joining.join(self, self._since)
        except errors.StorageUnavailable as error:
            self._give_up(error)

    def on_close(self) -> None:
        self._leave()

    def on_pong(self, data: bytes) -> None:
        """Every 30 s: a session may have ended without anybody saying so here."""
        with contextlib.suppress(errors.StorageUnavailable):
            self._is_welcome()

    # Out

    def send(self, encoded: bytes) -> None:
        """Queue a frame. A reader that lets 1 MiB wait is let go; it may come back.

        What waits already is what counts: one frame alone may be larger.
        """
        if self._is_leaving or self._sent_frames == self._simulation.drop_after:
            return
        if self._waiting > MAX_WAITING and self._is_writing():
            self._leave()
            self.close(Close.TRY_AGAIN_LATER, "too slow")
            return
        self.services.metrics.frame_sent()
        self._waiting += len(encoded)
        self._sent_frames += 1
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._write)
        self._unsent += (_head_of_text(len(encoded)), encoded)

    def _write(self) -> None:
        """Write all frames of a round of the loop at once.

        Tornado's `write_message` makes a task of each and asks the system for each: that was a
        fourth of what a turn costs.
        """
        frames, self._unsent = self._unsent, []
        connection: Any = self.ws_connection
        if not frames or connection is None or connection.is_closing():
            return
        size = sum(len(encoded) for encoded in frames[1::2])
        try:
            written = connection.stream.write(b"".join(frames))
        except StreamClosedError:  # `on_close` says so
            return
        future_add_done_callback(written, lambda written: self._written(written, size))

    @property
    def is_busy(self) -> bool:
        return self._waiting > BUSY_WAITING and self._is_writing()

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        self._is_leaving = True
        self._write()
        WebSocketHandler.close(self, code, reason)

    def _written(self, written: Future[None], size: int) -> None:
        self._waiting -= size
        if written.exception() is not None:  # the connection is gone, and `on_close` says so
            return
        if not self._waiting and self._sent_frames == self._simulation.drop_after:
            self._break()
        if not self._waiting and self._subscription is not None and not self._is_leaving:
            try:
                self._subscription.resume()
            except errors.StorageUnavailable as error:
                self._give_up(error)

    def _break(self) -> None:
        """Have the connection break, as a simulation asks for: no frame says why."""
        connection: Any = self.ws_connection
        connection.stream.close()

    def _is_writing(self) -> bool:
        """Whether bytes really wait: what was sent at once is only counted a moment longer."""
        connection: Any = self.ws_connection
        return connection is not None and connection.stream.writing()

    def _leave(self) -> None:
        if self._subscription is not None:
            self.services.connections.remove(self._subscription)

    def _give_up(self, error: errors.QuilliumError) -> None:
        """What it lacks can't be read now: it may come back."""
        self._leave()
        self._send_error(error, None)
        self.close(Close.TRY_AGAIN_LATER, error.code)

    def _is_welcome(self) -> bool:
        """Whether the session or key still lives; if not, the socket closes."""
        if self.services.accounts.is_live(self.caller):
            return True
        self._leave()
        self.close(Close.SESSION_ENDED, "invalid_token")
        return False

    # In

    def on_message(self, message: str | bytes) -> Future[None] | None:
        if self._is_leaving:
            return None
        if isinstance(message, bytes):
            self.close(Close.UNSUPPORTED, "frames are text")
            return None
        return coroutines.begin(self._receive(message))

    async def _receive(self, message: str) -> None:
        data: Any = None
        try:
            if not self._is_welcome():
                return
            type, data = self._parse(message)
            self.services.metrics.frame_received(type)
            await self._RECEIVERS[type](self, data)
        except errors.QuilliumError as error:
            self._send_error(error, data)
        except Exception:
            log.exception("a frame could not be handled")
            self._send_error(errors.InternalError("The frame could not be handled."), data)

    def _parse(self, message: str) -> tuple[str, Any]:
        """Type and data of a frame. What is no frame at all counts as a signal."""
        try:
            frame = documents.parse(message)
            type = frame.get("type")
            if not isinstance(type, str) or type not in self._RECEIVERS:
                known = ", ".join(self._RECEIVERS)
                raise errors.InvalidRequest(f"type: expected one of {known}")
            return type, frame.get("data")
        except errors.InvalidRequest:
            self._count_signal()
            raise

    async def receive_message(self, data: Any) -> None:
        allowance = self.services.limits.request(self.caller.user.id)
        if allowance is not None and not allowance.passed:
            raise too_many(allowance)
        schemas.validate("client_message", data)
        added = await self.services.conversation.submit(
            self.caller.user, data["chat_id"], data["content"], data.get("client_id")
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
        """Answer a frame with an error that names what it answers, where that is known."""
        known = data if isinstance(data, dict) else {}
        answers = {
            name: value[:100]
            for name in ("chat_id", "client_id")
            if isinstance(value := known.get(name), str)
        }
        self.send(frames.error(error, **answers).encoded)


def _head_of_text(length: int) -> bytes:
    """What goes before the payload of a whole text frame (RFC 6455, section 5.2)."""
    if length < 126:
        return struct.pack("!BB", 0x81, length)
    if length < 1 << 16:
        return struct.pack("!BBH", 0x81, 126, length)
    return struct.pack("!BBQ", 0x81, 127, length)
