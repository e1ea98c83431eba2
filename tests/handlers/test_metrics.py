"""`/metrics`, with `--metrics` (contract, section 9)."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

Client = Any
watched = pytest.mark.flags("--metrics")


async def figures(admin: Client) -> dict[tuple[str, ...], float]:
    """Each sample by its name and the values of its labels, in the order of the labels' names."""
    answer = await admin("GET /metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(answer.raw.decode())
        for sample in family.samples
    }


@watched
async def test_only_for_admins(anyone: Client, ada: Client, bob: Client) -> None:
    assert (await anyone("GET /metrics")).error == "401 unauthorized"
    assert (await bob("GET /metrics")).error == "403 forbidden"
    key = (await ada("POST /users/api-key", {})).body["api_key"]
    answer = await anyone.with_credential(key)("GET /metrics")
    assert answer.status == 200
    assert "X-RateLimit-Limit" not in answer.headers


@watched
async def test_what_is_counted(anyone: Client, ada: Client) -> None:
    chat = await ada.chat()
    socket = await ada.socket()
    await ada.say(chat, "Hello")
    await socket.reply()
    await socket.send("read", chat_id=chat)
    await socket.until("read", sender="user")
    await ada("GET /chats/{id}", id="chat_0")
    await ada("FETCH /chats")
    seen = await figures(ada)
    requests = "quillium_request_seconds_count"
    assert seen[requests, "POST", "/auth/register", "201"] == 1
    assert seen[requests, "POST", "/chats/{id}/messages", "200"] == 1
    assert seen[requests, "GET", "/chats/{id}", "404"] == 1
    assert seen[requests, "other", "/chats", "405"] == 1
    assert seen["quillium_sockets",] == 1
    assert seen["quillium_frames_sent_total",] == len(socket.frames)
    assert seen["quillium_frames_received_total", "read"] == 1
    assert seen["quillium_replies_total", "complete"] == 1
    assert seen["quillium_first_text_seconds_count",] == 1
    assert seen["quillium_replies_under_way",] == 0
    assert seen["quillium_writes_total",] >= seen["quillium_commits_total",] >= 5
    assert seen["quillium_write_wait_seconds_total",] > 0
    assert seen["process_resident_memory_bytes",] > 1e6


@watched
async def test_refusals(anyone: Client, ada: Client) -> None:
    for _ in range(11):
        body = {"email": "ada@example.com", "password": "a wrong password"}
        await anyone("POST /auth/login", body)
    await ada("PUT /settings/admin", {"rate_limit_per_minute": 1})
    assert (await ada("GET /users/me")).status == 429
    seen = await figures(ada)
    assert seen["quillium_refusals_total", "logins"] == 1
    assert seen["quillium_refusals_total", "requests"] == 1
