"""Small PDF files."""

from __future__ import annotations

import io

from pypdf import PdfWriter


def pdf(*pages: bytes, stream: bytes = b"") -> bytes:
    """Return a file with a line of text on each page, or with the given stream on its only page.

    `stream` is a stream object with its dictionary, as in section 7.3.8 of ISO 32000.
    """
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    kids: list[bytes] = []
    for content in [stream] if stream else [_drawn(line) for line in pages]:
        objects.append(content)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R"
            b" /Resources << /Font << /F 3 0 R >> >> >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    file, positions = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        positions.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % position for position in positions)
    return file + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\n"
        b"startxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table, len(objects) + 1, len(file))
    )


def encrypted(file: bytes, password: str) -> bytes:
    """Return a file that needs a password to be read; an empty one only to be changed."""
    writer = PdfWriter()
    writer.append(io.BytesIO(file))
    writer.encrypt(password, "owner", algorithm="RC4-128")
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def _drawn(line: bytes) -> bytes:
    drawing = b"BT /F 12 Tf 72 720 Td (%s) Tj ET" % line
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing)
