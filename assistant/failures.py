"""Extract error messages from the various error formats of model servers.

OpenAI's format is `{"error": {"message": …}}`. Others send lists of that (Gemini), `{"detail": …}`
(FastAPI), the message of an upstream server (OpenRouter, LiteLLM), plain text or HTML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from assistant.text import storable

SHOWN_CHARACTERS = 200
_KEY_CHARACTERS = 5  # of the ends of a key, which some servers include
_SHORTEST_SECRET = 8  # characters; a shorter one could be an ordinary word
_MAX_DEPTH = 8
_MAX_CHARACTERS = 20_000  # that are looked at

# The fields with a message, best first. `raw` is the message of OpenRouter's upstream.
_MESSAGE_FIELDS = (
    ("metadata", "raw"),
    ("error",),
    ("errors",),
    ("message",),
    ("detail",),
    ("details",),
    ("msg",),
    ("error_message",),
    ("error_msg",),
    ("base_resp", "status_msg"),
    ("description",),
    ("reason",),
    ("title",),
)
_HTML = re.compile(r"\s*<(?:!doctype|html|head|title|body|center|h1)\b", re.I)
_TITLE = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1", re.I | re.S)
_HIDDEN = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.I | re.S)
_OVERFLOW = re.compile(
    r"context[ _-]?(?:length|size|window|limit)|exceed_context|max(?:imum)? (?:\w+ )?length"
    r"|(?:prompt|input|request|messages?)\b[^.]{0,60}\btoo (?:long|large|many tokens)"
    r"|too many (?:input |prompt )?tokens|too large for model|input length|token limit"
    r"|less than [\d,]+ tokens|reduce the (?:length|size)"
    r"|(?:exceed|greater than|larger than|longer than|more than|at most|up to|reduce)"
    r"[^.]{0,80}\b(?:tokens|context)\b"
    r"|tokens?\b[^.]{0,60}\b(?:exceed|must be (?:<=|less|at most))"
    r"|string_above_max_length|string too long",
    re.I,
)
# Rate limits also mention tokens, but shortening the conversation does not help.
_RATE = re.compile(r"rate.?limit|per (?:minute|min|day|hour)|\btp[md]\b|\bquota\b", re.I)
_LOADING = re.compile(r"\bload(?:ing|ed)?\b|warming up|starting up|initiali[sz]ing", re.I)


class ReportedFailure(Exception):
    """A server reported a failure in its response; `document` is the parsed error."""

    def __init__(self, document: Any) -> None:
        super().__init__()
        self.document = document


def parsed(body: bytes) -> Any:
    """Return the JSON value of an error's body, or its text if it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def message_of(document: Any, secrets: Iterable[str] = ()) -> str:
    """Return a failure's message as one short line without secrets, or an empty string."""
    message = _without(_message(document, _MAX_DEPTH)[:_MAX_CHARACTERS], secrets)
    line = "".join(c if c.isprintable() else " " for c in storable(message))
    line = " ".join(line.split())
    return line[:SHOWN_CHARACTERS] + "…" if len(line) > SHOWN_CHARACTERS else line


def hidden(value: Any, secrets: Iterable[str]) -> Any:
    """Remove secrets from all strings of a JSON value."""
    kept = [secret for secret in secrets if secret]
    if isinstance(value, dict):
        return {_hidden_text(key, kept): hidden(part, kept) for key, part in value.items()}
    if isinstance(value, list):
        return [hidden(part, kept) for part in value]
    return _hidden_text(value, kept) if isinstance(value, str) else value


def _hidden_text(text: str, secrets: Iterable[str]) -> str:
    without = _without(text, secrets)
    return text if without.split() == text.split() else without


def is_context_overflow(document: Any) -> bool:
    """Return whether a failure reports that the prompt exceeds the context window."""
    text = document if isinstance(document, str) else json.dumps(document)
    text = text[:_MAX_CHARACTERS]
    return bool(_OVERFLOW.search(text)) and not _RATE.search(text)


def is_loading(document: Any) -> bool:
    """Return whether a failure reports that the model is still being loaded."""
    return bool(_LOADING.search(_message(document, _MAX_DEPTH)[:_MAX_CHARACTERS]))


def _message(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return _message_of_text(value.strip(), depth)
    if depth == 0:
        return ""
    if isinstance(value, list):
        found = (_message(item, depth - 1) for item in value[:3])
        return "; ".join(message for message in found if message)
    if not isinstance(value, dict):
        return ""
    for place in _MESSAGE_FIELDS:
        part: Any = value
        for name in place:
            part = part.get(name) if isinstance(part, dict) else None
        message = _message(part, depth - 1)
        if message:
            return f"{_location(value)}{message}"
    choices = value.get("choices")
    if isinstance(choices, list):
        return _message([c.get("error") for c in choices if isinstance(c, dict)], depth - 1)
    nested = [part for part in value.values() if isinstance(part, (dict, list))]
    return _message(nested, depth - 1)


def _message_of_text(text: str, depth: int) -> str:
    """Return the message in a text, which may be HTML or contain another server's JSON."""
    if _HTML.match(text):
        title = _TITLE.search(text[:_MAX_CHARACTERS])
        return _HIDDEN.sub(" ", title[2] if title else text[:_MAX_CHARACTERS]).strip()
    start = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    if start >= 0 and depth > 0:
        try:
            nested, _ = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            return text
        if isinstance(nested, (dict, list)):
            return _message(nested, depth - 1) or text
    return text


def _location(value: dict[str, Any]) -> str:
    """Return the location of a FastAPI validation error, such as `body.seed: `."""
    location = value.get("loc")
    if not isinstance(location, list):
        return ""
    return ".".join(str(part) for part in location if isinstance(part, (str, int))) + ": "


def _without(text: str, secrets: Iterable[str]) -> str:
    """Remove each word that contains either end of a secret."""
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "…")
            ends = (secret[:_KEY_CHARACTERS], secret[-_KEY_CHARACTERS:])
            text = " ".join(w for w in text.split() if not any(end in w for end in ends))
        elif secret:
            text = " ".join(word for word in text.split() if secret not in word)
    return text
