"""The order in which an encoding is told: mark, declaration, strict UTF-8, default, statistics."""

from __future__ import annotations

import codecs
import io

import pytest

from crawlers.text_encoding import BLOCK, encoding_of

CZECH = "Žluťoučký kůň úpěl ďábelské ódy. Příliš mnoho řeči o ničem, ale čeština to snese. "


@pytest.mark.parametrize(
    ("data", "default", "expected"),
    [
        (codecs.BOM_UTF8 + b"a", "cp1250", "utf-8-sig"),
        (codecs.BOM_UTF16_LE + b"a\0", "cp1250", "utf-16"),
        (b'<?xml version="1.0" encoding="windows-1253"?><a/>', "cp1250", "cp1253"),
        (b'<?xml version="1.0" encoding="utf-8"?><a>\xe9</a>', "cp1252", "cp1252"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "cp1252", "utf-8"),
        ("é".encode(), "cp1252", "utf-8"),
        (b"", "cp1252", "utf-8"),
        (b"caf\xe9 noir", "cp1252", "cp1252"),
        ("é".encode() * 10 + b"\xc3", None, "utf-8"),
        (b"a" * (BLOCK - 1) + "é".encode(), "cp1252", "utf-8"),
    ],
)
def test_encodings(data: bytes, default: str | None, expected: str) -> None:
    stream = io.BytesIO(data)
    assert encoding_of(stream, default) == expected
    assert stream.tell() == 0


def test_statistics_decide_only_where_nothing_else_does() -> None:
    """Whatever is guessed, it decodes the text without losing it."""
    data = (CZECH * 40).encode("cp1250")
    guessed = encoding_of(io.BytesIO(data))
    assert "úpěl" in data.decode(guessed)
