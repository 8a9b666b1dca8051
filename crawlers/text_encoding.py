"""Which encoding the bytes of a feed are in.

Byte order mark, then the XML declaration, then strict UTF-8 over the whole stream, then the
merchant's default, and statistics last: on short texts they confuse the code pages of neighbours.
"""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO

BLOCK = 256 * 1024
SAMPLE = 64 * 1024

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._\-]{2,40})["']""")


def bom_encoding(head: bytes) -> str | None:
    """Encoding that a byte order mark names."""
    return next((name for bom, name in _BOMS if head.startswith(bom)), None)


def declared_encoding(head: bytes) -> str | None:
    """Encoding of the XML declaration, where Python knows it."""
    found = _DECLARED.match(head.removeprefix(codecs.BOM_UTF8))
    if not found:
        return None
    try:
        return codecs.lookup(found[1].decode("ascii")).name
    except LookupError:
        return None


def text_of(head: bytes) -> str:
    """The beginning of a file as text, for telling formats apart. Never fails."""
    return head.decode(bom_encoding(head) or "utf-8", "replace")


def encoding_of(stream: BinaryIO, merchant_default: str | None = None) -> str:
    """Python name of the stream's encoding. Reads it once and goes back to its beginning."""
    head = stream.read(SAMPLE)
    stream.seek(0)
    marked = bom_encoding(head)
    if marked:
        return marked
    declared = declared_encoding(head)
    if declared and declared not in {"utf-8", "ascii"}:
        return declared
    bad_sample = _not_utf8(stream)
    stream.seek(0)
    if bad_sample is None:
        return "utf-8"
    return merchant_default or _guessed(bad_sample)


def _not_utf8(stream: BinaryIO) -> bytes | None:
    """None for UTF-8 (a character cut at the end is forgiven); else the block that is not."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    while block := stream.read(BLOCK):
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            return block[max(0, error.start - SAMPLE // 2) : error.start + SAMPLE // 2]
    return None


def _guessed(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    return codecs.lookup(best.encoding).name if best else "cp1252"
