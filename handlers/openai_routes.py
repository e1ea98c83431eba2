"""The rows of `/openai/v1`, for tools that know OpenAI's API (docs/openai.md)."""

from __future__ import annotations

from core import errors
from handlers import completions, openai
from handlers.route import JSON, Route
from web.operations import Access, AlternateResponse, Operation

MODEL_ERRORS = (errors.ModelUnavailable, errors.ModelRefused, errors.ModelTimeout)
USER = Access.USER
STREAM = AlternateResponse(200, "text/event-stream", None, "Events, with `stream`")
# A provider's status is passed on, whatever it is; these are the usual ones.
REFUSED = tuple(
    AlternateResponse(status, JSON, "provider_error", "The provider's own refusal")
    for status in (402, 404, 422)
)

OPENAI = (
    Route(
        "/openai/v1/chat/completions",
        completions.ChatCompletions,
        {
            "POST": Operation(
                "Continue a conversation, in the form of OpenAI's Chat Completions",
                USER,
                body="completion_create",
                response="completion",
                errors=MODEL_ERRORS,
                more=(STREAM, *REFUSED),
            )
        },
    ),
    Route(
        "/openai/v1/completions",
        completions.TextCompletions,
        {
            "POST": Operation(
                "Continue a text, in the form of OpenAI's older Completions",
                USER,
                body="text_completion_create",
                response="text_completion",
                errors=MODEL_ERRORS,
                more=(STREAM, *REFUSED),
            )
        },
    ),
    Route(
        "/openai/v1/responses",
        completions.Responses,
        {
            "POST": Operation(
                "Continue a conversation, in the form of OpenAI's Responses",
                USER,
                body="response_create",
                response="response",
                errors=MODEL_ERRORS,
                more=(STREAM, *REFUSED),
            )
        },
    ),
    Route(
        "/openai/v1/embeddings",
        completions.Embeddings,
        {
            "POST": Operation(
                "Turn texts into vectors, in the form of OpenAI's Embeddings",
                USER,
                body="embedding_create",
                response="embeddings",
                errors=MODEL_ERRORS,
                more=REFUSED,
            )
        },
    ),
    Route(
        "/openai/v1/models",
        openai.Models,
        {
            "GET": Operation(
                "List the models that can answer, in the form of OpenAI's API",
                USER,
                response="openai_models",
            )
        },
    ),
    Route(
        "/openai/v1/models/{model}",
        openai.OneModel,
        {
            "GET": Operation(
                "Return one of these models",
                USER,
                response="openai_model",
                errors=(errors.NotFound,),
            )
        },
    ),
)
