"""Normalizing e-mail addresses, and refusing common passwords."""

from __future__ import annotations

import unicodedata

import pytest

from core import identity, passwords
from core.errors import InvalidRequest


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("  Ada@Example.com ", "ada@example.com"),
        ("stra\u00dfe@example.com", "strasse@example.com"),
        ("e\u0301@example.com", "\u00e9@example.com"),
        ("E\u0301@example.com", "\u00e9@example.com"),
        ("\u1e9e@example.com", "ss@example.com"),
        ("\u0130@example.com", "i\u0307@example.com"),
        ("\u03a3@example.com", "\u03c3@example.com"),
        ("\u1fb3@example.com", "\u03b1\u03b9@example.com"),
    ],
)
def test_addresses_are_normalized(sent: str, stored: str) -> None:
    assert identity.normalized_email(sent) == stored
    assert identity.normalized_email(stored) == stored


@pytest.mark.parametrize(
    "character",
    [
        "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u202a", "\u202e", "\u2060", "\u2066",
        "\u2069", "\u061c", "\u00ad", "\u034f", "\u115f", "\u180e", "\u3164", "\ufe0f", "\ufeff",
        "\uffa0", "\u2028", "\u00a0", "\u0000", "\u001b", "\u0085", "\U000e0041", "\U000e0100",
        "\u2800", "\ufff9", "\ud800", "\uffff", "\u0378", "\t",
    ],
)  # fmt: skip
def test_what_can_not_be_seen(character: str) -> None:
    assert not identity.is_visible(f"admin{character}@example.com")


@pytest.mark.parametrize("text", ["user@example.com", "jörg@例え.jp", "أحمد@مثال.com", "ü-😀@x"])
def test_what_can_be_seen(text: str) -> None:
    assert identity.is_visible(text)


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "Quillium",
        "PassWord",
        "12345678",
        "iloveyou",
        "qwertyuiop",
        "00000000",
        "p@ssw0rd",
    ],
)
def test_common_passwords_are_refused(password: str) -> None:
    with pytest.raises(InvalidRequest, match="most common"):
        identity.check_new_password(password, "user@example.com", "Ada")


@pytest.mark.parametrize(
    "password",
    ["ada.lovelace@example.com", "ADA.LOVELACE@EXAMPLE.COM", "Ada.Lovelace", "Countess Ada",
     " countess ada "],
)  # fmt: skip
def test_ones_own_address_and_name_are_refused(password: str) -> None:
    with pytest.raises(InvalidRequest, match="address and the name"):
        identity.check_new_password(password, "ada.lovelace@example.com", "Countess Ada")


@pytest.mark.parametrize(
    "password",
    ["secure_password", "a good password", "        ", "password\n12345678", "12345678\0"],
)
def test_others_are_accepted(password: str) -> None:
    identity.check_new_password(password, "user@example.com", "")


def test_the_list_is_what_it_says() -> None:
    listed = identity._common_passwords().split("\n")[1:-1]
    assert len(listed) >= 10_000
    assert all(len(word) >= 8 for word in listed)
    assert all(word == word.casefold() for word in listed)
    assert not any(identity.is_common(line) for line in ("MIT License", "----"))


def test_a_password_is_the_same_however_it_was_typed() -> None:
    composed = "mot de pass\u00e9"
    stored = passwords.hash_password(composed, 4)
    assert passwords.matches(unicodedata.normalize("NFD", composed), stored)
    assert not passwords.matches("mot de passe", stored)


def test_a_password_that_was_hashed_before_it_was_normalized_still_matches() -> None:
    import bcrypt

    decomposed = unicodedata.normalize("NFD", "mot de pass\u00e9")
    stored = bcrypt.hashpw(passwords._digest(decomposed), bcrypt.gensalt(4)).decode()
    assert passwords.matches(decomposed, stored)
