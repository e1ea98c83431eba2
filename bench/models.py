"""Measure the local model's speed through Quillium against llama.cpp alone, in one run.

    python -m bench.models MODEL.gguf

Both are loaded at once and take turns. "Alone" means requests to llama.cpp's
own server with the same settings. It takes about a minute and stops by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bench.program import account, call, start_quillium

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from assistant import PromptMessage
from assistant.events import Text
from assistant.local import LARGEST_ANSWER, _serve
from assistant.model_file import SYSTEM_PROMPT
from assistant.openai_compatible import OpenAICompatible
from assistant.upstream import Upstream

QUESTION = "Tell me a story about a goose who finds a pen."
KEY = "a key of this run alone"


async def alone(provider: OpenAICompatible) -> AsyncIterator[str]:
    lines = [PromptMessage("system", SYSTEM_PROMPT), PromptMessage("user", QUESTION)]
    async for event in provider.reply(lines, "model"):
        if isinstance(event, Text):
            yield event.text


async def through_quillium(url: str, token: str) -> AsyncIterator[str]:
    chat = (await asyncio.to_thread(call, url, "POST", "/api/v1/chats", {}, token))["id"]
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 20)
    body = json.dumps({"content": QUESTION})
    writer.write(
        f"POST /api/v1/chats/{chat}/messages HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
        f"Authorization: Bearer {token}\r\nAccept: text/event-stream\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    async for line in reader:
        if line.startswith(b"data: "):
            frame = json.loads(line[6:])
            if frame["type"] == "typing" and frame["data"]["delta"]:
                yield frame["data"]["delta"]
    writer.close()


async def timed(pieces: AsyncIterator[str]) -> tuple[float, float]:
    """Return the seconds to the first text, and the characters per second after it."""
    began = time.perf_counter()
    first, count = 0.0, 0
    async for piece in pieces:
        if not first:
            first = time.perf_counter()
        else:
            count += len(piece)
    return first - began, count / (time.perf_counter() - first)


async def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the local model against llama.cpp alone")
    parser.add_argument("model", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    bare = _serve(chosen.model, KEY)
    provider = OpenAICompatible(
        Upstream("llama.cpp", f"{bare.listening_address}/v1", KEY),
        {"max_tokens": LARGEST_ANSWER},
    )
    with tempfile.TemporaryDirectory() as folder:
        flags = (f"--local-model={chosen.model}", "--preload", "--bcrypt-cost=4")
        server, url = start_quillium(Path(folder), *flags)
        try:
            token = account(url)
            call(url, "PUT", "/api/v1/settings/admin", {"system_prompt": SYSTEM_PROMPT}, token)
            results: dict[str, list[tuple[float, float]]] = {"llama.cpp alone": [], "Quillium": []}
            for number in range(chosen.rounds + 1):
                taken = (
                    await timed(alone(provider)),
                    await timed(through_quillium(url, token)),
                )
                for name, figures in zip(results, taken):
                    if number:  # the first round is a warm-up
                        results[name].append(figures)
        finally:
            server.terminate()
            server.wait()
    medians = [
        (statistics.median(f for f, _ in taken), statistics.median(s for _, s in taken))
        for taken in results.values()
    ]
    for name, (first, speed) in zip(results, medians):
        print(f"{name:18} first text {1000 * first:6.0f} ms, then {speed:6.0f} characters a second")
    (first, speed), (our_first, our_speed) = medians
    print(f"Quillium / alone: first text {our_first / first:.2f}, speed {our_speed / speed:.2f}")


if __name__ == "__main__":
    asyncio.run(main())
