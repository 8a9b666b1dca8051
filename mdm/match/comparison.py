"""Pairs of contenders compared: forbidden, or how likely of one product, and why. Pure.

One comparison serves one run of the matcher: it knows how rare words are there and which GTINs name
several things.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mdm.match.decide import (
    NOTHING_RULED,
    Contender,
    Decision,
    Judge,
    Pair,
    Piece,
    Ruled,
    decide,
)
from mdm.match.features import Features
from mdm.match.rarity import Rarity
from mdm.match.score import explain, probability
from mdm.match.vetoes import veto

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A changed offer stays where it was unless the evidence speaks against it.
STAYS = 1.0
# Titles further apart than this, without a shared key, are not worth a comparison.
TOO_FAR = 0.3


class Comparison:
    """Scores of pairs of contenders, by place."""

    def __init__(
        self,
        contenders: list[Contender],
        table: NDArray[np.float32],
        rarity: Rarity,
        ambiguous_gtins: frozenset[str],
        previous: Mapping[int, str],
    ) -> None:
        self._contenders = contenders
        self._table = table
        self._rarity = rarity
        self._ambiguous = ambiguous_gtins
        self._previous = previous
        self._place = {each: place for place, each in enumerate(contenders)}

    def decision(
        self, candidates: Sequence[tuple[int, int]], ruled: Ruled = NOTHING_RULED
    ) -> Decision:
        """The contenders grouped, by the pairs of places worth comparing."""
        return self.decided(*self.scored(candidates), ruled)

    def scored(
        self, candidates: Sequence[tuple[int, int]]
    ) -> tuple[list[Pair], list[tuple[int, int, str]]]:
        """Pairs of places with how likely they are; those that something forbids, with why."""
        pairs: list[Pair] = []
        vetoed: list[tuple[int, int, str]] = []
        for (left, right), cosine in zip(candidates, self._cosines(candidates), strict=True):
            one, other = self._contenders[left].features, self._contenders[right].features
            if cosine < TOO_FAR and not share_a_key(one, other):
                continue
            reason = veto(one, other)
            if reason is None:
                pairs.append(Pair(left, right, self._score(left, right, cosine)))
            elif cosine > 0.5 or one.gtins & other.gtins:
                vetoed.append((left, right, reason))
        return pairs, vetoed

    def decided(
        self,
        pairs: Sequence[Pair],
        vetoed: Sequence[tuple[int, int, str]],
        ruled: Ruled = NOTHING_RULED,
    ) -> Decision:
        """The contenders grouped, by pairs that were scored before."""
        judge = Judge(self._compare, _veto, self._explain)
        return decide(self._contenders, pairs, vetoed, judge, ruled)

    def probability_of(self, left: int, right: int) -> float:
        """That two contenders are of one product; 0 where something forbids it."""
        one, other = self._contenders[left], self._contenders[right]
        if veto(one.features, other.features) is not None:
            return 0.0
        return self._compare(one, other)

    def _cosines(self, candidates: Sequence[tuple[int, int]]) -> list[float]:
        import numpy as np

        found: list[float] = []
        for start in range(0, len(candidates), 20_000):
            places = np.array(candidates[start : start + 20_000], dtype=np.int64)
            products = self._table[places[:, 0]] * self._table[places[:, 1]]
            found += products.sum(axis=1).tolist()
        return found

    def _compare(self, one: Contender, other: Contender) -> float:
        left, right = self._place[one], self._place[other]
        return self._score(left, right, float(self._table[left] @ self._table[right]))

    def _score(self, left: int, right: int, cosine: float) -> float:
        one, other = self._contenders[left], self._contenders[right]
        return probability(
            one.features,
            other.features,
            cosine,
            self._rarity,
            self._ambiguous,
            self._stays(left, right),
        )

    def _explain(self, one: Contender, other: Contender) -> list[Piece]:
        left, right = self._place[one], self._place[other]
        cosine = float(self._table[left] @ self._table[right])
        pieces = explain(one.features, other.features, cosine, self._rarity, self._ambiguous)
        stays = self._stays(left, right)
        told: list[Piece] = [(code, (), moved) for code, moved in pieces]
        return [*told, ("was there before", (), stays)] if stays else told

    def _stays(self, left: int, right: int) -> float:
        """A changed offer that meets one of the product that it was in."""
        was = self._previous.get(left)
        return STAYS if was and self._contenders[right].product_id == was else 0.0


def _veto(one: Contender, other: Contender) -> str | None:
    return veto(one.features, other.features)


def share_a_key(one: Features, other: Features) -> bool:
    return bool(one.gtins & other.gtins or one.mpns & other.mpns or one.all_codes & other.all_codes)


def ambiguous_gtins(contenders: Iterable[Contender]) -> frozenset[str]:
    """GTINs under which one merchant sells several things in the same condition."""
    sold: dict[tuple[str, str, str], int] = defaultdict(int)
    for each in contenders:
        for gtin in each.features.gtins:
            sold[each.merchant_id, each.condition, gtin] += 1
    return frozenset(gtin for (_, _, gtin), count in sold.items() if count > 1)
