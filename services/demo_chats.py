"""The sample chats of a demo, chosen to show what the page can display."""

from __future__ import annotations

from typing import NamedTuple


class DemoChat(NamedTuple):
    """A sample chat: `age_hours` is its last message's age; `turns` are (question, reply) pairs.

    `picture` is an icon of the page that is attached to the last question.
    """

    title: str
    age_hours: float
    turns: tuple[tuple[str, str], ...]
    picture: str | None = None


CHATS: tuple[DemoChat, ...] = (
    DemoChat(
        "Retry with back-off",
        1,
        (
            (
                "How do I retry a failing HTTP request in Python without hammering the server?",
                """Use **exponential back-off with jitter**: double the delay after each failure, and \
pick a random delay below that bound, so that many clients don't retry at the same moment.

```python
import random
import time
from collections.abc import Callable


def retry[T](work: Callable[[], T], attempts: int = 5, base: float = 0.5) -> T:
    for attempt in range(attempts):
        try:
            return work()
        except ConnectionError:
            if attempt == attempts - 1:
                raise
            time.sleep(random.uniform(0, base * 2**attempt))
    raise AssertionError("unreachable")
```

Two details matter:

1. Retry only what is **idempotent**, or send an idempotency key.
2. If the response has a `Retry-After` header, wait at least that long.""",
            ),
            (
                "What are the delays for the first five attempts?",
                """The upper bounds, with `base = 0.5`:

| attempt | upper bound | average wait |
|--------:|------------:|-------------:|
| 1 | 0.5 s | 0.25 s |
| 2 | 1.0 s | 0.50 s |
| 3 | 2.0 s | 1.00 s |
| 4 | 4.0 s | 2.00 s |
| 5 | – | it gives up |

In total at most 7.5 s, on average 3.75 s.""",
            ),
            (
                "Perfect. Can you write the same in TypeScript?",
                """```ts
export async function retry<T>(work: () => Promise<T>, attempts = 5, base = 500): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === attempts - 1) throw error;
      const delay = Math.random() * base * 2 ** attempt;
      await new Promise(resolve => setTimeout(resolve, delay));
    }
  }
}
```""",
            ),
        ),
    ),
    DemoChat(
        "Weekend in Lisbon",
        20,
        (
            (
                "Plan a weekend in Lisbon for two people who like walking and good coffee.",
                """### Saturday

- [x] **Morning:** coffee in Chiado, then walk down to the river at Praça do Comércio
- [ ] **Midday:** Alfama on foot, up to the viewpoint Portas do Sol
- [ ] **Afternoon:** tram 28 back, or the stairs if the queue is long
- [ ] **Evening:** dinner in Bairro Alto, reserve a table

### Sunday

- [ ] **Morning:** Belém: the monastery early, custard tarts afterwards
- [ ] **Afternoon:** LX Factory for books and a last coffee

> Wear shoes with a good grip. The pavement is polished limestone, and the hills are real.""",
            ),
            (
                "What if it rains on Sunday?",
                """Then swap the order: the **Tile Museum** (Museu Nacional do Azulejo) in the morning, \
it is indoors and quiet on Sundays, and LX Factory after lunch. Belém is at its best in dry weather.""",
            ),
        ),
    ),
    DemoChat(
        "The quadratic formula",
        44,
        (
            (
                "Where does the quadratic formula come from?",
                """By **completing the square**. Start with $ax^2 + bx + c = 0$ and divide by $a$:

$$x^2 + \\frac{b}{a}x = -\\frac{c}{a}$$

Add $\\left(\\frac{b}{2a}\\right)^2$ on both sides, so that the left side is a square:

$$\\left(x + \\frac{b}{2a}\\right)^2 = \\frac{b^2 - 4ac}{4a^2}$$

Take the root and subtract:

$$x = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}$$""",
            ),
            (
                "And what does the part under the root tell me?",
                """It is the **discriminant** $D = b^2 - 4ac$:

| $D$ | solutions |
|:---:|---|
| $D > 0$ | two real numbers |
| $D = 0$ | one real number, counted twice |
| $D < 0$ | two complex numbers |""",
            ),
        ),
    ),
    DemoChat(
        "Release notes for version 2.4",
        70,
        (
            (
                "Turn these into release notes: dark mode, faster search, fixed crash on empty import, "
                "API keys can expire.",
                """## Version 2.4

**New**

- Dark mode, which follows your system
- API keys can have an expiry date

**Improved**

- Search is up to four times as fast in large workspaces

**Fixed**

- Importing an empty file no longer crashes the app""",
            ),
            (
                "Shorter, for a tweet.",
                "Version 2.4 is here: dark mode 🌙, much faster search 🔎, expiring API keys 🔑, and one "
                "crash fewer.",
            ),
        ),
    ),
    DemoChat(
        "SQL: the newest order of each customer",
        98,
        (
            (
                "I have customers and orders. How do I get only the newest order of each customer?",
                """Number the orders of each customer from the newest on, and keep the first:

```sql
SELECT name, ordered_at, total
FROM (
    SELECT c.name, o.ordered_at, o.total,
           row_number() OVER (PARTITION BY c.id ORDER BY o.ordered_at DESC) AS position
    FROM customers c
    JOIN orders o ON o.customer_id = c.id
)
WHERE position = 1;
```

With an index on `orders (customer_id, ordered_at DESC)` this reads each customer's orders in order.""",
            ),
            (
                "Customers without any order are missing.",
                """Right: an inner join drops them. Use `LEFT JOIN orders o …`; their `ordered_at` and \
`total` are then `NULL`, and `row_number()` is still 1.""",
            ),
        ),
    ),
    DemoChat(
        "東京での三日間",
        150,
        (
            (
                "東京で三日間、静かな場所を中心に観光したいです。おすすめは？",
                """静かに過ごせる三日間の案です。

1. **一日目：谷中・根津** 古い町並みと根津神社。夕方は**夕やけだんだん**へ。
2. **二日目：清澄白河** 清澄庭園のあと、小さな喫茶店でひと休み。
3. **三日目：奥多摩** 渓谷沿いの散策。電車で約二時間です。

平日の午前中は特に人が少なくなります。""",
            ),
        ),
    ),
    DemoChat(
        "Explain recursion",
        220,
        (
            (
                "Explain recursion to somebody who has never programmed.",
                """Imagine you stand in a long queue and want to know your position, but you can't see \
the front. You ask the person before you: *“What is your position?”* They don't know either, so they \
ask the person before them, and so on, until the question reaches the first person, who simply answers \
**“one”**. Then the answers travel back: two, three, four …

That is recursion:

1. a **simple case** that you can answer at once (the first in the queue), and
2. a **smaller copy of the same question** for everybody else.""",
            ),
            (
                "Now show me in code.",
                """```python
def position(person):
    if person.before is None:  # the simple case
        return 1
    return position(person.before) + 1  # the smaller copy
```""",
            ),
        ),
    ),
    DemoChat(
        "Haiku about ink",
        300,
        (
            (
                "Write a haiku about ink and paper.",
                "*Ink meets the white page –*\n*a river learns where to run,*\n*and the field listens.*",
            ),
            (
                "One more, about autumn.",
                "*Leaves sign their letters*\n*in red across the wet street:*\n*yours, until the spring.*",
            ),
        ),
    ),
    DemoChat(
        "12 % of 250",
        380,
        (
            (
                "What is 12 % of 250?",
                "**30.** One per cent of 250 is 2.5, and twelve times that is 30.",
            ),
            (
                "And if the price including 12 % tax is 250?",
                "Then the price before tax is $250 / 1.12 \\approx 223.21$, and the tax is about **26.79**.",
            ),
        ),
    ),
    DemoChat(
        "Meeting notes: onboarding",
        460,
        (
            (
                "Summarize: we talked 50 min about onboarding. Users drop off at step 3 (company data). Lena "
                "wants to make it optional. Tom is worried about billing. We test it with 10 % for two weeks, "
                "Lena owns it, decision on the 14th.",
                """**Problem:** users leave at step 3, where they enter company data.

**Decision:** make the step optional for 10 % of new users, for two weeks.

| who | what | until |
|---|---|---|
| Lena | run the test | the 14th |
| Tom | list what billing needs at the latest | before the test |

**Open:** can billing work without company data on the first day?""",
            ),
        ),
    ),
    DemoChat(
        "سؤال عن القهوة",
        560,
        (
            (
                "كيف أحضّر قهوة عربية لأربعة أشخاص؟",
                """المقادير لأربعة أشخاص:

- نصف لتر ماء
- ثلاث ملاعق كبيرة من البن الفاتح
- ملعقة صغيرة من الهيل المطحون

اغلِ الماء، أضف البن، واتركه على نار هادئة عشر دقائق، ثم أضف الهيل وقدّمها.""",
            ),
        ),
    ),
    DemoChat(
        "What this assistant can do",
        640,
        (
            (
                "Who are you, and what can you do?",
                """I am `quillium-demo`, the assistant that is built into Quillium. I am not a language \
model: I follow rules, need no network, and give the same answer to the same conversation every time.

- I remember names and facts that you tell me in a chat, and I do arithmetic.
- Type `/help` for commands that shape my replies, such as `/markdown` or `/lorem 100`.
- For real conversations, add a model in **Settings → Server**, or start Ollama on this computer.""",
            ),
            (
                "What is this picture?",
                """You sent `icon-192.png`: an image (PNG) of 192 × 192 pixels, Quillium's own icon.

I read its size from the file and can't see what it shows. **A model with vision can**: paste a \
screenshot and ask about it. Text files work with every model.""",
            ),
        ),
        picture="icon-192.png",
    ),
)
