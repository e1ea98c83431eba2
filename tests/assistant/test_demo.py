"""`quillium-demo`: replies in context, and deterministic."""

from __future__ import annotations

import asyncio

import pytest

from assistant import Parameters, PromptMessage, demo
from assistant.demo import Demo
from assistant.events import End, Text
from core.errors import ModelUnavailable


async def converse(*said: str) -> list[str]:
    """What the assistant answers to each of these, in one conversation."""
    lines: list[PromptMessage] = []
    answers = []
    for text in said:
        lines.append(PromptMessage("user", text))
        reply = "".join(
            [e.text async for e in Demo().reply(lines, "quillium-demo") if isinstance(e, Text)]
        )
        lines.append(PromptMessage("assistant", reply))
        answers.append(reply)
    return answers


async def test_it_says_the_same_every_time() -> None:
    said = ("Hello", "My name is Ada", "Why is the sky blue?", "/markdown", "/lorem 99", "thanks")
    assert await converse(*said) == await converse(*said)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["Hello!"], "Hello! I am the built-in demo assistant."),
        (["My name is Ada. Nice day!", "Hi"], "Hello, Ada!"),
        (["My name is Ada. What can you do?", "What is my name?"], "your name is Ada."),
        (["Hi", "What is my name?"], "You haven't told me yet."),
        (["my dog is called Rex", "who's my dog?"], "your dog is called Rex."),
        (["I like geese", "I like ink", "What did I say first?"], "“I like geese”"),
        (["I like geese", "I like ink", "summarize"], "1. I like geese\n2. I like ink"),
        (["Geese give quills", "Tell me about quills"], "what you said about quills: “Geese give"),
        (["What is 12 * 3?"], "12 * 3 = 36"),
        (["7 / 0"], "Nothing can be divided by zero."),
        (["I am called Ada.", "thank you"], "You are welcome, Ada."),
        (["/nonsense"], "I don't know the command `/nonsense`."),
        (["/lorem x"], "from 1 to 10,000"),
        (["/lorem 0"], "from 1 to 10,000"),
        (["/slow 9999"], "from 1 to 1,000"),
        (["/HELP"], "`/lorem N`"),
        (["?"], "You asked: “?”"),
    ],
)
async def test_answers_make_sense_in_their_conversation(said: list[str], expected: str) -> None:
    assert expected in (await converse(*said))[-1]


@pytest.mark.parametrize("count", [1, 2, 12, 13, 61, 1000])
async def test_lorem_says_exactly_so_many_words(count: int) -> None:
    (answer,) = await converse(f"/lorem {count}")
    assert len(answer.split()) == count


async def test_markdown_holds_one_of_everything() -> None:
    (text,) = await converse("/markdown")
    for part in ("# ", "**", "~~", "```python", "> >", "- [x]", "1. ", "|:---", "](", "<script>"):
        assert part in text


async def test_error_speaks_and_then_fails() -> None:
    reply = Demo().reply([PromptMessage("user", "/error")], "quillium-demo")
    said = [await anext(reply) for _ in range(6)]
    assert "".join(e.text for e in said if isinstance(e, Text)) == "This reply is about to fail"
    with pytest.raises(ModelUnavailable):
        await anext(reply)


async def test_all_that_came_since_the_last_reply_is_answered() -> None:
    lines = [
        PromptMessage("system", "x"),
        PromptMessage("user", "My name is Ada"),
        PromptMessage("user", "2 + 2"),
    ]
    reply = "".join(
        [e.text async for e in Demo().reply(lines, "quillium-demo") if isinstance(e, Text)]
    )
    assert reply == "Nice to meet you, Ada! I will remember your name.\n\n2 + 2 = 4"


async def test_long_messages_hold_up_nobody() -> None:
    """A hundred of them, unanswered, took minutes once; what is read of each is bounded."""
    said = [
        PromptMessage("user", f"{n} " + "my x, " * 20_000 + "My name is Ada.") for n in range(100)
    ]
    pieces = [e.text async for e in Demo().reply(said, "quillium-demo") if isinstance(e, Text)]
    assert "Nice to meet you, Ada!" in "".join(pieces)
    assert len(pieces) < 20_000
    kept = demo._excerpt(said[0]).content
    assert kept.endswith("My name is Ada.")
    assert len(kept) < 2_010


async def test_a_reply_ends_at_max_tokens() -> None:
    """A chat's parameter works with the built-in model, too."""
    asked = [PromptMessage("user", "/lorem 50")]
    few = Parameters(max_tokens=3)
    events = [event async for event in Demo().reply(asked, "quillium-demo", few)]
    assert "".join(e.text for e in events if isinstance(e, Text)) == "Lorem ipsum dolor"
    assert events[-1] == End("length")
    whole = [e async for e in Demo().reply(asked, "quillium-demo", Parameters(max_tokens=50))]
    assert whole[-1] == End("stop")


async def test_a_pace_that_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    asked = [PromptMessage("user", "/lorem 20")]
    for pace in (0, 50):
        waits.clear()
        parameters = Parameters(tokens_per_second=pace)
        events = [e async for e in Demo().reply(asked, "quillium-demo", parameters)]
        assert len(events) == 21
        assert len(waits) == (20 if pace else 0)
    assert 0.3 < waits[-1] <= 0.42  # no time passes here, so that each wait is longer
