"""The long texts of `quillium-demo`, separate from the rules in `demo`."""

HELP = """\
I am `quillium-demo`, the assistant that is built in. I answer in context, need no network, and \
say the same to the same conversation every time. These commands shape my reply:

- `/lorem N` – a reply of N words (50 if left out)
- `/markdown` – one of everything that a renderer must handle
- `/slow N` – a reply at N tokens a second (5 if left out), to see streaming and stop
- `/error` – a reply that fails half-way
- `/help` – this list"""

LOREM = """\
lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore
et dolore magna aliqua ut enim ad minim veniam quis nostrud exercitation ullamco laboris nisi ut
aliquip ex ea commodo consequat duis aute irure dolor in reprehenderit in voluptate velit esse
cillum dolore eu fugiat nulla pariatur excepteur sint occaecat cupidatat non proident sunt in
culpa qui officia deserunt mollit anim id est laborum""".split()  # noqa: SIM905

SLOW = """\
This is a slow reply, so that you can watch it come. Each word is a token of its own, and each is \
sent as soon as it is said. A good moment to try what happens when you stop the reply, close the \
tab, open a second one, or lose the connection: nothing that was said gets lost. When you have \
seen enough, press stop; otherwise just wait, because even the slowest reply comes to its end."""

MARKDOWN = """\
# Heading 1

## Heading 2

### Heading 3

A paragraph with **bold**, *italic*, ***both***, ~~struck~~, `inline code`, a \
[link](https://example.com "with a title"), an <https://example.com> autolink, a footnote-like \
mark[^1] and a hard  \nline break. Escapes: \\*not italic\\*, &amp; and &copy;.

> A quotation
>
> > with another one in it

- a list
  - with a list in it
    - and one in that
- [x] a task that is done
- [ ] a task that is not

1. first
2. second
   1. second, first part

| left | centre | right |
|:-----|:------:|------:|
| a    |   b    |     1 |
| long text that wants to wrap | `code` | 1,234.50 |

```python
def greet(name: str) -> str:
    return f"Hello, {name}!"  # <b>not HTML</b>
```

```
a block without a language, with a line that is long enough to need scrolling on any narrow \
screen, because it just goes on and on
```

Inline mathematics $e^{i\\pi} + 1 = 0$ and a block:

$$\\int_0^1 x^2\\,dx = \\tfrac{1}{3}$$

An image: ![a quill](https://example.com/quill.png)

Raw HTML must not run: <script>alert("no")</script> <img src=x onerror=alert(1)>

---

Emoji 🪶 👩‍👩‍👧‍👦, 日本語, العربية, עברית, a\u0308 combining mark, \
anextremelylongwordwithoutanyspacethatmustnotbreakthelayoutofthepageonanarrowscreen.

[^1]: The note itself."""
