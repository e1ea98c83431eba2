"""A test backend's seed: read the files of `--seed`, and go back to it (contract, section 11)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from assistant import recordings
from assistant.directory import ModelServers
from assistant.recorder import Recorder
from assistant.replay import Replay
from core import documents, ids
from core.config import Config
from core.errors import Conflict, QuilliumError
from core.options import ConfigError
from core.tokens import Claims
from services import Services
from services.connections import Close
from services.dev import Dev
from storage import users
from storage.database import Database
from storage.folder import DataFolder

_NO_SEED = "Start with --seed, or with an empty data folder: reset would delete what is stored."


@contextmanager
def model_servers(config: Config) -> Iterator[Callable[[], ModelServers]]:
    """Yield how model servers are reached: as they are, recorded, or replayed.

    A replay begins again with each call, as for a reset. Raises `ConfigError`.
    """
    path = config.record or config.replay
    flag = "--record" if config.record else "--replay"
    with ExitStack() as stack:
        servers: Callable[[], ModelServers] = ModelServers
        try:
            if config.record is not None:
                recorder = Recorder(stack.enter_context(recordings.opened(config.record)))
                servers = partial(ModelServers, recorder.send)
            elif config.replay is not None:
                recording = recordings.read(config.replay)
                servers = partial(_replayed, recording, is_instant=config.deterministic)
        except OSError as error:
            raise ConfigError(f"{flag} {path}: {error.strerror}") from None
        except recordings.UnusableRecording as error:
            raise ConfigError(f"{flag} {path} {error}") from None
        yield servers


def _replayed(recording: recordings.Recording, *, is_instant: bool) -> ModelServers:
    replay = Replay(recording, is_instant=is_instant)
    return ModelServers(replay.send, replay.models())


class _Snapshot(NamedTuple):
    """The state that a reset restores."""

    database: bytes
    fixed_tokens: dict[str, Claims]
    rules: list[dict[str, Any]]
    replies: list[dict[str, Any]]
    ids: dict[str, int] | None  # the last number of each prefix, if ids count up


class SeededServer:
    """The resettable services of a server with `--dev`.

    A reset replaces the database file and all services, so that nothing in memory survives it:
    no session, counter, cache or reply that is being written.
    """

    def __init__(
        self,
        data: DataFolder,
        open_database: Callable[[], Database],
        build: Callable[[Database], Services],
    ) -> None:
        self._data = data
        self._open_database = open_database
        self._build = build
        self.use: Callable[[Services], None]  # serves all later requests with these services
        self.services: Services | None = None
        self._snapshot: _Snapshot | None = None
        self._resetting = asyncio.Lock()

    async def seed(self, services: Services, files: Sequence[Path]) -> None:
        """Store the seeds, and remember the state for resets. Raises `ConfigError`."""
        self.services = services
        is_empty = not services.db.read(users.exist)
        if files and not is_empty:
            raise ConfigError(
                "--seed needs an empty data folder; without --data-dir, it uses a temporary one"
            )
        for file in files:
            try:
                document = documents.parse(file.read_bytes(), what="seed")
                await _dev(services).seeding.add(document)
            except OSError as error:
                raise ConfigError(f"--seed {file}: {error.strerror}") from None
            except QuilliumError as error:
                raise ConfigError(f"--seed {file}: {error.details}") from None
        if is_empty:
            dev = _dev(services)
            self._snapshot = _Snapshot(
                services.db.serialized(),
                dev.seeding.fixed,
                dev.rules.documents,
                dev.scripts.documents,
                ids.counts(),
            )

    async def reset(self) -> None:
        """Go back to the seed. Raises `Conflict` if the server found accounts at its start."""
        if self._snapshot is None or self.services is None:
            raise Conflict(_NO_SEED)
        async with self._resetting:
            old = self.services
            old.connections.close_all(Close.SERVICE_RESTART, "reset")
            await old.close_connections()
            await old.close(is_discarded=True)
            self._data.replace_database(self._snapshot.database)
            self.services = self._build(self._open_database())
            dev = _dev(self.services)
            dev.seeding.fixed = self._snapshot.fixed_tokens
            dev.rules.replace(self._snapshot.rules)
            dev.scripts.replace(self._snapshot.replies)
            ids.count(self._snapshot.ids)
            self.use(self.services)


def _dev(services: Services) -> Dev:
    assert services.dev is not None
    return services.dev
