"""Files on the page: chosen, pasted, dropped, removed, sent, shown and saved."""

from __future__ import annotations

import base64
import random
import re
import struct
import zlib
from pathlib import Path
from typing import Any

from playwright.sync_api import FilePayload, expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import User

pytestmark = needs_chromium

IS_PNG = re.compile("^data:image/png;base64,")

# Give the page files as a paste or a drop does; Playwright can't.
GIVE = """async ([type, files]) => {
  const data = new DataTransfer();
  for (const [name, mime, content] of files)
    data.items.add(new File([Uint8Array.from(atob(content), c => c.charCodeAt(0))], name, {type: mime}));
  const target = document.getElementById("composer");
  const options = {bubbles: true, cancelable: true};
  target.dispatchEvent(type === "paste" ? new ClipboardEvent(type, {clipboardData: data, ...options})
    : new DragEvent(type, {dataTransfer: data, ...options}));
}"""


def png(width: int, height: int, *, is_noisy: bool = False) -> bytes:
    """An RGB image: plain, or noise that can't be compressed."""
    choose = random.Random(1)
    row = bytes(3 * width)
    rows = b"".join(
        b"\0" + (choose.randbytes(3 * width) if is_noisy else row) for _ in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 1))
        + chunk(b"IEND", b"")
    )


def file(name: str, content: bytes, type: str = "text/plain") -> FilePayload:
    return {"name": name, "mimeType": type, "buffer": content}


def choose(user: User, *files: FilePayload) -> None:
    with user.page.expect_file_chooser() as choosing:
        user.button("Attach files").click()
    choosing.value.set_files(list(files))


def attachments(user: User) -> list[list[dict[str, Any]]]:
    """The files of each message of the shown chat."""
    listed = user.call("GET", f"/chats/{user.shown}/messages?limit=100")["data"]
    return [message["attachments"] for message in listed if message["sender"] == "user"]


def test_files_are_chosen_sent_and_shown(ada: User, tmp_path: Path) -> None:
    chips = ada.page.locator(".composer .file-name")
    choose(
        ada,
        file("photo.png", png(640, 480), "image/png"),
        file("wrong.txt", b"not this one"),
        file("notes.txt", b"remember the milk"),
    )
    expect(chips).to_have_text(["photo.png", "wrong.txt", "notes.txt"])
    expect(ada.page.locator(".composer .file img")).to_have_attribute("src", IS_PNG)
    ada.button("Remove wrong.txt").click()
    expect(chips).to_have_text(["photo.png", "notes.txt"])
    ada.say("What are these?", replies=1)
    expect(chips).to_have_count(0)
    expect(ada.replies.first).to_contain_text("an image (PNG,")
    expect(ada.replies.first).to_contain_text("640 × 480 pixels")
    expect(ada.replies.first).to_contain_text("“remember the milk”")
    assert [file["name"] for file in attachments(ada)[0]] == ["photo.png", "notes.txt"]
    ada.page.reload()
    picture = ada.page.locator(".said .picture img")
    expect(picture).to_have_attribute("src", IS_PNG)
    ada.button("Open photo.png").click()
    seen = ada.page.locator("dialog.viewer img")
    expect(seen).to_have_js_property("naturalWidth", 640)
    ada.close()
    expect(ada.button("Open photo.png")).to_be_focused()
    with ada.page.expect_download() as saving:
        ada.button("Save notes.txt").click()
    saving.value.save_as(tmp_path / "saved")
    assert (saving.value.suggested_filename, (tmp_path / "saved").read_bytes()) == (
        "notes.txt",
        b"remember the milk",
    )
    before, first = ada.shown, attachments(ada)[0]
    with ada.page.expect_download() as exporting:
        ada.choose("What are these?", "Export as JSON")
    exporting.value.save_as(tmp_path / "chat.json")
    ada.settings("Data").get_by_label("Import chats").set_input_files(tmp_path / "chat.json")
    expect(ada.page).not_to_have_url(re.compile(before))
    expect(ada.page.locator(".said .picture img")).to_have_attribute("src", IS_PNG)
    again = attachments(ada)[0]
    assert [file["name"] for file in again] == ["photo.png", "notes.txt"]
    assert {file["id"] for file in again}.isdisjoint(file["id"] for file in first)


