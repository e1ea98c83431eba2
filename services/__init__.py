"""What the application does. `Services` is built once, by `build`, and handed to all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assistant.directory import USUAL_PLACES, Directory
from assistant.local import Local
from core.config import Config
from core.metrics import Metrics
from core.tokens import Tokens
from services.accounts import Accounts
from services.administration import Administration
from services.chats import Chats
from services.completions import Completions
from services.connections import ConnectionRegistry
from services.conversation import Conversation
from services.joining import Joining
from services.limits import Limits
from services.metrics import Prometheus
from services.reply_writer import Tools
from services.settings import Settings
from storage.database import Database


@dataclass(frozen=True)
class Services:
    """Everything that a handler may call. `clock` gives epoch seconds."""

    config: Config
    version: str
    clock: Callable[[], float]
    started_at: float
    db: Database
    metrics: Metrics
    prometheus: Prometheus | None  # the same object, where metrics are collected
    settings: Settings
    limits: Limits
    connections: ConnectionRegistry
    joining: Joining
    directory: Directory
    accounts: Accounts
    administration: Administration
    conversation: Conversation
    chats: Chats
    completions: Completions

    async def close_connections(self) -> None:
        """End what is under way: replies are stored as `interrupted`, sockets are told."""
        self.completions.drain()
        await self.conversation.drain()
        self.connections.close_all()

    async def close(self) -> None:
        """Finish the writes that wait and let the file go."""
        await self.directory.close()
        await self.accounts.close()
        self.db.close()


def build(
    config: Config,
    version: str,
    db: Database,
    secret: bytes,
    clock: Callable[[], float],
    embedded: Local | None = None,
    prometheus: Prometheus | None = None,
) -> Services:
    """Wire everything together, in the one place where that happens.

    `embedded` is the model that runs within this process, and `prometheus` collects the metrics.
    Either may be absent.
    """
    tokens = Tokens(
        secret, config.access_token_expiry * 60, config.refresh_token_expiry * 24 * 60 * 60
    )
    directory = Directory(embedded, () if config.no_discovery else USUAL_PLACES)
    settings = Settings(db, clock, directory.configure)
    metrics = prometheus or Metrics()
    connections = ConnectionRegistry()
    tools = Tools(db, connections, settings, directory, clock, metrics)
    conversation = Conversation(tools)
    if prometheus is not None:
        prometheus.ask(connections.__len__, conversation.count_active, db.statistics)
    return Services(
        config=config,
        version=version,
        clock=clock,
        started_at=clock(),
        db=db,
        metrics=metrics,
        prometheus=prometheus,
        settings=settings,
        limits=Limits(settings, metrics),
        connections=connections,
        joining=Joining(db, connections, conversation),
        directory=directory,
        accounts=Accounts(db, tokens, connections, settings, clock, config.bcrypt_cost, metrics),
        administration=Administration(
            db, connections, conversation.forget, clock, config.bcrypt_cost
        ),
        conversation=conversation,
        chats=Chats(db, connections, settings, directory, conversation, clock),
        completions=Completions(settings, directory),
    )
