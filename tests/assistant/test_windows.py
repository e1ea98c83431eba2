"""The context windows of well-known models."""

from __future__ import annotations

import pytest

from assistant.windows import known


@pytest.mark.parametrize(
    ("model", "window"),
    [
        ("gpt-4.1-mini", 1_047_576),
        ("gpt-5.4", 1_050_000),
        ("gpt-5.2", 400_000),
        ("gpt-5-chat-latest", 128_000),
        ("openai/gpt-oss-120b", 131_072),
        ("gpt-4o-mini", 128_000),
        ("gpt-4-32k-0613", 32_768),
        ("gpt-4-0613", 8_192),
        ("gpt-35-turbo", 16_385),
        ("gpt-3.5-turbo-instruct", 4_096),
        ("o1-mini", 128_000),
        ("o3", 200_000),
        ("o4-mini", 200_000),
        ("Claude-Sonnet-4", 200_000),
        ("claude-2.0", 100_000),
        ("models/gemini-2.5-pro", 1_048_576),
        ("gemini-pro", 32_760),
        ("gemini-1.5-pro", 2_097_152),
        ("gemma3:4b", 131_072),
        ("gemma-2-9b", 8_192),
        ("deepseek-ai/DeepSeek-R1", 128_000),
        ("grok-4-fast", 2_000_000),
        ("grok-4", 256_000),
        ("grok-3", 131_072),
        ("mistral-large-latest", 128_000),
        ("mistral:7b", 32_768),
        ("meta-llama/Llama-3.1-8B", 131_072),
        ("llama3:8b", 8_192),
        ("llama-2-7b", 4_096),
        ("qwen3-coder:30b", 262_144),
        ("qwen3:8b", 40_960),
        ("phi-4-mini", 131_072),
        ("phi-4", 16_384),
    ],
)
def test_the_most_specific_name_counts(model: str, window: int) -> None:
    assert known(model) == window


@pytest.mark.parametrize("model", ["", "my-gpt-4", "o3x", "o2", "claude/mine", "quillium-demo"])
def test_a_name_that_only_holds_a_known_one_is_unknown(model: str) -> None:
    assert known(model) is None
