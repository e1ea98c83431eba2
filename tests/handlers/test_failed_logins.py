"""Failed logins (contract, section 3): guessing is slowed, the owner is not locked out."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from core import passwords
from services import login_guard
from services.administration import Administration
from tests.conftest import Client, Clock

GOOD = {"email": "ada@example.com", "password": "a good password"}
BAD = {"email": "ADA@example.com", "password": "a wrong password"}
ELSEWHERE = "127.0.0.2"
DAY = 24 * 3600


async def fail(anyone: Client, times: int, address: str | None = None) -> None:
    for _ in range(times):
        answer = await anyone("POST /auth/login", BAD, source=address)
        assert answer.error == "401 invalid_credentials"


async def test_ten_failures_block_an_account_for_their_client_address(
    ada: Client, anyone: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fail(anyone, 10)
    with monkeypatch.context() as patch:
        patch.delattr(passwords, "matches")  # no password is compared any more
        blocked = await anyone("POST /auth/login", GOOD)
    assert blocked.error == "429 rate_limited"
    assert blocked.headers["Retry-After"] == "900"
    assert (await anyone("POST /auth/login", GOOD, source=ELSEWHERE)).status == 200
    assert (await anyone("POST /auth/login", GOOD)).error == "429 rate_limited"
    clock.advance(901)
    assert (await anyone("POST /auth/login", GOOD)).status == 200
    await fail(anyone, 1)


async def test_other_accounts_are_not_blocked(ada: Client, bob: Client, anyone: Client) -> None:
    await fail(anyone, 10)
    assert (await anyone.login("bob@example.com")).credential


async def test_an_unknown_address_is_blocked_alike(ada: Client, anyone: Client) -> None:
    body = {"email": "nobody@example.com", "password": "a wrong password"}
    for _ in range(10):
        assert (await anyone("POST /auth/login", body)).error == "401 invalid_credentials"
    assert (await anyone("POST /auth/login", body)).error == "429 rate_limited"


async def test_a_success_clears_the_failures(ada: Client, anyone: Client) -> None:
    for _ in range(3):
        await fail(anyone, 9)
        await anyone.login("ada@example.com")


async def test_failures_that_wait_together_are_not_all_compared(
    ada: Client, anyone: Client
) -> None:
    answers = await asyncio.gather(*(anyone("POST /auth/login", BAD) for _ in range(40)))
    statuses = Counter(answer.status for answer in answers)
    assert statuses[401] <= 11  # the eleventh ran beside the tenth
    assert statuses[429] >= 29


async def test_a_session_is_not_blocked_by_the_failures_of_others(
    ada: Client, bob: Client, anyone: Client
) -> None:
    await fail(anyone, 10)
    body = {"password": "another password", "current_password": "a good password"}
    other = await anyone("POST /auth/login", GOOD, source=ELSEWHERE)
    assert (await ada("POST /auth/login", GOOD)).status == 200  # from the blocked address
    assert (await bob("POST /auth/login", GOOD)).error == "429 rate_limited"  # another's session
    session = anyone.with_credential(other.body["access_token"])
    assert (await session("PUT /users/me", body)).status == 200


async def test_wrong_current_passwords_block_their_session_alone(
    ada: Client, anyone: Client
) -> None:
    other = await anyone.login("ada@example.com")
    body = {"password": "another password", "current_password": "a wrong password"}
    for _ in range(10):
        assert (await ada("PUT /users/me", body)).error == "401 invalid_credentials"
    right = {**body, "current_password": "a good password"}
    assert (await ada("PUT /users/me", right)).error == "429 rate_limited"
    assert (await anyone("POST /auth/login", GOOD)).status == 200
    assert (await other("PUT /users/me", right)).status == 200


async def test_a_hundred_failures_slow_an_account_but_never_stop_it(
    ada: Client, bob: Client, anyone: Client, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guesses come from eleven addresses. The owner comes last and is served first."""
    await ada("PUT /settings/admin", {"rate_limit_per_minute": 0})
    guard: Any = rooms.accounts.guard
    monkeypatch.setattr(guard, "_release_later", lambda account: None)  # released by hand
    for number in range(10):
        await fail(anyone, 10, f"127.0.0.{10 + number}")
    await fail(anyone, 1, "127.0.0.30")  # the one login of this moment
    order: list[str] = []

    async def attempt(body: dict[str, str], source: str) -> int:
        answer = await anyone("POST /auth/login", body, source=source)
        order.append(source)
        return answer.status

    async def waiting(number: int) -> None:
        while len(guard._queues["ada@example.com"]._waiting) < number:
            await asyncio.sleep(0)

    guesses = [asyncio.ensure_future(attempt(BAD, "127.0.0.30")) for _ in range(5)]
    await waiting(5)
    owner = asyncio.ensure_future(attempt(GOOD, ELSEWHERE))
    await waiting(6)
    assert (await anyone.login("bob@example.com")).credential  # other accounts do not wait
    guard._release("ada@example.com")
    assert await owner == 200
    assert order == [ELSEWHERE]
    guard._release("ada@example.com")  # the success has ended the slowing
    assert await asyncio.gather(*guesses) == [401] * 5
    assert login_guard.PACE_SECONDS == 2


