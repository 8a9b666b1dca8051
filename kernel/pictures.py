"""Which picture stands for a product: the merchant's, when it is safe to show, else our drawing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlsplit

MOST_SHOWN = 8

COLOURS = (
    "black", "white", "silver", "grey", "blue", "red", "green",
    "gold", "pink", "beige", "orange", "purple", "brown",
)  # fmt: skip


def drawing_url(category_id: int | None, colour: str | None) -> str:
    """Address of our own drawing; always exists."""
    return f"/drawings/{category_id or 0}/{colour if colour in COLOURS else 'any'}.svg"


def picture_url(image_urls: Sequence[str], category_id: int | None, colour: str | None) -> str:
    """First https picture, else the drawing. Plain http would be blocked as mixed content."""
    for url in image_urls:
        if url.startswith("https://"):
            return url
    return drawing_url(category_id, colour)


def gallery(image_urls: Sequence[str]) -> tuple[str, ...]:
    """The picture that stands for the product, then those of the shop that has most; at most
    MOST_SHOWN. None where there is one alone. Shops show the same sides of a thing: pictures of
    several would be doubles."""
    shown = list(dict.fromkeys(url for url in image_urls if url.startswith("https://")))
    hosts = Counter(urlsplit(url).netloc for url in shown)
    if len(shown) < 2:
        return ()
    host = max(hosts, key=hosts.__getitem__)
    rest = [url for url in shown[1:] if urlsplit(url).netloc == host]
    return (shown[0], *rest)[:MOST_SHOWN] if rest else ()
