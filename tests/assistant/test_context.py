"""Trimming a conversation to the model's context window, in whole messages."""

from __future__ import annotations

import pytest

from assistant import PromptMessage, windows
from assistant.context import as_sent, fit, shorter, stated_limit, tokens, tokens_of
from core.errors import ModelRefused

SYSTEM = PromptMessage("system", "Be brief.")


def user(text: str) -> PromptMessage:
    return PromptMessage("user", text)


def assistant(text: str) -> PromptMessage:
    return PromptMessage("assistant", text)


# What the tokenizers of SmolLM2 (by llama.cpp) and o200k count: the largest and the smallest of
# the six that were measured.
@pytest.mark.parametrize(
    ("text", "smollm2", "o200k"),
    [
        ("The quick brown fox jumps over the lazy dog. Nobody expected that the afternoon would"
         " turn out like this, but here we are, talking about foxes and what they do when it"
         " rains. ", 38, 39),
        ("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862"
         "8034825342117067982148086513282306647093844609550582231725359408128481117450284102701"
         "93852110555964462294895493038196", 202, 69),
        ("今天天气很好，我们一起去公园散步吧。人工智能正在改变世界，许多公司都在研究大型语言模型的应用与安全问题。", 95, 34),
        ("今日はとても良い天気ですね。公園へ散歩に行きましょう。人工知能は世界を変えつつあります。", 77, 32),
        ("Сегодня прекрасная погода, давайте пойдём гулять в парк. Искусственный интеллект меняет"
         " мир, и многие компании изучают его. ", 94, 32),
        ("😀🎉🚀👩‍👩‍👧‍👦🏳️‍🌈🪶❤️🔥👍🏽🥳", 55, 33),
        ("def f(x: int) -> str:\n    return {'a': [1, 2], \"b\": x}[str(x)]  # 9f86d081\n", 44, 34),
    ],
)  # fmt: skip
def test_estimates_are_near_what_tokenizers_count(text: str, smollm2: int, o200k: int) -> None:
    assert tokens_of(text) >= 0.75 * smollm2
    assert tokens_of(text) <= 4 * o200k
    assert tokens(user(text)) > tokens_of(text)


def test_an_estimate_of_anything() -> None:
    assert tokens_of("") == 1
    assert tokens_of("\ud83e lone") >= 1
    assert tokens_of("x" * 2_000_000) > 100_000


def test_the_latest_that_fit() -> None:
    said = [user(f"{n} ".ljust(300, "x")) for n in range(10, 100)]
    each = tokens(said[0])
    kept = fit([SYSTEM, *said], window=10 * each)
    assert kept[0] == SYSTEM
    assert kept[1:] == said[-len(kept) + 1 :]
    assert sum(map(tokens, kept)) <= 7.5 * each  # a quarter is for the answer
    assert fit([SYSTEM, *said], window=1_000_000) == [SYSTEM, *said]
    assert fit([SYSTEM], window=300) == [SYSTEM]
    assert len(fit(said, window=10 * each, answer=1)) > len(kept) - 1


def test_a_long_message_between_ends_it() -> None:
    """What is older than a message that doesn't fit would have no sense without it."""
    said = [user("short"), assistant("word " * 9_000), user("and?")]
    assert fit(said, window=1_000) == said[-1:]


def test_the_last_message_is_sent_whole_unless_it_can_not_fit() -> None:
    probably_too_long = user("x" * 9_000)
    assert fit([SYSTEM, user("hello"), probably_too_long], window=2_048) == [
        SYSTEM,
        probably_too_long,
    ]
    with pytest.raises(ModelRefused, match=r"its window holds 2,048"):
        fit([SYSTEM, user("hello"), user("x" * 99_000)], window=2_048)


def test_a_message_that_was_too_long_does_not_stop_the_next() -> None:
    assert fit([user("x" * 99_000), user("Hello?")], window=2_048) == [user("Hello?")]


