"""The routes of a test backend, which other servers don't have (contract, section 11)."""

from __future__ import annotations

from core import errors
from handlers import dev
from handlers.route import OPEN, Route
from web.operations import Operation

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
)
