"""The seed of a test backend: a known state as JSON (contract, section 11).

A seed may fix ids, tokens and keys, so that tests can name them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import schemas
from assistant.directory import Directory
from assistant.scripted import Scripts
from core import file_names, identity, ids, passwords
from core.errors import InvalidRequest
from core.file_types import TypeDetector
from core.records import UNKNOWN_CLIENT, File
from core.times import CalendarClock, CalendarTime, normalized, rfc3339
from core.tokens import Claims, FixedTokens
from services import api_keys, frames, imports
from services.connections import ConnectionRegistry
from services.fault_rules import FaultRules
from services.settings import Settings
from services.titles import opening_words
from services.uploads import MAX_BYTES, attached_ids
from storage import seeds
from storage.chats import NewChat
from storage.database import Database
from storage.sessions import NewSession

HASH_COST = 4  # of bcrypt, its lowest
_NEVER = (1 << 53) - 1  # the largest number that is exact in JSON, in epoch seconds
_BETWEEN_MESSAGES = 60.0  # seconds


class Seeding:
    """Stores seeds, and reads the present state as one."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        connections: ConnectionRegistry,
        tokens: FixedTokens,
        clock: CalendarClock,
        directory: Directory,
        rules: FaultRules,
        scripts: Scripts,
    ) -> None:
        self._db = db
        self._settings = settings
        self._connections = connections
        self._tokens = tokens
        self._clock = clock
        self._directory = directory
        self._rules = rules
        self._scripts = scripts

    async def add(self, document: dict[str, Any]) -> None:
        """Store a seed, all of it or nothing. Raises `InvalidRequest` and `Conflict`."""
        document = schemas.accept("seed", document)
        changes = schemas.accept("admin_settings_update", document.get("settings", {}))
        self._settings.check(changes)
        Scripts().replace(document.get("replies", []))
        model = changes.get("default_model", self._settings.admin()["default_model"])
        fixed: dict[str, Claims] = {}
        users = [
            self._user(user, f"users.{number}", self._directory.default(model), fixed)
            for number, user in enumerate(document.get("users", []))
        ]

        def publish(stored: list[seeds.Seeded]) -> None:
            for user, changes in stored:
                for change in changes:
                    self._connections.publish(user.id, frames.chat(change))

        now = rfc3339(self._clock())
        stored = await self._db.write(seeds.add, users, now, on_commit=publish)
        if changes:
            await self._settings.update_of_admin(changes)
        ids_by_email = {seed.email: user.id for seed, (user, _) in zip(users, stored, strict=True)}
        given = {seed.id: ids_by_email[seed.email] for seed in users}
        self._rules.replace([*self._rules.documents, *document.get("rules", [])])
        self._scripts.replace([*self._scripts.documents, *document.get("replies", [])])
        self.fixed = self.fixed | {
            token: Claims(given[c.user_id], c.session_id, c.token_id, c.kind, c.expires_at)
            for token, c in fixed.items()
        }

    @property
    def fixed(self) -> dict[str, Claims]:
        """The fixed access tokens."""
        return dict(self._tokens.fixed)

    @fixed.setter
    def fixed(self, fixed: dict[str, Claims]) -> None:
        self._tokens.fixed = fixed

    def document(self) -> dict[str, Any]:
        """Return the present state as a seed. Keys of providers are not in it."""
        tokens = {claims.user_id: token for token, claims in self._tokens.fixed.items()}
        users = self._db.read(seeds.everything)
        for user in users:
            if user["id"] in tokens:
                user["access_token"] = tokens[user["id"]]
        settings = self._settings.of_admin()
        del settings["updated_at"]
        return {
            "users": users,
            "settings": settings,
            "rules": self._rules.documents,
            "replies": self._scripts.documents,
        }

    def _user(
        self, user: dict[str, Any], place: str, model: str, fixed: dict[str, Claims]
    ) -> seeds.SeedUser:
        id, email = user.get("id") or ids.new("user"), identity.normalized_email(user["email"])
        if "password" in user:
            password_hash = passwords.hash_password(user["password"], HASH_COST)
        else:
            password_hash = user.get("password_hash") or passwords.unmatchable_hash(HASH_COST)
        session = None
        if "access_token" in user:
            session = self._session()
            claims = Claims(id, session.id, session.token_id, "access", _NEVER)
            known = {**self._tokens.fixed, **fixed}.get(user["access_token"], claims)
            if known.user_id != id:
                raise InvalidRequest(f"{place}.access_token: another user has this token")
            fixed[user["access_token"]] = claims
        files = [self._file(f, f"{place}.files.{n}") for n, f in enumerate(user.get("files", []))]
        by_id = {file.id: file for file, _ in files}
        return seeds.SeedUser(
            id,
            email,
            user.get("name") or email.partition("@")[0][:100],
            password_hash,
            user.get("is_admin"),
            user.get("is_disabled", False),
            schemas.accept("user_settings_update", user.get("settings", {})),
            session,
            [_key(key) for key in user.get("api_keys", [])],
            files,
            [
                self._chat(chat, f"{place}.chats.{number}", model, by_id)
                for number, chat in enumerate(user.get("chats", []))
            ],
        )

    def _file(self, document: dict[str, Any], place: str) -> seeds.SeedFile:
        try:
            content = base64.b64decode(document["content"], validate=True)
        except ValueError:
            raise InvalidRequest(f"{place}.content: expected base64") from None
        if len(content) > MAX_BYTES:
            raise InvalidRequest(f"{place}.content: a file may have at most {MAX_BYTES:,} bytes")
        detector = TypeDetector()
        detector.add(content)
        created_at = normalized(document.get("created_at") or rfc3339(self._clock()))
        id, name = document.get("id") or ids.new("file"), file_names.cleaned(document["name"])
        file = File(id, name, detector.content_type(), len(content), created_at)
        return seeds.SeedFile(file, content)

    def _session(self) -> NewSession:
        now = rfc3339(self._clock())
        token_id = ids.random_text(22)
        return NewSession(ids.new("sess"), token_id, now, _NEVER, _NEVER, UNKNOWN_CLIENT)

    def _chat(
        self, chat: dict[str, Any], place: str, model: str, files: Mapping[str, File]
    ) -> seeds.SeedChat:
        """Return a chat to store; `files` are its user's, by their ids."""
        id, given = chat.get("id") or ids.new("chat"), chat.get("messages", [])
        first = self._clock() - _BETWEEN_MESSAGES * len(given)
        said, tree = [], imports.Tree()
        for number, document in enumerate(given):
            at = rfc3339(CalendarTime(first + _BETWEEN_MESSAGES * number))
            message = imports.message({"timestamp": at, **document}, id)
            named = f"{place}.messages.{number}"
            attachments = tuple(
                _attached(files, id, named) for id in attached_ids(document.get("attachments", []))
            )
            id_of_message = document.get("id") or message.id
            message = replace(message, id=id_of_message, attachments=attachments)
            said.append(tree.place(document, message, named))
        now = rfc3339(self._clock())
        title = chat.get("title", "").strip()
        if not title:
            title = opening_words(given[0]["content"]) if given else "New Conversation"
        new = NewChat(
            id,
            title,
            True,
            chat.get("model") or model,
            normalized(chat.get("created_at") or (said[0].timestamp if said else now)),
            chat.get("system_prompt") or None,
            json.dumps(chat.get("parameters", {})),
            chat.get("client_id"),
            chat.get("is_pinned", False),
            chat.get("is_archived", False),
        )
        updated_at = chat.get("updated_at") or (said[-1].timestamp if said else new.created_at)
        return seeds.SeedChat(new, normalized(updated_at), said, tree.leaf(chat))


def _attached(files: Mapping[str, File], id: str, place: str) -> File:
    if id not in files:
        raise InvalidRequest(f"{place}.attachments: the user's files have none with the id {id}")
    return files[id]


def _key(key: dict[str, Any]) -> seeds.SeedKey:
    id, name = key.get("id") or ids.new("key"), key.get("name") or "API key"
    if "api_key" in key:
        secret = key["api_key"]
        return seeds.SeedKey(id, name, api_keys.prefix(secret), api_keys.hashed(secret))
    return seeds.SeedKey(id, name, key["prefix"], key["hash"])
