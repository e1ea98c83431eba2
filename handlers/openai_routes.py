"""The rows of the route table for `/openai/v1`, the OpenAI-compatible API (docs/openai.md)."""

from __future__ import annotations

from core import errors
from handlers import completions, openai
from handlers.route import JSON, Route
from web.operations import Access, AlternateResponse, Operation

MODEL_ERRORS = (errors.ModelUnavailable, errors.ModelRefused, errors.ModelTimeout)
USER = Access.USER
STREAM = AlternateResponse(200, "text/event-stream", None, "Server-Sent Events, with `stream`")
# A provider's status is forwarded unchanged; these are the usual ones.
REFUSED = tuple(
    AlternateResponse(status, JSON, "provider_error", "An error of the provider")
    for status in (402, 404, 422)
)

OPENAI = (
    Route(
        "/openai/v1/chat/completions",
        completions.ChatCompletions,
        {
            "POST": Operation(
                "Create a chat completion, compatible with OpenAI's Chat Completions API",
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
                "Create a text completion, compatible with OpenAI's legacy Completions API",
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
                "Create a response, compatible with OpenAI's Responses API",
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
                "Create embeddings, compatible with OpenAI's Embeddings API",
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
                "List the available models, compatible with OpenAI's Models API",
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
                "Get a model",
                USER,
                response="openai_model",
                errors=(errors.NotFound,),
            )
        },
    ),
)
