"""Compare a database of two million messages with one of two thousand.

    python -m bench.size [--messages 2000000] [--keep FOLDER]

Creates both databases (the large one takes some minutes and about 2 GB of disk), starts a server on
each, and prints the medians and their ratios. A tenth of the messages are in one chat, the rest in
chats of 100.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import statistics
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.program import account, call, start_quillium
from core import ids
from core.records import Message, Sender
from storage import chats, imports, users
from storage.connection import connect

SMALL = 2_000
IN_A_CHAT = 100
RARE = "heliotrope"  # in ten messages of each database
COMMON = "everywhere"  # in all messages
NOW = "2026-01-01T00:00:00.000Z"


def make(folder: Path, count: int) -> str:
    """Create a data folder with `count` messages of one user; return an API key."""
    server, url = start_quillium(folder)
    token = account(url)
    key: str = call(url, "POST", "/api/v1/users/api-key", {}, token)["api_key"]
    server.terminate()
    server.wait()
    generator = random.Random(count)
    vocabulary = [
        "".join(generator.choices("abcdefghijklmnopqrstuvwxyz", k=generator.randint(3, 10)))
        for _ in range(20_000)
    ]
    weights = [1 / rank for rank in range(1, len(vocabulary) + 1)]  # as in natural language (Zipf)
    pool = generator.choices(vocabulary, weights, k=1_000_000)
    rare = set(generator.sample(range(count), 10))
    made = 0
    with contextlib.closing(connect(folder / "quillium.db", writable=True)) as connection:
        owner = users.for_login(connection, "bench@example.com")
        assert owner is not None
        while made < count:
            size = count // 10 if made == 0 else min(IN_A_CHAT, count - made)
            id, said = ids.new("chat"), []
            for number in range(made, made + size):
                start = generator.randrange(len(pool) - 40)
                words = [*pool[start : start + generator.randint(5, 40)], COMMON]
                if number in rare:
                    words.append(RARE)
                said.append(_message(id, number, " ".join(words)))
            title = " ".join(generator.choices(vocabulary, k=4))
            chat = chats.NewChat(id, title, True, "quillium-demo", NOW, None, "{}")
            connection.execute("BEGIN")
            imports.add(connection, owner[0].row_id, chat, NOW, said)
            connection.execute("COMMIT")
            made += size
            print(f"\r{made:,} of {count:,} messages", end="", file=sys.stderr)
    print(file=sys.stderr)
    return key


def _message(chat_id: str, number: int, content: str) -> Message:
    sender: Sender = "assistant" if number % 2 else "user"
    return Message(0, ids.new("msg"), chat_id, content, sender, NOW, "complete", None, None)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[tuple[str, float]]:
    """Run a server on the folder; yield its address and start-up time in seconds."""
    began = time.perf_counter()
    server, url = start_quillium(folder)
    seconds = time.perf_counter() - began
    try:
        yield url, seconds
    finally:
        server.terminate()
        server.wait()


def timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(url: str, key: str) -> dict[str, Callable[[], float]]:
    """Return the operations to time, by name."""
    listed = call(url, "GET", "/api/v1/chats?limit=100", token=key)["data"]
    long = max(listed, key=lambda chat: chat["message_count"])["id"]

    def get(path: str) -> Callable[[], float]:
        return lambda: timed(lambda: call(url, "GET", f"/api/v1{path}", token=key))

    def search(query: str) -> Callable[[], float]:
        return get(f"/chats?q={urllib.parse.quote(query)}")

    def commit() -> float:
        body = {"title": "A chat more"}
        return timed(lambda: call(url, "POST", "/api/v1/chats", body, key))

    def say() -> float:
        path = f"/api/v1/chats/{long}/messages"
        return timed(lambda: call(url, "POST", path, {"content": "Hello there"}, key))

    return {
        "first page of chats": get("/chats"),
        "first page of the long chat's messages": get(f"/chats/{long}/messages"),
        "its last page, order=desc": get(f"/chats/{long}/messages?order=desc"),
        "search, a word in ten messages": search(RARE),
        "search, two words, one of them in all": search(f"{RARE} {COMMON}"),
        "search, a word that is nowhere": search("qqqqqqqq"),
        "search, a word in all messages": search(COMMON),
        "search, one letter": search("h"),
        "a commit: POST /chats": commit,
        "a commit: POST a message to the long chat": say,
    }


def compare(small: tuple[Path, str], large: tuple[Path, str], rounds: int) -> None:
    starts: tuple[list[float], list[float]] = ([], [])
    for _ in range(5):
        for seconds, (folder, _) in zip(starts, (small, large)):
            with running(folder) as (_, took):
                seconds.append(took)
    show("start to listening", *starts)
    with running(small[0]) as (small_url, _), running(large[0]) as (large_url, _):
        ours, theirs = measure(small_url, small[1]), measure(large_url, large[1])
        for name in ours:
            times: tuple[list[float], list[float]] = ([], [])
            for _ in range(rounds):
                times[0].append(ours[name]())
                times[1].append(theirs[name]())
                if times[1][-1] > 1:
                    break
            show(name, *times)


def show(name: str, small: list[float], large: list[float]) -> None:
    few, many = statistics.median(small), statistics.median(large)
    print(f"{name:42} {1000 * few:8.1f} ms {1000 * many:8.1f} ms {many / few:7.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare two million messages with two thousand")
    parser.add_argument("--messages", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--keep", type=Path, help="folder of the databases, new or existing")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        made = [_made(folder / str(count), count) for count in (SMALL, chosen.messages)]
        compare(made[0], made[1], chosen.rounds)


def _made(folder: Path, count: int) -> tuple[Path, str]:
    note = folder / "api_key"
    if not note.exists():
        folder.mkdir(parents=True, exist_ok=True)
        note.write_text(make(folder, count))
    return folder, note.read_text()


if __name__ == "__main__":
    main()
