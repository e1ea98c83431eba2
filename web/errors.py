"""The HTTP status of each error (contract, section 2)."""

from __future__ import annotations

from collections.abc import Mapping

from core import errors

STATUS: dict[type[errors.QuilliumError], int] = {
    errors.InvalidRequest: 400,
    errors.Unauthorized: 401,
    errors.InvalidToken: 401,
    errors.TokenExpired: 401,
    errors.InvalidCredentials: 401,
    errors.Forbidden: 403,
    errors.RegistrationClosed: 403,
    errors.QuotaExceeded: 403,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.Conflict: 409,
    errors.EmailTaken: 409,
    errors.PayloadTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.RateLimited: 429,
    errors.InternalError: 500,
    errors.StorageUnavailable: 503,
    errors.ShuttingDown: 503,
}

ERRORS_BY_STATUS = {status: error for error, status in reversed(STATUS.items())}


def status_of(
    error: type[errors.QuilliumError],
    table: Mapping[type[errors.QuilliumError], int] = STATUS,
) -> int:
    """Return the status of an error class: its own row, or that of its nearest base class.

    An error without any row is a bug, so its status is 500.
    """
    for base in error.__mro__:
        if base in table:
            return table[base]
    return table[errors.InternalError]
