"""A window as Tauri opens it on Linux: a page at tauri://localhost in WebKitGTK.

Run by the system's Python, which has the bindings of WebKitGTK. Reads the page from stdin, and
prints the title that the page gives itself when it has done its work.
"""

from __future__ import annotations

import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gio, GLib, Gtk, WebKit2  # noqa: E402  # of these versions

PATIENCE_SECONDS = 60


def main() -> None:
    page = sys.stdin.buffer.read()
    context = WebKit2.WebContext.new_ephemeral()
    context.get_security_manager().register_uri_scheme_as_secure("tauri")  # as Tauri does

    def respond(request: WebKit2.URISchemeRequest) -> None:
        stream = Gio.MemoryInputStream.new_from_data(page)
        request.finish(stream, len(page), "text/html")

    context.register_uri_scheme("tauri", respond)
    view = WebKit2.WebView.new_with_context(context)

    def titled(*_: object) -> None:
        if view.get_title():
            print(view.get_title(), flush=True)
            Gtk.main_quit()

    view.connect("notify::title", titled)
    window = Gtk.Window()
    window.add(view)
    window.show_all()
    view.load_uri("tauri://localhost/")
    GLib.timeout_add_seconds(PATIENCE_SECONDS, Gtk.main_quit)
    Gtk.main()


if __name__ == "__main__":
    main()
