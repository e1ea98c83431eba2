"""Requests as raw bytes, which no HTTP client would send."""

from __future__ import annotations

import asyncio


async def raw(base_url: str, request: bytes) -> tuple[str, dict[str, str], bytes]:
    """Send bytes, then read the answer until the server closes."""
    host, port = base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode()
    status, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    writer.close()
    return status, headers, body
