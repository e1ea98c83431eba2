"""Disconnect devices at random, and compare their data: python -m tests.chaos --minutes 10"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.harness import Harness

_SECONDS_A_ROUND = 15.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}")
    with tempfile.TemporaryDirectory() as folder:
        harness = Harness(Path(folder), chosen.seed)
        asyncio.run(_watched(harness, chosen.minutes * 60))
    for name, count in sorted(harness.tally.items()):
        print(f"{name:24} {count:8,}")
    print("losses                          0")


async def _watched(harness: Harness, seconds: float) -> None:
    running = asyncio.ensure_future(harness.run(seconds, settle_every=_SECONDS_A_ROUND))
    began = time.monotonic()
    while not running.done():
        await asyncio.wait([running], timeout=1 if sys.stdout.isatty() else 60)
        line = f"{time.monotonic() - began:.0f} s, {harness.tally['frames']:,} frames"
        print(line, end="\r" if sys.stdout.isatty() else "\n", flush=True)
    running.result()


if __name__ == "__main__":
    main()
