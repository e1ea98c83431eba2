"""Context windows of well-known models in tokens, for servers that don't list them."""

from __future__ import annotations

import re

# The first match against the name after its last slash. Sources: the vendors' documentation.
_WINDOWS = tuple(
    (re.compile(pattern, re.I), window)
    for pattern, window in (
        (r"gpt-4\.1", 1_047_576),
        (r"gpt-5\.[4-9]", 1_050_000),
        (r"gpt-5.*chat", 128_000),
        (r"gpt-5", 400_000),
        (r"gpt-oss", 131_072),
        (r"gpt-4o|chatgpt-4o|gpt-4-turbo|gpt-4-(?:0125|1106)|gpt-4\.5", 128_000),
        (r"gpt-4-32k", 32_768),
        (r"gpt-4", 8_192),
        (r"gpt-3\.5-turbo-instruct", 4_096),
        (r"gpt-3\.5|gpt-35", 16_385),
        (r"o1-(?:mini|preview)", 128_000),
        (r"o[134](?:-|\Z)", 200_000),
        (r"claude-(?:2\.0|instant)", 100_000),
        (r"claude", 200_000),
        (r"gemini-1\.0|gemini-pro\Z", 32_760),
        (r"gemini-1\.5-pro", 2_097_152),
        (r"gemini", 1_048_576),
        (r"gemma-?3|gemma-?4", 131_072),
        (r"gemma", 8_192),
        (r"deepseek-v4", 1_000_000),
        (r"deepseek", 128_000),
        (r"grok-4.*fast|grok-4[.-][1-9]", 2_000_000),
        (r"grok-4|grok-code", 256_000),
        (r"grok", 131_072),
        (r"sonar-pro", 200_000),
        (r"sonar", 128_000),
        (r"codestral", 256_000),
        (r"mistral-(?:large|medium|small)|ministral|magistral|devstral|pixtral|mistral-nemo",
         128_000),
        (r"mixtral-8x22b", 65_536),
        (r"mistral|mixtral", 32_768),
        (r"llama-?4", 1_000_000),
        (r"llama-?3[.-][123]", 131_072),
        (r"llama-?3", 8_192),
        (r"llama-?2", 4_096),
        (r"qwen-?3.*(?:max|coder|next|2507)", 262_144),
        (r"qwen-?3", 40_960),
        (r"qwen-?2\.5|qwq", 32_768),
        (r"command-a", 256_000),
        (r"command-r", 128_000),
        (r"kimi-k2", 262_144),
        (r"glm-4\.[6-9]|glm-5", 200_000),
        (r"glm-4", 128_000),
        (r"phi-?4-mini|phi-?3.*128k", 131_072),
        (r"phi-?4", 16_384),
    )
)  # fmt: skip


def known(model: str) -> int | None:
    """Return the window of a well-known model; its name may end with a size or a date."""
    name = model.rpartition("/")[2]
    return next((window for pattern, window in _WINDOWS if pattern.match(name)), None)