async def test_a_success_ends_the_slowing(
    ada: Client, anyone: Client, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ada("PUT /settings/admin", {"rate_limit_per_minute": 0})
    for number in range(10):
        await fail(anyone, 10, f"127.0.0.{10 + number}")
    await anyone.login("ada@example.com")
    monkeypatch.setattr(rooms.accounts.guard, "_pace_seconds", 3600)
    await anyone.login("ada@example.com")  # the first would have made the others wait
    await anyone.login("ada@example.com")


async def test_a_recovered_account_is_not_blocked(ada: Client, anyone: Client, rooms: Any) -> None:
    """After ten wrong logins, `user passwd` used to leave the new password refused."""
    administration: Administration = rooms.administration
    await fail(anyone, 10)
    await administration.run("passwd", "ada@example.com", "a new password")
    answer = await anyone("POST /auth/login", {**GOOD, "password": "a new password"})
    assert answer.status == 200


async def test_a_changed_password_clears_the_failures(ada: Client, anyone: Client) -> None:
    await fail(anyone, 10)
    body = {"password": "another password", "current_password": "a good password"}
    assert (await ada("PUT /users/me", body)).status == 200
    answer = await anyone("POST /auth/login", {**GOOD, "password": "another password"})
    assert answer.status == 200


async def test_a_raised_cost_applies_from_the_next_login_on(
    ada: Client, anyone: Client, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown address used to take the new cost, so that the time told it from a known one."""
    compared: list[int] = []
    matches = passwords.matches

    def noting(password: str, password_hash: str) -> bool:
        compared.append(passwords.cost_of(password_hash))
        return matches(password, password_hash)

    monkeypatch.setattr(passwords, "matches", noting)
    monkeypatch.setattr(rooms.accounts, "_cost", 5)
    unknown = {"email": "nobody@example.com", "password": "a wrong password"}
    await anyone("POST /auth/login", unknown)
    await anyone("POST /auth/login", GOOD)
    await anyone("POST /auth/login", GOOD)
    await anyone("POST /auth/login", unknown)
    assert compared == [4, 4, 5, 5]


@pytest.mark.parametrize("jump", [DAY, -DAY, 400 * DAY])
async def test_a_clock_that_jumps_neither_locks_nor_unlocks(
    ada: Client, anyone: Client, clock: Clock, jump: int
) -> None:
    await fail(anyone, 5)
    clock.jump(jump)
    await fail(anyone, 5)
    blocked = await anyone("POST /auth/login", GOOD)
    assert (blocked.error, blocked.headers["Retry-After"]) == ("429 rate_limited", "900")
    clock.jump(-jump)
    clock.advance(899)
    blocked = await anyone("POST /auth/login", GOOD)
    assert (blocked.error, blocked.headers["Retry-After"]) == ("429 rate_limited", "1")
    clock.advance(1)
    assert (await anyone("POST /auth/login", GOOD)).status == 200
