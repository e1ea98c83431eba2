"""Access and refresh tokens: JWTs signed with HS256 (RFC 7519; contract, section 4).

A token says who may be calling. Whether the session still lives, and what the user may do, is
read from the database each time: nothing in a token grants a right.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidToken, TokenExpired
from core.records import User

ISSUER = "quillium"
ALGORITHM = "HS256"
# The header of every token that we ever issue, {"alg":"HS256","typ":"JWT"}: another algorithm, a
# `kid` or a `crit` begins differently and is refused before any of it is believed.
_HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
_LONGEST = 4096  # characters; ours have about 400
_REMEMBERED = 4096  # tokens whose signature is not computed again: 15 µs instead of 60


@dataclass(frozen=True)
class Claims:
    """What a genuine token says. `expires_at` is in epoch seconds."""

    user_id: str
    session_id: str
    token_id: str
    kind: str
    expires_at: int


class Tokens:
    """Issues and reads the tokens of one signing key. Times are epoch seconds, passed in."""

    def __init__(self, secret: bytes, access_seconds: int, refresh_seconds: int) -> None:
        self._secret = secret
        self.access_seconds = access_seconds
        self.refresh_seconds = refresh_seconds
        self._genuine = functools.lru_cache(maxsize=_REMEMBERED)(self._verify)

    @functools.cached_property
    def _jwt(self) -> Any:
        import jwt  # with the first token: a start has no need of it

        return jwt.PyJWT(options={"enforce_minimum_key_length": True})

    def access_token(self, user: User, session_id: str, token_id: str, now: float) -> str:
        """A token for `Authorization: Bearer`, good for `access_seconds`."""
        claims = {"sub": user.id, "name": user.email, "admin": user.is_admin}
        return self._sign(claims, "access", session_id, token_id, now, self.access_seconds)

    def refresh_token(self, user: User, session_id: str, token_id: str, now: float) -> str:
        """A token that is good for one `/auth/refresh` within `refresh_seconds`."""
        claims = {"sub": user.id}
        return self._sign(claims, "refresh", session_id, token_id, now, self.refresh_seconds)

    def read(self, token: str, kind: str, now: float) -> Claims:
        """The claims of a genuine token of this kind, `"access"` or `"refresh"`.

        Raises `InvalidToken`, or `TokenExpired` for a genuine one past its time. A clock that
        steps back keeps issued tokens valid: `iat` in the future is no reason to refuse.
        """
        if len(token) > _LONGEST or not token.startswith(_HEADER):
            raise InvalidToken("This is not a token of this server.")
        claims = self._genuine(token)
        if claims.kind != kind:
            raise InvalidToken(f"This is not a token of the kind that belongs here: {kind}.")
        if now >= claims.expires_at:
            raise TokenExpired("Refresh the session, or log in again.")
        return claims

    def _sign(
        self,
        claims: dict[str, Any],
        kind: str,
        session_id: str,
        token_id: str,
        now: float,
        seconds: int,
    ) -> str:
        issued_at = int(now)
        claims |= {"sid": session_id, "jti": token_id, "type": kind}
        claims |= {"iat": issued_at, "exp": issued_at + seconds, "iss": ISSUER}
        token: str = self._jwt.encode(claims, self._secret, algorithm=ALGORITHM, sort_headers=True)
        return token

    def _verify(self, token: str) -> Claims:
        """Check signature, issuer and the presence and type of each claim, but not the time."""
        import jwt

        try:
            claims = self._jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
            )
        except (jwt.PyJWTError, ValueError):
            raise InvalidToken("This is not a token of this server.") from None
        wanted = {"sub": str, "sid": str, "jti": str, "type": str, "iat": int, "exp": int}
        if claims.get("type") == "access":
            wanted |= {"name": str, "admin": bool}
        # `type(...) is`, because a bool is an int to isinstance.
        complete = all(type(claims.get(name)) is kind for name, kind in wanted.items())
        if not complete:
            raise InvalidToken("The token is not complete.")
        return Claims(claims["sub"], claims["sid"], claims["jti"], claims["type"], claims["exp"])
