"""Type-check `static/quillium.d.ts` and the documentation's JavaScript with TypeScript."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.program import ROOT
from tests.snippets import TSC, snippets

needs_tsc = pytest.mark.skipif(TSC is None, reason="needs tsc: npm install -g typescript")

CLIENT = ROOT / "static" / "quillium"
LIBRARIES = ["--lib", "es2022,dom", "--target", "es2022", "--noEmit"]
RESOLUTIONS = {
    "bundler": ["--module", "esnext", "--moduleResolution", "bundler"],
    "node": ["--module", "nodenext", "--moduleResolution", "nodenext"],
}

USE = """
import {Quillium, QuilliumError} from "CLIENT.js";
import type {QuilliumMessage} from "CLIENT.js";

// Generated types have names such as these.
interface Chat { id: string; title: string }
interface Message { id: string }
interface Page<Item> { data: Item[]; pagination: { next: string | null } }

const quillium = new Quillium({
  base: "http://localhost:8080/api/v1", name: "mine", storage: sessionStorage,
  headers: () => ({"X-Quillium-Simulate": "latency=100"}), WebSocket, fetch,
  resync: async () => { await quillium.call<Page<Chat>>("GET", "/chats"); },
});
quillium.addEventListener("message", ({detail}) => { const content: string = detail.content; content.at(0); });
quillium.addEventListener("status", ({detail}) => { const isOnline: boolean = detail === "online"; isOnline; });
quillium.addEventListener("refused", ({detail: {error}}) => { const code: string = error.code; code.at(0); });

export async function use(chats: Message[]): Promise<string> {
  await quillium.useTokens({access_token: "qk_1"});
  let page = await quillium.call<Page<Chat>>("GET", "/chats?limit=20");
  while (page.pagination.next) page = await quillium.call("GET", page.pagination.next);
  const text: string = await quillium.call("GET", "/x", undefined, {as: "text", headers: {a: "b"}});
  const response: Response = await quillium.call("GET", "/x", undefined, {as: "response"});
  const {id, stored} = quillium.begin("Hello", {model: "quillium-demo"});
  const message: QuilliumMessage = await stored;
  await quillium.say(id, message.content);
  try {
    await quillium.logout({everywhere: true});
  } catch (error) {
    if (error instanceof QuilliumError && error.code === "rate_limited") return `${error.retryAfter}`;
  }
  quillium.destroy();
  return text + response.status + chats.length;
}
"""

WRONG = {
    "an event that there is not": 'quillium.addEventListener("massage", () => {});',
    "a detail's field": 'quillium.addEventListener("reply", ({detail}) => detail.content);',
    "a number for a chat": 'void quillium.say(1, "Hello");',
    "a text where JSON is asked for": 'const n: number = await quillium.call("GET", "/", 0, {as: "text"});',
}


def compiled(*arguments: str | Path) -> str:
    """What tsc has to say; empty if all is well."""
    done = subprocess.run(
        [TSC or "", *map(str, arguments)], capture_output=True, text=True, timeout=120
    )
    return done.stdout + done.stderr


@needs_tsc
@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_the_client_is_typed(tmp_path: Path, resolution: str) -> None:
    (tmp_path / "use.mts").write_text(USE.replace("CLIENT", str(CLIENT)))
    options = ["--strict", *LIBRARIES, *RESOLUTIONS[resolution]]
    assert compiled(*options, tmp_path / "use.mts") == ""


@needs_tsc
def test_mistakes_are_found(tmp_path: Path) -> None:
    for number, mistake in enumerate(WRONG.values()):
        text = USE.replace("CLIENT", str(CLIENT)) + mistake
        (tmp_path / f"wrong{number}.mts").write_text(text)
    options = ["--strict", *LIBRARIES, *RESOLUTIONS["bundler"]]
    said = compiled(*options, *sorted(tmp_path.glob("*.mts")))
    assert len(re.findall(r"wrong\d.mts", said)) >= len(WRONG)
    assert set(re.findall(r"wrong(\d)", said)) == {str(number) for number in range(len(WRONG))}


def test_types_and_module_have_the_same_members() -> None:
    """The same methods, each with the same parameters, and the same properties."""
    types = (CLIENT.with_suffix(".d.ts")).read_text().partition("export class Quillium {")[2]
    module = (ROOT / "static" / "client" / "quillium.js").read_text().partition("export class")[2]
    inherited = {"addEventListener", "removeEventListener", "constructor"}
    typed = {
        name: len(re.findall(r"\w+\??:", re.sub(r"\{.*?\}|<.*?>", "", parameters)))
        for name, parameters in re.findall(r"^  (\w+)\(([^;]*)\): ", types, re.MULTILINE)
    }
    written = {
        name: len(
            [part for part in re.sub(r"\{.*?\}( = \{\})?", "x", parameters).split(",") if part]
        )
        for name, parameters in re.findall(
            r"^  (?:async )?(\w+)\((.*?)\) \{$", module, re.MULTILINE
        )
    }
    assert typed.keys() - inherited - {"call"} == written.keys() - inherited - {"call"}
    assert {name: typed[name] for name in written if name in typed and name != "call"} == {
        name: count for name, count in written.items() if name in typed and name != "call"
    }
    properties = set(re.findall(r"^  readonly (\w+):", types, re.MULTILINE))
    assert properties == set(re.findall(r"^  get (\w+)\(", module, re.MULTILINE))


@needs_tsc
def test_the_snippets_compile(tmp_path: Path) -> None:
    """Loosely, as they are JavaScript: no unknown name, wrong argument or missing property."""
    for snippet in snippets():
        script = re.sub(r'"http://\S+/static/quillium.js"', f'"{CLIENT}.js"', snippet.script)
        name = f"{snippet.page.stem}_{snippet.line}.{snippet.language.replace('html', 'js')}"
        (tmp_path / name).write_text(f"{script}\nexport {{}};\n")
    modules = 'declare module "node:*";\ndeclare module "quillium/*";\ndeclare module "electron";\n'
    modules += "declare const process: {platform: string, resourcesPath: string};\n"
    modules += "declare function startQuillium(program: string, dataFolder: string): any;\n"
    (tmp_path / "others.d.ts").write_text(modules)
    options = ["--allowJs", "--checkJs", *LIBRARIES, *RESOLUTIONS["bundler"]]
    assert compiled(*options, *sorted(tmp_path.iterdir())) == ""
