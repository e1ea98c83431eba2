"""Code in six programming languages."""

from __future__ import annotations

import ast

import pytest

from assistant import demo_code
from assistant.demo_conversation import LANGUAGES, language_of
from assistant.demo_snippets import SNIPPETS


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("write fizzbuzz in rust", "```rust\nfor n in 1..=100"),
        ("show me quicksort in typescript", "```typescript\nfunction quicksort"),
        ("schreib die fakultät in go", "```go\nfunc factorial"),
        ("écris fibonacci en javascript", "```javascript\nfunction* fibonacci"),
        ("escribe un programa hola mundo en java", "```java\npublic class Hello"),
        ("用python写斐波那契", "```python\nfrom collections.abc"),
        ("write hello world in c++", "I only know a few examples"),
        ("write me some python code", "I only know a few examples"),
        ("is python a snake?", None),
        ("what is a prime minister?", None),
        ("hello", None),
    ],
)
def test_code(asked: str, expected: str | None) -> None:
    answer = demo_code.answer(asked, language_of(asked, []))
    assert (answer is None) if expected is None else expected in (answer or "")


def test_code_in_five_languages() -> None:
    asked = "reverse a string in five languages"
    answer = demo_code.answer(asked, language_of(asked, [])) or ""
    assert answer.count("```") == 10


def test_each_task_is_there_in_each_language() -> None:
    assert len({frozenset(snippets) for snippets in SNIPPETS.values()}) == 1
    for task, snippets in SNIPPETS.items():
        ast.parse(snippets["python"])
        assert all(task in language.phrases for language in LANGUAGES)
