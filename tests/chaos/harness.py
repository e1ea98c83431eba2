"""Disconnect the devices of one user at random, and compare their state with the server."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import itertools
import json
import random
import signal
import time
import urllib.error
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.chaos.device import Device, Loss
from tests.program import Program, free_port

DEVICES = 6
CHATS = 4
_PATIENCE = 60.0  # seconds in which all devices have to hold the same, on a busy machine too
_FLOOD = 40  # messages of 100,000 characters
_CONTENTS = ("Hello", "/lorem 400", "/slow 60", "/markdown", "My name is Ada", "/lorem 10000")
Call = tuple[str, str, Any]


class Harness:
    """A server, and devices that are driven for a while. `tally` counts what happened."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._data = folder / "data"
        self._random = random.Random(seed)
        self._numbers = itertools.count()
        self._port = free_port()
        self.tally: Counter[str] = Counter()
        self._program = self._started()
        token = self._program.register()
        self._program.call("PUT", "/api/v1/settings/admin", {"rate_limit_per_minute": 0}, token)
        self._key = self._program.call("POST", "/api/v1/users/api-key", {}, token)["api_key"]
        other = self._program.register("bystander@example.com")
        self._bystander = self._program.call("POST", "/api/v1/users/api-key", {}, other)["api_key"]
        self._chats: list[str] = []
        self._flooded: list[str] = []  # chats that go after the next comparison

    def _started(self) -> Program:
        program = Program(self._data, f"--port={self._port}")
        assert program.url, program.first_line
        return program

    async def run(self, seconds: float, *, settle_every: float) -> None:
        """Drive the devices; from time to time compare what they hold. Raises `Loss`."""
        try:
            async with self._devices() as (devices, bystander):
                for _ in range(CHATS):
                    await self._new_chat()
                until = time.monotonic() + seconds
                while time.monotonic() < until:
                    await self._drive(devices, min(until, time.monotonic() + settle_every))
                    await self._settle(devices)
                    self.tally["comparisons"] += 1
                if bystander.held.messages or bystander.held.chats:
                    raise Loss("a bystander was told something")
        finally:
            self._program.process.kill()
            self._program.process.communicate()

    @contextlib.asynccontextmanager
    async def _devices(self) -> AsyncIterator[tuple[list[Device], Device]]:
        keys = [self._key] * DEVICES + [self._bystander]
        devices = [Device(self._program.url, key, self.tally, self._random) for key in keys]
        self._running = [asyncio.ensure_future(device.run()) for device in devices]
        try:
            yield devices[:-1], devices[-1]
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    # What happens

    async def _drive(self, devices: list[Device], until: float) -> None:
        stalled: set[asyncio.Task[None]] = set()
        while time.monotonic() < until:
            self._raise_losses()
            device = self._random.choice(devices)
            happening = self._random.choices(
                (
                    self._say,
                    self._leave,
                    self._vanish,
                    self._stall,
                    self._flood,
                    self._act,
                    self._rewrite,
                    self._restart,
                ),
                (60, 6, 20, 5, 1, 12, 12, 1),
            )[0]
            task = asyncio.ensure_future(happening(device))
            if happening in (self._stall, self._flood):
                stalled.add(task)  # others go on meanwhile
            else:
                await task
            await asyncio.sleep(self._random.uniform(0, 0.1))
        await asyncio.gather(*stalled)

    async def _say(self, device: Device) -> None:
        content = self._random.choice(_CONTENTS)
        await device.say(self._random.choice(self._chats), content, f"c{next(self._numbers)}")

    async def _leave(self, device: Device) -> None:
        await device.leave()

    async def _vanish(self, device: Device) -> None:
        device.vanish()

    async def _stall(self, device: Device) -> None:
        await device.stall(self._random.uniform(0.2, 3))

    async def _flood(self, device: Device) -> None:
        """Say more than waits for one who does not read, so that the server lets it go."""
        chat = await self._call("POST", "/api/v1/chats", {"title": "Flooded"})
        self._flooded.append(chat["id"])
        stall = asyncio.ensure_future(device.stall(3))
        path = f"/api/v1/chats/{chat['id']}/messages"
        for _ in range(_FLOOD):
            client_id = f"c{next(self._numbers)}"
            body = {"content": "x" * 100_000, "client_id": client_id}
            await self._call("POST", path, body)
        await stall

    async def _act(self, device: Device) -> None:
        """Something through REST, or a mark."""
        chat = self._random.choice(self._chats)
        path = f"/api/v1/chats/{chat}"
        what = self._random.randrange(7)
        if what == 0:
            await self._new_chat()
        elif what == 1 and len(self._chats) > 2:
            self._chats.remove(chat)
            await self._call("DELETE", path)
        elif what == 2:
            await self._call("PATCH", path, {"title": f"Renamed {next(self._numbers)}"})
        elif what in (3, 4):
            await self._call("POST", f"{path}/{('stop', 'regenerate')[what - 3]}", {})
        else:
            await device.read(chat)

    async def _rewrite(self, device: Device) -> None:
        """Edit a message or regenerate a reply, choose a version, or delete one."""
        chat = self._random.choice(self._chats)
        if not (said := device.held.said(chat)):
            return
        id = self._random.choice(said[-4:])["id"]
        path = f"/api/v1/chats/{chat}/messages/{id}"
        what = self._random.choice(("edit", "edit", "regenerate", "select", "select", "delete"))
        await self._call("POST", f"/api/v1/chats/{chat}/stop", {})
        if what == "edit":
            content = self._random.choice(_CONTENTS)
            await device.say(chat, content, f"c{next(self._numbers)}", replaces=id)
        elif what == "regenerate":
            await self._call("POST", f"/api/v1/chats/{chat}/regenerate", {"message_id": id})
        elif what == "delete":
            await self._call("DELETE", path)
        elif versions := await self._call("GET", f"{path}/versions"):
            other = self._random.choice(versions["data"])["id"]
            await self._call("POST", f"/api/v1/chats/{chat}/messages/{other}/select", {})
        self.tally[f"rewritten by {what}"] += 1

    async def _restart(self, device: Device) -> None:
        number = self._random.choice((signal.SIGTERM, signal.SIGKILL))
        self.tally[f"restarts by {number.name}"] += 1
        self._program.process.send_signal(number)
        await asyncio.to_thread(self._program.process.communicate)
        self._program = await asyncio.to_thread(self._started)

    async def _new_chat(self) -> None:
        made = await self._call("POST", "/api/v1/chats", {})
        self._chats.append(made["id"])

    async def _call(self, method: str, path: str, body: Any = None) -> Any:
        """What the server answers; None for a conflict, or for a chat that is gone.

        Asks again while the server is down; what is said has a `client_id`.
        """
        while True:
            try:
                return await asyncio.to_thread(self._program.call, method, path, body, self._key)
            except json.JSONDecodeError:
                return None  # a 204
            except urllib.error.HTTPError as error:
                if error.code in (404, 409):
                    return None
                if error.code != 503:
                    raise
            except (OSError, http.client.HTTPException):
                pass
            await asyncio.sleep(0.05)

    # What each device holds

    def _raise_losses(self) -> None:
        for task in self._running:
            if task.done():
                task.result()

    async def _settle(self, devices: list[Device]) -> None:
        """Wait until no reply is written; then each device has to hold what the list says."""
        until = time.monotonic() + _PATIENCE
        while differences := await self._differences(devices):
            self._raise_losses()
            if time.monotonic() > until:
                raise Loss("; ".join(differences))
            await asyncio.sleep(0.1)
        while self._flooded:
            await self._call("DELETE", f"/api/v1/chats/{self._flooded.pop()}")

    async def _differences(self, devices: list[Device]) -> list[str]:
        """What is not the same everywhere; stops the replies and reads the messages that are left.

        Messages may wait for the reply before theirs to end, and no list shows that. So each round
        stops and reads again, and what is listed only counts if nothing changed meanwhile.
        """
        listed = await self._all("/api/v1/chats")
        lists = {
            chat["id"]: await self._all(f"/api/v1/chats/{chat['id']}/messages") for chat in listed
        }
        streaming = [m for said in lists.values() for m in said if m["status"] == "streaming"]
        for message in streaming:
            await self._call("POST", f"/api/v1/chats/{message['chat_id']}/stop", {})
        for chat in listed:
            if chat["unread_count"]:
                await self._random.choice(devices).read(chat["id"])
        if (
            streaming
            or not all(device.is_settled for device in devices)
            or listed != await self._all("/api/v1/chats")
        ):
            return [f"not settled: {streaming}, {[device.state for device in devices]}"[:2000]]
        found = []
        for number, device in enumerate(devices):
            device.held.list_again(lists)
            for chat in listed:
                if device.held.said(chat["id"]) != lists[chat["id"]]:
                    found.append(
                        _difference(number, device.held.said(chat["id"]), lists[chat["id"]])
                    )
                if device.held.chats.get(chat["id"], {}).get("title") != chat["title"]:
                    found.append(f"device {number} has another title of {chat['id']}")
                unread = device.held.unread.get(chat["id"], 0)
                if chat["unread_count"] or unread:
                    found.append(f"device {number} has {unread} unread in {chat['id']}")
            if device.held.chats.keys() != lists.keys():
                found.append(f"device {number} holds other chats")
            if device.held.messages.keys() - lists.keys():
                found.append(f"device {number} holds messages of a chat that is gone")
        if not found:
            self.tally["messages at the end"] = sum(map(len, lists.values()))
        return found

    async def _all(self, path: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        while True:
            page = await self._call("GET", f"{path}?limit=100&offset={len(items)}")
            items += page["data"] if page else []
            if not page or not page["pagination"]["next"]:
                return items


def _difference(number: int, held: list[dict[str, Any]], listed: list[dict[str, Any]]) -> str:
    pairs = itertools.zip_longest(held, listed)
    index, (mine, theirs) = next((i, p) for i, p in enumerate(pairs) if p[0] != p[1])
    return f"device {number} holds {len(held)} of {len(listed)}; at {index}: {mine} for {theirs}"[
        :800
    ]
