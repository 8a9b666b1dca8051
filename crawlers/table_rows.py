"""Rows of a hostile delimited table, one at a time, in bounded memory.

A stray quote must cost its own row only: a quoted field may run over several lines, but the row is
believed only if it closes properly and has as many cells as the header; otherwise its first line
is refused and reading goes on with the next line.
"""

from __future__ import annotations

import codecs
import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from crawlers.bounded_stream import Meter
from crawlers.feed_options import FeedBroken, FeedLimits, FeedOptions
from crawlers.text_encoding import encoding_of
from mdm.raw_offer import Refusal

DELIMITERS = "\t;,|"
QUOTED_LINES = 100
"""A quoted field that runs over more lines than this is taken for a stray quote."""


@dataclass(frozen=True, slots=True)
class Line:
    """A physical line, without its end. `text` is None where it was too long to be kept."""

    number: int
    text: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """A row with as many cells as the header has names. `number` is its first line, from 1."""

    number: int
    cells: list[str]


class Lines:
    """Physical lines with push-back; memory is bounded by the line limit."""

    def __init__(self, stream: BinaryIO, options: FeedOptions) -> None:
        encoding = encoding_of(stream, options.encoding)
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._limits = options.limits
        self._meter = Meter(stream, options.limits)
        self._back: deque[Line] = deque()
        self._source = self._read()

    def next(self) -> Line | None:
        """The next line, or None at the end."""
        return self._back.popleft() if self._back else next(self._source, None)

    def push_back(self, lines: list[Line]) -> None:
        """Lines to be read again, in their order."""
        self._back.extendleft(reversed(lines))

    def _read(self) -> Iterator[Line]:
        number, pending, too_long = 0, "", False
        while block := self._meter.read():
            # Each bounded line counts as progress: rows are small, the feed may be large.
            self._meter.record_done()
            pending += self._decoder.decode(block)
            *complete, pending = pending.split("\n")
            for text in complete:
                number += 1
                yield self._line(number, text, too_long)
                too_long = False
            if len(pending) > self._limits.line_chars:
                pending, too_long = "", True
        pending += self._decoder.decode(b"", final=True)
        if pending or too_long:
            yield self._line(number + 1, pending, too_long)

    def _line(self, number: int, text: str, too_long: bool) -> Line:
        if too_long or len(text) > self._limits.line_chars:
            return Line(number, None)
        return Line(number, text.removesuffix("\r"))


def header_cells(line: str, delimiter: str) -> list[str]:
    """Column names of a header line."""
    return [cell.strip().strip("\ufeff").strip('"').strip() for cell in line.split(delimiter)]


def header_of(text: str) -> str:
    """First line that is not blank, of the beginning of a file."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return next((line for line in lines if line.strip(" \ufeff\t")), "")[: FeedLimits().line_chars]


def read_header(lines: Lines, limits: FeedLimits) -> Line:
    """The header line. Raises FeedBroken where there is none that can be used."""
    line = lines.next()
    while line is not None and line.text is not None and not line.text.strip(" \ufeff\t"):
        line = lines.next()
    if line is None:
        raise FeedBroken(Refusal("feed_empty", "the table has no header line"))
    if line.text is None:
        raise FeedBroken(
            Refusal("feed_header_too_long", f"the header is over {limits.line_chars} characters")
        )
    if max(line.text.count(delimiter) for delimiter in DELIMITERS) >= limits.columns:
        raise FeedBroken(
            Refusal("feed_too_many_columns", f"the table has more than {limits.columns} columns")
        )
    return line


def rows(lines: Lines, delimiter: str, width: int, limits: FeedLimits) -> Iterator[Row | Refusal]:
    """Rows after the header. A refusal where the feed itself breaks is the last item."""
    try:
        while (line := lines.next()) is not None:
            if line.text is None:
                yield _refused("line_too_long", f"longer than {limits.line_chars} characters", line)
            elif line.text.strip():
                yield _row(lines, line, delimiter, width, limits)
    except FeedBroken as broken:
        yield broken.refusal


def _row(
    lines: Lines, first: Line, delimiter: str, width: int, limits: FeedLimits
) -> Row | Refusal:
    text = first.text or ""
    if text.count(delimiter) > limits.columns and '"' not in text:
        return _refused("row_columns", f"has more than {limits.columns} cells", first)
    followers: list[Line] = []
    while _quote_is_open(text, delimiter):
        line = lines.next() if len(followers) < QUOTED_LINES else None
        if line is None or line.text is None or len(text) > limits.line_chars:
            lines.push_back([*followers, line] if line is not None else followers)
            return _stray_quote(first)
        followers.append(line)
        text = f"{text}\n{line.text}"
    try:
        cells = next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration) as error:
        lines.push_back(followers)
        if followers or '"' in text:
            return _stray_quote(first)
        return _refused("row_malformed", str(error), first)
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    if len(cells) != width:
        lines.push_back(followers)
        if followers:
            return _stray_quote(first)
        return _refused("row_columns", f"has {len(cells)} cells, the header {width}", first)
    return Row(first.number, cells)


def _quote_is_open(text: str, delimiter: str) -> bool:
    """True when a quoted field has begun and not ended at the end of the text."""
    if text.count('"') == 0:
        return False
    inside, at_start = False, True
    place = 0
    while place < len(text):
        if inside:
            place = text.find('"', place)
            if place < 0:
                return True
            if text[place : place + 2] == '""':
                place += 2
                continue
            inside, at_start = False, False
            place += 1
        elif at_start and text[place] == '"':
            inside = True
            place += 1
        else:
            place = text.find(delimiter, place)
            if place < 0:
                return False
            at_start = True
            place += 1
    return inside


def _stray_quote(line: Line) -> Refusal:
    return _refused(
        "stray_quote",
        "a quote opens a field that is never closed properly",
        line,
        hint='Double a quote inside a quoted field (""), or leave the field unquoted.',
    )


def _refused(code: str, what: str, line: Line, hint: str = "") -> Refusal:
    return Refusal(
        code,
        f"line {line.number}: {what}",
        position=line.number,
        hint=hint,
        excerpt=(line.text or "")[:200],
    )
