"""Signed tokens: genuine ones are accepted, all others are refused."""

from __future__ import annotations

import jwt
import pytest

from core.errors import InvalidToken, TokenExpired
from core.records import User
from core.times import CalendarTime
from core.tokens import ISSUER, PreviousKey, Tokens

NOW = CalendarTime(1_700_000_000.5)
SECRET = b"s" * 64
TOKENS = Tokens(SECRET, access_seconds=900, refresh_seconds=3600)
USER = User(1, "user_1", "ada@example.com", "Ada", False, "", "")


def later(seconds: float) -> CalendarTime:
    return CalendarTime(NOW + seconds)


def test_an_access_token_says_who_and_names_its_pair() -> None:
    claims = TOKENS.read(TOKENS.access_token(USER, "sess_1", "pair", NOW), "access", NOW)
    assert (claims.user_id, claims.session_id, claims.kind) == ("user_1", "sess_1", "access")
    assert claims.pair_id == "pair"
    assert claims.expires_at == int(NOW) + 900


def test_a_refresh_token_is_its_own_pair() -> None:
    token = TOKENS.refresh_token(USER, "sess_1", "pair", NOW, int(NOW) + 3600)
    claims = TOKENS.read(token, "refresh", NOW)
    assert claims.token_id == claims.pair_id == "pair"


def test_a_token_is_good_until_it_expires_and_before_it_was_issued() -> None:
    token = TOKENS.access_token(USER, "sess_1", "pair", NOW)
    TOKENS.read(token, "access", later(899))
    TOKENS.read(token, "access", later(-100_000))  # the clock stepped back
    with pytest.raises(TokenExpired):
        TOKENS.read(token, "access", later(900))


def test_a_token_of_the_other_kind_is_refused() -> None:
    token = TOKENS.access_token(USER, "sess_1", "pair", NOW)
    with pytest.raises(InvalidToken):
        TOKENS.read(token, "refresh", NOW)


COMPLETE = {
    "sub": "user_1",
    "name": "ada@example.com",
    "admin": False,
    "sid": "sess_1",
    "jti": "pair-x",
    "type": "access",
    "iat": int(NOW),
    "exp": int(NOW) + 900,
    "iss": ISSUER,
}


def signed(claims: dict[str, object], secret: bytes = SECRET) -> str:
    return jwt.encode(claims, secret, algorithm="HS256", sort_headers=True)


def test_the_complete_claims_are_accepted() -> None:
    assert TOKENS.read(signed(COMPLETE), "access", NOW).user_id == "user_1"


@pytest.mark.parametrize("name", COMPLETE)
def test_no_claim_may_be_missing(name: str) -> None:
    with pytest.raises(InvalidToken):
        TOKENS.read(
            signed({key: value for key, value in COMPLETE.items() if key != name}), "access", NOW
        )


@pytest.mark.parametrize("name", [name for name in COMPLETE if name != "iss"])
def test_no_claim_may_be_of_another_type(name: str) -> None:
    with pytest.raises(InvalidToken):
        TOKENS.read(signed(COMPLETE | {name: [1]}), "access", NOW)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x" * 5000,
        "a.b.c",
        signed(COMPLETE, b"t" * 64),
        signed(COMPLETE | {"iss": "other"}),
        jwt.encode(COMPLETE, SECRET, algorithm="HS512"),
        jwt.encode(COMPLETE, SECRET, algorithm="HS256", headers={"kid": "1"}),
        jwt.encode(COMPLETE, "", algorithm="none"),
        signed(COMPLETE)[:-2] + "AA",
    ],
)
def test_what_is_no_token_of_ours(token: str) -> None:
    with pytest.raises(InvalidToken):
        TOKENS.read(token, "access", NOW)


def test_what_the_previous_key_signed_is_good_for_its_own_time() -> None:
    token = TOKENS.refresh_token(USER, "sess_1", "pair", NOW, int(NOW) + 3600)
    rotated = Tokens(b"n" * 64, 900, 3600, PreviousKey(SECRET, int(NOW)))
    assert rotated.read(token, "refresh", later(3599)).session_id == "sess_1"
    with pytest.raises(TokenExpired):
        rotated.read(token, "refresh", later(3600))
    fresh = rotated.refresh_token(USER, "sess_1", "next", NOW, int(NOW) + 3600)
    with pytest.raises(InvalidToken):
        TOKENS.read(fresh, "refresh", NOW)  # the new key signs


def test_the_previous_key_signs_nothing_that_outlives_its_rotation() -> None:
    """Whoever knows the old key can't sign in with it for ever."""
    rotated = Tokens(b"n" * 64, 900, 3600, PreviousKey(SECRET, int(NOW)))
    forged = TOKENS.refresh_token(USER, "sess_1", "pair", NOW, int(NOW) + 3601)
    with pytest.raises(InvalidToken):
        rotated.read(forged, "refresh", NOW)
    with pytest.raises(InvalidToken):
        Tokens(b"n" * 64, 900, 3600).read(
            TOKENS.access_token(USER, "sess_1", "pair", NOW), "access", NOW
        )
