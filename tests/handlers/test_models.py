"""The list of models, and the user's default model."""

from __future__ import annotations

from typing import Any

from tests.conftest import Client


async def test_models(ada: Client) -> None:
    answer = await ada("GET /models")
    assert answer.body["data"] == [
        {"id": "quillium-demo", "provider": "built-in", "is_default": True}
    ]
    assert answer.body["pagination"]["total"] == 1
    assert (await ada("GET /models", query={"offset": 1})).body["data"] == []


PROVIDER: dict[str, Any] = {
    "name": "mine",
    "base_url": "http://127.0.0.1:9/v1",
    "models": ["a", "b"],
    "context_window": 4096,
}


async def test_the_models_of_a_provider(ada: Client) -> None:
    await ada("PUT /settings/admin", {"providers": [PROVIDER]})
    await ada("PUT /settings/user", {"default_model": "b"})
    page = (await ada("GET /models")).body
    shown = {model["id"]: model for model in page["data"]}
    assert shown["b"] == {
        "id": "b",
        "provider": "mine",
        "is_default": True,
        "context_window": 4096,
    }
    assert "context_window" not in shown["quillium-demo"]
    assert [id for id, model in shown.items() if model["is_default"]] == ["b"]
    assert page["pagination"]["total"] == len(shown) == 3
    second = (await ada("GET /models", query={"limit": 1, "offset": 1})).body
    assert second["data"] == [page["data"][1]]
