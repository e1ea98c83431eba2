"""Kill the server under load, and check what it acknowledged: python -m tests.crash --cycles 100"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.crash.harness import Harness


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--faults", action="store_true", help="let the disk fail meanwhile")
    parser.add_argument(
        "--backups", action="store_true", help="make backups, restore and check them"
    )
    parser.add_argument("--data-dir", type=Path, help="a folder on a small file system, say")
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}")
    with tempfile.TemporaryDirectory() as folder:
        harness = Harness(Path(folder), chosen.seed, data_dir=chosen.data_dir)
        for number in range(chosen.cycles):
            harness.cycle(faults=chosen.faults, backups=chosen.backups)
            end = "\r\x1b[K" if sys.stdout.isatty() and number + 1 < chosen.cycles else "\n"
            if sys.stdout.isatty() or number % 10 == 9 or number + 1 == chosen.cycles:
                print(f"{harness.tally}", end=end, flush=True)
        harness.verify_all()
    print("Nothing that was acknowledged was lost, doubled or out of order.")


if __name__ == "__main__":
    main()
