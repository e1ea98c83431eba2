"""Run a few cycles of `python -m tests.crash`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.crash.harness import Harness, Loss, _look_for_losses


@pytest.mark.parametrize("kind", ["kill", "faults", "backups"])
def test_nothing_acknowledged_is_lost(tmp_path: Path, kind: str) -> None:
    harness = Harness(tmp_path, seed=len(kind))
    for _ in range(2):
        harness.cycle(faults=kind == "faults", backups=kind == "backups")
    harness.verify_all()
    assert harness.tally.kills == 2
    assert harness.tally.acknowledged > 0


def line(what: str, client_id: str, **more: Any) -> dict[str, Any]:
    return {
        "what": what,
        "chat": "c",
        "client_id": client_id,
        "content": "x",
        "id": client_id,
    } | more


def message(client_id: str | None, **more: Any) -> dict[str, Any]:
    return {"client_id": client_id, "id": client_id, "content": "x", "status": "complete"} | more


SENT = [line("sent", "a"), line("stored", "a"), line("sent", "b"), line("stored", "b")]
LOSSES = {
    "lost": [message("a")],
    "twice": [message("a"), message("b"), message("a")],
    "out of order": [message("b"), message("a")],
    "changed": [message("a"), message("b", content="y")],
    "streaming": [message("a"), message("b"), message(None, status="streaming")],
}


@pytest.mark.parametrize("name", LOSSES)
def test_the_harness_sees_a_loss(name: str) -> None:
    _look_for_losses(SENT, {"c": [message("a"), message(None), message("b")]})
    with pytest.raises(Loss, match=name if name != "changed" else "acknowledged"):
        _look_for_losses(SENT, {"c": LOSSES[name]})
