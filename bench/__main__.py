"""Benchmark Quillium against a bare Tornado handler and a peer, all in one run.

    .venv/bin/pip install -q -e '.[bench]' && .venv/bin/python -m bench

Only ratios count. Machines differ and are noisy, so the compared programs take turns every few
seconds, and the median of the rounds is reported. The table goes into docs/performance.md.
`--smoke` runs everything in seconds on little data, to test the benchmark itself.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from bench import data
from bench.load import CONNECTIONS, Connection, Result, Turn, frame, load, request, upgraded
from bench.program import ROOT, call, free_port, memory, start, start_sidecar
from storage import search_text

PARTS = ("requests", "log", "size", "versions", "backend", "start", "memory")
PAGE = 20
WORDS_OF_A_REPLY = 40
_SETTLE_SECONDS = 1.0


class Plan(NamedTuple):
    """The amount of work. `sizes` are the chats of each user; the first user is measured most."""

    rounds: int
    seconds: float
    sizes: list[int]
    messages: int
    few: int
    many: int
    sockets: int
    starts: int
    versions: int
    seeded: int  # messages of a test backend


FULL = Plan(5, 2.0, [1000, *[91] * 98, 82], data.MESSAGES, 100, 100_000, 1_000, 9, 1_000, 10_000)
SMOKE = Plan(1, 0.2, [40, *[20] * 3], 3, 25, 50, 20, 1, 5, 50)


class Row(NamedTuple):
    work: str
    measured: str
    wanted: str
    holds: bool


class Table:
    """Prints a Markdown table, each row as soon as it is measured."""

    def __init__(self) -> None:
        print("| work | measured | wanted | |\n|---|---|---|---|", flush=True)

    def add(self, work: str, ratio: float, least: float, note: str = "") -> None:
        self._print(Row(work, f"{ratio:.2f}{note}", f"at least {least:.2f}", ratio >= least))

    def add_most(
        self, work: str, ratio: float, most: float, note: str = "", unit: str = ""
    ) -> None:
        told = f"{ratio:.2f}{unit}{note}"
        self._print(Row(work, told, f"at most {most:g}{unit}", ratio <= most))

    def _print(self, row: Row) -> None:
        kept = "yes" if row.holds else "**no**"
        print(f"| {row.work} | {row.measured} | {row.wanted} | {kept} |", flush=True)


def say(text: str) -> None:
    """Print progress, if the output is a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


@contextmanager
def running(process: subprocess.Popen[Any]) -> Iterator[None]:
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def asked(
    port: int, requests: Sequence[bytes], seconds: float, rate: float | None = None
) -> Result:
    """Return the result of a load on several connections, each with the next request."""
    connections = [Connection(port, requests[n % len(requests)]) for n in range(CONNECTIONS)]
    try:
        return load(connections, seconds, rate)
    finally:
        for connection in connections:
            connection.close()


def median_ratio(
    plan: Plan, ours: Callable[[], float], theirs: Callable[[], float], name: str
) -> tuple[float, float, float]:
    """Return the median ratio ours / theirs over the rounds, and the medians of both."""
    rounds = []
    for number in range(plan.rounds):
        say(f"{name}, round {number + 1} of {plan.rounds}")
        theirs_now = theirs()
        rounds.append((ours() / theirs_now, theirs_now))
    say("")
    ratio = statistics.median(ratio for ratio, _ in rounds)
    reference = statistics.median(theirs_now for _, theirs_now in rounds)
    return ratio, ratio * reference, reference


# Requests


