"""Matching new and changed offers against the living catalogue: asks it, writes nothing.

Only what shares telling pieces with a newcomer is read, a bounded number at a time; the other
offers of a product only where one of its offers may belong with a newcomer. The rest of the
catalogue is left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mdm.match.candidates import Candidates, all_pairs
from mdm.match.comparison import Comparison, ambiguous_gtins
from mdm.match.decide import ASK
from mdm.match.decision import Contender, Decision, Pair, Ruled
from mdm.match.ensemble import Ensemble
from mdm.match.features import offer_features
from mdm.match.living_catalogue import LivingCatalogue, Readings
from mdm.match.rarity import Rarity
from mdm.match.term_index import Hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# So many newcomers' candidates are in memory at once.
_CHUNK = 1_000
_MOST_VETOED = 4
_NONE: Readings = {}


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An offer to be matched. `previous` is the product it belonged to before it changed."""

    offer_id: str
    merchant_id: str
    condition: str
    title: str
    facts: Mapping[str, Any]
    previous: str | None = None


def match_newcomers(
    catalogue: LivingCatalogue, newcomers: Sequence[Newcomer], vectors: NDArray[np.float32]
) -> Decision:
    """Group newcomers with each other and with existing products."""
    return Matching(catalogue, newcomers, vectors).decision()


@dataclass(slots=True)
class _Scored:
    """Pairs by offer ids: what may belong together, and what something forbids."""

    likely: list[tuple[str, str, float]] = field(default_factory=list)
    vetoed: list[tuple[str, str, str]] = field(default_factory=list)
    products: set[str] = field(default_factory=set)
    readings: dict[str, bytes] = field(default_factory=dict)
    """Of the living offers among them."""

    def take(
        self,
        contenders: Sequence[Contender],
        pairs: Sequence[Pair],
        vetoed: Sequence[tuple[int, int, str]],
        readings: Readings = _NONE,
    ) -> None:
        """Keep what can matter for a decision, with what was read of the living ones in it."""
        kept: set[str] = set()
        for pair in pairs:
            if pair.probability >= ASK:
                one, other = contenders[pair.left], contenders[pair.right]
                self.likely.append((one.offer_id, other.offer_id, pair.probability))
                self.products.update(each.product_id for each in (one, other) if each.product_id)
                kept.add(other.offer_id)
        told: dict[int, int] = {}
        for left, right, why in vetoed:
            told[left] = told.get(left, 0) + 1
            if told[left] <= _MOST_VETOED:
                one, other = contenders[left], contenders[right]
                self.vetoed.append((one.offer_id, other.offer_id, why))
                kept.add(other.offer_id)
        self.readings.update((each, readings[each]) for each in kept & readings.keys())

    def followed_by(self, others: _Scored) -> _Scored:
        """Both, these first."""
        return _Scored(
            self.likely + others.likely,
            self.vetoed + others.vetoed,
            self.products | others.products,
            self.readings | others.readings,
        )


