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
                "Make an account and begin a session; the first account becomes the admin",
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
        {"GET": Operation("Whether registration is open", OPEN, response="registration_state")},
    ),
    Route(
        "/auth/login",
        auth.Login,
        {
            "POST": Operation(
                "Begin a session",
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
                "Exchange a refresh token for new tokens; send it again if the response was lost",
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
                "End a session, or all sessions of the user; `api_keys` revokes the keys, too",
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
                "Exchange a one-use sign-in code for tokens",
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
                "The caller's sessions, the last used one first",
                SESSION,
                response="sessions_page",
                parameters=PAGE,
            )
        },
    ),
    Route(
        "/auth/sessions/{id}",
        auth.OneSession,
        {"DELETE": Operation("End a session at once", SESSION, status=204, response=None)},
    ),
    Route(
        "/users/me",
        users.Me,
        {
            "GET": Operation("The caller's account", USER, response="user"),
            "PUT": Operation(
                "Change the account; e-mail and password need the current password and a session",
                USER,
                body="user_update",
                response="user",
                errors=(errors.EmailTaken, errors.InvalidCredentials, errors.Forbidden),
            ),
            "DELETE": Operation(
                "Delete the account with everything in it",
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
                "The caller's API keys", USER, response="api_keys_page", parameters=PAGE
            ),
            "POST": Operation(
                "Make an API key; this answer alone shows it",
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
        {"DELETE": Operation("Revoke an API key at once", SESSION, status=204, response=None)},
    ),
    Route(
        "/users",
        administration.Users,
        {
            "GET": Operation(
                "All accounts, or those whose address or name holds `q`",
                ADMIN,
                response="managed_users_page",
                parameters=(*PAGE, "q"),
            ),
            "POST": Operation(
                "Make an account; its owner signs in with the one-use link",
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
                "Change the name, make or unmake an admin, disable or enable",
                ADMIN,
                body="user_administer",
                response="managed_user",
                errors=(errors.Conflict,),
            ),
            "DELETE": Operation(
                "Delete an account with everything in it",
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
                "Make a one-use link to sign in with, such as for a forgotten password",
                ADMIN,
                body="nothing",
                status=201,
                response="sign_in_link",
            )
        },
    ),
)
