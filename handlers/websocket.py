"""`/ws`: frames in, one call into `services`, frames out (contract, section 7).

It forwards, nothing else. A frame that can't be handled gets an `error` frame and the socket lives.
"""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from tornado.concurrent import Future
from tornado.websocket import WebSocketClosedError, WebSocketHandler

import schemas
from core import documents, errors
from core.records import Caller
from handlers.base import BaseHandler
from handlers.operations import Access
from services import frames
from services.connections import Close
from services.limits import too_many

log = logging.getLogger("quillium.socket")

MOST_WAITING = 1 << 20  # bytes for a reader that does not read


class Socket(BaseHandler, WebSocketHandler):
    """One connection of a client."""

    caller: Caller
    _refusal: errors.QuilliumError | None = None
    _waiting = 0
    _is_leaving = False

    # The handshake

    def credential(self) -> str | None:
        return self.parameter("token") or super().credential()

    def identify(self, access: Access) -> None:
        """Find out who is calling; a refusal is told over the socket, for a browser to see."""
        credential = self.credential()
        try:
            if credential is None:
                raise errors.Unauthorized("Open the socket with ?token=<access_token>.")
            self.caller = self.services.accounts.authenticate(credential)
        except (errors.Unauthorized, errors.InvalidToken, errors.TokenExpired) as error:
            self._refusal = error
        self.count()

    async def get(self, *args: str, **kwargs: str) -> None:
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            raise errors.InvalidRequest("This is a WebSocket: open it with a WebSocket client.")
        await WebSocketHandler.get(self)

    def check_origin(self, origin: str) -> bool:
        return True  # `prepare` has checked it, as for every request

    def open(self, *args: str, **kwargs: str) -> None:
        if self._refusal is not None:
            self.send(frames.error(self._refusal).encode())
            is_expired = isinstance(self._refusal, errors.TokenExpired)
            self.close(Close.SESSION_ENDED, "token_expired" if is_expired else "invalid_token")
            return
        self.set_nodelay(True)  # a delta must not wait for the next one
        self.services.connections.add(self)
        for frame in self.services.turns.under_way(self.caller.user.id):
            self.send(frame.encode())

    def on_close(self) -> None:
        self.application.settings["under_way"].discard(self)
        if self._refusal is None:
            self.services.connections.remove(self)

    # Out

    def send(self, text: str) -> None:
        """Queue a frame. A reader that lets 1 MiB wait is let go; it may come back."""
        if self._is_leaving:
            return
        size = len(text.encode("utf-8"))
        self._waiting += size
        try:
            sent = self.write_message(text)
        except WebSocketClosedError:
            return

        def done(sent: Future[None]) -> None:
            self._waiting -= size
            sent.exception()  # the connection is gone, and `on_close` says so

        sent.add_done_callback(done)
        if self._waiting > MOST_WAITING and self._is_stuck():
            self.services.connections.remove(self)
            self.close(Close.TRY_AGAIN_LATER, "too slow")

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        self._is_leaving = True
        WebSocketHandler.close(self, code, reason)

    def _is_stuck(self) -> bool:
        """Whether bytes really wait: what was sent at once is only counted a moment longer."""
        connection: Any = self.ws_connection
        return connection is not None and connection.stream.writing()

    # In

    async def on_message(self, message: str | bytes) -> None:
        if self._is_leaving:
            return
        if isinstance(message, bytes):
            self.close(Close.UNSUPPORTED, "frames are text")
            return
        data: Any = None
        try:
            if not self.services.accounts.is_live(self.caller):
                self.services.connections.remove(self)
                self.close(Close.SESSION_ENDED, "invalid_token")
                return
            type, data = self._parse(message)
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
        allowance = self.services.limits.request(self.caller.user.id, self.services.clock())
        if allowance is not None and not allowance.passed:
            raise too_many(allowance)
        schemas.validate("client_message", data)
        added = await self.services.turns.submit(
            self.caller.user, data["chat_id"], data["content"], data.get("client_id")
        )
        if not added.is_new:
            self.send(frames.message(added.message).encode())

    async def receive_typing(self, data: Any) -> None:
        self._count_signal()
        schemas.validate("client_typing", data)
        is_typing = data.get("is_typing", True)
        self.services.chats.typing(self.caller.user, data["chat_id"], is_typing)

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
        self.services.limits.signal(self.caller.user.id, self.services.clock())

    def _send_error(self, error: errors.QuilliumError, data: Any) -> None:
        """Answer a frame with an error that names what it answers, where that is known."""
        known = data if isinstance(data, dict) else {}
        answers = {
            name: value[:100]
            for name in ("chat_id", "client_id")
            if isinstance(value := known.get(name), str)
        }
        self.send(frames.error(error, **answers).encode())
