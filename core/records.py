"""The application's records, and their public form.

`public()` returns the JSON form of the contract, sections 5 and 6, reference fields first.
`row_id` is the primary key of the row; it is never sent to clients.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from core.networks import network_of
from core.times import CalendarTime, rfc3339

Record = TypeVar("Record")

Sender = Literal["user", "assistant"]
Status = Literal["complete", "streaming", "stopped", "interrupted", "failed"]
FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]


@dataclass(frozen=True, slots=True)
class Usage:
    """The token usage of a reply, as counted by its provider."""

    prompt_tokens: int
    completion_tokens: int

    def public(self) -> dict[str, int]:
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
        }


@dataclass(frozen=True)
class User:
    row_id: int
    id: str
    email: str
    name: str
    is_admin: bool
    created_at: str
    updated_at: str
    is_disabled: bool = False

    def public(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "email": self.email,
            "name": self.name,
            "is_admin": self.is_admin,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }


@dataclass(frozen=True)
class Caller:
    """The authenticated user of a request, with the session (and access token) or API key used."""

    user: User
    session_id: str | None = None
    api_key_id: str | None = None


@dataclass(frozen=True)
class Client:
    """The origin of a request; all fields are empty for commands and internal actions."""

    address: str = ""
    user_agent: str = ""
    request_id: str = ""

    @property
    def network(self) -> str:
        """What the client counts as, where clients are limited."""
        return network_of(self.address)


UNKNOWN_CLIENT = Client()


@dataclass(frozen=True)
class Session:
    id: str
    created_at: str
    last_used_at: str
    address: str
    user_agent: str
    is_current: bool = False  # whether it is the session of this request

    def public(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "created_at": self.created_at,
            "last_used_at": self.last_used_at,
            "address": self.address,
            "user_agent": self.user_agent,
            "is_current": self.is_current,
        }


@dataclass(frozen=True)
class ManagedUser:
    """An account as an admin sees it, without any of its content."""

    user: User
    last_seen_at: str | None
    chat_count: int
    storage_bytes: int

    def public(self) -> dict[str, Any]:
        return {
            **self.user.public(),
            "is_disabled": self.user.is_disabled,
            "last_seen_at": self.last_seen_at,
            "chat_count": self.chat_count,
            "storage_bytes": self.storage_bytes,
        }


@dataclass(frozen=True)
class ApiKey:
    id: str
    name: str
    prefix: str
    created_at: str
    last_used_at: str | None
    expires_at: int | None = None  # epoch seconds

    def public(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "prefix": self.prefix,
            "created_at": self.created_at,
            "last_used_at": self.last_used_at,
            "expires_at": self.expires_at and rfc3339(CalendarTime(self.expires_at)),
        }


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file, whose content is read apart from it."""

    id: str
    name: str
    content_type: str
    size: int  # bytes
    created_at: str

    def public(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "content_type": self.content_type,
            "size": self.size,
            "created_at": self.created_at,
        }


@dataclass(frozen=True)
class Message:
    row_id: int
    id: str
    chat_id: str
    content: str
    sender: Sender
    timestamp: str
    status: Status
    model: str | None
    client_id: str | None
    error: dict[str, str] | None = None
    seq: int = 0  # of its frame; 0 if no frame was sent, or while the message is being written
    reasoning: str | None = None  # the reasoning text before the answer
    finish_reason: FinishReason | None = None  # why the provider ended the reply
    usage: Usage | None = None
    attachments: tuple[File, ...] = ()
    parent_id: str | None = None  # of the message before it on its branch
    version: int = 1  # among the messages with the same parent, oldest first
    version_count: int = 1

    def public(self) -> dict[str, Any]:
        fields = {
            "id": self.id,
            "chat_id": self.chat_id,
            "content": self.content,
            "sender": self.sender,
            "timestamp": self.timestamp,
            "status": self.status,
            "model": self.model,
            "client_id": self.client_id,
            "parent_id": self.parent_id,
            "version": self.version,
            "version_count": self.version_count,
            "reasoning": self.reasoning,
            "finish_reason": self.finish_reason,
            "usage": self.usage and self.usage.public(),
            "attachments": [file.public() for file in self.attachments],
        }
        return fields if self.error is None else {**fields, "error": self.error}


@dataclass(frozen=True)
class ReadMark:
    """A user's read position in a chat, and the unread state at that moment."""

    chat_id: str
    message_id: str
    sender: Sender
    timestamp: str
    unread_count: int
    seq: int

    def public(self) -> dict[str, Any]:
        return {
            "chat_id": self.chat_id,
            "content": "",
            "sender": self.sender,
            "timestamp": self.timestamp,
            "message_id": self.message_id,
            "unread_count": self.unread_count,
        }


@dataclass(frozen=True)
class Chat:
    row_id: int
    id: str
    title: str
    model: str
    created_at: str
    updated_at: str
    message_count: int
    unread_count: int
    last_message: Message | None
    system_prompt: str | None = None
    parameters: str = "{}"  # a JSON object of model options
    is_pinned: bool = False
    is_archived: bool = False

    def public(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": self.title,
            "model": self.model,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "message_count": self.message_count,
            "unread_count": self.unread_count,
            "last_message": self.last_message and self.last_message.public(),
            "leaf_id": self.last_message and self.last_message.id,
            "system_prompt": self.system_prompt,
            "parameters": json.loads(self.parameters),
            "is_pinned": self.is_pinned,
            "is_archived": self.is_archived,
        }


@dataclass(frozen=True)
class ChatChange:
    """A chat that was created, changed or deleted; `chat` is None after a deletion."""

    chat_id: str
    chat: Chat | None
    seq: int

    def public(self) -> dict[str, Any]:
        return self.chat.public() if self.chat else {"id": self.chat_id, "deleted": True}


@dataclass(frozen=True)
class JsonPage:
    """One page of a list as comma-separated JSON items, and the total number of items."""

    items: str
    total: int
    count: int | None = None  # of items, where a page may end before its limit


@dataclass(frozen=True)
class Page(Generic[Record]):
    """One page of a list, and the total number of items."""

    items: list[Record]
    total: int
