"""Which offers are worth comparing: those that share the most telling pieces, thirty at most.

Pieces are words, codes, parts and ends of codes, identifiers, and codes of the title's vector; the
last are asked for where the others find too little, as between languages. An offer of the same
merchant in the same condition is no candidate: a product holds one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from mdm.match.decide import MAX_OFFERS
from mdm.match.decision import Contender
from mdm.match.features import Features
from mdm.match.neighbours import asked_codes, held_codes
from mdm.match.recent_offers import RecentOffers
from mdm.match.term_index import Asked, Held, Hit, TermIndex, telling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mdm.match.piece_counts import Numbers

MOST = 30
"""Candidates of one offer."""
FEW = 8
"""An offer with fewer candidates than this is also asked for by the codes of its vector."""
NEAR = 0.05
"""What shares less of an offer's worth than this is no candidate: nearly half of all, of which one
in a hundred would be thought the same product, none surely."""
_SMALL_BATCH = 2_000
_MAX_IDENTIFIERS = 20
_MOST_COUNTED = 100_000


class PieceIndex(Protocol):
    """Offers by their pieces: `TermIndex`, `RecentOffers`, or several of them as one."""

    def __len__(self) -> int:
        """How many offers there are."""
        ...

    def count(self, piece: str) -> int:
        """How many offers carry a piece."""
        ...

    def counts(self, numbers: Numbers) -> Numbers:
        """The same of many pieces, by their `piece_numbers`."""
        ...

    def hits(self, asked: Asked, limit: int, without: str | None = None) -> list[Hit]:
        """The offers whose pieces are worth most together, best first; none of those that carry
        the piece `without`."""
        ...

    def shared(self) -> Callable[[], PieceIndex] | None:
        """What another process opens the same by, as long as nobody writes to it; None where this
        process alone has it."""
        ...


def seat_of(merchant_id: str, condition: str) -> str:
    """The piece that all offers of a merchant in a condition carry, and nobody asks for."""
    return f"s:{merchant_id}|{condition}"


def merchant_piece(merchant_id: str) -> str:
    """The piece that all offers of a merchant carry, and nobody asks for: counted, it tells how
    many they are."""
    return f"m:{merchant_id}"


def asked_pieces(features: Features) -> frozenset[str]:
    """What an offer is looked up by."""
    return features.pieces.union(identifying_pieces(features), features.mpns)


def identifying_pieces(features: Features) -> list[str]:
    """GTINs, and part numbers with their manufacturer; a bounded number."""
    found = [f"g:{each}" for each in sorted(features.gtins)[:_MAX_IDENTIFIERS]]
    if features.manufacturer:
        found += [f"p:{features.manufacturer}:{each}" for each in features.mpns]
    return found


def indexed(contenders: Sequence[Contender], vectors: NDArray[Any]) -> Iterator[Held]:
    """Offers with everything that they are found by."""
    for each, codes in zip(contenders, held_codes(vectors), strict=True):
        whose = (seat_of(each.merchant_id, each.condition), merchant_piece(each.merchant_id))
        yield Held(each.offer_id, asked_pieces(each.features).union(codes, whose))


class Candidates:
    """Looks up newcomers among themselves and in the living catalogue, on one scale."""

    def __init__(
        self, living: PieceIndex, newcomers: Sequence[Contender], vectors: NDArray[Any]
    ) -> None:
        self._living = living
        self._newcomers = newcomers
        self._vectors = vectors
        self._place = {each.offer_id: place for place, each in enumerate(newcomers)}
        self._batch: PieceIndex = _batch_index(newcomers, vectors)
        self._counted: dict[str, int] = {}
        """Pieces counted before: each is asked for to find candidates, and to weigh them."""

    def __len__(self) -> int:
        return len(self._living) + len(self._batch)

    def count(self, piece: str) -> int:
        """How many offers carry a piece, new ones and old ones."""
        counted = self._counted.get(piece)
        if counted is None:
            if len(self._counted) >= _MOST_COUNTED:
                self._counted.clear()
            counted = self._living.count(piece) + self._batch.count(piece)
            self._counted[piece] = counted
        return counted

    def counts(self, numbers: Numbers) -> Numbers:
        """The same of many pieces, by their `piece_numbers`."""
        return self._living.counts(numbers) + self._batch.counts(numbers)

    def of(self, place: int) -> tuple[list[int], list[Hit]]:
        """Candidates of a newcomer: places of other newcomers, living offers."""
        each = self._newcomers[place]
        seat = seat_of(each.merchant_id, each.condition)
        asked = telling(asked_pieces(each.features), self.count, len(self))
        hits = self._hits(asked, seat, MOST)
        least = NEAR * sum(worth for _, worth in asked)
        found = {hit.offer_id: hit for hit in hits if hit.worth >= least}
        if len(hits) < FEW:
            codes = telling(asked_codes(self._vectors[place]), self.count, len(self))
            for hit in self._hits(codes, seat, MOST - len(found)):
                found.setdefault(hit.offer_id, hit)
        places = [self._place[other] for other in found if other in self._place]
        return places, [hit for hit in found.values() if hit.offer_id not in self._place]

    def ambiguous_gtins(self) -> frozenset[str]:
        """GTINs of newcomers that name several things: their merchant sells something else under
        it in that condition, or more offers carry it than a product may have."""
        found: set[str] = set()
        for each in self._newcomers:
            seat = seat_of(each.merchant_id, each.condition)
            for gtin in sorted(each.features.gtins - found)[:_MAX_IDENTIFIERS]:
                held = self.count(f"g:{gtin}")
                if held > MAX_OFFERS or (held > 1 and self._has_another(each.offer_id, gtin, seat)):
                    found.add(gtin)
        return frozenset(found)

    def _has_another(self, offer_id: str, gtin: str, seat: str) -> bool:
        asked = ((f"g:{gtin}", 1.0), (seat, 0.5))
        living = (hit for hit in self._living.hits(asked, 2) if hit.offer_id not in self._place)
        return any(
            hit.worth > 1.2 and hit.offer_id != offer_id
            for hit in (*self._batch.hits(asked, 2), *living)
        )

    def _hits(self, asked: Asked, seat: str, limit: int) -> list[Hit]:
        inner = self._batch.hits(asked, limit, seat)
        # What is here in a new shape is not asked for in its old one.
        outer = [
            hit for hit in self._living.hits(asked, limit, seat) if hit.offer_id not in self._place
        ]
        return sorted((*inner, *outer), key=lambda hit: (-hit.worth, hit.offer_id))[:limit]


def _batch_index(newcomers: Sequence[Contender], vectors: NDArray[Any]) -> PieceIndex:
    index = RecentOffers() if len(newcomers) <= _SMALL_BATCH else TermIndex()
    index.add(indexed(newcomers, vectors))
    return index


def all_pairs(
    candidates: Candidates, places: Iterable[int]
) -> tuple[list[tuple[int, int]], dict[int, list[Hit]]]:
    """Pairs of places among newcomers, each once; living offers by place."""
    inner: set[tuple[int, int]] = set()
    outer: dict[int, list[Hit]] = {}
    for place in places:
        others, living = candidates.of(place)
        inner.update((min(place, other), max(place, other)) for other in others)
        if living:
            outer[place] = living
    return sorted(inner), outer
