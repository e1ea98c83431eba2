"""A real browser, a real server, and a front end on another port of this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.browser.pages import Guard, Server, User, serving
from tests.program import Program

# A busy machine is slow, and no test measures time.
TIMEOUT = 20_000  # milliseconds
expect.set_options(timeout=TIMEOUT)

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"),
    reason="needs Debian's chromium, as CI installs",
)


@pytest.fixture(scope="module")  # Playwright holds the loop of this thread until its end
def browser() -> Iterator[Browser]:
    assert CHROMIUM is not None, "In CI nothing is skipped: install chromium."
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    started = Program(tmp_path / "data")
    yield started
    started.process.kill()
    started.process.communicate()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that a test kills and starts again."""
    started = Server(tmp_path / "data")
    yield started
    started.kill()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The files of a front end."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Front end</title>")
    return folder


@pytest.fixture
def front_end(site: Path) -> Iterator[str]:
    """The address of a page that another server on this machine serves."""
    with serving(site) as url:
        yield url


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A server for all tests of a module, each with users of its own; it limits nobody's rate."""
    started = Program(tmp_path_factory.mktemp("served") / "data")
    admin = started.register("admin@example.com")
    started.call("PUT", "/api/v1/settings/admin", {"rate_limit_per_minute": 0}, admin)
    yield started
    started.process.kill()
    started.process.communicate()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """As one device with one browser, which speaks English."""
    opened = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
    opened.set_default_timeout(TIMEOUT)
    yield opened
    opened.close()


@pytest.fixture
def guard(context: BrowserContext, served: Program) -> Iterator[Guard]:
    """Fails the test when the page calls out, breaks its policy or writes an error."""
    watching = Guard(context, served.url)
    yield watching
    assert watching.noticed == []


@pytest.fixture
def ada(context: BrowserContext, guard: Guard, served: Program) -> User:
    """A user who has just signed in, on the page for a new chat."""
    user = User(context.new_page(), served)
    user.open(user.register())
    return user


@pytest.fixture
def phone(browser: Browser, ada: User) -> Iterator[User]:
    """The same user, on a second device."""
    with browser.new_context(locale="en-GB", viewport={"width": 390, "height": 800}) as context:
        guard = Guard(context, ada.program.url)
        user = User(context.new_page(), ada.program, ada.email)
        user.open(user.login())
        yield user
        assert guard.noticed == []
