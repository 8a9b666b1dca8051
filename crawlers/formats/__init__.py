"""Feed formats, found by scanning this package: a new format is one more file.

A format module has `sniff(head, name)`, true when the beginning of a file looks like it, and
`read(stream, options)`, which yields offers and refusals and never raises on bad input.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import BinaryIO, Protocol, cast

from crawlers.feed_options import FeedOptions
from mdm.raw_offer import RawOffer, Refusal

HEAD_BYTES = 64 * 1024


class FeedFormat(Protocol):
    """What every module of this package is."""

    def sniff(self, head: bytes, name: str) -> bool:
        """True when the first `HEAD_BYTES` of a file called `name` are in this format."""
        ...

    def read(self, stream: BinaryIO, options: FeedOptions) -> Iterator[RawOffer | Refusal]:
        """Records of a seekable stream, in its order."""
        ...


@lru_cache(maxsize=1)
def all_formats() -> Mapping[str, FeedFormat]:
    """Format name -> module."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {
        name: cast("FeedFormat", importlib.import_module(f"{__name__}.{name}")) for name in names
    }


def detect(stream: BinaryIO, file_name: str) -> str | None:
    """Name of the format whose mark the file bears; None when none does."""
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    marks = (name for name, module in all_formats().items() if module.sniff(head, file_name))
    return next(marks, None)
