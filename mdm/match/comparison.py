"""Pairs of contenders compared: forbidden, or how likely of one product, and why. Pure.

One comparison serves one run of the matcher: it knows how rare words are there and which GTINs name
several things.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mdm.match.decide import SURE, band_of, decide
from mdm.match.decision import NOTHING_RULED, Contender, Decision, Judge, Pair, Piece, Ruled, plain
from mdm.match.ensemble import Ensemble
from mdm.match.evidence import Evidence, evidence, pieces_alike
from mdm.match.little_known import little_known
from mdm.match.rarity import Rarity
from mdm.match.score import explain, identifier_evidence, probabilities, title_evidence
from mdm.match.vetoes import doubt, veto

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A changed offer stays where it was unless the evidence speaks against it.
STAYS = 1.0
# Candidates with less in common are a third of all; one in a hundred of those that a steward would
# be asked about is among them.
FAR = 0.1
# So many pairs are in memory as evidence at once.
_AT_ONCE = 8_192


class Comparison:
    """Scores of pairs of contenders, by place. Another model than the shipped one can be given."""

    def __init__(
        self,
        contenders: list[Contender],
        table: NDArray[np.float32],
        rarity: Rarity,
        ambiguous_gtins: frozenset[str],
        previous: Mapping[int, str],
        model: Ensemble | None = None,
    ) -> None:
        self._contenders = contenders
        self._table = table
        self._rarity = rarity
        self._ambiguous = ambiguous_gtins
        self._previous = previous
        self._model = model
        self._place = {each: place for place, each in enumerate(contenders)}

    def scored(
        self, candidates: Sequence[tuple[int, int]]
    ) -> tuple[list[Pair], list[tuple[int, int, str]]]:
        """Pairs of places with how likely they are; those that something forbids, with why."""
        pairs: list[Pair] = []
        vetoed: list[tuple[int, int, str]] = []
        for start in range(0, len(candidates), _AT_ONCE):
            self._score(candidates[start : start + _AT_ONCE], pairs, vetoed)
        return pairs, vetoed

    def _score(
        self,
        candidates: Sequence[tuple[int, int]],
        pairs: list[Pair],
        vetoed: list[tuple[int, int, str]],
    ) -> None:
        compared: list[tuple[int, int]] = []
        cosines: list[float] = []
        for (left, right), cosine in zip(candidates, self._cosines(candidates), strict=True):
            one, other = self._contenders[left].features, self._contenders[right].features
            reason = veto(one, other)
            if reason is None:
                if not self._is_far(left, right):
                    compared.append((left, right))
                    cosines.append(cosine)
            elif cosine > 0.5 or one.gtins & other.gtins:
                vetoed.append((left, right, reason))
        found = self._probabilities(compared, cosines)
        pairs += [Pair(*places, by) for places, by in zip(compared, found, strict=True)]

    def _is_far(self, left: int, right: int) -> bool:
        """So little in common that the evidence need not be looked at."""
        one, other = self._contenders[left].features, self._contenders[right].features
        is_known = bool(one.gtins & other.gtins or one.mpns & other.mpns)
        return not is_known and pieces_alike(one, other, self._rarity) < FAR

    def decided(
        self,
        contenders: Sequence[Contender],
        pairs: Sequence[Pair],
        vetoed: Sequence[tuple[str, str, str]],
        ruled: Ruled = NOTHING_RULED,
        *,
        proposes: bool = True,
    ) -> Decision:
        """Some of the contenders grouped, by pairs of them that were scored before; forbidden ones
        by ids."""
        judge = Judge(self._compare, _veto, self._doubt, self._explain)
        return decide(contenders, pairs, vetoed, judge, ruled, proposes=proposes)

    def probability_of(self, left: int, right: int) -> float:
        """That two contenders are of one product; 0 where something forbids it."""
        one, other = self._contenders[left], self._contenders[right]
        if veto(one.features, other.features) is not None:
            return 0.0
        return self._compare([(one, other)])[0]

    def rows(self, places: Sequence[tuple[int, int]]) -> list[Evidence | None]:
        """The evidence of pairs, as a model is taught; None where something forbids them."""
        return [
            None
            if veto(self._contenders[left].features, self._contenders[right].features)
            else self._row(left, right, cosine)
            for (left, right), cosine in zip(places, self._cosines(places), strict=True)
        ]

    def every_row(self, places: Sequence[tuple[int, int]]) -> list[Evidence]:
        """The evidence of pairs, of forbidden ones too."""
        cosines = self._cosines(places)
        return [self._row(*pair, cosine) for pair, cosine in zip(places, cosines, strict=True)]

    def _row(self, left: int, right: int, cosine: float) -> Evidence:
        one, other = self._contenders[left].features, self._contenders[right].features
        return evidence(one, other, cosine, self._rarity)

    def told(self, left: int, right: int) -> dict[str, Any]:
        """Why two contenders are, or are not, of one product, as stored with a decision."""
        one, other = self._contenders[left], self._contenders[right]
        forbidden = _veto(one, other)
        (probability,) = self._compare([(one, other)])
        band = "apart" if forbidden else band_of(probability)
        doubted = self._doubt(one, other, probability) if band == "merge" else None
        pieces = self._explain(one, other)
        return {
            "offers": [one.offer_id, other.offer_id],
            "band": "steward" if doubted else band,
            "score": round(probability, 4),
            "veto": forbidden,
            "doubt": doubted,
            "for": [plain(each) for each in pieces if each[2] > 0],
            "against": [plain(each) for each in pieces if each[2] < 0],
        }

    def _cosines(self, candidates: Sequence[tuple[int, int]]) -> list[float]:
        import numpy as np

        places = np.array(candidates, dtype=np.int64).reshape(-1, 2)
        found: list[float] = (self._table[places[:, 0]] * self._table[places[:, 1]]).sum(1).tolist()
        return found

    def _compare(self, pairs: Sequence[tuple[Contender, Contender]]) -> list[float]:
        places = [(self._place[one], self._place[other]) for one, other in pairs]
        return self._probabilities(places, self._cosines(places))

    def _probabilities(
        self, places: Sequence[tuple[int, int]], cosines: Sequence[float]
    ) -> list[float]:
        if not places:
            return []
        rows, known = [], []
        for (left, right), cosine in zip(places, cosines, strict=True):
            rows.append(self._row(left, right, cosine))
            known.append(self._known(left, right))
        found: list[float] = probabilities(rows, known, self._model).tolist()
        return found

    def _explain(self, one: Contender, other: Contender) -> list[Piece]:
        left, right = self._place[one], self._place[other]
        (cosine,) = self._cosines([(left, right)])
        row = self._row(left, right, cosine)
        return explain(row, self._known(left, right), self._model)

    def _known(self, left: int, right: int) -> list[Piece]:
        """What is known of a pair beside its titles."""
        one, other = self._contenders[left], self._contenders[right]
        found = identifier_evidence(one.features, other.features, self._ambiguous)
        found += title_evidence(one.features, other.features, self._rarity)
        stays = self._stays(left, right)
        return [*found, ("was_there_before", (), stays)] if stays else found

    def _doubt(self, one: Contender, other: Contender, likely: float) -> str | None:
        why = doubt(one.features, other.features, self._rarity if likely < SURE else None)
        return why or little_known(one, other, self._rarity)

    def _stays(self, left: int, right: int) -> float:
        """A changed offer that meets one of the product that it was in."""
        was = self._previous.get(left)
        return STAYS if was and self._contenders[right].product_id == was else 0.0


def _veto(one: Contender, other: Contender) -> str | None:
    return veto(one.features, other.features)


def ambiguous_gtins(contenders: Iterable[Contender]) -> frozenset[str]:
    """GTINs under which one merchant sells several things in the same condition."""
    sold: dict[tuple[str, str, str], int] = defaultdict(int)
    for each in contenders:
        for gtin in each.features.gtins:
            sold[each.merchant_id, each.condition, gtin] += 1
    return frozenset(gtin for (_, _, gtin), count in sold.items() if count > 1)
