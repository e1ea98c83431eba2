"""Server-Sent Events."""

from __future__ import annotations

from web.events import event


def test_an_event_has_a_name_and_one_line_of_data() -> None:
    assert event("progress", b'{"share":1}') == b'event: progress\ndata: {"share":1}\n\n'
