"""Which pictures stand for a product: bounded, without doubles, of new articles first. Pure.

Photos of a unique item show that piece and are never the product's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from mdm.golden.members import Priorities, Source, priority

MAX_IMAGES = 10

_NO_PICTURE = re.compile(
    r"no[-_]?(?:image|img|photo|picture|pic)\b|placeholder|coming[-_]?soon|"
    r"image[-_]?not[-_]?available|kein[-_]?bild|sans[-_]?photo",
    re.IGNORECASE,
)
# Parameters by which shops ask for the same picture in another size or form.
_SIZES = frozenset(
    ("w", "h", "width", "height", "size", "s", "q", "quality", "format", "fm", "fit", "v", "ver",
     "version", "auto", "dpr", "crop", "t", "ts")
)  # fmt: skip


def pictures(best: Sequence[Source], priorities: Priorities) -> tuple[list[str], str | None]:
    """(addresses, the offer the first one is from), most merchants' first."""
    first: dict[str, tuple[int, int, str, str]] = {}
    votes: Counter[str] = Counter()
    for place, source in enumerate(best):
        member = source.member
        if member.is_unit:
            continue
        rank = priority(priorities, member.merchant_id, "image_urls")
        for url, key in _distinct(member.facts.get("image_urls", ())):
            votes[key] += 1
            first.setdefault(key, (-rank, place, url, member.offer_id))
    order = {key: number for number, key in enumerate(first)}
    chosen = sorted(
        first,
        key=lambda key: (first[key][0], not _is_shown(first[key][2]), -votes[key], order[key]),
    )[:MAX_IMAGES]
    return [first[key][2] for key in chosen], first[chosen[0]][3] if chosen else None


def _distinct(urls: Iterable[str]) -> list[tuple[str, str]]:
    """(address, what makes it the same picture), each picture once."""
    found: dict[str, str] = {}
    for url in urls:
        if not _NO_PICTURE.search(url):
            found.setdefault(same_picture(url), url)
    return [(url, key) for key, url in found.items()]


def same_picture(url: str) -> str:
    """The address without scheme, `www.`, fragment and the size that was asked for."""
    address, mark, query = url.partition("#")[0].partition("?")
    address = address.removeprefix("https://").removeprefix("http://").removeprefix("www.")
    if not mark:
        return address
    asked = [part for part in query.split("&") if part.partition("=")[0] not in _SIZES]
    return f"{address}?{'&'.join(asked)}" if asked else address


def _is_shown(url: str) -> bool:
    """Browsers show no plain http picture on our pages."""
    return url.startswith("https://")
