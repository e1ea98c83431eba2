"""The pure rules, with the time passed in."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import documents, ids, passwords, times
from core.errors import InvalidRequest
from core.rate_limit import FailureLog, RateLimiter


def test_a_bucket_is_refilled_whole_a_minute_after_its_first_use() -> None:
    limiter = RateLimiter()
    passed = [limiter.take("ada", 100, 1000.25 + n / 10).passed for n in range(101)]
    assert passed == [True] * 100 + [False]
    last = limiter.take("ada", 100, 1060.2)
    assert (last.passed, last.remaining, last.reset, last.retry_after) == (False, 0, 1061, 1)
    fresh = limiter.take("ada", 100, 1060.25)
    assert (fresh.passed, fresh.remaining, fresh.reset) == (True, 99, 1121)


def test_buckets_that_are_full_again_are_forgotten() -> None:
    limiter = RateLimiter()
    for number in range(1000):
        limiter.take(f"caller {number}", 100, 1000)
    limiter.take("another", 100, 1060)
    assert len(limiter) == 1


def test_a_clock_that_steps_back_never_makes_one_wait_longer() -> None:
    limiter = RateLimiter()
    limiter.take("ada", 1, 10_000)
    refused = limiter.take("ada", 1, 5_000)
    assert (refused.passed, refused.retry_after) == (False, 60)
    assert limiter.take("ada", 1, 5_060).passed


@given(st.lists(st.floats(0, 500), min_size=1, max_size=400), st.integers(1, 20))
def test_no_minute_from_a_first_use_lets_more_pass(moments: list[float], limit: int) -> None:
    limiter = RateLimiter()
    moments.sort()
    passed = [moment for moment in moments if limiter.take("ada", limit, moment).passed]
    begin = passed[0]
    used = 0
    for moment in passed:
        if moment >= begin + 60:
            begin, used = moment, 0
        used += 1
        assert used <= limit


def test_failures_block_within_their_period_only() -> None:
    log = FailureLog(most=3, period=100)
    for moment in (0.0, 60.0, 99.0):
        assert log.blocked_for("ada", moment) == 0
        log.note("ada", moment)
    assert log.blocked_for("ada", 99) == 1
    assert log.blocked_for("bob", 99) == 0
    assert log.blocked_for("ada", 100) == 0
    log.note("ada", 100)
    assert log.blocked_for("ada", 100) == 60
    log.clear("ada")
    assert log.blocked_for("ada", 100) == 0
    log.note("bob", 500)
    assert len(log) == 1


def test_times_are_those_of_javascript() -> None:
    assert times.rfc3339(1680350400) == "2023-04-01T12:00:00.000Z"
    assert times.rfc3339(1680350400.9996) == "2023-04-01T12:00:00.999Z"
    assert times.rfc3339(1680350400.001) == "2023-04-01T12:00:00.001Z"  # a little less, as a float
    assert times.rfc3339(1680350400.9999999) == "2023-04-01T12:00:01.000Z"


def test_ids_look_as_promised_and_differ() -> None:
    made = {ids.new("chat") for _ in range(1000)}
    assert len(made) == 1000
    assert all(id.startswith("chat_") and id[5:].isalnum() and id.isascii() for id in made)
    assert {len(id) for id in made} == {len("chat_") + 20}
    text = ids.random_text(100_000)
    assert len(text) == 100_000
    shares = [text.count(character) for character in ids.ALPHABET]
    assert min(shares) > 1300  # 1613 each, and eight standard deviations
    assert max(shares) < 1930


@pytest.mark.parametrize("password", ["a\0b" * 3, "🙂" * 256, "x" * 100])
def test_passwords(password: str) -> None:
    stored = passwords.hash_password(password, 4)
    assert passwords.matches(password, stored)
    assert not passwords.matches(password[:-1] + "?", stored)
    assert not passwords.matches(password, passwords.unmatchable_hash(4))


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="\0")),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9),
            lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
            max_leaves=10,
        ),
    )
)
def test_what_json_writes_is_read_back(document: dict[str, object]) -> None:
    assert documents.parse(json.dumps(document)) == document


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading(body: bytes) -> None:
    with contextlib.suppress(InvalidRequest):
        documents.parse(body)


def test_nesting_is_allowed_up_to_64() -> None:
    assert documents.parse('{"a":' + "[" * 63 + "]" * 63 + "}")
    with pytest.raises(InvalidRequest, match="more than 64 levels"):
        documents.parse('{"a":' + "[" * 64 + "]" * 64 + "}")


def test_a_byte_order_mark_is_called_by_its_name() -> None:
    with pytest.raises(InvalidRequest, match="byte order mark"):
        documents.parse(b'\xef\xbb\xbf{"title": "x"}')