def measure_requests(plan: Plan, table: Table, folder: Path, accounts: list[data.Account]) -> None:
    """Measure single requests against bare Tornado and the peer, each on a copy of the data."""
    first = accounts[0]
    copy = folder / "peer.db"
    with (
        closing(sqlite3.connect(folder / "ours" / "quillium.db")) as original,
        closing(sqlite3.connect(copy)) as copied,
    ):
        original.backup(copied)
    chat = f"/api/v1/chats/{first.chats[0]}/messages?limit={PAGE}"
    gets = {
        "`GET /users/me`": ("/api/v1/users/me", 0.75, None),
        "`GET /chats?limit=20` of 1,000 chats": (f"/api/v1/chats?limit={PAGE}", 0.60, 2.0),
        "`GET /chats/{id}/messages?limit=20`": (chat, 0.60, 2.0),
    }
    post = '{"title": "A chat more"}'
    ours, url = start_sidecar(folder / "ours", QUILLIUM_JWT_SECRET=data.SECRET)
    with running(ours):
        answers = {
            path.partition("?")[0]: json.dumps(call(url, "GET", path, token=first.token))
            for path, _, _ in gets.values()
        }
        answers["/chat"] = json.dumps(
            call(url, "POST", "/api/v1/chats", json.loads(post), first.token)
        )
        file = folder / "answers.json"
        file.write_text(json.dumps(answers))
        bare, bare_url = start([sys.executable, "-m", "bench.bare", str(file)], "stdout")
        os.environ["JWT_SECRET"] = data.SECRET
        peer, peer_url = start([sys.executable, "-m", "bench.peer", str(copy)], "stdout")
        with running(bare), running(peer):
            ports = port_of(url), port_of(bare_url), port_of(peer_url)

            def compare(
                work: str, mine: list[bytes], bares: bytes, least: float, of_peer: float | None
            ) -> None:
                def our_rate() -> float:
                    return asked(ports[0], mine, plan.seconds).rate

                ratio, rate, reference = median_ratio(
                    plan, our_rate, lambda: asked(ports[1], [bares], plan.seconds).rate, work
                )
                note = f" ({rate:,.0f} / {reference:,.0f} a second)"
                table.add(f"{work}, of bare", ratio, least, note)
                if of_peer is not None:
                    ratio, rate, reference = median_ratio(
                        plan, our_rate, lambda: asked(ports[2], mine, plan.seconds).rate, work
                    )
                    note = f" ({rate:,.0f} / {reference:,.0f} a second)"
                    table.add(f"{work}, of the peer", ratio, of_peer, note)

            for work, (path, least, of_peer) in gets.items():
                mine = request("GET", path, first.token)
                bares = request("GET", path.partition("?")[0], first.token)
                compare(work, [mine], bares, least, of_peer)
            mine = request("POST", "/api/v1/chats", first.token, post)
            bares = request("POST", "/chat", first.token, post)
            compare("`POST /chats`, durable", [mine], bares, 0.50, 1.5)
            trivial = request("GET", "/api/v1/users/me", first.token)
            measure_turns(plan, table, ports[0], ports[1], trivial, accounts)
            measure_tail(plan, table, ports[0], accounts)
            measure_search(plan, table, url, folder / "ours" / "quillium.db", first.token)


