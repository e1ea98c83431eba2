"""Parsing HTTP responses as servers write them, split at any byte (RFC 9112)."""

from __future__ import annotations

import gzip
import zlib

import pytest

from assistant.http_response import MalformedResponse, ResponseParser

HEAD = b"HTTP/1.1 200 OK\r\n"
TEXT = b"Hello, world! " * 5
RAW_DEFLATE = zlib.compressobj(wbits=-15)

COMPLETE = {
    "a length": HEAD + b"Content-Length: 5\r\n\r\nHello",
    "a length and more": HEAD + b"Content-Length: 5\r\n\r\nHelloHTTP/1.1 200 OK\r\n",
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nHe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
    "chunks and trailers": HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n0005\r\nHello\r\n0\r\nX: y\r\nZ: w\r\n\r\n",
    "line feeds alone": b"HTTP/1.0 200 OK\nContent-Length: 5\n\nHello",
    "interim responses": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    + HEAD
    + b"Content-Length: 5\r\n\r\nHello",
    "no reason phrase": b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nHello",
}


@pytest.mark.parametrize("name", COMPLETE)
def test_complete_without_the_end_of_the_connection(name: str) -> None:
    sent = COMPLETE[name]
    for at in range(len(sent) + 1):
        parser, body = ResponseParser(), b""
        for part in (sent[:at], sent[at:]):
            body += b"".join(parser.feed(part))
        assert (parser.status, body, parser.is_complete) == (200, b"Hello", True), at


def test_a_body_that_ends_with_its_connection_comes_as_it_is_sent() -> None:
    """As Python's own server streams: KoboldCpp and many a small one."""
    parser = ResponseParser()
    assert list(parser.feed(b"HTTP/1.0 200 OK\r\n\r\nHel")) == [b"Hel"]
    assert list(parser.feed(b"lo")) == [b"lo"]
    assert not parser.is_complete
    assert parser.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        HEAD,
        HEAD + b"Content-Length: 5\r\n\r\nHell",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nHello",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\n",
    ],
)
def test_cut_short(sent: bytes) -> None:
    parser = ResponseParser()
    list(parser.feed(sent))
    assert not parser.close()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "X-GZIP", "identity"])
def test_compressed_though_nobody_asked(encoding: str) -> None:
    packed = {
        "gzip": gzip.compress(TEXT[:30]) + gzip.compress(TEXT[30:]),
        "x-gzip": gzip.compress(TEXT),
        "deflate": zlib.compress(TEXT),
        "identity": TEXT,
    }[encoding.lower()]
    sent = HEAD + f"Content-Encoding: {encoding}\r\n\r\n".encode() + packed
    for size in (1, 7, len(sent)):
        parser, body = ResponseParser(), b""
        for start in range(0, len(sent), size):
            body += b"".join(parser.feed(sent[start : start + size]))
        assert body == TEXT


def test_a_bomb_is_unpacked_a_piece_at_a_time() -> None:
    packed = gzip.compress(b"\0" * (64 << 20))
    pieces = ResponseParser().feed(HEAD + b"Content-Encoding: gzip\r\n\r\n" + packed)
    assert len(next(pieces)) <= 1 << 16


@pytest.mark.parametrize(
    "sent",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"<!doctype html>",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        HEAD + b"Content-Length: -5\r\n\r\nHello",
        HEAD + b"Content-Length: \xb2\r\n\r\nHello",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 9_000,
        HEAD + b"Content-Encoding: br\r\n\r\nx",
        HEAD + b"Content-Encoding: gzip\r\n\r\nplain text",
        HEAD + b"X: " + b"y" * (1 << 17),
        HEAD + b"no colon\r\n\r\n",
    ],
)
def test_malformed(sent: bytes) -> None:
    with pytest.raises(MalformedResponse):
        list(ResponseParser().feed(sent))
