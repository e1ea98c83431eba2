"""Access and refresh tokens: JWTs signed with HS256 (RFC 7519; contract, section 4).

A token only identifies a session. Whether that session is still valid, and the user's rights, are
read from the database for each request: the token itself grants nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from core import ids
from core.errors import InvalidToken, TokenExpired
from core.records import User
from core.times import CalendarTime

ISSUER = "quillium"
ALGORITHM = "HS256"
# The header of every token that we issue, {"alg":"HS256","typ":"JWT"}. A token with another
# algorithm, a `kid` or a `crit` has a different prefix and is rejected before it is parsed.
_HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
_LONGEST = 4096  # characters; ours have about 400
_REMEMBERED = 4096  # tokens with a cached signature check: 15 µs instead of 60


@dataclass(frozen=True)
class Claims:
    """The claims of a verified token. `expires_at` is in epoch seconds."""

    user_id: str
    session_id: str
    token_id: str
    kind: str
    expires_at: int

    @property
    def pair_id(self) -> str:
        """The id of this pair's refresh token; for a refresh token, its own id."""
        return self.token_id.partition("-")[0]


@dataclass(frozen=True)
class PreviousKey:
    """A signing key that was replaced at `replaced_at` (epoch seconds)."""

    secret: bytes
    replaced_at: int


class Tokens:
    """Issues and reads the tokens of a signing key. The time is passed in.

    After a key rotation, tokens signed with the previous key stay valid for the longest lifetime
    of a token, so a rotation ends no session.
    """

    def __init__(
        self,
        secret: bytes,
        access_seconds: int,
        refresh_seconds: int,
        previous: PreviousKey | None = None,
    ) -> None:
        self._secret = secret
        self._previous = previous
        self.access_seconds = access_seconds
        self.refresh_seconds = refresh_seconds
        self._genuine = functools.lru_cache(maxsize=_REMEMBERED)(self._verify)

    @functools.cached_property
    def _jwt(self) -> Any:
        import jwt  # created with the first token, to keep the start-up short

        return jwt.PyJWT(options={"enforce_minimum_key_length": True})

    def access_token(self, user: User, session_id: str, refresh_id: str, now: CalendarTime) -> str:
        """Issue a token for `Authorization: Bearer`, valid for `access_seconds`.

        `refresh_id` is the id of the refresh token that is issued with it.
        """
        claims = {"sub": user.id, "name": user.email, "admin": user.is_admin}
        token_id = f"{refresh_id}-{ids.random_text(8)}"
        expires_at = int(now) + self.access_seconds
        return self._sign(claims, "access", session_id, token_id, now, expires_at)

    def refresh_token(
        self, user: User, session_id: str, token_id: str, now: CalendarTime, expires_at: int
    ) -> str:
        """Issue a token for `/auth/refresh`, valid until `expires_at` (epoch seconds)."""
        return self._sign({"sub": user.id}, "refresh", session_id, token_id, now, expires_at)

    def read(self, token: str, kind: str, now: CalendarTime) -> Claims:
        """Return the claims of a valid token of this kind, `"access"` or `"refresh"`.

        Raises `InvalidToken`, or `TokenExpired` for an authentic token that has expired. `iat` in
        the future is accepted: issued tokens stay valid when the clock steps back.
        """
        if len(token) > _LONGEST or not token.startswith(_HEADER):
            raise InvalidToken("This is not a token of this server.")
        claims = self._genuine(token)
        if claims.kind != kind:
            raise InvalidToken(f"Wrong kind of token: expected {kind}.")
        if now >= claims.expires_at:
            raise TokenExpired("Refresh the session, or log in again.")
        return claims

    def _sign(
        self,
        claims: dict[str, Any],
        kind: str,
        session_id: str,
        token_id: str,
        now: CalendarTime,
        expires_at: int,
    ) -> str:
        claims |= {"sid": session_id, "jti": token_id, "type": kind}
        claims |= {"iat": int(now), "exp": expires_at, "iss": ISSUER}
        token: str = self._jwt.encode(claims, self._secret, algorithm=ALGORITHM, sort_headers=True)
        return token

    def _verify(self, token: str) -> Claims:
        """Check the signature, the issuer and the type of each claim, but not the time."""
        claims = self._decode(token, self._secret)
        if claims is None and self._previous is not None:
            claims = self._decode(token, self._previous.secret)
            if claims is not None and not self._is_older(claims, self._previous):
                claims = None
        if claims is None:
            raise InvalidToken("This is not a token of this server.")
        required = {"sub": str, "sid": str, "jti": str, "type": str, "iat": int, "exp": int}
        if claims.get("type") == "access":
            required |= {"name": str, "admin": bool}
        # `type(...) is`, because a bool is an int to isinstance.
        complete = all(type(claims.get(name)) is kind for name, kind in required.items())
        if not complete:
            raise InvalidToken("The token lacks a claim.")
        return Claims(claims["sub"], claims["sid"], claims["jti"], claims["type"], claims["exp"])

    def _decode(self, token: str, secret: bytes) -> dict[str, Any] | None:
        """Return the claims of a token that this key signed, or None."""
        import jwt

        try:
            claims: dict[str, Any] = self._jwt.decode(
                token,
                secret,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
            )
        except (jwt.PyJWTError, ValueError):
            return None
        return claims

    def _is_older(self, claims: dict[str, Any], key: PreviousKey) -> bool:
        """Return whether a token may have been issued before its key was replaced."""
        longest = max(self.access_seconds, self.refresh_seconds)
        expires_at = claims.get("exp")
        return isinstance(expires_at, int) and expires_at <= key.replaced_at + longest


class FixedTokens(Tokens):
    """Also accepts the tokens in `fixed`, which never expire: those of a test backend's seed."""

    fixed: Mapping[str, Claims] = MappingProxyType({})

    def read(self, token: str, kind: str, now: CalendarTime) -> Claims:
        claims = self.fixed.get(token)
        return claims if claims is not None and kind == "access" else super().read(token, kind, now)
