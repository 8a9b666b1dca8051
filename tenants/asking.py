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
