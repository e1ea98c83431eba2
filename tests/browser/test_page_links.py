"""Sign-in links: no form is shown in the first second (contract, section 4)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import Guard

ROOT = Path(__file__).parent.parent.parent
pytestmark = needs_chromium


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Any]:
    """Starts a sidecar on the same folder each time; what its ready line says."""
    started: list[subprocess.Popen[str]] = []

    def start() -> Any:
        process = subprocess.Popen(
            [
                sys.executable,
                "quillium.py",
                "--sidecar",
                f"--data-dir={tmp_path}",
                "--no-discovery",
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        return json.loads(process.stdout.readline())

    yield start
    for process in started:
        process.communicate(timeout=20)


def test_a_page_link_signs_in_without_a_form(context: BrowserContext, sidecar: Any) -> None:
    ready = sidecar()
    guard = Guard(context, ready["url"])
    page = context.new_page()
    page.goto(ready["page_url"])
    composer = page.get_by_role("textbox", name="Message")
    expect(composer).to_be_focused()
    expect(page.locator("form.entrance, .entrance form")).to_have_count(0)
    assert "code" not in page.url  # neither in the address bar nor in the history
    page.go_back()
    assert "code" not in page.url
    assert guard.noticed == []


def test_a_link_that_was_used_is_explained_and_harms_no_session(
    context: BrowserContext, sidecar: Any
) -> None:
    ready = sidecar()
    page = context.new_page()
    page.goto(ready["page_url"])
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    page.goto("about:blank")
    page.goto(ready["page_url"])  # once more, in the same browser
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    other = context.browser.new_context().new_page() if context.browser else context.new_page()
    other.goto(ready["page_url"])
    expect(other.get_by_role("button", name="Sign in")).to_be_visible()
    expect(other.get_by_role("button", name="Create account")).to_have_count(0)
    expect(other.get_by_text("This sign-in link")).to_be_visible()
    other.context.close()
