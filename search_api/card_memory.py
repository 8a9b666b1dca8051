"""Cards of products that were shown before: the same version, brand and language, the same card.

A card is made from a document at a version and from the brand's ranking; it holds until the first
of its offers expires, and while it does the document is not read. Bounded; what is longest unused
makes room.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from indexer.document import ProductDocument
from indexer.hits import Hit, id_of
from search_api.cards import product_card
from search_api.product_card import ProductCard
from tenants.ranking.profile import RankingProfile

_AT_MOST = 2_000
"""Cards; some 6 kB each."""
_Key = tuple[str, str, int, str]
Read = Callable[[Sequence[str | Hit]], Mapping[str, ProductDocument]]
"""Documents by id; what is not shown is absent."""


@dataclass(frozen=True, slots=True)
class _Held:
    card: ProductCard
    profile: RankingProfile
    until: datetime | None

    def holds(self, profile: RankingProfile, now: datetime) -> bool:
        """Whether the card would be made the same again."""
        if self.until is not None and now >= self.until:
            return False
        return self.profile is profile or self.profile == profile


class CardMemory:
    """The memory of one process; threads share it."""

    def __init__(self, at_most: int = _AT_MOST) -> None:
        self._at_most = at_most
        self._held: OrderedDict[_Key, _Held] = OrderedDict()
        self._changing = threading.Lock()

    def cards(
        self,
        products: Sequence[str | Hit],
        read: Read,
        profile: RankingProfile,
        language: str,
        now: datetime,
    ) -> list[ProductCard]:
        """The products as the lists show them, without those that are shown no longer.

        Only what was found as a hit is remembered.
        """
        found = self._remembered(products, profile, language, now)
        missing = [product for product in products if id_of(product) not in found]
        documents = read(missing) if missing else {}
        for product in missing:
            document = documents.get(id_of(product))
            if document is not None:
                card = product_card(document, profile, language, now)
                found[card.id] = card
                self._keep(product, card, profile, language)
        return [found[id_of(product)] for product in products if id_of(product) in found]

    def _remembered(
        self,
        products: Sequence[str | Hit],
        profile: RankingProfile,
        language: str,
        now: datetime,
    ) -> dict[str, ProductCard]:
        found = {}
        with self._changing:
            for product in products:
                key = _key(product, language)
                held = self._held.get(key) if key is not None else None
                if key is not None and held is not None and held.holds(profile, now):
                    self._held.move_to_end(key)
                    found[id_of(product)] = held.card
        return found

    def _keep(
        self, product: str | Hit, card: ProductCard, profile: RankingProfile, language: str
    ) -> None:
        key = _key(product, language)
        if key is None:
            return
        until = datetime.fromisoformat(card.true_until) if card.true_until else None
        with self._changing:
            self._held[key] = _Held(card, profile, until)
            while len(self._held) > self._at_most:
                self._held.popitem(last=False)


def _key(product: str | Hit, language: str) -> _Key | None:
    if isinstance(product, str):
        return None
    return (product.index, product.product_id, product.version, language)
