"""The prompt of a reply: what is sent to its provider."""

from __future__ import annotations

from assistant import PromptMessage
from core.records import Message, Sender
from storage import turns
from storage.database import Database

_SHORT_CONVERSATION = 50  # messages; read in a tenth of a millisecond


async def build(
    db: Database, admin_prompt: str, begun: turns.Begun, characters: int
) -> list[PromptMessage]:
    """The system prompts of the admin and the chat as one, then the conversation.

    The conversation ends with the message that is answered, and begins where it has as many
    characters as the provider can use.
    """
    system = "\n\n".join(filter(None, (admin_prompt, begun.instructions.system_prompt)))
    prompt = [PromptMessage("system", system)] if system else []
    for sender, content in await _history(db, begun.answers, characters):
        prompt.append(PromptMessage(sender, content))
    return prompt


async def _history(db: Database, answers: Message, characters: int) -> list[tuple[Sender, str]]:
    """The conversation up to a message: read at once if it is short, as it mostly is."""
    history = db.read(turns.history_until, answers, characters, _SHORT_CONVERSATION)
    if history is None:
        history = await db.read_in_pool(turns.history_until, answers, characters, turns.MAX_HISTORY)
    assert history is not None
    return history
