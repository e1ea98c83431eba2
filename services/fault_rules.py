"""Faults that a test backend keeps simulating (contract, section 11)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from core.api_paths import without_prefix
from core.records import User

_PARAMETER = re.compile(r"\{[^/{}]*\}")


@dataclass
class _Rule:
    document: dict[str, Any]
    calls: int = 0  # that it matched
    applied: int = 0  # of these calls

    def applies(self) -> bool:
        """Count a matching call; return whether the fault is simulated for it."""
        match = self.document["match"]
        self.calls += 1
        if match.get("nth", self.calls) != self.calls or self.applied == match.get("times"):
            return False
        self.applied += 1
        return True


class FaultRules:
    """The rules of a server. The first one that applies decides about a request or a frame."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The rules as they were set."""
        return [rule.document for rule in self._rules]

    def public(self) -> list[dict[str, Any]]:
        """Return the rules, each with the number of calls that it has matched so far."""
        return [{**rule.document, "calls": rule.calls} for rule in self._rules]

    def replace(self, documents: Sequence[dict[str, Any]]) -> None:
        """Set the rules; all counts begin again."""
        self._rules = [
            _Rule({"match": document["match"], "respond": document["respond"]})
            for document in documents
        ]

    def of_request(
        self, method: str, path: str, route: str, user: User | None
    ) -> Mapping[str, Any] | None:
        """Return the fault of a request; `path` and `route` are without the API's prefix."""
        return self._find(
            lambda match: (
                "frame" not in match
                and match.get("method", method) == method
                and _is_path(match.get("path", "*"), path, route)
                and _is_user(match, user)
            )
        )

    def of_frame(self, type: str, user: User) -> Mapping[str, Any] | None:
        """Return the fault of a frame that a client sent."""
        return self._find(lambda match: match.get("frame") == type and _is_user(match, user))

    def _find(self, is_meant: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any] | None:
        for rule in self._rules:
            if is_meant(rule.document["match"]) and rule.applies():
                respond: Mapping[str, Any] = rule.document["respond"]
                return respond
        return None


def _is_path(wanted: str, path: str, route: str) -> bool:
    """Return whether a rule's path is that of a request, or of its route.

    The names of a route's parameters don't matter, and `*` is any text.
    """
    wanted = without_prefix(wanted)
    is_route = _PARAMETER.sub("{}", wanted) == _PARAMETER.sub("{}", route)
    return is_route or _pattern(wanted).fullmatch(path) is not None


@lru_cache(1000)
def _pattern(wanted: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, wanted.split("*"))), re.DOTALL)


def _is_user(match: Mapping[str, Any], user: User | None) -> bool:
    return "user" not in match or (user is not None and match["user"] in (user.id, user.email))