class Matching:
    """One run of the matcher. Places are those of the newcomers, in their order."""

    def __init__(
        self,
        catalogue: LivingCatalogue,
        newcomers: Sequence[Newcomer],
        vectors: NDArray[np.float32],
        model: Ensemble | None = None,
    ) -> None:
        self._model = model
        self._catalogue = catalogue
        self._titles = [each.title for each in newcomers]
        self._vectors = vectors
        self.contenders = [
            Contender(
                each.offer_id,
                each.merchant_id,
                each.condition,
                offer_features(each.title, each.facts),
            )
            for each in newcomers
        ]
        self._previous = {each.offer_id: each.previous for each in newcomers if each.previous}
        self._candidates = Candidates(catalogue.index, self.contenders, vectors)
        self._ambiguous = self._candidates.ambiguous_gtins()
        self._rarity = Rarity(
            len(self._candidates), self._candidates.count, self._candidates.counts
        )
        self._itself = {each.offer_id for each in newcomers}
        self.compared: list[tuple[int, int]] = []
        """Pairs of newcomers that were found worth comparing."""

    def comparison(self, contenders: list[Contender], table: NDArray[np.float32]) -> Comparison:
        """These contenders compared, with what this run knows. Only words keep their weights: kept
        for a whole run, offers would be all that were ever compared."""
        previous = {
            place: self._previous[each.offer_id]
            for place, each in enumerate(contenders)
            if each.offer_id in self._previous
        }
        ambiguous = self._ambiguous | ambiguous_gtins(contenders)
        self._rarity.forget_offers()
        self._rarity.measure([(each.features, each.pieces) for each in contenders if each.pieces])
        return Comparison(contenders, table, self._rarity, ambiguous, previous, self._model)

    def among_newcomers(self) -> Comparison:
        """The newcomers compared with each other."""
        return self.comparison(self.contenders, self._vectors)

    def candidates(self) -> list[tuple[int, int]]:
        """Pairs of newcomers worth comparing."""
        return all_pairs(self._candidates, range(len(self.contenders)))[0]

    def decision(self) -> Decision:
        """What is merged, what is asked, what stays alone."""
        inner: list[tuple[int, int]] = []
        living = _Scored()
        ruled = self._catalogue.ruled(self._itself)
        # Near titles come together, so that what they share is read once.
        order = sorted(range(len(self.contenders)), key=self._titles.__getitem__)
        for start in range(0, len(order), _CHUNK):
            chunk = order[start : start + _CHUNK]
            pairs, outer = all_pairs(self._candidates, chunk)
            inner += pairs
            self._score_living(chunk, outer, ruled, living)
        self.compared = sorted(set(inner))
        scored = _Scored()
        scored.take(self.contenders, *self.among_newcomers().scored(self.compared))
        return self._decided(scored.followed_by(living))

    def _score_living(
        self,
        chunk: Sequence[int],
        outer: Mapping[int, Sequence[Hit]],
        ruled: Ruled,
        scored: _Scored,
    ) -> None:
        """Compare newcomers with their living candidates, and with whom stewards named."""
        named = _named_by_stewards(ruled)
        readings = {hit.offer_id: hit.reading for hits in outer.values() for hit in hits}
        wanted = {
            place: dict.fromkeys(
                (
                    *(hit.offer_id for hit in outer.get(place, ())),
                    *named.get(self.contenders[place].offer_id, ()),
                )
            )
            for place in chunk
        }
        ids = {other for others in wanted.values() for other in others}
        living, table = self._catalogue.offers(sorted(ids - self._itself), readings)
        here = [place for place in chunk if wanted[place]]
        at = {each.offer_id: len(here) + place for place, each in enumerate(living)}
        pairs = [
            (number, at[other])
            for number, place in enumerate(here)
            for other in wanted[place]
            if other in at
        ]
        contenders = [self.contenders[place] for place in here] + living
        comparison = self.comparison(contenders, _stacked(self._vectors[here], table))
        scored.take(contenders, *comparison.scored(pairs), readings)
        scored.products |= _ruled_products(contenders, ruled)

    def _decided(self, scored: _Scored) -> Decision:
        members, table = self._catalogue.members(scored.products, scored.readings)
        kept = [place for place, each in enumerate(members) if each.offer_id not in self._itself]
        contenders = self.contenders + [members[place] for place in kept]
        there = {each.offer_id for each in contenders}
        told = {other for _, other, _ in scored.vetoed} - there
        others, other_table = self._catalogue.offers(sorted(told), scored.readings)
        contenders += others
        at = {each.offer_id: place for place, each in enumerate(contenders)}
        whole = _stacked(_stacked(self._vectors, table[kept]), other_table)
        decision = self.comparison(contenders, whole).decided(
            [Pair(at[one], at[other], by) for one, other, by in scored.likely if other in at],
            [(at[one], at[other], why) for one, other, why in scored.vetoed if other in at],
            self._catalogue.ruled(at),
        )
        self._tell_of_namesakes(decision)
        return decision

    def _tell_of_namesakes(self, decision: Decision) -> None:
        """Offers of one merchant are never compared: what they share and cannot share is told; so
        is a title that many carry and that therefore names nothing."""
        titles = Counter(map(_own_title, self.contenders))
        carried = Counter(each.features.reading.text for each in self.contenders)
        for group in decision.groups:
            for each in group.members:
                evidence = group.evidence.get(each.offer_id)
                if evidence is None:
                    continue
                shared = sorted(each.features.gtins & self._ambiguous)
                reasons = [f"GTIN {gtin} is on several things" for gtin in shared]
                if titles[_own_title(each)] > 1:
                    reasons.append("its merchant offers several things under this title")
                same = carried[each.features.reading.text]
                if same > 1 == len(group.members) and not (reasons or evidence.get("kept_apart")):
                    reasons.append(f"{same} new offers carry this title, which says too little")
                if reasons:
                    evidence["kept_apart"] = [*evidence.get("kept_apart", ()), *reasons[:2]]


def _own_title(each: Contender) -> tuple[str, str, str]:
    return each.merchant_id, each.condition, each.features.reading.text


def _named_by_stewards(ruled: Ruled) -> dict[str, list[str]]:
    """By offer, those that stewards put together with it."""
    named: dict[str, list[str]] = {}
    for one, other in ruled.together:
        named.setdefault(one, []).append(other)
        named.setdefault(other, []).append(one)
    return named


def _ruled_products(contenders: Sequence[Contender], ruled: Ruled) -> set[str]:
    together = {offer_id for pair in ruled.together for offer_id in pair}
    return {each.product_id for each in contenders if each.product_id and each.offer_id in together}


def _stacked(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    return np.concatenate([one, other]) if len(other) else one
