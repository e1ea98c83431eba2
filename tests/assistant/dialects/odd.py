"""Malformed and incomplete responses, from any server."""

from __future__ import annotations

from tests.assistant.dialects.hosted import OPENAI
from tests.assistant.dialects.spoken import HEL, LO, ROLE, STOP, Dialect, call, choice, data

_TWO_LINES = b'data: {"choices": [{"delta":\ndata: {"content": "Hello"}}]}\n\n'

DIALECTS = (
    Dialect("carriage returns and line feeds", OPENAI.replace(b"\n", b"\r\n"), usage=(9, 2)),
    Dialect("carriage returns", OPENAI.replace(b"\n", b"\r"), usage=(9, 2)),
    Dialect("no space after the colon", OPENAI.replace(b"data: ", b"data:"), usage=(9, 2)),
    Dialect("all fields", OPENAI.replace(b"data: ", b"event: m\nid: 7\nretry: 10\ndata: "),
            usage=(9, 2)),
    Dialect("garbage between", OPENAI.replace(b"\n\n", b"\n\nnonsense\n\xff\xfe\n\n"),
            usage=(9, 2)),
    Dialect("a byte order mark", b"\xef\xbb\xbf" + data(choice({"content": "Hello"}, "stop"))),
    Dialect("no [DONE]", OPENAI.replace(b"data: [DONE]\n\n", b""), usage=(9, 2)),
    Dialect("no last empty line", data(HEL, LO, STOP)[:-1]),
    Dialect("no last line end", data(HEL, LO, STOP)[:-2]),
    Dialect("[DONE] in quotes", data(HEL, LO, '"[DONE]"')),
    Dialect("data in two lines", _TWO_LINES + data("[DONE]")),
    Dialect("data in two lines, with carriage returns", (_TWO_LINES + data("[DONE]")).replace(
        b"\n", b"\r\n")),
    Dialect("an empty reason, broken off", data(choice({"content": "Hel"}, "")), "Hel",
            error="closed the connection"),
    Dialect("null in words, broken off", data(choice({"content": "Hel"}, "null")), "Hel",
            error="closed the connection"),
    Dialect("calls again in the whole message", data(choice(call("f", "{}", 0, "c1")), {"choices": [
        {"index": 0, "delta": {}, "message": {"content": None, **call("f", "{}", 0, "c1")},
         "finish_reason": "tool_calls"}]}), "", "tool_calls", tools=(("f", "{}"),)),
    Dialect("escaped surrogates", data(choice({"content": "🪶 日本"}), STOP), "🪶 日本"),
    Dialect("plain characters", 'data: {"choices": [{"delta": {"content": "🪶 日本"}}]}\n\n'.encode()
            + data(STOP), "🪶 日本"),
    Dialect("half a surrogate in each of two", data(choice({"content": "\ud83e"}), choice(
        {"content": "\udeb6"}), STOP), "🪶"),
    Dialect("half a surrogate at the end", data(HEL, choice({"content": "\ud83e"}), STOP),
            "Hel\ufffd"),
    Dialect("nulls", data(choice({"content": "a\0b"}), choice(None), choice({"content": None}),
            "null", STOP), "a\ufffdb"),
    Dialect("tags, split", data(*(choice({"content": c}) for c in "<think>Hm.</think>Hello"), STOP),
            reasoning="Hm."),
    Dialect("tags, twice", data(choice({"content": "<think>a</think>\n<think>b</think>\nHello"}),
            STOP), reasoning="ab"),
    Dialect("tags, in the text", data(choice({"content": "Use <think>"}), choice({"content":
            " tags</think>"}), STOP), "Use <think> tags</think>"),
    Dialect("tags, almost", data(choice({"content": "<thin"}), choice({"content": "g>"}), STOP),
            "<thing>"),
    Dialect("tags, cut", data(choice({"content": "<thi"}), choice({}, "length")), "<thi", "length"),
    Dialect("a comparison", data(choice({"content": " <"}), choice({"content": " 3"}), STOP),
            " < 3"),
    Dialect("a tag that a failure cuts", data(choice({"content": "<thi"}), {"error": "oops"}),
            "<thi", error="failed: oops"),
    Dialect("index as a string", data({"choices": [{"index": "0", "delta": {"content": "Hello"},
            "finish_reason": "stop"}]})),
    Dialect("no index", data({"choices": [{"delta": {"content": "Hello"},
            "finish_reason": "stop"}]})),
    Dialect("the other choice first", data({"choices": [{"index": 1, "delta": {"content": "No"}},
            {"index": 0, "delta": {"content": "Hello"}, "finish_reason": "stop"}]})),
    Dialect("None in words", data(choice({"content": "Hel"}, "None"), choice({"content": "lo"},
            " "), STOP)),
    Dialect("a reason that nobody knows", data(HEL, LO, choice({}, "moonphase")), error="moonphase"),
    Dialect("text with the reason", data(HEL, choice({"content": "lo"}, "length")),
            finish="length"),
    Dialect("text after the reason", data(HEL, choice({}, "stop"), LO, "[DONE]")),
    Dialect("words after the reason", data(HEL, LO, choice({}, "error"), {"error": {"message":
            "The GPU is gone"}}), error="failed: The GPU is gone"),
    Dialect("details in an event", data(HEL, {"detail": "Too hot"}), "Hel", error="Too hot"),
    Dialect("a message in an event", data(HEL, {"code": 500, "message": {"detail": "Too hot"}}),
            "Hel", error="failed: Too hot"),
    Dialect("a list of errors in an event", data(HEL, [{"error": {"message": "Too hot"}}]), "Hel",
            error="failed: Too hot"),
    Dialect("an error in HTML", data(HEL, {"error": {"message": "<html><head><title>504 Gateway"
            " Time-out</title></head><body>nginx</body></html>"}}), "Hel", error="504 Gateway"),
    Dialect("empty events", b"data:\n\ndata: \n\n" + OPENAI, usage=(9, 2)),
    Dialect("an error that is null", data({**HEL, "error": None}, {**LO, "error": None}, STOP)),
    Dialect("broken off", data(ROLE, HEL), "Hel", error="closed the connection"),
    Dialect("broken off in an event", data(ROLE, HEL) + b'data: {"choices": [{"del', "Hel",
            error="closed the connection"),
    Dialect("nothing", b"", "", error="most end in /v1"),
    Dialect("comments alone", b": hello\n\n: hello\n\n", "", error="most end in /v1"),
    Dialect("a page", b"<!doctype html><title>Log in</title>", "", error="most end in /v1"),
    Dialect("no JSON", data(HEL, "{oops"), "Hel", error="most end in /v1"),
    Dialect("some other document", b'{"hello": "world"}', "", error="most end in /v1"),
)  # fmt: skip

# Answers without a word: the decoder ends them as the server did, and people are told in words.
EMPTY = (
    Dialect("a bare [DONE]", data("[DONE]"), ""),
    Dialect("a role and no text", data(ROLE, STOP, "[DONE]"), ""),
    Dialect("white space", data(choice({"content": "\n\n"}), STOP), ""),
    Dialect("no choices", b'{"choices": []}', ""),
    Dialect("reasoning alone", data(choice({"reasoning_content": "Hm"}), STOP, "[DONE]"), "",
            reasoning="Hm"),
    Dialect("tags, unclosed", data(choice({"content": "<think>I wonder "}), choice(
        {"content": "why"}), STOP), "", reasoning="I wonder why"),
    Dialect("the limit, before a word", data(choice({"reasoning": "Hm"}), choice({}, "length")), "",
            "length", reasoning="Hm"),
    Dialect("filtered, before a word", data(ROLE, choice({}, "content_filter")), "",
            "content_filter"),
)  # fmt: skip
