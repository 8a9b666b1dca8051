"""The few offers that an index on disk does not hold yet, by the pieces of their titles. Pure.

Asked and answering as `mdm.match.term_index.TermIndex` does, for some thousand offers: a pushed
offer is findable at once, without a commit to disk.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable
from itertools import repeat
from typing import TYPE_CHECKING

from mdm.match.piece_counts import piece_number
from mdm.match.term_index import Asked, Held, Hit

if TYPE_CHECKING:
    from mdm.match.piece_counts import Numbers


class RecentOffers:
    """Offer ids by their pieces, in memory."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}
        self._holders: dict[str, set[str]] = defaultdict(set)
        self._carried: dict[int, int] = defaultdict(int)
        """How many offers carry a piece, by its number."""

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, offer_id: str) -> bool:
        return offer_id in self._held

    def items(self) -> Iterable[Held]:
        """Offers with their pieces."""
        return self._held.values()

    def add(self, offers: Iterable[Held]) -> None:
        """Offers with their pieces; an offer that is there already is replaced."""
        for each in offers:
            self.remove((each.offer_id,))
            self._held[each.offer_id] = each
            for piece in each.pieces:
                self._holders[piece].add(each.offer_id)
                self._carried[piece_number(piece)] += 1

    def remove(self, offer_ids: Iterable[str]) -> None:
        """Offers that are gone."""
        for offer_id in offer_ids:
            held = self._held.pop(offer_id, None)
            for piece in held.pieces if held else ():
                holders = self._holders[piece]
                holders.discard(offer_id)
                if not holders:
                    del self._holders[piece]
                self._carried[piece_number(piece)] -= 1

    def count(self, piece: str) -> int:
        """How many offers carry a piece."""
        return len(self._holders.get(piece, ()))

    def counts(self, numbers: Numbers) -> Numbers:
        """The same of many pieces, by their `piece_numbers`."""
        import numpy as np

        held = map(self._carried.get, numbers.tolist(), repeat(0))
        return np.fromiter(held, dtype=np.uint64, count=len(numbers))

    def shared(self) -> None:
        """Nobody else has it."""

    def hits(self, asked: Asked, limit: int, without: str | None = None) -> list[Hit]:
        """The offers whose pieces are worth most together, best first; none of those that carry
        the piece `without`."""
        worth: dict[str, float] = defaultdict(float)
        for piece, amount in asked:
            for offer_id in self._holders.get(piece, ()):
                worth[offer_id] += amount
        if without is not None:
            for offer_id in self._holders.get(without, ()):
                worth.pop(offer_id, None)
        found = (
            Hit(offer_id, round(amount, 3), self._held[offer_id].reading)
            for offer_id, amount in worth.items()
        )
        return heapq.nsmallest(limit, found, key=lambda hit: (-hit.worth, hit.offer_id))