def test_files_are_pasted_and_dropped(ada: User) -> None:
    image = base64.b64encode(png(40, 30)).decode()
    ada.page.evaluate(GIVE, ["paste", [["image.png", "image/png", image]]])
    expect(ada.page.locator(".composer .file-name")).to_have_text(["image.png"])
    ada.page.evaluate(GIVE, ["dragover", [["x", "text/plain", ""]]])
    expect(ada.page.locator(".composer.is-dropping")).to_be_visible()
    ada.page.evaluate(GIVE, ["drop", [["data.csv", "text/csv", base64.b64encode(b"a,b").decode()]]])
    expect(ada.page.locator(".composer .file-name")).to_have_text(["image.png", "data.csv"])
    expect(ada.page.locator(".composer.is-dropping")).to_have_count(0)
    ada.button("Send").click()  # without a word: the names are the message
    expect(ada.said).to_have_text(["image.png, data.csv"])
    expect(ada.replies).to_have_count(1)


def test_images_are_scaled_down_and_others_are_not(ada: User) -> None:
    animation = b"GIF89a" + struct.pack("<HH", 5000, 5000) + bytes(100)
    choose(
        ada,
        file("wide.png", png(3000, 20), "image/png"),
        file("noise.png", png(1000, 1000, is_noisy=True), "image/png"),
        file("animation.gif", animation, "image/gif"),
        file("broken.png", b"\x89PNG\r\n\x1a\n", "image/png"),
    )
    expect(ada.page.locator(".composer .file")).to_have_count(4)
    network = ada.page.context.new_cdp_session(ada.page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 300_000}
    network.send("Network.emulateNetworkConditions", slow)
    ada.say("Look")
    expect(ada.page.locator(".is-waiting .about")).to_contain_text("Uploading, ")
    network.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    expect(ada.replies).to_have_count(1)
    expect(ada.replies.first).to_contain_text("of 2048 × 14 pixels")
    sent = attachments(ada)[0]
    assert [(file["name"], file["content_type"]) for file in sent] == [
        ("wide.png", "image/png"),
        ("noise.jpg", "image/jpeg"),
        ("animation.gif", "image/gif"),
        ("broken.png", "image/png"),
    ]
    assert sent[1]["size"] < 2_000_000
    assert sent[2]["size"] == len(animation)


def test_files_that_can_not_be_sent(ada: User) -> None:
    choose(ada, file("empty.txt", b""))
    expect(ada.notice("empty.txt is empty.")).to_be_visible()
    ada.page.evaluate(  # as for a folder, or a file that was deleted meanwhile
        """() => {
          File.prototype.arrayBuffer = () => {
            delete File.prototype.arrayBuffer;
            return Promise.reject(new DOMException("gone", "NotReadableError"));
          };
        }"""
    )
    choose(ada, file("gone.txt", b"x"))
    expect(ada.notice("gone.txt can’t be read.")).to_be_visible()
    choose(ada, *(file(f"{number}.txt", b"x") for number in range(11)))
    expect(ada.notice("A message can have up to 10 files.")).to_be_visible()
    expect(ada.page.locator(".composer .file")).to_have_count(10)
    ada.button("Remove 0.txt").click()
    ada.page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array((20 << 20) + 1)], "huge.bin"));
          document.getElementById("composer").dispatchEvent(
            new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
        }"""
    )
    expect(ada.notice("huge.bin is too large. The limit is 20 MiB.")).to_be_visible()
    expect(ada.page.locator(".composer .file")).to_have_count(9)
    token = ada.program.call(
        "POST", "/api/v1/auth/login", {"email": "admin@example.com", "password": "a good password"}
    )["access_token"]
    settings = "/api/v1/settings/admin"
    ada.program.call("PUT", settings, {"storage_per_user_mib": 1}, token)
    choose(ada, file("large.bin", bytes(2 << 20), "application/octet-stream"))
    ada.say("Too much")
    expect(ada.notice("Your storage is full.")).to_be_visible()
    expect(ada.composer).to_have_value("Too much")  # with its files, to be sent later
    expect(ada.page.locator(".composer .file")).to_have_count(10)
    ada.program.call("PUT", settings, {"storage_per_user_mib": 1024}, token)
    ada.composer.press("Enter")
    expect(ada.replies).to_have_count(1)
    assert len(attachments(ada)[0]) == 10
