"""The embedded model: a real `model install`, and a real llama.cpp in the process."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import stat
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from assistant import Parameters, PromptMessage, local, model_file
from assistant.directory import Directory
from assistant.events import End, ReplyEvent, Text, ToolCall
from assistant.local import Local
from assistant.openai_compatible import OpenAICompatible
from assistant.upstream import Upstream
from core.errors import ModelRefused, ModelUnavailable
from core.options import ConfigError
from tests.program import run

needs_extra = pytest.mark.skipif(
    not local.is_available(), reason="needs the local extra: pip install -e '.[local]'"
)
STORY = [PromptMessage("user", "Tell me a long story about a goose.")]


def quietly(doing: str, share: float | None) -> None:
    pass


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the model, brought by the command itself."""
    folder = tmp_path_factory.mktemp("model") / "data"
    done = run("model", "install", "--data-dir", folder)
    if done.returncode and not os.environ.get("CI"):
        pytest.skip("the model can't be brought: no package registry can be reached")
    assert done.returncode == 0, done.stderr
    assert "is a 94 MB download and uses 98 MB of disk space" in done.stderr
    return folder


@pytest.fixture
def embedded(io_loop: Any, model_dir: Path) -> Any:
    found = local.find(None, model_file.installed(model_dir))
    assert found is not None
    yield found
    io_loop.run_sync(found.close)


async def said(provider: Local, *lines: PromptMessage) -> str:
    return "".join(
        [e.text async for e in provider.reply(lines, provider.model) if isinstance(e, Text)]
    )


@needs_extra
def test_installed_once_and_whole(model_dir: Path) -> None:
    file = model_file.installed(model_dir)
    assert file.stat().st_size == model_file.BYTES
    assert stat.S_IMODE(model_dir.stat().st_mode) == 0o700
    assert list(file.parent.iterdir()) == [file]
    assert "is already installed" in run("model", "install", "--data-dir", model_dir).stdout
    assert not model_file.install(model_dir, quietly)


def test_a_model_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="is not a file"):
        local.find(tmp_path / "none.gguf", tmp_path / "none")
    assert local.find(None, tmp_path / "none") is None
    (tmp_path / "some.gguf").write_bytes(b"GGUF")
    monkeypatch.setattr(local, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="the local extra is not installed"):
        local.find(tmp_path / "some.gguf", tmp_path / "none")
    assert local.find(None, tmp_path / "some.gguf") is None
    assert [model.id for model in Directory(None).models()] == ["quillium-demo"]


@needs_extra
async def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "some.gguf").write_bytes(b"GGUF" + b"\0" * 100)
    broken = local.find(tmp_path / "some.gguf", tmp_path / "none")
    assert broken is not None
    assert broken.model == "some"
    for _ in range(2):  # and nothing hangs the second time
        with pytest.raises(ModelUnavailable, match="can't be loaded"):
            await said(broken, PromptMessage("user", "Hello"))
    await broken.close()


class OneAtATime:
    """Stands for the loaded model, and says no to a second reply at the same time."""

    is_speaking = False

    async def reply(
        self, lines: Sequence[PromptMessage], model: str, parameters: object
    ) -> AsyncGenerator[ReplyEvent, None]:
        assert not self.is_speaking
        self.is_speaking = True
        try:
            for word in lines[-1].content.split():
                await asyncio.sleep(0)
                yield Text(word)
        finally:
            self.is_speaking = False


