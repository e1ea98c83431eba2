"""`/files`: upload, download and delete files (contract, section 6)."""

from __future__ import annotations

import contextlib

from tornado.iostream import StreamClosedError
from tornado.web import stream_request_body

from core import file_names
from core.errors import PayloadTooLarge, QuilliumError, UnsupportedMediaType
from services import uploads
from web import headers
from web.base import BaseHandler


@stream_request_body
class Files(BaseHandler):
    """Stores the body while it arrives.

    A refused body is read to its end and dropped, so that the client sees the response.
    """

    max_body = uploads.MAX_BYTES
    streams_body = True

    async def prepare(self) -> None:
        announced = self.request.headers.get("Content-Length", "0")
        self.is_too_large = int(announced) > self.max_body  # Tornado has checked that it is one
        try:
            await super().prepare()
            if self.request.method == "POST":
                self._begin(int(announced))
        except QuilliumError as error:
            if self.request.method == "OPTIONS":
                raise
            self._refusal = error

    def _begin(self, announced: int) -> None:
        if "Content-Encoding" in self.request.headers:
            raise UnsupportedMediaType("Send the file without Content-Encoding.")
        name = self.parameter("name") or ""
        self._upload = self.services.uploads.begin(self.known_caller.user, name, announced)

    async def data_received(self, chunk: bytes) -> None:
        self._received += len(chunk)
        if self._upload is None or self._refusal is not None:
            return
        try:
            if self._received > self.max_body:
                raise PayloadTooLarge(f"A file may have at most {self.max_body:,} bytes.")
            await self._upload.add(chunk)
        except QuilliumError as error:
            self._refusal = error
            self._upload.abort()

    async def post(self) -> None:
        if self._refusal is not None:
            raise self._refusal
        assert self._upload is not None
        file = await self._upload.complete()
        self.respond(file.public())

    def as_known(self, raised: BaseException | None, status: int) -> QuilliumError:
        return self._refusal or super().as_known(raised, status)

    def on_finish(self) -> None:
        self._abort()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self._abort()

    def _abort(self) -> None:
        if self._upload is not None:
            self._upload.abort()

    _upload: uploads.Upload | None = None
    _refusal: QuilliumError | None = None
    _received = 0


class OneFile(BaseHandler):
    async def get(self, id: str) -> None:
        """Send the file as a download that no browser runs, with bounded memory."""
        row_id, file = self.services.uploads.find(self.known_caller.user, id)
        self.set_fixed_headers(headers.DOWNLOAD)
        self.set_header("Content-Type", file.content_type)
        self.set_header("Content-Disposition", file_names.content_disposition(file.name))
        self.set_header("Content-Length", str(file.size))
        if self.request.method == "HEAD":
            return
        with contextlib.suppress(StreamClosedError):
            for piece in self.services.uploads.pieces(row_id):
                await self.send_chunk(piece)

    async def delete(self, id: str) -> None:
        await self.services.uploads.delete(self.known_caller.user, id)
        self.respond_empty()
