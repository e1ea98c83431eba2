"""The cost model: who is charged for work, and how much of it one account may have under way.

The rate limit counts requests, but a search or an import costs more than a page of a list. Costly
work is therefore limited by what it takes: time of the writer, threads, memory, connections, disk
space. All limits are in this module (docs/design.md, "Fairness").
"""

from __future__ import annotations

from contextvars import ContextVar

# Writes: one thread serves all accounts in turn.
BATCH_SECONDS = 0.02  # of work in one commit; a write waits for at most one such batch
MAX_WRITES_WAITING = 5000
MAX_WRITES_WAITING_EACH = 500  # of one account

# Reads in the thread pool: searches, exports and deep pages.
POOL_READS = 4  # threads
POOL_READS_EACH = 2  # at a time for one account
POOL_READS_WAITING_EACH = 32

# Stored content.
STORAGE_MIB_EACH = 1024  # until an admin sets `storage_per_user_mib`
DISK_RESERVE_BYTES = 64 << 20  # or a twentieth of a small disk; kept for logins and deletions

# Uploads of more than a piece, each of which holds one in memory.
UPLOADS = 32
UPLOADS_EACH = 4  # at a time for one account
# Pieces that are being stored. A commit's time grows with its bytes, and all other writes wait.
PIECES = 2
PIECES_EACH = 1

# Prompts with more than 1 MiB of files, which are in memory, encoded, until the reply ends.
LARGE_PROMPTS = 8
LARGE_PROMPTS_EACH = 2  # at a time for one account

# PDF files that are being read, each by a process of up to 768 MiB and in memory as a whole.
PDF_READERS = 2
PDF_READERS_EACH = 1

# Titles that models write, each a request to a model server.
TITLES = 8
TITLES_EACH = 1

SERVER = ""  # pays for background work
_account: ContextVar[str] = ContextVar("account", default=SERVER)


def charge(account: str) -> None:
    """Charge the work of this task, and of all tasks that it creates, to an account.

    `account` is a user id, or the client address of a caller without an account.
    """
    _account.set(account)


def charged() -> str:
    """Return the account that pays for the current work."""
    return _account.get()
