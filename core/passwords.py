"""Passwords: bcrypt over the base64 SHA-256 of their NFC in UTF-8 (contract, section 4).

bcrypt reads 72 bytes and stops at a NUL. The digest in base64 is always 44 bytes without a NUL,
so every byte of the password counts.
"""

from __future__ import annotations

import base64
import hashlib

import bcrypt

from core.identity import normalized_password


def hash_password(password: str, cost: int) -> str:
    """Return the bcrypt hash. Takes about 0.25 s at cost 12: never call it on the event loop."""
    return bcrypt.hashpw(_digest(normalized_password(password)), bcrypt.gensalt(cost)).decode(
        "ascii"
    )


def matches(password: str, password_hash: str) -> bool:
    """Return whether the password matches the hash. As slow as `hash_password`."""
    stored = password_hash.encode("ascii")
    normalized = normalized_password(password)
    if bcrypt.checkpw(_digest(normalized), stored):
        return True
    # Old hashes are of the password as sent, before normalization was added.
    return normalized != password and bcrypt.checkpw(_digest(password), stored)


def cost_of(password_hash: str) -> int:
    """Return the bcrypt cost of a stored hash."""
    return int(password_hash[4:6])


def unmatchable_hash(cost: int) -> str:
    """Return a hash that matches no known password: of an account without one, or of no account.

    The comparison takes as long as a real one, so timing does not reveal which it is.
    """
    return f"$2b${cost:02d}${'.' * 53}"


def _digest(password: str) -> bytes:
    return base64.b64encode(hashlib.sha256(password.encode("utf-8")).digest())
