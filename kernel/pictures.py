"""Which picture stands for a product: the merchant's, when it is safe to show, else our drawing."""

from __future__ import annotations

from collections.abc import Sequence

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