async def test_replies_wait_for_their_turn_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits within llama.cpp, where waiting would look like silence."""
    loaded = asyncio.get_running_loop().create_future()
    loaded.set_result(OneAtATime())
    monkeypatch.setattr(Local, "start_loading", lambda self: loaded)
    provider = Local(tmp_path / "some.gguf", "some")
    ended: list[str] = []

    async def ask(text: str) -> None:
        ended.append(await said(provider, PromptMessage("user", text)))

    await asyncio.gather(ask("the longest of them all"), ask("a shorter one"), ask("short"))
    assert ended == ["thelongestofthemall", "ashorterone", "short"]


@needs_extra
@pytest.mark.gen_test(timeout=60)
async def test_it_answers(embedded: Local) -> None:
    embedded.start_loading()
    answer = await said(embedded, PromptMessage("user", "What is the capital of France?"))
    assert "Paris" in answer
    with pytest.raises(ModelRefused, match="too long for this model"):
        await said(embedded, PromptMessage("user", "word " * 20_000))


PAGES = {
    "digits": "31415926535897932384626433832795028841971693993751" * 60,
    "Chinese": "今天天气很好，我们一起去公园散步吧。人工智能正在改变世界，许多公司都在研究它。"
    * 40,
    "emoji": "😀🎉🚀👩‍👩‍👧‍👦🏳️‍🌈🪶👍🏽🥳" * 60,
}


@needs_extra
@pytest.mark.gen_test(timeout=120)
@pytest.mark.parametrize("page", PAGES)
async def test_no_page_makes_a_chat_unusable(
    model_dir: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    """A window of 2,048 tokens, and more than it holds: said so, and the next one is answered."""
    monkeypatch.setattr(local, "WINDOW", 2_048)
    few = {"temperature": 0, "max_tokens": 30}
    provider = Local(model_file.installed(model_dir), "m", "Be brief.", few)
    user, assistant = (functools.partial(PromptMessage, role) for role in ("user", "assistant"))
    with pytest.raises(ModelRefused, match="The message is too long for this model"):
        await said(provider, user(PAGES[page]))
    history = [assistant("Welcome."), user(PAGES[page]), assistant(""), user("Say hello.")]
    assert await said(provider, *history)
    # What fits by the estimate, and what nearly does: never an error of the server.
    part = PAGES[page][:400]
    assert await said(provider, user(part), assistant("Ok."), user(part), user("Say hello."))
    events = [e async for e in provider.reply(STORY, "m", Parameters(max_tokens=7))]
    assert isinstance(events[-1], End)
    assert events[-1].finish_reason == "length"
    assert events[-1].usage is not None
    assert events[-1].usage.completion_tokens == 7
    await provider.close()


@needs_extra
@pytest.mark.gen_test(timeout=120)
async def test_it_answers_in_the_forms_of_openais_api(embedded: Local) -> None:
    async def complete(**request: Any) -> tuple[str, list[ToolCall], End]:
        asked = {"messages": [{"role": "user", "content": "How is the weather in Oslo?"}]}
        events = [e async for e in embedded.complete({**asked, **request}, embedded.model)]
        end = events[-1]
        assert isinstance(end, End)
        text = "".join(event.text for event in events if isinstance(event, Text))
        return text, [event for event in events if isinstance(event, ToolCall)], end

    cut = await complete(max_tokens=5)
    assert cut[2].finish_reason == "length"
    whole = (await complete(max_tokens=20))[0]
    word = whole.split()[2]
    stopped = await complete(max_tokens=20, stop=[word])
    assert stopped[0] == whole[: whole.index(word)]
    assert stopped[2].finish_reason == "stop"
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}, "warm": {"type": "boolean"}},
        "required": ["city", "warm"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "weather", "schema": schema}}
    value = json.loads((await complete(response_format=form))[0])
    assert set(value) == {"city", "warm"}
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": schema}}]
    _, calls, end = await complete(tools=tools)
    assert end.finish_reason == "tool_calls"
    assert calls[0].name == "get_weather"
    assert set(json.loads("".join(call.arguments for call in calls))) == {"city", "warm"}
    call = {"id": calls[0].id, "function": {"name": "get_weather", "arguments": "{}"}}
    text, calls, _ = await complete(tools=tools, max_tokens=30, messages=[
        {"role": "user", "content": "How is the weather in Oslo?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": "18 degrees"},
    ])  # fmt: skip
    assert text
    assert not calls


@needs_extra
@pytest.mark.gen_test(timeout=60)
async def test_replies_queue_and_a_stop_makes_way(embedded: Local) -> None:
    first = embedded.reply(STORY, embedded.model)
    await anext(first)
    waiting = asyncio.ensure_future(
        said(embedded, PromptMessage("user", "What is the capital of France?"))
    )
    for _ in range(10):
        await anext(first)
    assert not waiting.done()
    await first.aclose()
    assert "Paris" in await waiting


@needs_extra
@pytest.mark.gen_test(timeout=60)
async def test_nobody_else_on_the_machine_can_ask_it(embedded: Local) -> None:
    await embedded.load()
    address = embedded._server.listening_address
    assert address.startswith("http://127.0.0.1:")

    def ask() -> int:
        body = json.dumps({"messages": [{"role": "user", "content": "Hello"}]}).encode()
        request = urllib.request.Request(
            f"{address}/v1/chat/completions", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return int(response.status)
        except urllib.error.HTTPError as refused:
            refused.close()
            return refused.code

    assert await asyncio.to_thread(ask) == 401


@needs_extra
@pytest.mark.gen_test(timeout=60)
async def test_a_real_llama_cpp_stops_working_when_the_reply_is_closed(model_dir: Path) -> None:
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model_file.installed(model_dir))
    parameters.n_ctx, parameters.n_parallel, parameters.verbosity = 2048, 1, -1
    parameters.endpoint_slots = True
    parameters.cpuparams.n_threads = 1
    server = await asyncio.to_thread(xllamacpp.Server, parameters)
    address = server.listening_address

    def is_working() -> bool:
        with urllib.request.urlopen(f"{address}/slots", timeout=10) as response:
            return any(slot["is_processing"] for slot in json.load(response))

    provider = OpenAICompatible(Upstream("llama.cpp", f"{address}/v1"))
    (listed,) = await provider.models()
    async with aclosing(provider.reply(STORY, listed.id)) as pieces:
        await anext(pieces)
        assert await asyncio.to_thread(is_working)
    limit = asyncio.get_running_loop().time() + 5  # the story would take many times that
    while await asyncio.to_thread(is_working):
        assert asyncio.get_running_loop().time() < limit
    del server


@needs_extra
def test_through_the_front_door(start: Any, model_dir: Path, tmp_path: Path) -> None:
    program = start(f"--local-model={model_file.installed(model_dir)}", "--preload")
    token = program.register()
    models = program.call("GET", "/api/v1/models", token=token)["data"]
    assert [(m["id"], m["provider"], m["is_default"]) for m in models] == [
        ("SmolLM2-135M-Instruct.Q4_1", "local", True),
        ("quillium-demo", "built-in", False),
    ]
    chat = program.call("POST", "/api/v1/chats", {}, token)["id"]
    path = f"/api/v1/chats/{chat}/messages"
    program.call("POST", path, {"content": "Tell me a long story."}, token)
    assert program.stop() == (0, "")  # in the middle of a reply, or of loading


def test_nothing_of_it_is_imported_unless_it_is_used(start: Any) -> None:
    program = start()
    token = program.register()
    maps = Path(f"/proc/{program.process.pid}/maps").read_text()
    assert "xllamacpp" not in maps
    models = program.call("GET", "/api/v1/models", token=token)["data"]
    assert [model["id"] for model in models] == ["quillium-demo"]
