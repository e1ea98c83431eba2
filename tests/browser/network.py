"""A relay between the browser and the server that simulates network failures."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

CHUNK = 1 << 16


class Network:
    """A TCP relay to a server on this machine.

    `cut()` closes all connections and refuses new ones. `freeze()` keeps the connections that are
    open and loses whatever is sent through them, both ways, as when a laptop wakes up behind another
    router: neither end is told. Connections that are opened later work.
    """

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._frozen: set[socket.socket] = set()
        self._is_cut = False
        self.accepted = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._is_cut = True
        for pair in self._pairs:
            for end in pair:
                _close(end)

    def restore(self) -> None:
        self._is_cut = False

    def freeze(self) -> None:
        self._frozen |= {end for pair in self._pairs for end in pair}

    def close(self) -> None:
        _close(self._listening)
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self.accepted += 1
            if self._is_cut:
                _close(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._server_port))
            except OSError:
                _close(client)
                continue
            self._pairs.append((client, server))
            for ends in ((client, server), (server, client)):
                threading.Thread(target=self._relay, args=ends, daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                if source not in self._frozen:
                    target.sendall(data)
        if source not in self._frozen:
            _close(target)


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def network(url: str) -> Iterator[Network]:
    """A network in front of the server at `url`."""
    relay = Network(int(url.rpartition(":")[2]))
    try:
        yield relay
    finally:
        relay.close()


@dataclass
class Reached:
    """A server for a browser on the other side of the network; tests call it directly."""

    url: str
    call: Any
