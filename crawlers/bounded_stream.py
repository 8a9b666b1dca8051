"""Bytes of a stranger's file: gzip, zip or plain by magic bytes, never more than the limits allow.

Compressed files are inflated in steps of 64 KiB into an unnamed temporary file, so that readers
get a seekable stream and a bomb is noticed before anything is parsed.
"""

from __future__ import annotations

import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from crawlers.feed_options import MIB, FeedBroken, FeedLimits
from mdm.raw_offer import Refusal

STEP = 64 * 1024
RATIO_COUNTS_FROM = 8 * MIB
"""Small files may compress as well as they like."""
_ZIP_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


@dataclass(frozen=True, slots=True)
class OpenedFeed:
    """`stream` holds what could be inflated; `problem` says why that is not all of it."""

    stream: BinaryIO
    problem: Refusal | None


class Meter:
    """Reads on behalf of a parser; refuses when one record, or the whole, takes too much.

    A parser that builds a record in memory can only be bounded from below: `record_done` starts
    the count of the next one.
    """

    def __init__(self, stream: BinaryIO, limits: FeedLimits) -> None:
        self._stream = stream
        self._limits = limits
        self._since_record = 0
        self._total = 0
        self.at_end = False
        self.tail = b""
        self._deadline = time.monotonic() + limits.seconds

    def read(self, size: int = STEP) -> bytes:
        """At most `size` bytes, `STEP` at a time."""
        if size == 0:
            return b""
        if self._since_record > self._limits.record_bytes:
            raise FeedBroken(
                Refusal(
                    "feed_record_too_large",
                    f"more than {self._limits.record_bytes} bytes without a complete record",
                    hint="Split long records, or correct the markup that never closes.",
                )
            )
        if time.monotonic() > self._deadline:
            raise FeedBroken(
                Refusal("feed_too_slow", f"not read within {self._limits.seconds:.0f} seconds")
            )
        block = self._stream.read(min(size, STEP) if size > 0 else STEP)
        self.at_end = not block
        self.tail = (self.tail + block)[-200:]
        self._since_record += len(block)
        self._total += len(block)
        if self._total > self._limits.total_bytes:
            raise FeedBroken(_too_large(self._limits))
        return block

    def record_done(self) -> None:
        """A record, or a piece that is not kept, is complete."""
        self._since_record = 0


def open_feed(path: Path, limits: FeedLimits = FeedLimits()) -> OpenedFeed:  # noqa: B008 - frozen
    """Open a file for reading. The caller closes the stream."""
    with path.open("rb") as head:
        magic = head.read(4)
    if magic[:2] == b"\x1f\x8b":
        with path.open("rb") as packed:
            return _inflated(_gzip_blocks(packed), packed, limits)
    if magic == b"PK\x03\x04":
        return _open_zip(path, limits)
    if path.stat().st_size > limits.total_bytes:
        return OpenedFeed(_empty(), _too_large(limits))
    return OpenedFeed(path.open("rb"), None)


def _open_zip(path: Path, limits: FeedLimits) -> OpenedFeed:
    entries = _zip_entries(path)
    if entries != 1:
        return OpenedFeed(_empty(), _not_one_member(entries))
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            member = archive.infolist()[0]
            if member.is_dir():
                return OpenedFeed(_empty(), _not_one_member(0))
            if member.flag_bits & 0x1 or member.compress_type not in _ZIP_METHODS:
                return OpenedFeed(_empty(), _damaged("it is encrypted or packed by a rare method"))
            with archive.open(member) as packed:
                return _inflated(_blocks(packed), file, limits)
    except (zipfile.BadZipFile, NotImplementedError, OSError, IndexError) as error:
        return OpenedFeed(_empty(), _damaged(str(error)))


def _blocks(packed: IO[bytes]) -> Iterator[bytes]:
    while block := packed.read(STEP):
        yield block


def _zip_entries(path: Path) -> int:
    """Entries that the archive's end declares: a directory of millions is never loaded.

    0 for an archive without an end, or with the 64-bit one that no feed within limits needs.
    """
    with path.open("rb") as archive:
        archive.seek(max(0, path.stat().st_size - 65_557))
        tail = archive.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22 or b"PK\x06\x07" in tail[max(0, end - 20) : end]:
        return 0
    directory_bytes = int.from_bytes(tail[end + 12 : end + 16], "little")
    count = int.from_bytes(tail[end + 10 : end + 12], "little")
    return count if directory_bytes < 65_536 else max(count, 2)


def _damaged(why: str) -> Refusal:
    return Refusal(
        "feed_archive_damaged",
        f"the zip file cannot be read: {why}",
        hint="Send the file again, as one deflated zip member, gzip or plain.",
    )


def _gzip_blocks(packed: BinaryIO) -> Iterator[bytes]:
    """Blocks of at most `STEP` bytes of every gzip member in turn."""
    pending = packed.read(STEP)
    while pending:
        inflater = zlib.decompressobj(wbits=31)
        yield from _one_member(inflater, pending, packed)
        pending = (inflater.unused_data or packed.read(STEP)).lstrip(b"\0")


def _one_member(inflater: zlib._Decompress, pending: bytes, packed: BinaryIO) -> Iterator[bytes]:
    while not inflater.eof:
        if not pending:
            pending = packed.read(STEP)
            if not pending:
                raise EOFError("the gzip file ends in the middle")
        block = inflater.decompress(pending, STEP)
        pending = inflater.unconsumed_tail
        if block:
            yield block


def _inflated(blocks: Iterator[bytes], packed: BinaryIO, limits: FeedLimits) -> OpenedFeed:
    """Copy blocks to disk while they stay inside the limits. `packed` tells how much was read."""
    target = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    deadline = time.monotonic() + limits.seconds
    size = 0
    problem: Refusal | None = None
    try:
        for block in blocks:
            size += len(block)
            problem = _excess(size, packed.tell(), deadline, limits)
            if problem is not None:
                target.close()
                return OpenedFeed(_empty(), problem)
            target.write(block)
    except (EOFError, zlib.error, zipfile.BadZipFile) as error:
        # What came before the damage is good; the reader will drop the last, cut record.
        problem = Refusal(
            "feed_truncated",
            f"the compressed file is damaged after {size} bytes: {error}",
            hint="Send the file again; nothing is withdrawn until a whole one arrives.",
        )
    target.seek(0)
    return OpenedFeed(target, problem)


def _excess(size: int, packed_bytes: int, deadline: float, limits: FeedLimits) -> Refusal | None:
    if size > limits.total_bytes:
        return _too_large(limits)
    if size > RATIO_COUNTS_FROM and size > packed_bytes * limits.inflation_ratio:
        return Refusal(
            "feed_inflation_ratio",
            f"the file grows more than {limits.inflation_ratio} times when inflated",
            hint="Send the feed uncompressed if it is really this repetitive.",
        )
    if time.monotonic() > deadline:
        return Refusal("feed_too_slow", f"not inflated within {limits.seconds:.0f} seconds")
    return None


def _too_large(limits: FeedLimits) -> Refusal:
    return Refusal(
        "feed_too_large",
        f"the feed is larger than {limits.total_bytes // MIB} MiB",
        hint="Split the feed, or ask the operator for a higher limit.",
    )


def _not_one_member(count: int) -> Refusal:
    return Refusal(
        "feed_archive_members",
        f"the zip file holds {count} files that can be read; exactly one is expected",
    )


def _empty() -> BinaryIO:
    return tempfile.TemporaryFile()
