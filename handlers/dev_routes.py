"""The routes of a test backend, which other servers don't have (contract, section 11)."""

from __future__ import annotations

from core import errors
from handlers import dev, pages
from handlers.route import OPEN, Route
from web.base import BaseHandler
from web.operations import Operation


def _controls(path: str, handler: type[BaseHandler], schema: str, what: str) -> Route:
    """Return the route of a list that tests get, replace and empty."""
    operations = {
        "GET": Operation(f"List the {what}", OPEN, response=schema),
        "PUT": Operation(f"Set the {what}", OPEN, response=schema, body=schema),
        "DELETE": Operation(f"Remove all {what}", OPEN, status=204, response=None),
    }
    return Route(path, handler, operations)


DEV = (
    Route(
        "/dev/reset",
        dev.Reset,
        {
            "POST": Operation(
                "Go back to the seed",
                OPEN,
                status=204,
                response=None,
                body="nothing",
                errors=(errors.Conflict,),
            )
        },
    ),
    Route(
        "/dev/seed",
        dev.Seed,
        {
            "GET": Operation("Get the present state as a seed", OPEN, response="seed"),
            "POST": Operation(
                "Add a seed to the present state",
                OPEN,
                status=204,
                response=None,
                body="seed",
                errors=(errors.Conflict,),
            ),
        },
    ),
    _controls("/dev/rules", dev.Rules, "dev_rules", "fault rules"),
    _controls("/dev/replies", dev.Replies, "dev_replies", "scripted replies"),
    Route(
        "/dev/clock",
        dev.Clock,
        {
            "GET": Operation("Get the server's time", OPEN, response="dev_clock"),
            "PUT": Operation("Move the clock", OPEN, response="dev_clock", body="dev_clock_change"),
        },
    ),
    Route(
        "/dev/journal",
        dev.Journal,
        {
            "GET": Operation("List the last requests and frames", OPEN, response="dev_journal"),
            "DELETE": Operation("Empty the journal", OPEN, status=204, response=None),
        },
    ),
)

DEV_PAGE = Route("/dev", pages.Dev, {"GET": Operation("Get the page", OPEN, response=None)})
