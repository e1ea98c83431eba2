"""Subscribe sockets: to live frames, or from the last frame they received (contract, section 7)."""

from __future__ import annotations

from typing import Literal

from core.errors import ResyncRequired
from services import frames
from services.connections import ConnectionRegistry
from services.conversation import Conversation
from services.subscriptions import Socket, Sources, Subscription
from storage import replay
from storage.database import Database

Since = int | Literal["latest"] | None  # None: a client without sequence numbers


class Joining:
    """Subscribes sockets to the frames of their users."""

    def __init__(
        self, db: Database, connections: ConnectionRegistry, conversation: Conversation
    ) -> None:
        self._db = db
        self._connections = connections
        self._conversation = conversation

    def join(self, socket: Socket, since: Since) -> Subscription:
        """Subscribe a socket; first send it the frames with numbers above `since`.

        If these are no longer available, send an `error` frame `resync_required` and continue with
        live frames.
        """
        user = socket.caller.user
        after = since if isinstance(since, int) else None
        if after is not None:
            try:
                self._db.read(replay.check, user.row_id, after)
            except ResyncRequired as error:
                socket.send(frames.error(error).encoded)
                after = None
        sources = Sources(
            missed=lambda after: [
                frames.of(fact) for fact in self._db.read(replay.missed, user.row_id, after)
            ],
            streamed_replies=lambda: self._conversation.streamed_replies(user.id),
        )
        subscription = Subscription(socket, sources, after, receives_chats=since is not None)
        self._connections.add(subscription)
        subscription.resume()
        return subscription