def measure_turns(
    plan: Plan,
    table: Table,
    port: int,
    bare: int,
    trivial: bytes,
    accounts: list[data.Account],
) -> None:
    """Measure whole turns: store a message, stream the reply to a socket, store its end."""
    some = [accounts[n % len(accounts)] for n in range(CONNECTIONS)]
    content = f"/lorem {WORDS_OF_A_REPLY}"

    def turn(number: int, account: data.Account, by_frame: bool) -> Turn:
        """Return turns that cycle through the chats, to keep conversations at a typical length."""
        chats = account.chats[number // len(accounts) :: 1 + (CONNECTIONS - 1) // len(accounts)]
        body = json.dumps({"content": content})
        rest = [
            request("POST", f"/api/v1/chats/{id}/messages", account.token, body) for id in chats
        ]
        told = [
            frame(json.dumps({"type": "message", "data": {"chat_id": id, "content": content}}))
            for id in chats
        ]
        return Turn(port, account.token, rest, told if by_frame else ())

    for by_frame, least in ((False, 0.20), (True, 0.30)):
        work = "a whole turn over the socket" if by_frame else "a whole turn over REST"

        def rate(by_frame: bool = by_frame) -> float:
            turns = [turn(number, account, by_frame) for number, account in enumerate(some)]
            try:
                return load(turns, plan.seconds).rate
            finally:
                for one in turns:
                    one.close()

        ratio, ours, reference = median_ratio(
            plan, rate, lambda: asked(bare, [trivial], plan.seconds).rate, work
        )
        table.add(f"{work}, of bare's requests", ratio, least, f" ({ours:,.0f} / {reference:,.0f})")


def measure_tail(plan: Plan, table: Table, port: int, accounts: list[data.Account]) -> None:
    """Measure the 99th percentile at half of the full load, a tenth of it writes."""
    mixed = []
    for number in range(CONNECTIONS):
        token, chats = accounts[number % len(accounts)]
        path = f"/api/v1/chats/{chats[0]}/messages?limit={PAGE}"
        mixed += [
            request("POST", "/api/v1/chats", token, '{"title": "A chat more"}')
            if number % 11 == 0
            else request("GET", path, token)
        ]
    ratios = []
    for number in range(plan.rounds):
        say(f"the tail, round {number + 1} of {plan.rounds}")
        full = asked(port, mixed, plan.seconds).rate
        half = asked(port, mixed, 2 * plan.seconds, full / 2)
        ratios.append(half.percentile(0.99) / half.percentile(0.5))
    say("")
    table.add_most("99th percentile at half load, of the median", statistics.median(ratios), 4)


def measure_search(plan: Plan, table: Table, url: str, file: Path, token: str) -> None:
    """Measure a two-word search against the same FTS queries with sqlite3 alone.

    A chat matches if each word is a prefix of a word in its title or in any of its messages. That
    takes one query per word and index, and an intersection of the results.
    """
    both = (
        "SELECT m.chat FROM messages_index i CROSS JOIN messages m ON m.number = i.rowid"
        " WHERE messages_index MATCH ?",
        "SELECT rowid FROM titles_index WHERE titles_index MATCH ?",
    )
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        search_text.register(connection)
        # Skip the newest messages: those are the turns that were measured before.
        contents = connection.execute(
            "SELECT content FROM messages WHERE user = 1 ORDER BY number LIMIT 20"
        ).fetchall()
        pairs = itertools.cycle([content.split()[:2] for (content,) in contents])
        asking = Connection(port_of(url), b"")

        def alone() -> float:
            words = next(pairs)
            asking.request = request("GET", f"/api/v1/chats?q={'+'.join(words)}", token)
            began = time.perf_counter()
            expressions = [f'owner : u1 AND content : "{word}" *' for word in words]
            found = [
                set(connection.execute(query, (word,))) for word in expressions for query in both
            ]
            assert (found[0] | found[1]) & (found[2] | found[3])
            return time.perf_counter() - began

        name = "two-word search in all messages, of sqlite3 alone"
        ratio, mine, theirs = median_ratio(
            plan._replace(rounds=20 * plan.rounds),
            lambda: load([asking], 0.001).percentile(0.5),
            alone,
            name,
        )
        asking.close()
        table.add_most(name, ratio, 2, f" ({1000 * mine:.2f} / {1000 * theirs:.2f} ms)")


# Log, size, start, memory


def measure_log(plan: Plan, table: Table, folder: Path) -> None:
    """Measure requests with the default log, written to a file, of those with warnings only."""
    data_dirs = [folder / name for name in ("with_log", "without_log")]
    accounts = [data.make(data_dir, [1000], 1, say)[0] for data_dir in data_dirs]
    log = f"--log-file={folder / 'access.log'}"
    secret = {"QUILLIUM_JWT_SECRET": data.SECRET}
    with_log, with_url = start_sidecar(data_dirs[0], log, **secret)
    without_log, without_url = start_sidecar(data_dirs[1], "--log-level=WARNING", **secret)
    with running(with_log), running(without_log):
        for path in ("/users/me", f"/chats?limit={PAGE}"):

            def rate(url: str, account: data.Account, path: str = path) -> float:
                asking = [request("GET", f"/api/v1{path}", account.token)]
                return asked(port_of(url), asking, plan.seconds).rate

            ratio, mine, reference = median_ratio(
                plan,
                partial(rate, with_url, accounts[0]),
                partial(rate, without_url, accounts[1]),
                f"the log, GET {path}",
            )
            note = f" ({mine:,.0f} / {reference:,.0f} a second)"
            table.add(f"`GET {path}` with the log, of without", ratio, 0.9, note)


def measure_size(plan: Plan, table: Table, folder: Path) -> None:
    accounts = data.make(folder / "sizes", [plan.few, plan.many], 0, say)
    process, url = start_sidecar(folder / "sizes", QUILLIUM_JWT_SECRET=data.SECRET)
    with running(process):
        few, many = (
            request("GET", f"/api/v1/chats?limit={PAGE}", account.token) for account in accounts
        )
        ratio, _, _ = median_ratio(
            plan,
            lambda: asked(port_of(url), [many], plan.seconds).rate,
            lambda: asked(port_of(url), [few], plan.seconds).rate,
            "100,000 chats",
        )
        table.add(f"the same page with {plan.many:,} chats, of that with {plan.few:,}", ratio, 0.9)


def measure_versions(plan: Plan, table: Table, folder: Path) -> None:
    (account,) = data.make(folder / "versions", [0], 0, say)
    process, url = start_sidecar(folder / "versions", QUILLIUM_JWT_SECRET=data.SECRET)
    with running(process):
        plain, edited = (
            request("GET", f"/api/v1/chats/{chat}/messages?limit={PAGE}", account.token)
            for chat in (
                _chat_with(url, account.token, versions) for versions in (1, plan.versions)
            )
        )
        ratio, _, _ = median_ratio(
            plan,
            lambda: asked(port_of(url), [edited], plan.seconds).rate,
            lambda: asked(port_of(url), [plain], plan.seconds).rate,
            "versions",
        )
        name = f"a page of messages, one with {plan.versions:,} versions, of one without"
        table.add(name, ratio, 0.9)


def _chat_with(url: str, token: str, versions: int) -> str:
    """Import a chat of a page of messages, the first of which has so many versions."""
    time = {"timestamp": "2026-01-01T00:00:00.000Z"}
    said = [
        {"id": f"v{n}", "parent_id": None, "content": "Hello", "sender": "user", **time}
        for n in range(versions)
    ]
    senders = ("assistant", "user")
    said += [
        {"id": f"m{n}", "content": "Hello again", "sender": senders[n % 2], **time}
        for n in range(PAGE - 1)
    ]
    chat = {"title": "Versions", "model": "quillium-demo"}
    body = {"format": "quillium-chat", "version": 1, "chat": chat, "messages": said}
    id: str = call(url, "POST", "/api/v1/chats/import", body, token)["id"]
    return id


def measure_backend(plan: Plan, table: Table, folder: Path) -> None:
    """Measure what the tests of a front end wait for: start, reset, and a scripted reply."""
    stamp = {"timestamp": "2026-01-01T00:00:00.000Z"}
    said = [
        {"content": f"Message {n}", "sender": ("user", "assistant")[n % 2], **stamp}
        for n in range(plan.seeded)
    ]
    user = {"email": "ada@example.com", "access_token": "token-of-ada"}
    chats = [{"id": "chat_long", "messages": said}, {"id": "chat_short"}]
    reply = {"match": {"content": "Hello"}, "reply": {"chunks": ["Hi ", "Ada!"]}}
    seed = folder / "seed.json"
    seed.write_text(json.dumps({"users": [{**user, "chats": chats}], "replies": [reply]}))
    small = folder / "small.json"
    small.write_text(json.dumps({"users": [user]}))
    compiled = _with_bytecode(folder)

    def worker() -> float:
        began = time.perf_counter()
        process, url = start_sidecar(None, "--dev", f"--seed={small}", **compiled)
        with running(process):
            call(url, "GET", "/health")
            return 1000 * (time.perf_counter() - began)

    worker()
    starts = [worker() for _ in range(plan.starts)]
    table.add_most(
        "a worker with a seed, from exec to the first answer",
        statistics.median(starts),
        300,
        unit=" ms",
    )
    process, url = start_sidecar(None, "--dev", f"--seed={seed}")
    with running(process):
        resets, replies = [], []
        for _ in range(plan.starts):
            body = {"content": "Hello"}
            began = time.perf_counter()
            call(url, "POST", "/api/v1/chats/chat_short/messages", body, "token-of-ada")
            while (
                call(url, "GET", "/api/v1/chats/chat_short", token="token-of-ada")["last_message"][
                    "content"
                ]
                != "Hi Ada!"
            ):
                pass
            replies.append(1000 * (time.perf_counter() - began))
            began = time.perf_counter()
            call(url, "POST", "/api/v1/dev/reset")
            resets.append(1000 * (time.perf_counter() - began))
    name = f"a reset with {plan.seeded:,} messages"
    table.add_most(name, statistics.median(resets), 100, unit=" ms")
    table.add_most(
        "a scripted reply, from the request to its end", statistics.median(replies), 20, unit=" ms"
    )


def _with_bytecode(folder: Path) -> dict[str, str]:
    """Return variables that keep bytecode, as users have it, where the environment forbids that."""
    return {"PYTHONPYCACHEPREFIX": str(folder / "bytecode"), "PYTHONDONTWRITEBYTECODE": ""}


def measure_start(plan: Plan, table: Table, folder: Path) -> None:
    # Bytecode is cached, as it is for users and for the installed Tornado, even where the
    # environment forbids it. The first start writes it.
    compiled = {**os.environ, **_with_bytecode(folder)}
    data_dir = folder / "start"
    process, _ = start_sidecar(data_dir)
    with running(process):
        pass

    def ours() -> float:
        port = free_port()
        began = time.perf_counter()
        command = [sys.executable, str(ROOT / "quillium.py"), f"--port={port}", "--no-discovery"]
        process = subprocess.Popen(
            [*command, f"--data-dir={data_dir}"], stderr=subprocess.DEVNULL, env=compiled
        )
        with running(process):
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health").read()
                except OSError:
                    time.sleep(0.001)
                else:
                    return time.perf_counter() - began

    def tornado() -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import tornado.web"], check=True, env=compiled)
        return time.perf_counter() - began

    ours()
    tornado()
    several = plan._replace(rounds=plan.starts)
    name = "from exec to the first answer of `/health`, of `import tornado.web`"
    ratio, mine, theirs = median_ratio(several, ours, tornado, name)
    table.add_most(name, ratio, 2.5, f" ({1000 * mine:.0f} / {1000 * theirs:.0f} ms)")


def measure_memory(plan: Plan, table: Table, folder: Path) -> None:
    (folder / "answers.json").write_text('{"/": "{}"}')
    bare, bare_url = start(
        [sys.executable, "-m", "bench.bare", str(folder / "answers.json")], "stdout"
    )
    data.make(folder / "memory", [20], 1, say)
    ours, url = start_sidecar(folder / "memory", QUILLIUM_JWT_SECRET=data.SECRET)
    with running(bare), running(ours):
        call(bare_url, "GET", "/")
        call(url, "GET", "/health")
        time.sleep(_SETTLE_SECONDS)
        rest, reference = memory(ours.pid), memory(bare.pid)
        note = f" ({rest / 1e6:.0f} / {reference / 1e6:.0f} MB)"
        table.add_most("memory at rest, of bare's", rest / reference, 1.6, note)
    accounts = data.make(folder / "sockets", [0] * max(1, plan.sockets // 20), 0, say)
    ours, url = start_sidecar(folder / "sockets", QUILLIUM_JWT_SECRET=data.SECRET)
    with running(ours):
        warm = [upgraded(port_of(url), accounts[0].token) for _ in range(5)]
        time.sleep(_SETTLE_SECONDS)
        before = memory(ours.pid)
        tokens = [accounts[n % len(accounts)].token for n in range(plan.sockets - len(warm))]
        idle = [upgraded(port_of(url), token) for token in tokens]
        time.sleep(_SETTLE_SECONDS)
        each = (memory(ours.pid) - before) / len(idle) / 1024
        for one in (*warm, *idle):
            one.close()
    table.add_most("memory for an idle socket", each, 30, unit=" KiB")


def main() -> None:
    parser = argparse.ArgumentParser(description="Quillium against bare Tornado and a peer")
    parser.add_argument("--smoke", action="store_true", help="take seconds, on little data")
    parser.add_argument("--rounds", type=int, help="rounds per row; the median counts")
    parser.add_argument("--seconds", type=float, help="seconds per program and round")
    parser.add_argument("--only", choices=PARTS, action="append")
    chosen = parser.parse_args()
    plan = SMOKE if chosen.smoke else FULL
    plan = plan._replace(
        rounds=chosen.rounds or plan.rounds, seconds=chosen.seconds or plan.seconds
    )
    parts = chosen.only or PARTS
    table = Table()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if "requests" in parts:
            accounts = data.make(folder / "ours", plan.sizes, plan.messages, say)
            measure_requests(plan, table, folder, accounts)
        if "log" in parts:
            measure_log(plan, table, folder)
        if "size" in parts:
            measure_size(plan, table, folder)
        if "versions" in parts:
            measure_versions(plan, table, folder)
        if "backend" in parts:
            measure_backend(plan, table, folder)
        if "start" in parts:
            measure_start(plan, table, folder)
        if "memory" in parts:
            measure_memory(plan, table, folder)


if __name__ == "__main__":
    main()
