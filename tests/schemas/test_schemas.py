"""The schemas are valid, and their error messages are helpful."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

import schemas
from core.errors import InvalidRequest


@pytest.mark.parametrize("name", sorted(schemas.SCHEMAS))
def test_each_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(schemas.SCHEMAS[name])


@pytest.mark.parametrize(
    ("name", "value", "details"),
    [
        ("login", {}, "email: is required; password: is required"),
        ("login", [], "a list, expected an object"),
        ("chat_create", {"title": None}, "title: null, expected a string"),
        ("models_page", {"data": [], "pagination": 1}, "pagination: a number, expected an object"),
        ("admin_settings_update", {"rate_limit_per_minute": 1.0}, "a number, expected a whole"),
        ("admin_settings_update", {"rate_limit_per_minute": True}, "a boolean, expected a whole"),
        ("admin_settings_update", {"rate_limit_per_minute": 10**7}, "a number of at most 1000000"),
        (
            "turn_accepted",
            {"chat_id": "chat_1\n", "message_id": None},
            "chat_id: expected an opaque",
        ),
    ],
)
def test_refusals_name_the_field_and_what_was_expected(name: str, value: Any, details: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        schemas.validate(name, value)
    assert details in refused.value.details


def test_names_and_titles_are_trimmed_but_content_is_not() -> None:
    assert schemas.accept("chat_create", {"title": " a b "}) == {"title": "a b"}
    body = {"content": " a "}
    assert schemas.accept("message_create", dict(body)) == body
