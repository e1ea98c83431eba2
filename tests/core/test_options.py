"""Process settings: accepted values, and error messages for all others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.config import Config
from core.options import OPTIONS, MissingExtra

BY_NAME = {option.name: option for option in OPTIONS}


def test_config_has_a_field_for_each_option() -> None:
    assert list(Config.__dataclass_fields__) == [option.name for option in OPTIONS]


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_each_default_is_valid_and_each_help_a_phrase(option: Any) -> None:
    option.parse(option.default)
    assert option.help[0].islower() or option.help.split()[0].isupper()
    assert not option.help.endswith(".")
    assert option.variable == f"QUILLIUM_{option.name.upper()}"


@pytest.mark.parametrize(
    ("name", "value", "parsed"),
    [
        ("host", " [::1] ", "::1"),
        ("port", "0", 0),
        ("port", "65535", 65535),
        ("dev", "YES", True),
        ("dev", "off", False),
        ("allowed_hosts", " A.example , b ,", frozenset({"a.example", "b"})),
        ("cors_allowed_origins", "null,https://App.example", frozenset({"null", "https://app.example"})),
        ("base_path", "/chat/", "/chat"),
        ("demo_pace", "", None),
        ("demo_pace", "0", 0),
        ("demo_password", "rehearsal", "rehearsal"),
        ("log_level", "debug", "DEBUG"),
        ("log_format", "JSON", "json"),
        ("jwt_secret", "", None),
        ("jwt_secret", "x" * 32, "x" * 32),
        ("local_model", "/m.gguf", Path("/m.gguf")),
    ],
)  # fmt: skip
def test_accepted(name: str, value: str, parsed: Any) -> None:
    assert BY_NAME[name].parse(value) == parsed


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("host", "[]", "a host name"),
        ("port", "65536", "a whole number from 0 to 65535"),
        ("port", "٣", "a whole number"),
        ("port", "-1", "a whole number"),
        ("port", "9" * 30, "a whole number"),
        ("demo_pace", "fast", "a whole number"),
        ("demo_password", "short", "8 to 256 characters"),
        ("base_path", "C:/Git/quillium", "a path such as /quillium"),
        ("dev", "maybe", "true or false"),
        ("data_dir", "~nosuchuser/x", "without ~"),
        ("cors_allowed_origins", "app.example", "origins such as"),
        ("cors_allowed_origins", "https://app.example/path", "origins such as"),
        ("cors_allowed_origins", "https://a@b", "origins such as"),
        ("log_level", "loud", "DEBUG, INFO"),
        ("log_format", "xml", "auto, text or json"),
        ("jwt_secret", "x" * 31, "at least 32 bytes"),
    ],
)
def test_refused_with_what_was_expected(name: str, value: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        BY_NAME[name].parse(value)


def test_a_missing_extra_is_named() -> None:
    assert str(MissingExtra("metrics")) == "the metrics extra is not installed"
