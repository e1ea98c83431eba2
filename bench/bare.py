"""The baseline: a Tornado handler that writes the same bytes from memory.

python -m bench.bare FILE     (a JSON object: response bodies by path)
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler


class Bare(RequestHandler):
    def initialize(self, answer: bytes) -> None:
        self._answer = answer

    def compute_etag(self) -> None:
        return None

    def get(self) -> None:
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.write(self._answer)

    post = get


async def main(answers: dict[str, str]) -> None:
    (socket,) = bind_sockets(0, "127.0.0.1")
    routes = [(path, Bare, {"answer": text.encode()}) for path, text in answers.items()]
    HTTPServer(Application(routes, log_function=lambda handler: None)).add_socket(socket)
    print(f"listening on http://127.0.0.1:{socket.getsockname()[1]},", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))
