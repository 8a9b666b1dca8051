"""The few offers that an index on disk does not hold yet, by the pieces of their titles. Pure.

Asked and answering as `mdm.match.term_index.TermIndex` does, for some thousand offers: a pushed
offer is findable at once, without a commit to disk.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable

from mdm.match.term_index import Asked


class RecentOffers:
    """Offer ids by their pieces, in memory."""

    def __init__(self) -> None:
        self._pieces: dict[str, frozenset[str]] = {}
        self._holders: dict[str, set[str]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._pieces)

    def __contains__(self, offer_id: str) -> bool:
        return offer_id in self._pieces

    def items(self) -> Iterable[tuple[str, frozenset[str]]]:
        """Offers with their pieces."""
        return self._pieces.items()

    def add(self, offers: Iterable[tuple[str, Iterable[str]]]) -> None:
        """Offers with their pieces; an offer that is there already is replaced."""
        for offer_id, pieces in offers:
            self.remove((offer_id,))
            held = self._pieces[offer_id] = frozenset(pieces)
            for piece in held:
                self._holders[piece].add(offer_id)

    def remove(self, offer_ids: Iterable[str]) -> None:
        """Offers that are gone."""
        for offer_id in offer_ids:
            for piece in self._pieces.pop(offer_id, ()):
                holders = self._holders[piece]
                holders.discard(offer_id)
                if not holders:
                    del self._holders[piece]

    def count(self, piece: str) -> int:
        """How many offers carry a piece."""
        return len(self._holders.get(piece, ()))

    def hits(self, asked: Asked, limit: int, without: str | None = None) -> list[tuple[str, float]]:
        """Ids of the offers whose pieces are worth most together, best first; none of those that
        carry the piece `without`."""
        worth: dict[str, float] = defaultdict(float)
        for piece, amount in asked:
            for offer_id in self._holders.get(piece, ()):
                worth[offer_id] += amount
        if without is not None:
            for offer_id in self._holders.get(without, ()):
                worth.pop(offer_id, None)
        found = ((offer_id, round(amount, 3)) for offer_id, amount in worth.items())
        return heapq.nsmallest(limit, found, key=lambda each: (-each[1], each[0]))
