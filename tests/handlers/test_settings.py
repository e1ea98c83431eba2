"""Settings and models: contract sections 5 and 8."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Client


async def test_user_settings_as_the_reference_prints_them(ada: Client) -> None:
    body = {"theme": "dark", "language": "en", "notifications_enabled": True}
    answer = await ada("PUT /settings/user", body)
    assert answer.status == 200
    assert {name: answer.body[name] for name in body} == body
    assert answer.body["updated_at"].endswith("Z")
    assert (await ada("GET /settings/user")).body == answer.body


async def test_user_settings_defaults_and_merge(ada: Client, bob: Client) -> None:
    first = (await ada("GET /settings/user")).body
    assert {name: value for name, value in first.items() if name != "updated_at"} == {
        "theme": "system",
        "language": "en",
        "notifications_enabled": True,
        "default_model": None,
        "presets": [],
        "shared_presets": [],
    }
    await ada("PUT /settings/user", {"theme": "light", "default_model": "m"})
    merged = (await ada("PUT /settings/user", {"language": "pt-BR"})).body
    assert (merged["theme"], merged["language"], merged["default_model"]) == ("light", "pt-BR", "m")
    assert (await bob("GET /settings/user")).body["theme"] == "system"


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"theme": "blue"}, "theme: expected one of light, dark, system"),
        ({"language": "english!"}, "language: expected a BCP 47 tag"),
        ({"notifications_enabled": 1}, "notifications_enabled: a number, expected true or false"),
        ({"colour": "x"}, "'colour': unknown field"),
        ({"default_model": ""}, "default_model: 0 characters, at least 1"),
    ],
)
async def test_user_settings_refuse(ada: Client, body: dict[str, Any], details: str) -> None:
    answer = await ada("PUT /settings/user", body)
    assert answer.error == "400 invalid_request"
    assert details in answer.details
    assert (await ada("GET /settings/user")).body["theme"] == "system"


async def test_admin_settings_are_the_admins(ada: Client, bob: Client) -> None:
    assert (await bob("GET /settings/admin")).error == "403 forbidden"
    assert (await bob("PUT /settings/admin", {})).error == "403 forbidden"
    answer = await ada("GET /settings/admin")
    assert {name: value for name, value in answer.body.items() if name != "updated_at"} == {
        "allow_registration": True,
        "default_model": None,
        "system_prompt": "",
        "rate_limit_per_minute": 100,
        "storage_per_user_mib": 1024,
        "titles_by_model": False,
        "providers": [],
        "presets": [],
    }


PROVIDER = {"name": "local", "base_url": "http://localhost:11434/v1", "models": ["*"]}


async def test_providers_keep_their_key_and_never_show_it(ada: Client, rooms: Any) -> None:
    async def put(**change: Any) -> dict[str, Any]:
        answer = await ada("PUT /settings/admin", {"providers": [{**PROVIDER, **change}]})
        assert answer.status == 200, answer.body
        assert b"sk-secret" not in answer.raw
        return dict(answer.body["providers"][0])

    assert (await put())["api_key_set"] is False
    shown = await put(api_key="sk-secret")
    assert list(shown)[:4] == ["name", "base_url", "api_key_set", "models"]
    assert shown["api_key_set"] is True
    assert (await put(models=["a"], api_key_set=True))["api_key_set"] is True
    assert rooms.settings.admin()["providers"][0]["api_key"] == "sk-secret"
    assert (await put(base_url="http://localhost:1/v1"))["api_key_set"] is False
    assert rooms.settings.admin()["providers"][0]["api_key"] is None
    kept = await ada("PUT /settings/admin", {"default_model": "m"})
    assert len(kept.body["providers"]) == 1


@pytest.mark.parametrize(
    "address",
    ["ftp://host/", "http://user:pass@host/", "http://169.254.169.254/", "http://[fe80::1]/",
     "http://[::ffff:169.254.169.254]/", "http://", "file:///etc/passwd", "http://host:99999/",
     "http://100.100.100.200/", "http://168.63.129.16/", "http://192.0.0.192/",
     "http://[fd00:ec2::254]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[2002:a9fe:a9fe::]/"],
)  # fmt: skip
async def test_provider_addresses_that_are_refused(ada: Client, address: str) -> None:
    body = {"providers": [{**PROVIDER, "base_url": address}]}
    answer = await ada("PUT /settings/admin", body)
    assert answer.error == "400 invalid_request"
    assert "providers.0.base_url" in answer.details


async def test_headers_are_kept_as_keys_are(ada: Client, rooms: Any) -> None:
    async def put(**change: Any) -> dict[str, Any]:
        answer = await ada("PUT /settings/admin", {"providers": [{**PROVIDER, **change}]})
        assert answer.status == 200, answer.body
        assert b"very-secret" not in answer.raw
        assert b"very-secret" not in (await ada("GET /settings/admin")).raw
        return dict(answer.body["providers"][0])

    def stored() -> Any:
        return rooms.settings.admin()["providers"][0]["headers"]

    shown = await put(headers={"api-key": "very-secret", "X-Team": "a"}, context_window=4096)
    assert shown["headers"] == {"api-key": None, "X-Team": None}
    await put(headers=shown["headers"])  # as it was shown
    assert stored() == {"api-key": "very-secret", "X-Team": "a"}
    assert (await put())["context_window"] == 4096  # left out, kept
    await put(headers={"X-Team": "b", "api-key": None})
    assert stored() == {"X-Team": "b", "api-key": "very-secret"}
    await put(headers={"X-Team": None})
    assert stored() == {"X-Team": "b"}
    await put(base_url="http://localhost:1/v1", headers={"X-Team": None})
    assert stored() == {}


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"headers": {"Host": "x"}}, "providers.0.headers: 'Host' is not a header"),
        ({"models": ["m" * 201]}, "providers.0.models.0: 201 characters, at most 200"),
        ({"context_window": 1}, "providers.0.context_window: expected a number of at least 256"),
        ({"timeout_seconds": 0}, "providers.0.timeout_seconds: expected a number of at least 1"),
        ({"max_tokens": True}, "providers.0.max_tokens: a boolean"),
    ],
)
async def test_what_a_provider_can_not_be(
    ada: Client, changes: dict[str, Any], details: str
) -> None:
    answer = await ada("PUT /settings/admin", {"providers": [{**PROVIDER, **changes}]})
    assert answer.error == "400 invalid_request"
    assert details in answer.details


async def test_two_providers_of_one_name(ada: Client) -> None:
    answer = await ada("PUT /settings/admin", {"providers": [PROVIDER, PROVIDER]})
    assert answer.details == "providers: two providers have the same name."


async def test_admin_settings_refuse_nonsense(ada: Client) -> None:
    for body in ({"rate_limit_per_minute": -1}, {"rate_limit_per_minute": 1.5}, {"x": 1}):
        assert (await ada("PUT /settings/admin", body)).error == "400 invalid_request"


async def test_presets_of_a_user_and_of_the_admin(ada: Client, bob: Client) -> None:
    short = {"name": "Short", "model": "m", "system_prompt": "Be brief.", "parameters": {"seed": 1}}
    saved = await bob("PUT /settings/user", {"presets": [short, {"name": "Empty"}]})
    assert saved.body["presets"] == [short, {"name": "Empty"}]
    await ada("PUT /settings/admin", {"presets": [{"name": "Shared"}]})
    found = (await bob("GET /settings/user")).body
    assert (found["presets"], found["shared_presets"]) == (
        saved.body["presets"],
        [{"name": "Shared"}],
    )
    assert (await ada("GET /settings/user")).body["presets"] == []
    assert (await bob("PUT /settings/user", found)).status == 200  # sent back unchanged
    for client, path in ((bob, "user"), (ada, "admin")):
        twice = await client(f"PUT /settings/{path}", {"presets": [short, short]})
        assert twice.details == "presets.1.name: another preset has this name"
    fields = {name: short[name] for name in ("model", "system_prompt", "parameters")}
    chat = (await bob("POST /chats", fields)).body
    assert {name: chat[name] for name in fields} == fields
