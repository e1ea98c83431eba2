"""Application services. `build` creates the one `Services` object that handlers share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from assistant.addresses import is_loopback
from assistant.directory import LOCAL_SERVERS, Directory, ModelServers
from assistant.local import Local
from assistant.scripted import Scripts
from core.config import Config
from core.metrics import Metrics
from core.times import CalendarClock, CalendarTime, MonotonicClock, MonotonicTime, monotonic_now
from core.tokens import FixedTokens, PreviousKey, Tokens
from services.accounts import Accounts
from services.administration import Administration
from services.api_keys import ApiKeys
from services.chats import Chats
from services.completions import Completions
from services.connections import ConnectionRegistry
from services.conversation import Conversation
from services.dev import DETERMINISTIC_START, Dev, DevClock, Journal
from services.fault_rules import FaultRules
from services.health import Health
from services.imports import Imports
from services.indexing import Indexing
from services.joining import Joining
from services.limits import Limits
from services.login_guard import MAX_FAILURES, LoginGuard
from services.metrics import Prometheus
from services.prompts import Prompts
from services.registration import Registration
from services.removal import Removal
from services.reply_writer import PAGE_PACE, Tools
from services.seeding import HASH_COST, Seeding
from services.sessions import Sessions
from services.settings import REQUESTS_PER_MINUTE, Settings
from services.sign_in_codes import SignInCodes
from services.titles import Titles
from services.uploads import Uploads
from services.versions import Versions
from storage.database import Database


@dataclass(frozen=True)
class Services:
    """All services that a handler can call."""

    config: Config
    version: str
    clock: CalendarClock
    monotonic: MonotonicClock
    started_at: CalendarTime
    started: MonotonicTime
    db: Database
    metrics: Metrics
    prometheus: Prometheus | None  # the same object if metrics are collected
    settings: Settings
    health: Health
    limits: Limits
    connections: ConnectionRegistry
    joining: Joining
    directory: Directory
    sessions: Sessions
    api_keys: ApiKeys
    codes: SignInCodes
    registration: Registration
    accounts: Accounts
    administration: Administration
    conversation: Conversation
    titles: Titles
    chats: Chats
    uploads: Uploads
    imports: Imports
    completions: Completions
    indexing: Indexing
    removal: Removal
    versions: Versions
    dev: Dev | None  # the controls of a test backend

    def uptime(self) -> float:
        """Return the seconds since the start, unaffected by changes of the system clock."""
        return self.monotonic() - self.started

    async def close_connections(self) -> None:
        """End running work: store replies as `interrupted`, and close all sockets."""
        self.completions.drain()
        await self.conversation.drain()
        await self.titles.close()
        self.connections.close_all()

    async def close(self, *, is_discarded: bool = False) -> None:
        """Finish queued writes and close the database, which may be about to be discarded."""
        await self.indexing.close()
        await self.removal.close()
        await self.directory.close()
        await self.accounts.close()
        self.db.close(is_discarded=is_discarded)


def build(
    config: Config,
    version: str,
    db: Database,
    secret: bytes,
    clock: CalendarClock,
    embedded: Local | None = None,
    prometheus: Prometheus | None = None,
    monotonic: MonotonicClock = monotonic_now,
    previous_key: PreviousKey | None = None,
    servers: Callable[[], ModelServers] = ModelServers,
) -> Services:
    """Create all services and connect them. All wiring happens here.

    `embedded` is the model that runs in this process, and `prometheus` collects metrics; both are
    optional. `previous_key` is the signing key before the last rotation. `servers` returns how
    model servers are reached.
    """
    dev_clock = DevClock(clock, monotonic) if config.dev else None
    if dev_clock is not None:
        clock, monotonic = dev_clock.calendar, dev_clock.monotonic
        if config.deterministic:
            dev_clock.set(now=DETERMINISTIC_START, is_frozen=True)
    scripts = Scripts()
    tokens = (FixedTokens if config.dev else Tokens)(
        secret,
        config.access_token_expiry * 60,
        config.refresh_token_expiry * 24 * 60 * 60,
        previous_key,
    )
    # On a network, another user of this machine could impersonate a local model server.
    is_discovering = not config.no_discovery and is_loopback(config.host)
    directory = Directory(
        embedded,
        LOCAL_SERVERS if is_discovering else (),
        scripts if config.dev else None,
        servers(),
    )
    settings = Settings(db, clock, directory.configure, directory.is_built_in, _rate_limit(config))
    metrics = prometheus or Metrics()
    connections = ConnectionRegistry()
    pace = PAGE_PACE if config.demo and config.demo_pace is None else config.demo_pace
    titles = Titles(db, connections, settings, directory)
    tools = Tools(db, connections, settings, directory, clock, metrics, Prompts(db), titles, pace)
    conversation = Conversation(tools)
    removal = Removal(db)
    uploads = Uploads(db, removal, clock)
    bcrypt_cost = HASH_COST if config.dev else config.bcrypt_cost
    guard = LoginGuard(metrics, monotonic, max_failures=sys.maxsize if config.dev else MAX_FAILURES)
    sessions = Sessions(
        db, tokens, connections, clock, monotonic, config.session_max_days * 24 * 60 * 60
    )
    api_keys = ApiKeys(db, connections, clock, monotonic)
    codes = SignInCodes(db, sessions, clock)
    registration = Registration(db, settings, has_owner=config.sidecar and not config.dev)
    accounts = Accounts(
        db,
        sessions,
        api_keys,
        connections,
        registration,
        clock,
        guard,
        bcrypt_cost,
        metrics,
        conversation.forget,
    )
    dev = None
    if dev_clock is not None and isinstance(tokens, FixedTokens):
        journal, rules = Journal(clock), FaultRules()
        seeding = Seeding(db, settings, connections, tokens, clock, directory, rules, scripts)
        dev = Dev(dev_clock, journal, rules, scripts, seeding)
    if prometheus is not None:
        prometheus.observe(connections.__len__, conversation.count_active, db.statistics)
    return Services(
        config=config,
        version=version,
        clock=clock,
        monotonic=monotonic,
        started_at=clock(),
        started=monotonic(),
        db=db,
        metrics=metrics,
        prometheus=prometheus,
        settings=settings,
        health=Health(db, monotonic),
        limits=Limits(settings, metrics, clock, monotonic),
        connections=connections,
        joining=Joining(db, connections, conversation),
        directory=directory,
        sessions=sessions,
        api_keys=api_keys,
        codes=codes,
        registration=registration,
        accounts=accounts,
        administration=Administration(
            db,
            connections,
            conversation.forget,
            accounts.guard.clear,
            clock,
            bcrypt_cost,
        ),
        conversation=conversation,
        titles=titles,
        chats=Chats(db, connections, settings, directory, conversation, removal, clock),
        uploads=uploads,
        imports=Imports(db, connections, removal, uploads, clock),
        completions=Completions(settings, directory),
        indexing=Indexing(db),
        removal=removal,
        versions=Versions(db, connections, removal),
        dev=dev,
    )


def _rate_limit(config: Config) -> int:
    """Return the requests per minute and user until an admin sets another limit."""
    if config.rate_limit is not None:
        return config.rate_limit
    return 0 if config.dev else REQUESTS_PER_MINUTE


def build_administration(db: Database, bcrypt_cost: int, clock: CalendarClock) -> Administration:
    """Create the service for commands that run without a server: no sockets, no caches."""

    def no_op(_: str) -> None:
        pass

    connections = ConnectionRegistry()
    return Administration(db, connections, no_op, no_op, clock, bcrypt_cost)
