"""The rows of the route table for accounts: `/auth` and `/users` (contract, section 4)."""

from __future__ import annotations

from core import errors
from handlers import administration, auth, registration, users
from handlers.route import ADMIN, OPEN, PAGE, SESSION, USER, Route
from web.operations import Access, Operation

ACCOUNTS = (
    Route(
        "/auth/register",
        auth.Register,
        {
            "POST": Operation(
                "Create an account and start a session; the first account becomes the admin",
                OPEN,
                body="register",
                status=201,
                response="registration",
                errors=(errors.EmailTaken, errors.RegistrationClosed),
            )
        },
    ),
    Route(
        "/auth/registration",
        registration.Registration,
        {"GET": Operation("Get whether registration is open", OPEN, response="registration_state")},
    ),
    Route(
        "/auth/login",
        auth.Login,
        {
            "POST": Operation(
                "Start a session with email address and password",
                OPEN,
                body="login",
                response="tokens",
                errors=(errors.InvalidCredentials,),
            )
        },
    ),
    Route(
        "/auth/refresh",
        auth.Refresh,
        {
            "POST": Operation(
                "Exchange a refresh token for new tokens; retry if the response was lost",
                OPEN,
                body="refresh",
                response="tokens",
                errors=(errors.InvalidToken, errors.TokenExpired),
            )
        },
    ),
    Route(
        "/auth/logout",
        auth.Logout,
        {
            "POST": Operation(
                "End a session, or all sessions of the user; `api_keys` also revokes the API keys",
                Access.LOGOUT,
                body="logout",
                status=204,
                response=None,
            )
        },
    ),
    Route(
        "/auth/exchange",
        auth.Exchange,
        {
            "POST": Operation(
                "Exchange a one-time sign-in code for tokens",
                OPEN,
                body="exchange",
                response="tokens",
                errors=(errors.InvalidToken, errors.TokenExpired),
            )
        },
    ),
    Route(
        "/auth/sessions",
        auth.Sessions,
        {
            "GET": Operation(
                "List the caller's sessions, most recently used first",
                SESSION,
                response="sessions_page",
                parameters=PAGE,
            )
        },
    ),
    Route(
        "/auth/sessions/{id}",
        auth.OneSession,
        {"DELETE": Operation("End a session immediately", SESSION, status=204, response=None)},
    ),
    Route(
        "/users/me",
        users.Me,
        {
            "GET": Operation("Get the caller's account", USER, response="user"),
            "PUT": Operation(
                "Change the account; a new email address or password requires the current password",
                USER,
                body="user_update",
                response="user",
                errors=(errors.EmailTaken, errors.InvalidCredentials, errors.Forbidden),
            ),
            "DELETE": Operation(
                "Delete the account and all of its data",
                SESSION,
                body="account_delete",
                status=204,
                response=None,
                errors=(errors.InvalidCredentials, errors.Conflict),
            ),
        },
    ),
    Route(
        "/users/api-key",
        users.ApiKeys,
        {
            "GET": Operation(
                "List the caller's API keys", USER, response="api_keys_page", parameters=PAGE
            ),
            "POST": Operation(
                "Create an API key; the key is shown only in this response",
                SESSION,
                body="api_key_create",
                status=201,
                response="api_key_created",
            ),
        },
    ),
    Route(
        "/users/api-key/{id}",
        users.OneApiKey,
        {"DELETE": Operation("Revoke an API key immediately", SESSION, status=204, response=None)},
    ),
    Route(
        "/users",
        administration.Users,
        {
            "GET": Operation(
                "List accounts, optionally only those whose email address or name contains `q`",
                ADMIN,
                response="managed_users_page",
                parameters=(*PAGE, "q"),
            ),
            "POST": Operation(
                "Create an account; its owner signs in with a one-time link",
                ADMIN,
                body="user_create",
                status=201,
                response="user_created",
                errors=(errors.EmailTaken,),
            ),
        },
    ),
    Route(
        "/users/{id}",
        administration.OneUser,
        {
            "PATCH": Operation(
                "Change an account's name, admin rights or disabled state",
                ADMIN,
                body="user_administer",
                response="managed_user",
                errors=(errors.Conflict,),
            ),
            "DELETE": Operation(
                "Delete an account and all of its data",
                ADMIN,
                status=204,
                response=None,
                errors=(errors.Conflict,),
            ),
        },
    ),
    Route(
        "/users/{id}/link",
        administration.UserLink,
        {
            "POST": Operation(
                "Create a one-time sign-in link, for example after a forgotten password",
                ADMIN,
                body="nothing",
                status=201,
                response="sign_in_link",
            )
        },
    ),
)
