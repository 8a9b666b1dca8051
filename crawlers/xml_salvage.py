"""The rest of an XML feed after a fault in one record: each record is parsed by itself.

A bare ampersand or an HTML entity such as `&nbsp;`, the commonest faults, are read as meant. A
record that is still not well-formed is refused alone. Only for feeds that declare no entities.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from html.entities import html5
from typing import Any, BinaryIO

from lxml import etree

from crawlers.bounded_stream import Meter
from crawlers.feed_options import FeedBroken, FeedLimits
from mdm.raw_offer import Refusal

HEAD = 64 * 1024
# Bytes kept at the end of a block, so that a tag across two blocks is still found.
OVERLAP = 256
_NAMESPACE = re.compile(rb"""\sxmlns(?::[A-Za-z_][\w.\-]*)?\s*=\s*(?:"[^"<]*"|'[^'<]*')""")
_REFERENCE = re.compile(rb"&(?:#\d{1,7};|#x[0-9a-fA-F]{1,6};|([A-Za-z][A-Za-z0-9]{1,30});)?")
_XML_ENTITIES = frozenset({b"amp", b"lt", b"gt", b"quot", b"apos"})


def can_salvage(head: bytes, encoding: str) -> bool:
    """False where bytes cannot be told apart, or where entities make them mean something else."""
    return not encoding.startswith(("utf-16", "utf-32", "utf-7")) and b"<!ENTITY" not in head


def salvaged(
    stream: BinaryIO, names: Collection[str], encoding: str, skip: int, limits: FeedLimits
) -> Iterator[tuple[int, Any] | Refusal]:
    """(line, element) of the records after the first `skip`, and the refusals between them."""
    stream.seek(0)
    head = stream.read(HEAD)
    stream.seek(0)
    any_name = b"(?:[\\w.-]+:)?(?:" + b"|".join(name.encode() for name in names) + b")"
    opening = re.compile(b"<" + any_name + b"(?=[\\s>/])")
    closing = re.compile(b"</" + any_name + b"\\s*>")
    first = opening.search(head)
    declared = dict.fromkeys(_NAMESPACE.findall(head[: first.start() if first else HEAD]))
    xml_encoding = "utf-8" if encoding.startswith("utf-8") else encoding
    wrap = f'<?xml version="1.0" encoding="{xml_encoding}"?><r'.encode() + b"".join(declared) + b">"
    try:
        found = _chunks(Meter(stream, limits), opening, closing)
        for number, (line, chunk) in enumerate(found):
            if number >= skip:
                yield from _records(wrap, chunk, line)
    except FeedBroken as broken:
        yield broken.refusal


def _chunks(
    meter: Meter, opening: re.Pattern[bytes], closing: re.Pattern[bytes]
) -> Iterator[tuple[int, bytes]]:
    """(line, bytes) from each record's opening to its closing tag; a cut one is left out."""
    buffer, line = b"", 1
    while block := meter.read():
        buffer += block
        while begin := opening.search(buffer):
            end = closing.search(buffer, begin.end())
            if end is None:
                break
            line += buffer.count(b"\n", 0, begin.start())
            chunk = buffer[begin.start() : end.end()]
            yield line, chunk
            meter.record_done()
            line += chunk.count(b"\n")
            buffer = buffer[end.end() :]
        keep = begin.start() if begin else max(0, len(buffer) - OVERLAP)
        line += buffer.count(b"\n", 0, keep)
        buffer = buffer[keep:]


def _records(wrap: bytes, chunk: bytes, line: int) -> Iterator[tuple[int, Any] | Refusal]:
    try:
        root = _parsed(wrap + chunk + b"</r>")
    except etree.XMLSyntaxError:
        try:
            root = _parsed(wrap + _mended(chunk) + b"</r>")
        except etree.XMLSyntaxError as error:
            yield Refusal(
                "record_malformed",
                f"not well-formed XML: {error.msg}"[:300],
                position=line,
                hint="Correct the markup of this record; the others were read.",
                excerpt=chunk[:200].decode("utf-8", "replace"),
            )
            return
    for element in root:
        yield line, element


def _parsed(document: bytes) -> Any:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    return etree.fromstring(document, parser)


def _mended(chunk: bytes) -> bytes:
    """Ampersands that begin nothing, and HTML's entities, as XML writes them; CDATA untouched."""
    parts = re.split(rb"(<!\[CDATA\[.*?\]\]>)", chunk, flags=re.DOTALL)
    parts[::2] = [_REFERENCE.sub(_reference, part) for part in parts[::2]]
    return b"".join(parts)


def _reference(found: re.Match[bytes]) -> bytes:
    name = found[1]
    if name is None:
        return found[0] if found[0] != b"&" else b"&amp;"
    if name in _XML_ENTITIES:
        return found[0]
    meant = html5.get(name.decode() + ";")
    if meant is None:
        return b"&amp;" + found[0][1:]
    return "".join(f"&#{ord(letter)};" for letter in meant).encode()
