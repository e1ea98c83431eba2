"""Parse model lists. Each kind of server has its own field for the context window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from assistant.text import storable

MAX_MODELS = 1_000  # of a server
LONGEST_NAME = 200  # characters; the limit of a chat's `model`
_SMALLEST_WINDOW = 256  # tokens; a smaller number is not a window


@dataclass(frozen=True)
class Listed:
    """A listed model; `window` in tokens, if the server reports it."""

    id: str
    window: int | None


def listed_models(document: Any) -> list[Listed]:
    """Return the models of a list, without duplicates. Raises `ValueError` if it is not a list."""
    models = document or None  # Together sends a bare list
    if isinstance(document, dict):
        models = document.get("data", document.get("models"))
    if not isinstance(models, list):
        raise ValueError("no list of models")
    found: dict[str, Listed] = {}
    for model in models:
        listed = _listed(model)
        if listed is not None:
            found.setdefault(listed.id, listed)
            if len(found) == MAX_MODELS:
                break
    return list(found.values())


def _listed(model: Any) -> Listed | None:
    """Parse an item of the list; return None if it has no usable name."""
    if not isinstance(model, dict):
        return None
    id = model.get("id") or model.get("name")
    if not isinstance(id, str) or not 1 <= len(id) <= LONGEST_NAME or storable(id) != id:
        return None
    if not id.strip() or not all(c.isprintable() for c in id):
        return None
    meta = model["meta"] if isinstance(model.get("meta"), dict) else {}
    figures = (
        model.get("max_model_len"),  # vLLM
        model.get("loaded_context_length"),  # LM Studio
        model.get("context_length"),  # OpenRouter, Together
        model.get("context_window"),  # Groq
        model.get("max_context_length"),  # Mistral
        model.get("max_input_tokens"),  # LiteLLM
        model.get("inputTokenLimit"),  # Gemini
        meta.get("n_ctx"),  # llama.cpp
    )
    known = [
        n
        for n in figures
        if isinstance(n, int) and not isinstance(n, bool) and _SMALLEST_WINDOW <= n < 1 << 40
    ]
    return Listed(id, known[0] if known else None)