def test_roles_alternate() -> None:
    said = [
        assistant("Welcome."),  # of an import
        SYSTEM,
        user("one"),
        user("two"),
        assistant(""),  # of a reply that failed
        user("three"),
        assistant("Yes."),
        assistant("And no."),
        PromptMessage("system", "In English."),
        user("four"),
    ]
    assert as_sent(fit(said, 8_192)) == [
        {"role": "system", "content": "Be brief.\n\nIn English."},
        {"role": "user", "content": "one\n\ntwo\n\nthree"},
        {"role": "assistant", "content": "Yes.\n\nAnd no."},
        {"role": "user", "content": "four"},
    ]
    assert as_sent([]) == []


OVERFLOWS = {
    "OpenAI": (
        "This model's maximum context length is 4097 tokens. However, you requested 5000 tokens"
        " (4000 in the messages, 1000 in the completion). Please reduce the length.", 4097),
    "OpenAI, responses": (
        "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in"
        " 300001 tokens.", 272_000),
    "vLLM": (
        "This model's maximum context length is 2048 tokens. However, your request has 3000 input"
        " tokens. Please reduce the length of the input messages.", 2048),
    "llama.cpp": (
        "request (5000 tokens) exceeds the available context size (2048 tokens), try increasing"
        " it", 2048),
    "llama.cpp, before": (
        "the request exceeds the available context size. try increasing the context size or enable"
        " context shift", None),
    "Mistral": (
        "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum"
        " context length", 32768),
    "Gemini": (
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        1_048_576),
    "Anthropic": ("prompt is too long: 210000 tokens > 200000 maximum", 200_000),
    "TGI": (
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 4200"
        " `inputs` tokens and 512 `max_new_tokens`", 4097),
    "TGI, input": ("Input validation error: `inputs` must have less than 1024 tokens. Given: 2000",
                   1024),
    "xAI": (
        "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
        131_072),
    "SGLang": (
        "The input (3000 tokens) is longer than the model's context length (2048 tokens).", 2048),
    "LM Studio": (
        "The number of tokens to keep from the initial prompt is greater than the context length.",
        None),
    "Groq": ("Please reduce the length of the messages or completion.", None),
    "Bedrock": ("Input is too long for requested model.", None),
    "Qwen": ("Range of input length should be [1, 30720]", None),
    "Moonshot": ("Your request exceeded model token limit: 8192", 8192),
    "Zhipu": ("Prompt exceeds max length", None),
}  # fmt: skip


@pytest.mark.parametrize("server", OVERFLOWS)
def test_the_window_that_a_server_tells(server: str) -> None:
    words, limit = OVERFLOWS[server]
    assert stated_limit(words) == limit


def test_a_prompt_gets_shorter() -> None:
    said = [user(f"{n} ".ljust(300, "x")) for n in range(10, 40)]
    prompt = [SYSTEM, *said]
    words, limit = OVERFLOWS["vLLM"]
    shortened, told = shorter(prompt, 8_192, 1_024, words)
    assert told == limit
    assert shortened[0] == SYSTEM
    assert shortened[1:] == said[-len(shortened) + 1 :]
    assert 2 < len(shortened) < 20
    halved, told = shorter(prompt, 8_192, 1_024, "too long")
    assert told is None
    assert 2 < len(halved) < 20
    assert halved[-1] == said[-1]
    assert shorter([user("a"), user("b")], 8_192, 1_024, "too long")[0] == [user("b")]
    with pytest.raises(ModelRefused, match="2,048 tokens"):
        shorter([SYSTEM, user("a")], 8_192, 1_024, words)


@pytest.mark.parametrize(
    ("model", "window"),
    [
        ("gpt-4", 8_192),
        ("gpt-4o-mini-2024-07-18", 128_000),
        ("openai/gpt-4.1-nano", 1_047_576),
        ("gpt-3.5-turbo", 16_385),
        ("o3-mini", 200_000),
        ("claude-sonnet-4-5", 200_000),
        ("models/gemini-2.5-flash", 1_048_576),
        ("llama3.1:8b", 131_072),
        ("meta-llama/Llama-3.3-70B-Instruct-Turbo", 131_072),
        ("mistral-large-latest", 128_000),
        ("qwen3:4b", 40_960),
        ("smollm2-135m-instruct", None),
        ("my-gpt-4", None),
        ("", None),
    ],
)
def test_windows_of_well_known_models(model: str, window: int | None) -> None:
    assert windows.known(model) == window
