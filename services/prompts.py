"""Build the prompt of a reply, which is sent to its provider."""

from __future__ import annotations

from assistant import PromptMessage
from core.records import Message, Sender
from storage import turns
from storage.database import Database

_SHORT_CONVERSATION = 50  # messages; read in a tenth of a millisecond


async def build(
    db: Database, admin_prompt: str, begun: turns.Begun, characters: int
) -> list[PromptMessage]:
    """Return the combined system prompts of admin and chat, followed by the conversation.

    The conversation ends with the message to answer. Its beginning is cut to fit the number of
    characters that the provider can use.
    """
    system = "\n\n".join(filter(None, (admin_prompt, begun.instructions.system_prompt)))
    prompt = [PromptMessage("system", system)] if system else []
    for sender, content in await _history(db, begun.answers, characters):
        prompt.append(PromptMessage(sender, content))
    return prompt


async def _history(db: Database, answers: Message, characters: int) -> list[tuple[Sender, str]]:
    """Return the conversation up to a message. Read it on this thread if it is short."""
    history = db.read(turns.history_until, answers, characters, _SHORT_CONVERSATION)
    if history is None:
        history = await db.read_in_pool(turns.history_until, answers, characters, turns.MAX_HISTORY)
    assert history is not None
    return history
