"""Security headers of responses (docs/security.md, "The page and model output").

A response of the API is data: a browser that opens one as a page runs nothing, frames nothing, and
no page of another origin can embed it. Requests with CORS are not affected by
`Cross-Origin-Resource-Policy` (Fetch, section 3.6), so other origins that are allowed can still
call the API and import `static/quillium.js`.
"""

from __future__ import annotations

from collections.abc import Mapping

_EVERYWHERE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}

API: Mapping[str, str] = {
    **_EVERYWHERE,
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}

# What a user uploaded: downloaded and never shown, so that it can't act as a page of this origin.
DOWNLOAD: Mapping[str, str] = {
    **API,
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
}

# Files are public, and a front end on another port of the same host may show the icon.
STATIC: Mapping[str, str] = {
    **_EVERYWHERE,
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none';"
        " form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-site",
}

# The icon of a brand, which may be an SVG: a document of no origin if it is opened, and never run.
ICON: Mapping[str, str] = {
    **STATIC,
    "Content-Security-Policy": (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    ),
}

# For documents only: a window that another site opened can't reach the page in it.
PAGE: Mapping[str, str] = {
    **STATIC,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

# The gallery of a test backend shows the page in frames of its own.
GALLERY: Mapping[str, str] = {
    **PAGE,
    "Content-Security-Policy": PAGE["Content-Security-Policy"].replace(
        "frame-ancestors 'none'", "frame-src 'self'; frame-ancestors 'self'"
    ),
}

# A year, for this host alone: its subdomains are not ours to decide about (RFC 6797, 6.1.2).
TRANSPORT_SECURITY = "max-age=31536000"
