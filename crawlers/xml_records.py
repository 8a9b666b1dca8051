"""Records of a hostile XML file, one at a time, in bounded memory.

In: a seekable stream and the names of the elements that matter. Out: those elements, each alive
only until the next is asked for, then at most one refusal that says why reading stopped.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from lxml import etree

from crawlers.bounded_stream import Meter
from crawlers.feed_options import FeedBroken, FeedOptions
from crawlers.text_encoding import encoding_of, text_of
from crawlers.xml_salvage import can_salvage, salvaged
from mdm.raw_offer import Refusal

_PROLOG = re.compile(
    r"^\ufeff?(?:\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)*", re.DOTALL
)
_ROOT = re.compile(r"<([A-Za-z_][\w.\-]*:)?([A-Za-z_][\w.\-]*)([^>]{0,4000})")


@dataclass(frozen=True, slots=True)
class XmlPiece:
    """One element as it starts (`is_start`, without content yet) or complete."""

    name: str
    element: Any
    position: int
    is_start: bool


def root_of(head: bytes) -> tuple[str, str] | None:
    """(local name, attributes as text) of the root element, from the beginning of a file."""
    text = text_of(head[:65536])
    prolog = _PROLOG.match(text)
    found = _ROOT.match(text, prolog.end() if prolog else 0)
    return (found[2], found[3]) if found else None


def local_name(element: Any) -> str:
    """Element name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def pieces(
    stream: BinaryIO,
    names: Collection[str],
    options: FeedOptions,
    *,
    starts: Collection[str] = (),
    one_kind: bool = False,
) -> Iterator[XmlPiece | Refusal]:
    """Elements with one of `names` when complete, and those of `starts` when they begin.

    Nothing is fetched, no entity is expanded, no DTD is read. A document that declares entities is
    refused, one that breaks off keeps what was complete. With `one_kind` the elements are records
    that lie beside each other: a fault in one of them costs only that one.
    """
    encoding = encoding_of(stream, options.encoding)
    head = stream.read(65536)
    root = root_of(head)
    stream.seek(0)
    meter = Meter(stream, options.limits)
    walker = _walker(meter, (*names, *starts), encoding)
    done = 0
    is_first = True
    refusal: Refusal | None = None
    try:
        for event, element in walker:
            name = local_name(element)
            if is_first:
                _refuse_entities(element)
            is_first = False
            if event == "start":
                if name in starts:
                    yield XmlPiece(name, element, element.sourceline or 0, is_start=True)
                continue
            if name not in names:
                continue
            yield XmlPiece(name, element, element.sourceline or 0, is_start=False)
            done += 1
            _forget(element)
            meter.record_done()
        return
    except FeedBroken as broken:
        refusal = broken.refusal
    except etree.XMLSyntaxError as error:
        is_cut = _is_cut(meter, root)
        refusal = _stopped(error, walker.error_log, is_cut=is_cut)
        if not is_cut and one_kind and can_salvage(head, encoding):
            refusal = None
    # A document that broke off is held by a cycle of references in the parser.
    del walker
    gc.collect()
    if refusal is not None:
        yield refusal
    else:
        yield from _rest(salvaged(stream, names, encoding, done, options.limits), names)
        if _is_open(stream, root):
            yield _cut("the root element is never closed", None)


def _walker(meter: Meter, names: Collection[str], encoding: str) -> Any:
    """Starts and ends of the named elements, with every door of XML closed."""
    return etree.iterparse(
        meter,
        events=("start", "end"),
        tag=[f"{{*}}{name}" for name in names],
        encoding=None if encoding.startswith(("utf-16", "utf-32", "utf-8")) else encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=False,
    )


def _rest(
    found: Iterator[tuple[int, Any] | Refusal], names: Collection[str]
) -> Iterator[XmlPiece | Refusal]:
    """What follows a record that is not well-formed."""
    for each in found:
        if isinstance(each, Refusal):
            yield each
        elif (name := local_name(each[1])) in names:
            yield XmlPiece(name, each[1], each[0], is_start=False)


def _refuse_entities(element: Any) -> None:
    subset = element.getroottree().docinfo.internalDTD
    if subset is not None and next(iter(subset.iterentities()), None) is not None:
        raise FeedBroken(
            Refusal(
                "feed_entities",
                "the document declares entities of its own",
                hint="Write characters directly, or as numbers such as &#160;.",
            )
        )


def _forget(element: Any) -> None:
    """Release a finished element and everything before it."""
    element.clear()
    parent = element.getparent()
    if parent is None:
        return
    while element.getprevious() is not None:
        del parent[0]


def _is_cut(meter: Meter, root: tuple[str, str] | None) -> bool:
    """True when all bytes were read and the root element was never closed."""
    return meter.at_end and not _closes(meter.tail, root)


def _is_open(stream: BinaryIO, root: tuple[str, str] | None) -> bool:
    """The same of a file, wherever reading stopped."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - 200))
    return not _closes(stream.read(), root)


def _closes(tail: bytes, root: tuple[str, str] | None) -> bool:
    text = tail.replace(b"\0", b"").decode("utf-8", "replace")
    return root is not None and bool(re.search(rf"</(\S+:)?{re.escape(root[0])}\s*>", text))


def _stopped(error: etree.XMLSyntaxError, log: Any, *, is_cut: bool) -> Refusal:
    entry = next(iter(log), None)
    reason = str(entry.message if entry is not None else error.msg or "not well-formed")[:300]
    line = (entry.line if entry is not None else error.lineno) or None
    if is_cut:
        return _cut(reason, line)
    hint = "An ampersand in a text or an address is written &amp;." if "Entity" in reason else ""
    return Refusal(
        "feed_malformed",
        f"not well-formed XML, what follows is not read: {reason}",
        position=line,
        hint=hint or "Correct the markup at this line; records before it were read.",
    )


def _cut(reason: str, line: int | None) -> Refusal:
    return Refusal(
        "feed_truncated",
        f"the document ends in the middle: {reason}",
        position=line,
        hint="Send the whole file; nothing is withdrawn until it arrives.",
    )


def children(element: Any, name: str) -> list[Any]:
    """Direct children of that local name, in any namespace."""
    return [child for child in element if isinstance(child.tag, str) and local_name(child) == name]


def text_in(element: Any, *path: str) -> str | None:
    """Text of the first descendant along the path of local names; None when absent or empty."""
    for name in path:
        element = next(iter(children(element, name)), None)
        if element is None:
            return None
    return own_text(element)


def own_text(element: Any) -> str | None:
    """All text inside an element, stripped; None when there is none."""
    text = "".join(element.itertext()) if len(element) else element.text or ""
    text = text.strip()
    return text or None
