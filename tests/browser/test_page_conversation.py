"""Streaming messages, hostile Markdown, and the composer."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import Guard, User, model_server
from tests.program import Program

pytestmark = needs_chromium

HOSTILE = """
<script>window.wasRun = 1</script><img src=x onerror="window.wasRun = 1"><svg onload="window.wasRun = 1">
<iframe src="http://evil.example/"></iframe><style>body { display: none }</style>
<form action="http://evil.example/"><input name=password></form>

[one](javascript:window.wasRun=1) [two](data:text/html,<script>window.wasRun=1</script>)
[three](vbscript:x) [four](/api/v1/users/me) <javascript:window.wasRun=1>
[good](https://good.example/?a=1&b=2 "title") <https://auto.example>

![pixel](http://evil.example/pixel.png) ![](http://evil.example/"onerror="window.wasRun=1)

# <img src=x onerror=window.wasRun=1> heading

```html"onload="x
<script>window.wasRun = 1</script>
```

| a | b |
|---|:-:|
| <b>c</b> | `<i>` |
"""

WIDE = "| a " * 500 + "|\n" + "|---" * 500 + "|\n" + ("| x " * 500 + "|\n") * 40
SLOW_TO_READ = [">" * 50_000, "_a_" * 30_000, "a." * 40_000 + "@", "[" * 50_000, "x" * 100_000]


def test_a_reply_streams_and_can_be_stopped(ada: User) -> None:
    ada.say("/slow 30")
    writing = ada.page.locator(".reply[aria-busy=true]")
    expect(writing).to_have_count(1)
    before = writing.inner_text()
    expect(writing).not_to_have_text(before)
    ada.button("Stop reply").click()
    expect(ada.page.get_by_text("You stopped this reply.")).to_be_visible()
    expect(ada.button("Stop reply")).to_have_count(0)
    ada.say("/slow 30")
    expect(writing).to_have_count(1)
    ada.composer.press("Escape")
    expect(ada.page.get_by_text("You stopped this reply.")).to_have_count(2)


def test_what_is_said_meanwhile_is_answered_next(ada: User) -> None:
    ada.say("/slow 1")
    expect(ada.page.locator(".reply[aria-busy=true]")).to_have_count(1)
    ada.say("Are you there?")
    expect(ada.said).to_have_count(2)
    expect(ada.page.locator(".message").last).to_have_attribute("aria-busy", "true")
    ada.button("Stop reply").click()
    expect(ada.replies).to_have_count(2)
    ada.page.reload()
    expect(ada.replies).to_have_count(2)


def test_regenerate_and_retry(ada: User) -> None:
    ada.say("/error", replies=1)
    failure = ada.page.locator(".problem.is-error")
    expect(failure).to_have_text(
        "The model isn’t available. Try again, or choose another model."
        " This is the failure that /error asks for."
    )
    expect(ada.replies).to_contain_text("This reply is about to fail")  # what was said is kept
    expect(ada.button("Regenerate")).to_have_count(0)
    chat = ada.call("GET", "/chats")["data"][0]["id"]
    before = ada.call("GET", f"/chats/{chat}/messages")["data"][1]["timestamp"]
    with ada.page.expect_response("**/regenerate"):
        ada.button("Try again").click()
    expect(ada.replies).to_have_count(1)
    expect(failure).to_be_visible()
    assert ada.call("GET", f"/chats/{chat}/messages")["data"][1]["timestamp"] > before
    ada.say("Hello", replies=2)
    expect(ada.button("Try again")).to_have_count(0)  # only the last reply can be replaced
    ada.button("Regenerate").click()
    expect(ada.button("Regenerate")).to_be_visible()
    expect(ada.replies).to_have_count(2)


def test_markdown_and_copy(ada: User, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    loaded: list[str] = []
    context.on("request", lambda request: loaded.append(request.url))
    ada.say("Hello", replies=1)
    assert not [url for url in loaded if "highlight" in url]  # only the first code needs it
    ada.say("/markdown", replies=2)
    reply = ada.replies.last
    expect(reply.locator("h1, h2, h3").first).to_be_visible()
    expect(reply.locator("table td").first).to_be_visible()
    expect(reply.locator(".hljs-keyword").first).to_have_text("def")
    copy = reply.locator(".code-bar button").first
    copy.click()
    expect(copy).to_have_text("Copied")
    pasted: str = ada.page.evaluate("navigator.clipboard.readText()")
    assert pasted == 'def greet(name: str) -> str:\n    return f"Hello, {name}!"  # <b>not HTML</b>'
    reply.locator(".about").get_by_role("button", name="Copy").click()
    pasted = ada.page.evaluate("navigator.clipboard.readText()")
    assert "```python" in pasted
    files = [url for url in loaded if "/static/" in url and not url.endswith(".svg")]
    assert len(files) == len(set(files))  # nothing is loaded twice


@pytest.fixture
def reader(context: BrowserContext, guard: Guard, served: Program) -> User:
    return User(context.new_page(), served)


def hears(reader: User, *replies: str) -> None:
    """Have a model say this, each in answer to a message."""
    admin = User(reader.page, reader.program, "admin@example.com")
    admin.login()
    with model_server(*replies) as address:
        provider = {"name": "Scripted", "base_url": address, "models": ["scripted"]}
        admin.call("PUT", "/settings/admin", {"providers": [provider]})
        reader.open(reader.register())
        reader.page.get_by_label("Model").select_option("scripted")
        for number in range(len(replies)):
            reader.say("Go on", replies=number + 1)
    admin.call("PUT", "/settings/admin", {"providers": []})


def test_a_hostile_reply(reader: User) -> None:
    hears(reader, HOSTILE)
    reply = reader.replies
    expect(reply).to_contain_text("<script>window.wasRun = 1</script>")
    expect(reply).to_contain_text('<img src=x onerror="window.wasRun = 1">')
    assert reader.page.evaluate("window.wasRun") is None
    inside = reply.locator(".prose")
    expect(inside.locator("script, iframe, style, form, svg, img, i")).to_have_count(0)
    links = inside.locator("a[href]").evaluate_all("all => all.map(a => [a.href, a.rel, a.target])")
    good = ["https://good.example/?a=1&b=2", "https://auto.example/"]
    evil = [link for link in links if not link[0].startswith(("https:", "http:"))]
    assert evil == []
    assert [href for href, _, _ in links if href in good] == good
    assert {(rel, target) for _, rel, target in links} == {("noopener noreferrer", "_blank")}
    assert not [href for href, _, _ in links if href.startswith(reader.program.url)]
    expect(inside.locator("td").first).to_have_text("c")
    handlers = "all => all.flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on'))"
    assert inside.locator("*").evaluate_all(handlers) == []


def test_replies_that_are_too_much(reader: User) -> None:
    hears(reader, WIDE, *SLOW_TO_READ)
    expect(reader.replies.first.locator("td").first).to_have_text("x")
    overflow = "document.documentElement.scrollWidth - innerWidth"
    assert reader.page.evaluate(overflow) <= 0
    assert reader.page.locator("main").evaluate("main => main.scrollWidth - main.clientWidth") <= 0
    expect(reader.replies.nth(1)).to_contain_text(">>>>>")
    expect(reader.composer).to_be_focused()


def test_hostile_titles_and_messages(ada: User) -> None:
    text = '<img src=x onerror="window.wasRun = 1">'
    chat = ada.chat(text, title=text)
    ada.page.goto(f"{ada.program.url}/#{chat}")
    expect(ada.said).to_have_text(text)
    expect(ada.heading).to_have_text(text)
    expect(ada.chats).to_have_text([text])
    assert ada.page.evaluate("window.wasRun") is None


def test_older_messages_come_without_a_jump(ada: User) -> None:
    chat = ada.imported(330)
    ada.page.goto(f"{ada.program.url}/#{chat}")
    transcript = ada.page.locator(".transcript")
    messages = ada.page.locator(".message")
    expect(messages.last).to_be_in_viewport()
    seen: set[str] = set()
    # What is at the top of the view stays there while messages are put before it and let go.
    read = """async box => {
      const settled = () => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve, 20)));
      const {top} = box.getBoundingClientRect();
      box.scrollTop -= 500;
      await settled();
      const at = [...box.querySelectorAll(".message")].find(e => e.getBoundingClientRect().bottom > top + 1);
      const before = at.getBoundingClientRect().top;
      const jump = () => at.getBoundingClientRect().top - before;
      for (let left = 20; left && (left > 18 || Math.abs(jump()) >= 1); left--) await settled();
      return {jump: jump(), top: box.scrollTop,
        texts: [...box.querySelectorAll(".words, .prose")].map(e => e.textContent.trim()),
        drawn: box.querySelectorAll(".message").length};
    }"""
    for _ in range(100):
        state = transcript.evaluate(read)
        assert abs(state["jump"]) < 1 or state["top"] == 0
        assert state["drawn"] < 130  # not all that are loaded
        seen |= set(state["texts"])
        if len(seen) == 330 and state["top"] == 0:
            break
    assert seen == {f"Message {n}" for n in range(1, 331)}
    expect(ada.button("Older messages")).to_have_count(0)
    ada.button("Jump to latest").click()
    expect(ada.page.get_by_text("Message 330", exact=True)).to_be_in_viewport()
    expect(ada.button("Jump to latest")).to_have_count(0)


def test_a_small_gesture_leaves_the_end(ada: User) -> None:
    """Following resumes only when the user is at the end again."""
    chat = ada.imported(40)
    ada.page.goto(f"{ada.program.url}/#{chat}")
    expect(ada.page.locator(".message").last).to_be_in_viewport()
    ada.say("/slow 40")
    expect(ada.page.locator(".reply[aria-busy=true]")).to_have_count(1)
    ada.page.locator(".transcript").hover()
    ada.page.mouse.wheel(0, -3)
    expect(ada.button("Jump to latest")).to_be_visible()
    top = "box => box.scrollTop"
    before = ada.page.locator(".transcript").evaluate(top)
    ada.button("Stop reply").click()
    expect(ada.page.get_by_text("You stopped this reply.")).to_be_visible()
    assert ada.page.locator(".transcript").evaluate(top) == before
    ada.page.locator(".transcript").hover()
    ada.page.mouse.wheel(0, 10_000)
    expect(ada.button("Jump to latest")).to_have_count(0)


def test_what_is_sent_goes_to_the_top_of_the_view(ada: User) -> None:
    chat = ada.imported(40)
    ada.page.goto(f"{ada.program.url}/#{chat}")
    expect(ada.page.locator(".message").last).to_be_in_viewport()
    ada.say("Hello", replies=21)
    distance = ada.said.last.evaluate(
        "e => e.getBoundingClientRect().top - e.closest('.transcript').getBoundingClientRect().top"
    )
    assert 0 <= distance < 60


def test_an_instant_reply_is_paced(ada: User) -> None:
    ada.page.evaluate(
        """window.lengths = [];
        new MutationObserver(() => {
          const reply = document.querySelector(".reply .prose");
          if (reply) lengths.push(reply.textContent.length);
        }).observe(document.body, {childList: true, characterData: true, subtree: true})"""
    )
    ada.say("/lorem 200", replies=1)
    lengths = ada.page.evaluate("lengths")
    assert len(set(lengths)) > 5
    assert lengths == sorted(lengths)


def test_the_place_where_one_reads_is_kept_for_each_chat(ada: User) -> None:
    chats = [ada.imported(150, "One"), ada.imported(150, "Two")]
    transcript = ada.page.locator(".transcript")
    ada.page.goto(f"{ada.program.url}/#{chats[0]}")
    expect(ada.page.locator(".message").last).to_be_in_viewport()
    read = """box => {
      const {top} = box.getBoundingClientRect();
      const seen = [...box.querySelectorAll(".message")].find(e => e.getBoundingClientRect().bottom > top + 1);
      return [seen.dataset.id, Math.round(seen.getBoundingClientRect().top)];
    }"""
    target = ada.page.get_by_text("Message 60", exact=True)
    for _ in range(60):
        if target.count() and target.first.is_visible():
            break
        transcript.evaluate("box => box.scrollTop -= 300")
        ada.page.wait_for_timeout(30)
    target.scroll_into_view_if_needed()
    ada.page.wait_for_timeout(100)  # so that the scroll event has been told
    place = transcript.evaluate(read)
    ada.chats.get_by_text("Two").click()
    expect(ada.heading).to_have_text("Two")
    expect(ada.page.get_by_text("Message 150", exact=True)).to_be_in_viewport()
    ada.chats.get_by_text("One").click()
    expect(target).to_be_in_viewport()
    at_place = f"([id, top]) => ({read})(document.querySelector('.transcript')).join() === [id, top].join()"
    ada.page.wait_for_function(at_place, arg=place)
    ada.page.reload()
    expect(target).to_be_in_viewport()
    ada.page.wait_for_function(at_place, arg=place)


def test_a_reply_does_not_move_who_reads_above(ada: User) -> None:
    chat = ada.imported(40)
    ada.page.goto(f"{ada.program.url}/#{chat}")
    transcript = ada.page.locator(".transcript")
    expect(ada.page.locator(".message")).to_have_count(40)
    ada.say("/lorem 300", replies=21)
    expect(ada.page.locator(".message").last.locator(".about")).to_be_in_viewport()
    transcript.evaluate("e => e.scrollTop = 100")
    expect(ada.button("Jump to latest")).to_be_visible()
    ada.call("POST", f"/chats/{chat}/messages", {"content": "/lorem 300"})
    expect(ada.replies).to_have_count(22)
    assert transcript.evaluate("e => e.scrollTop") == 100


def test_the_composer(ada: User) -> None:
    height = "e => e.clientHeight"
    empty = ada.composer.evaluate(height)
    expect(ada.button("Send")).to_be_disabled()
    ada.composer.press_sequentially("one")
    ada.composer.press("Shift+Enter")
    ada.composer.press_sequentially("two")
    expect(ada.composer).to_have_value("one\ntwo")
    assert ada.composer.evaluate(height) > empty
    ada.composer.press("Enter")
    expect(ada.said).to_have_text("one\ntwo")
    expect(ada.composer).to_have_value("")
    # Waits: it is put into the conversation's view just now, and has no height before that.
    expect(ada.composer).to_have_js_property("clientHeight", empty)
    ada.composer.fill(" \n ")
    ada.composer.press("Enter")
    expect(ada.said).to_have_count(1)
    ada.composer.fill("x" * 100_001)
    expect(ada.page.get_by_text("100,001 of 100,000 characters")).to_be_visible()
    expect(ada.button("Send")).to_be_disabled()
    ada.composer.fill("🪶" * 100_000)  # characters, not units of UTF-16
    expect(ada.button("Send")).to_be_enabled()


def test_enter_that_ends_an_input_method_sends_nothing(ada: User) -> None:
    ada.composer.fill("你")
    ada.composer.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    expect(ada.composer).to_have_value("你")


def test_drafts_are_kept_for_each_chat(ada: User) -> None:
    chat = ada.chat("Hello")
    ada.composer.fill("for a new chat")
    ada.chats.click()
    expect(ada.heading).to_have_text("Hello")
    expect(ada.composer).to_have_value("")
    ada.composer.fill("for this one")
    ada.button("New chat").click()
    expect(ada.composer).to_have_value("for a new chat")
    ada.page.goto(f"{ada.program.url}/#{chat}")
    ada.page.reload()
    expect(ada.composer).to_have_value("for this one")
    ada.composer.press("Enter")
    expect(ada.replies).to_have_count(2)
    ada.page.reload()
    expect(ada.composer).to_have_value("")


def test_the_model_is_chosen(ada: User) -> None:
    chat = ada.call("POST", "/chats", {"title": "Old", "model": "gpt-4"})["id"]
    ada.page.goto(f"{ada.program.url}/#{chat}")
    picker = ada.page.get_by_label("Model")
    expect(picker).to_have_value("gpt-4")
    expect(picker.locator("option:checked")).to_have_text("gpt-4 (unavailable)")
    with ada.page.expect_response(lambda answer: answer.request.method == "PATCH"):
        picker.select_option("quillium-demo")
    assert ada.call("GET", f"/chats/{chat}")["model"] == "quillium-demo"
    ada.say("Hello", replies=1)
    expect(ada.replies.locator(".about")).to_contain_text("quillium-demo")


def test_times_are_written_as_where_the_browser_lives(ada: User) -> None:
    ada.say("Hello", replies=1)
    time = ada.replies.locator("time")
    expect(time).to_have_text(re.compile(r"^\d\d:\d\d$"))  # British: without "PM"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", time.get_attribute("datetime") or "")
    chat = ada.imported(2)
    ada.page.goto(f"{ada.program.url}/#{chat}")
    expect(ada.replies.locator("time")).to_have_text("1 Jan")


def test_older_messages_that_come_after_the_chat_is_listed_again(ada: User) -> None:
    """Nothing is missing between them and the messages that were listed meanwhile."""
    chat = ada.imported(300)
    ada.page.goto(f"{ada.program.url}/#{chat}")
    expect(ada.page.get_by_text("Message 300", exact=True)).to_be_in_viewport()
    first = ada.page.locator(".message").first
    numbers = """box => [...box.querySelectorAll(".words, .prose")].map(e => Number(e.textContent.slice(8)))"""
    asked: list[Route] = []

    def ask(route: Route) -> None:
        asked.append(route)
        if len(asked) != 2:
            route.continue_()

    def scroll_up(is_enough: Callable[[list[int]], bool]) -> None:
        for _ in range(500):
            first.scroll_into_view_if_needed()
            shown = ada.page.locator(".transcript").evaluate(numbers)
            assert shown == list(range(shown[0], shown[0] + len(shown)))
            if is_enough(shown):
                return
        raise AssertionError("too little was loaded")

    ada.page.route("**/messages?*before=*", ask)
    scroll_up(lambda shown: len(asked) == 2)
    last = ada.call("GET", f"/chats/{chat}/messages?order=desc&limit=1")["data"][0]["id"]
    with ada.page.expect_response("**/messages?order=desc&limit=40"):
        ada.call("DELETE", f"/chats/{chat}/messages/{last}")  # on another device
    asked[1].continue_()
    scroll_up(lambda shown: shown[0] == 1)


def test_printing_gives_every_message(ada: User) -> None:
    chat = ada.imported(150)
    ada.page.goto(f"{ada.program.url}/#{chat}")
    expect(ada.page.locator(".message").last).to_be_in_viewport()
    ada.page.evaluate(
        """() => window.print = () => {
          dispatchEvent(new Event("beforeprint"));
          window.printed = [...document.querySelectorAll(".words, .prose")].map(e => e.textContent.trim());
        }"""
    )
    ada.page.keyboard.press("Control+p")
    ada.page.wait_for_function("() => window.printed")
    assert ada.page.evaluate("printed") == [f"Message {number}" for number in range(1, 151)]
    ada.page.emulate_media(media="print")
    expect(ada.heading).to_be_visible()
    expect(ada.page.get_by_role("button", name="Long", exact=True)).to_be_visible()  # the title
    expect(ada.page.locator("button:visible, select:visible")).to_have_count(1)
    pdf = ada.page.pdf()
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    height = ada.page.evaluate("document.querySelector('.transcript').scrollHeight")
    assert 1 < pages <= height / 900 + 2  # A4 has about 1,000 pixels; none is blank
    ada.page.evaluate("dispatchEvent(new Event('afterprint'))")


def test_a_selection_has_no_labels_of_buttons_and_formulas_as_written(reader: User) -> None:
    hears(reader, "Before $x^2$ after\n\n```py\nx = 1\n```\n\n- [x] done\n\nend")
    reader.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    expect(reader.replies.locator("math")).to_have_count(1)
    reader.page.locator(".transcript").focus()
    reader.replies.evaluate("e => getSelection().selectAllChildren(e)")
    reader.page.keyboard.press("Control+c")
    text = reader.page.evaluate("navigator.clipboard.readText()")
    assert text.split() == ["Before", "$x^2$", "after", "x", "=", "1", "done", "end"]
    assert "x = 1" in text.splitlines()


def test_copied_is_said_only_if_it_was_copied(ada: User) -> None:
    ada.say("/markdown", replies=1)
    copy = ada.page.locator(".code-bar button").first
    ada.page.evaluate(
        """() => {
          navigator.clipboard.writeText = () => Promise.reject(new Error("denied"));
          document.execCommand = () => false;
        }"""
    )
    copy.click()
    expect(ada.notice("Couldn’t copy")).to_be_visible()
    expect(copy).to_have_text("Copy")
    # As on a page that is served without TLS.
    ada.page.evaluate("delete document.execCommand")
    ada.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    copy.click()
    expect(copy).to_have_text("Copied")


def test_a_model_beyond_the_first_hundred_can_be_chosen(reader: User) -> None:
    admin = User(reader.page, reader.program, "admin@example.com")
    admin.login()
    names = [f"model-{number:03}" for number in range(230)]
    provider = {"name": "Many", "base_url": "http://127.0.0.1:9/v1", "models": names}
    admin.call("PUT", "/settings/admin", {"providers": [provider]})
    reader.open(reader.register())
    picker = reader.page.get_by_label("Model")
    picker.select_option("model-229")
    expect(picker).to_have_value("model-229")
    admin.call("PUT", "/settings/admin", {"providers": []})
