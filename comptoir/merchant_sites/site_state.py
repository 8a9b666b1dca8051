"""What changes while the sites run: prices and planned outages. In memory, gone at the end.

Invariant: a merchant's `modified` moves with each change, so that ETag and Last-Modified are true.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from comptoir.demo_market.feeds import current
from comptoir.demo_market.model import Market, MarketOffer

OPENED = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)


class SiteState:
    """The market as the merchants show it now."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.changes: dict[tuple[str, str], int] = {}
        self.modified: defaultdict[str, datetime] = defaultdict(lambda: OPENED)
        self._outage_every: dict[str, int] = {}
        self._asked: Counter[str] = Counter()

    def set_price(self, merchant: str, sku: str, price_minor: int) -> bool:
        """Change a price in cents; False when the merchant has no such article."""
        if (merchant, sku) not in self.market.by_key:
            return False
        self.changes[merchant, sku] = price_minor
        self.modified[merchant] = datetime.now(UTC).replace(microsecond=0)
        return True

    def set_outage(self, merchant: str, every: int) -> None:
        """From now on every n-th request to the merchant fails; 0 ends it."""
        self._outage_every[merchant] = every
        self._asked[merchant] = 0

    def fails_now(self, merchant: str) -> bool:
        """Count a request and say whether it is one of those that fail."""
        every = self._outage_every.get(merchant, 0)
        if not every:
            return False
        self._asked[merchant] += 1
        return self._asked[merchant] % every == 0

    def offers(self, merchant: str) -> Iterator[MarketOffer]:
        """A merchant's offers at today's prices."""
        return current(self.market, merchant, self.changes)

    def offer(self, merchant: str, sku: str) -> MarketOffer | None:
        """One offer at today's price."""
        offer = self.market.by_key.get((merchant, sku))
        price = self.changes.get((merchant, sku))
        if offer is None or price is None:
            return offer
        return replace(offer, price_minor=price, list_price_minor=None)
