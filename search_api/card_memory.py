"""Cards of products that were shown before: the same document, brand and language, the same card.

A card is made from a document at a version and from the brand's ranking; it holds until the first
of its offers expires. Bounded; what is longest unused makes room.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from indexer.document import ProductDocument
from indexer.engine import Hit
from search_api.answer import ProductCard
from search_api.cards import product_card
from tenants.ranking.profile import RankingProfile

_AT_MOST = 2_000
"""Cards; some 8 kB each."""
_Key = tuple[str, str, int, str]


@dataclass(frozen=True, slots=True)
class _Held:
    card: ProductCard
    document: ProductDocument
    profile: RankingProfile
    until: datetime | None

    def holds(self, document: ProductDocument, profile: RankingProfile, now: datetime) -> bool:
        """Whether the card would be made the same again; a version may be written twice."""
        if self.document is not document or (self.until is not None and now >= self.until):
            return False
        return self.profile is profile or self.profile == profile


class CardMemory:
    """The memory of one process; threads share it."""

    def __init__(self, at_most: int = _AT_MOST) -> None:
        self._at_most = at_most
        self._held: OrderedDict[_Key, _Held] = OrderedDict()
        self._changing = threading.Lock()

    def card(
        self,
        product: str | Hit,
        document: ProductDocument,
        profile: RankingProfile,
        language: str,
        now: datetime,
    ) -> ProductCard:
        """The product as the lists show it. Only what was found as a hit is remembered."""
        if isinstance(product, str):
            return product_card(document, profile, language, now)
        key = (product.index, product.product_id, product.version, language)
        with self._changing:
            held = self._held.get(key)
            if held is not None:
                self._held.move_to_end(key)
        if held is not None and held.holds(document, profile, now):
            return held.card
        card = product_card(document, profile, language, now)
        until = datetime.fromisoformat(card.true_until) if card.true_until else None
        with self._changing:
            self._held[key] = _Held(card, document, profile, until)
            while len(self._held) > self._at_most:
                self._held.popitem(last=False)
        return card
