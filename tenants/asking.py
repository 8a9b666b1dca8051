"""Who asks: what the gate of the shop has found out about a request, for everything behind it."""

from __future__ import annotations

from fastapi import Request

from tenants.brand import Brand


def brand_of(request: Request) -> Brand:
    """The brand that the host names."""
    brand: Brand = request.state.brand
    return brand


def language_of(request: Request) -> str:
    """The reader's language."""
    return str(request.state.language)


def count_calls(request: Request, more: int) -> None:
    """Count what a call asks for besides the one thing that the gate has counted. Raises TooMany.

    Behind no gate nothing is counted.
    """
    count = getattr(request.state, "count_calls", None)
    if count is not None and more > 0:
        count(more)
