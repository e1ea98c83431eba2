"""The peer: the same endpoints as a typical application, with FastAPI on uvicorn.

    python -m bench.peer DATABASE     (JWT_SECRET in the environment)

It uses SQLAlchemy's asyncio over aiosqlite, PyJWT and pydantic, with the same schema, pragmas,
durability and number of queries per request. It does less: it has no rate limit, no checks of Host
and Origin, and no replay of frames.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any

import jwt
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import ForeignKey, event, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship

engine = create_async_engine(f"sqlite+aiosqlite:///{sys.argv[1]}")
Session = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


@event.listens_for(engine.sync_engine, "connect")
def set_pragmas(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    # The schema's triggers call it. The benchmark's text needs no folding.
    connection.create_function("searchable", 1, lambda text: text, deterministic=True)


class Base(DeclarativeBase):
    pass


class UserRow(Base):
    __tablename__ = "users"
    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str]
    email: Mapped[str]
    name: Mapped[str]
    is_admin: Mapped[bool]
    created_at: Mapped[str]
    updated_at: Mapped[str]
    chat_count: Mapped[int]


class SessionRow(Base):
    __tablename__ = "sessions"
    id: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[int] = mapped_column(ForeignKey("users.number"))


class MessageRow(Base):
    __tablename__ = "messages"
    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str]
    chat: Mapped[int]
    sender: Mapped[str]
    content: Mapped[str]
    timestamp: Mapped[str]
    status: Mapped[str]
    model: Mapped[str | None]
    client_id: Mapped[str | None]


class ChatRow(Base):
    __tablename__ = "chats"
    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str]
    user: Mapped[int] = mapped_column(ForeignKey("users.number"))
    title: Mapped[str]
    is_titled: Mapped[bool]
    model: Mapped[str]
    created_at: Mapped[str]
    updated_at: Mapped[str]
    message_count: Mapped[int] = mapped_column(default=0)
    unread_count: Mapped[int] = mapped_column(default=0)
    last_message: Mapped[int | None] = mapped_column(ForeignKey("messages.number"))
    last: Mapped[MessageRow | None] = relationship()


class User(BaseModel):
    id: str
    email: str
    name: str
    is_admin: bool
    created_at: str
    updated_at: str


class Message(BaseModel):
    id: str
    chat_id: str
    content: str
    sender: str
    timestamp: str
    status: str
    model: str | None
    client_id: str | None


class Chat(BaseModel):
    id: str
    title: str
    model: str
    created_at: str
    updated_at: str
    message_count: int
    unread_count: int
    last_message: Message | None


class Pagination(BaseModel):
    total: int
    limit: int
    offset: int
    next: str | None
    previous: str | None


class Chats(BaseModel):
    data: list[Chat]
    pagination: Pagination


class Messages(BaseModel):
    data: list[Message]
    pagination: Pagination


class NewChat(BaseModel):
    title: str = Field("New Conversation", min_length=1, max_length=200)
    model: str = Field("quillium-demo", min_length=1, max_length=100)


async def database() -> AsyncIterator[AsyncSession]:
    async with Session() as session:
        yield session


Database = Annotated[AsyncSession, Depends(database)]


async def caller(db: Database, authorization: Annotated[str, Header()]) -> UserRow:
    try:
        claims = jwt.decode(
            authorization.removeprefix("Bearer "),
            os.environ["JWT_SECRET"],
            algorithms=["HS256"],
            issuer="quillium",
        )
    except jwt.PyJWTError:
        raise HTTPException(401, "invalid_token") from None
    session = select(SessionRow.user).where(SessionRow.id == claims["sid"]).scalar_subquery()
    found = select(UserRow).where(UserRow.id == claims["sub"], UserRow.number == session)
    user = (await db.execute(found)).scalar_one_or_none()
    if user is None:
        raise HTTPException(401, "invalid_token")
    return user


Caller = Annotated[UserRow, Depends(caller)]


def message(row: MessageRow, chat_id: str) -> Message:
    return Message(
        id=row.id,
        chat_id=chat_id,
        content=row.content,
        sender=row.sender,
        timestamp=row.timestamp,
        status=row.status,
        model=row.model,
        client_id=row.client_id,
    )


def chat(row: ChatRow, last: MessageRow | None) -> Chat:
    return Chat(
        id=row.id,
        title=row.title,
        model=row.model,
        created_at=row.created_at,
        updated_at=row.updated_at,
        message_count=row.message_count,
        unread_count=row.unread_count,
        last_message=message(last, row.id) if last is not None else None,
    )


def pagination(path: str, total: int, limit: int, offset: int) -> Pagination:
    following = f"{path}?limit={limit}&offset={offset + limit}"
    return Pagination(
        total=total,
        limit=limit,
        offset=offset,
        next=following if offset + limit < total else None,
        previous=f"{path}?limit={limit}&offset={max(0, offset - limit)}" if offset else None,
    )


@app.get("/api/v1/users/me")
async def me(user: Caller) -> User:
    return User.model_validate(user, from_attributes=True)


@app.get("/api/v1/chats")
async def chats(user: Caller, db: Database, limit: int = 20, offset: int = 0) -> Chats:
    wanted = (
        select(ChatRow)
        .where(ChatRow.user == user.number)
        .order_by(ChatRow.updated_at.desc(), ChatRow.number.desc())
        .limit(limit)
        .offset(offset)
        .options(joinedload(ChatRow.last))
    )
    rows = (await db.execute(wanted)).scalars().all()
    links = pagination("/api/v1/chats", user.chat_count, limit, offset)
    return Chats(data=[chat(row, row.last) for row in rows], pagination=links)


@app.get("/api/v1/chats/{id}/messages")
async def messages(
    id: str, user: Caller, db: Database, limit: int = 20, offset: int = 0
) -> Messages:
    its_chat = select(ChatRow).where(ChatRow.id == id, ChatRow.user == user.number)
    found = (await db.execute(its_chat)).scalar_one_or_none()
    if found is None:
        raise HTTPException(404, "not_found")
    wanted = (
        select(MessageRow)
        .where(MessageRow.chat == found.number)
        .order_by(MessageRow.number)
        .limit(limit)
        .offset(offset)
    )
    rows = (await db.execute(wanted)).scalars().all()
    links = pagination(f"/api/v1/chats/{id}/messages", found.message_count, limit, offset)
    return Messages(data=[message(row, id) for row in rows], pagination=links)


@app.post("/api/v1/chats", status_code=201)
async def create(body: NewChat, user: Caller, db: Database) -> Chat:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    row = ChatRow(
        id=f"chat_{secrets.token_hex(10)}",
        user=user.number,
        title=body.title,
        is_titled=True,
        model=body.model,
        created_at=now,
        updated_at=now,
    )
    db.add(row)
    await db.commit()
    return chat(row, None)


def main() -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(f"listening on http://127.0.0.1:{listening.getsockname()[1]},", flush=True)
    config = uvicorn.Config(
        app, http="httptools", loop="uvloop", access_log=False, log_level="warning"
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
