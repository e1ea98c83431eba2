"""The code that `quillium-demo` writes: a few tasks in six programming languages."""

from __future__ import annotations

import re

from assistant.demo_language import Language
from assistant.demo_snippets import SNIPPETS

_NAMES = {
    "python": "Python", "typescript": "TypeScript", "javascript": "JavaScript", "go": "Go",
    "rust": "Rust", "java": "Java",
}  # fmt: skip
_PROGRAMMING_LANGUAGES = (
    (r"\bpython\b|python", "python"),
    (r"\btypescript\b|\bts\b", "typescript"),
    (r"\bjavascript\b|\bjs\b|\bnode(?:\.?js)?\b", "javascript"),
    (r"\bgolang\b|\b(?:in|en|auf|mit|using|用) ?go\b|用\s*go", "go"),
    (r"\brust\b|rust", "rust"),
    (r"\bjava\b|java(?!script)", "java"),
)
_UNKNOWN = re.compile(
    r"(?<!\w)(?:c\+\+|c#|ruby|php|kotlin|swift|haskell|perl|scala|elixir|cobol|sql|bash|lua|html|css)(?!\w)"
)
_TASKS = (
    (r"fibonacci|斐波那契", "fibonacci"),
    (r"fizz ?buzz", "fizzbuzz"),
    (
        r"revers|umdreh|umkehr|invers|invert|inversé|al revés|à l'envers|rückwärts|反转|倒序|颠倒",
        "reverse",
    ),
    (r"factorial|fakultät|factorielle|阶乘", "factorial"),
    (r"\bprimes?\b|primzahl|premiers?\b|\bprimos?\b|素数|质数", "prime"),
    (r"\bsort|sortier|\btri(?:er|e)?\b|orden(?:ar|ación|a\b)|排序|quick ?sort|bubble", "sort"),
    (
        r"hello,? world|hallo,? welt|bonjour,? (?:le )?monde|hola,? mundo|你好,? ?世界",
        "hello_world",
    ),
)
_IN_FIVE = re.compile(
    r"\b(?:five|several|many|different|multiple) (?:programming )?languages"
    r"|(?:fünf|mehreren|verschiedenen) (?:programmier)?sprachen|(?:cinq|plusieurs) langages"
    r"|(?:cinq|plusieurs) langues|(?:cinco|varios) (?:lenguajes|idiomas)|(?:五|多)种(?:编程)?语言"
)


def answer(plain: str, language: Language) -> str | None:
    """Return the code that a text in lower case asks for; None if it asks for none."""
    task = next((task for pattern, task in _TASKS if re.search(pattern, plain)), None)
    name = next((n for pattern, n in _PROGRAMMING_LANGUAGES if re.search(pattern, plain)), None)
    is_about_code = language.code_words.search(plain) is not None
    phrases = language.phrases
    if _IN_FIVE.search(plain) and (task or is_about_code):
        task = task or "hello_world"
        blocks = [_block(task, each) for each in ("python", "javascript", "go", "rust", "java")]
        return "\n\n".join([phrases["codes"].format(task=phrases[task]), *blocks])
    if task is None and not (is_about_code and name):
        return None
    if task is not None and name is None and not is_about_code:
        return None
    if task is None or (name is None and _UNKNOWN.search(plain)):
        tasks = ", ".join(phrases[each] for _, each in _TASKS)
        name = name or "python"
        opening = phrases["no_code"].format(tasks=tasks, language=_NAMES[name])
        return f"{opening}\n\n{_block(task or 'fizzbuzz', name)}"
    name = name or "python"
    opening = phrases["code"].format(task=phrases[task], language=_NAMES[name])
    return f"{opening}\n\n{_block(task, name)}"


def _block(task: str, name: str) -> str:
    return f"```{name}\n{SNIPPETS[task][name].strip()}\n```"
