"""The client module in a window of a Tauri application: the origin tauri://localhost in WebKitGTK."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.engines import display
from tests.program import Program

PYTHON = "/usr/bin/python3"  # Debian's, for which python3-gi is built
PAGE = """
<!doctype html>
<meta charset="utf-8">
<script type="module">
  const report = text => { document.title ||= text; };
  addEventListener("error", ({message}) => report(`error: ${message}`));
  addEventListener("unhandledrejection", ({reason}) => report(`error: ${reason}`));
  const {Quillium} = await import("{url}/static/quillium.js");
  const quillium = new Quillium({base: "{url}/api/v1"});
  let streamed = "";
  quillium.addEventListener("reply", ({detail}) => { streamed = detail.text; });
  quillium.addEventListener("message", async ({detail}) => {
    if (detail.sender !== "assistant" || detail.status !== "complete") return;
    const chats = await quillium.call("GET", "/chats");
    report(JSON.stringify({
      origin: location.origin,
      isStreamed: streamed !== "" && detail.content.startsWith(streamed.slice(0, 5)),
      titles: chats.data.map(chat => chat.title),
      stored: localStorage.length,
    }));
  });
  await quillium.register("tauri@example.com", "a good password", "Ada");
  quillium.connect();
  const chat = await quillium.call("POST", "/chats", {title: "From Tauri"});
  await quillium.say(chat.id, "Hello");
</script>
"""


def _missing() -> str:
    """Return what is not installed; empty if everything is."""
    needs = "import gi; gi.require_version('Gtk', '3.0'); gi.require_version('WebKit2', '4.1')"
    if shutil.which("Xvfb") is None:
        return "Xvfb"
    if (
        not Path(PYTHON).exists()
        or subprocess.run([PYTHON, "-c", needs], check=False, capture_output=True).returncode
    ):
        return "python3-gi and gir1.2-webkit2-4.1"
    return ""


MISSING = _missing()


@pytest.mark.skipif(MISSING != "", reason=f"needs {MISSING}")
def test_a_chat_in_a_window_of_tauri(served: Program) -> None:
    page = PAGE.replace("{url}", served.url)
    window = Path(__file__).with_name("tauri_window.py")
    with display() as screen:
        done = subprocess.run(
            [PYTHON, str(window)],
            input=page,
            capture_output=True,
            text=True,
            timeout=90,
            env={**os.environ, "DISPLAY": screen},
            check=True,
        )
    assert done.stdout == (
        '{"origin":"tauri://localhost","isStreamed":true,"titles":["From Tauri"],"stored":1}\n'
    )
