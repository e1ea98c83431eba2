"""Application errors: one class for each error code (contract, section 2).

The classes are independent of HTTP; `web.errors` maps each class to a status. `message` is a
fixed sentence for each code. `details` explains this occurrence and how to fix it; it never
contains a secret, a path or SQL.
"""

from __future__ import annotations

from typing import ClassVar


class QuilliumError(Exception):
    """Base class of all application errors."""

    code: ClassVar[str] = "internal_error"
    message: ClassVar[str] = "Something went wrong on the server"

    def __init__(self, details: str = "") -> None:
        super().__init__(details)
        self.details = details or f"{self.message}."

    def public(self) -> dict[str, str]:
        """Return the public form: `code`, `message` and `details` (contract, section 2)."""
        return {"code": self.code, "message": self.message, "details": self.details}


class InvalidRequest(QuilliumError):
    code = "invalid_request"
    message = "The request was invalid"


class Unauthorized(QuilliumError):
    code = "unauthorized"
    message = "Authentication is required"


class InvalidToken(QuilliumError):
    code = "invalid_token"
    message = "The token is not valid"


class TokenExpired(QuilliumError):
    code = "token_expired"
    message = "The token has expired"


class InvalidCredentials(QuilliumError):
    code = "invalid_credentials"
    message = "The e-mail address or the password is wrong"


class Forbidden(QuilliumError):
    code = "forbidden"
    message = "This is not allowed"


class RegistrationClosed(QuilliumError):
    code = "registration_closed"
    message = "Registration is closed"


class QuotaExceeded(QuilliumError):
    code = "quota_exceeded"
    message = "The storage of this account is used up"


class NotFound(QuilliumError):
    """A resource does not exist or belongs to another user; clients can't tell which."""

    code = "not_found"
    message = "The resource was not found"

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no such {what}.")


class MethodNotAllowed(QuilliumError):
    code = "method_not_allowed"
    message = "The method is not allowed here"


class EmailTaken(QuilliumError):
    code = "email_taken"
    message = "The e-mail address is taken"


class Conflict(QuilliumError):
    code = "conflict"
    message = "The request clashes with the current state"


class PayloadTooLarge(QuilliumError):
    code = "payload_too_large"
    message = "The body is too large"


class UnsupportedMediaType(QuilliumError):
    code = "unsupported_media_type"
    message = "The body is not JSON"


class ResyncRequired(QuilliumError):
    """The missed frames are gone; the client must list everything again (section 7)."""

    code = "resync_required"
    message = "List everything again"


class RateLimited(QuilliumError):
    """`retry_after` is in whole seconds, at least 1."""

    code = "rate_limited"
    message = "Too many requests"

    def __init__(self, details: str, retry_after: int) -> None:
        super().__init__(details)
        self.retry_after = max(1, retry_after)


class InternalError(QuilliumError):
    """A bug. `details` is the request id alone."""


class StorageUnavailable(QuilliumError):
    code = "storage_unavailable"
    message = "The data could not be stored"


class ShuttingDown(QuilliumError):
    code = "shutting_down"
    message = "The server is shutting down"


class ModelUnavailable(QuilliumError):
    """The model is unreachable, or its response ended early (contract, section 8)."""

    code = "model_unavailable"
    message = "The model is not available"


class ModelRefused(QuilliumError):
    code = "model_refused"
    message = "The model refused the request"


class ModelTimeout(QuilliumError):
    code = "model_timeout"
    message = "The model took too long"


def of(kind: type[QuilliumError], details: str) -> QuilliumError:
    """Return an error of any class with these details, for a simulated failure."""
    error = RateLimited(details, 1) if kind is RateLimited else kind(details)
    error.details = details
    return error
