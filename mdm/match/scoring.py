"""Parts of a run of the matcher, each of which any process can do: candidates found and compared,
newcomers compared with each other, groups decided.

In: numbers and ids; out: plain answers. A part comes out the same wherever and in whatever order
the parts are done: nothing goes from one to the next but weights of words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from mdm.match.candidates import Candidates, all_pairs
from mdm.match.comparison import Comparison, ambiguous_gtins
from mdm.match.decide import ASK
from mdm.match.decision import Contender, Decision, Pair, Ruled
from mdm.match.ensemble import Ensemble
from mdm.match.living_catalogue import (
    LivingCatalogue,
    LivingOffer,
    Readings,
    contenders_kept,
    contenders_of,
)
from mdm.match.rarity import Rarity
from mdm.match.term_index import Hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_VETOED = 4
_NONE: Readings = {}
_NOWHERE: Mapping[str, str] = {}
_Part = TypeVar("_Part")
_Done = TypeVar("_Done")


@dataclass(frozen=True, slots=True)
class Run:
    """Newcomers to be matched, with the vectors of their titles. `previous` is the product that a
    changed offer belonged to, `ruled` what stewards said of any of them; without a model it is the
    shipped one. `proposes` as in `mdm.match.decide`."""

    contenders: list[Contender]
    vectors: NDArray[np.float32]
    previous: Mapping[str, str]
    ruled: Ruled
    model: Ensemble | None = None
    proposes: bool = True


@dataclass(slots=True)
class Scored:
    """Pairs by offer ids: what may belong together, and what something forbids."""

    likely: list[tuple[str, str, float]] = field(default_factory=list)
    vetoed: list[tuple[str, str, str]] = field(default_factory=list)
    products: dict[str, str] = field(default_factory=dict)
    """Of the living offers that may belong to a newcomer, or that stewards put with one."""
    readings: dict[str, bytes] = field(default_factory=dict)
    """Of the same offers."""

    def take(
        self,
        contenders: Sequence[Contender],
        pairs: Sequence[Pair],
        vetoed: Sequence[tuple[int, int, str]],
        readings: Readings = _NONE,
        products: Mapping[str, str] = _NOWHERE,
    ) -> None:
        """Keep what can matter for a decision; `products` are those of contenders that do not say
        so themselves."""
        for pair in pairs:
            if pair.probability >= ASK:
                one, other = contenders[pair.left], contenders[pair.right]
                self.likely.append((one.offer_id, other.offer_id, pair.probability))
                product_id = other.product_id or products.get(other.offer_id)
                if product_id:
                    self.products[other.offer_id] = product_id
        told: dict[int, int] = {}
        for left, right, why in vetoed:
            told[left] = told.get(left, 0) + 1
            if told[left] <= _MOST_VETOED:
                self.vetoed.append((contenders[left].offer_id, contenders[right].offer_id, why))
        self.readings.update((each, readings[each]) for each in self.products & readings.keys())

    def add(self, others: Scored) -> None:
        """Others behind these."""
        self.likely += others.likely
        self.vetoed += others.vetoed
        self.products |= others.products
        self.readings |= others.readings


class Found(NamedTuple):
    """What some newcomers were found to be worth comparing with: other newcomers by place, and the
    living offers, compared."""

    pairs: list[tuple[int, int]]
    living: Scored


class Case(NamedTuple):
    """Newcomers by place whose groups have nothing to do with those of others, and what was found
    of them; `products` are those that they may come to."""

    places: list[int]
    likely: list[tuple[str, str, float]]
    vetoed: list[tuple[str, str, str]]
    products: set[str]


class Bundle(NamedTuple):
    """Cases that are decided in one go, with what is kept of living offers in them."""

    cases: list[Case]
    readings: dict[str, bytes]


class Share(Protocol):
    """How the parts of a run are done."""

    def each(
        self, work: Callable[[Scoring, _Part], _Done], parts: Sequence[_Part]
    ) -> Iterator[_Done]:
        """What `work` makes of each part, in their order."""
        ...


Begin = Callable[[LivingCatalogue, Run], Share]


class Alone:
    """All parts are done here."""

    def __init__(self, catalogue: LivingCatalogue, run: Run) -> None:
        self._scoring = Scoring(catalogue, run)

    def each(
        self, work: Callable[[Scoring, _Part], _Done], parts: Sequence[_Part]
    ) -> Iterator[_Done]:
        """What `work` makes of each part."""
        return (work(self._scoring, part) for part in parts)


class Scoring:
    """One process's share of a run."""

    def __init__(self, catalogue: LivingCatalogue, run: Run) -> None:
        self._catalogue = catalogue
        self._run = run
        self._candidates = Candidates(catalogue.index, run.contenders, run.vectors)
        self._rarity = Rarity(
            len(self._candidates), self._candidates.count, self._candidates.counts
        )
        self._itself = {each.offer_id for each in run.contenders}
        self._named = _named_by_stewards(run.ruled)

    @cached_property
    def _ambiguous(self) -> frozenset[str]:
        return self._candidates.ambiguous_gtins()

    @cached_property
    def _among(self) -> Comparison:
        return self.among_newcomers()

    def ambiguous(self, _: None) -> frozenset[str]:
        """GTINs of newcomers that name several things."""
        return self._ambiguous

    def found(self, places: Sequence[int]) -> Found:
        """Some newcomers, looked up and compared with what lives."""
        pairs, outer = all_pairs(self._candidates, places)
        return Found(pairs, self._living(places, outer))

    def compared(self, pairs: Sequence[tuple[int, int]]) -> Scored:
        """Newcomers with each other."""
        scored = Scored()
        scored.take(self._run.contenders, *self._among.scored(pairs))
        return scored

    def decided(self, bundle: Bundle) -> Decision:
        """Newcomers grouped, with the products that they may come to; of these only groups that
        change."""
        places = [place for case in bundle.cases for place in case.places]
        products = {product for case in bundle.cases for product in case.products}
        mine = [self._run.contenders[place] for place in places]
        there, ruled = self._catalogue.around(sorted(products), [each.offer_id for each in mine])
        living, table = contenders_of(there, self._run.vectors.shape[1], bundle.readings)
        kept = [place for place, each in enumerate(living) if each.offer_id not in self._itself]
        members = [living[place] for place in kept]
        contenders = mine + members
        comparison = self.comparison(contenders, _stacked(self._run.vectors[places], table[kept]))
        ruled = ruled if members else self._run.ruled
        of_product: dict[str | None, list[Contender]] = defaultdict(list)
        for each in members:
            of_product[each.product_id].append(each)
        whole = Decision([], [], [])
        for case in bundle.cases:
            beside = [each for product in sorted(case.products) for each in of_product[product]]
            whole.add(self._decided(case, beside, comparison, ruled))
        return whole

    def _decided(
        self, case: Case, there: Sequence[Contender], comparison: Comparison, ruled: Ruled
    ) -> Decision:
        contenders = [*(self._run.contenders[place] for place in case.places), *there]
        at = {each.offer_id: place for place, each in enumerate(contenders)}
        decision = comparison.decided(
            contenders,
            [Pair(at[one], at[other], by) for one, other, by in case.likely if other in at],
            case.vetoed,
            ruled,
            proposes=self._run.proposes,
        )
        groups = [group for group in decision.groups if group.evidence or group.merged]
        return Decision(groups, decision.reviews, decision.proposed)

    def comparison(self, contenders: list[Contender], table: NDArray[np.float32]) -> Comparison:
        """These contenders compared, with what this run knows. Only words keep their weights: kept
        for a whole run, offers would be all that were ever compared."""
        previous = {
            place: self._run.previous[each.offer_id]
            for place, each in enumerate(contenders)
            if each.offer_id in self._run.previous
        }
        ambiguous = self._ambiguous | ambiguous_gtins(contenders)
        self._rarity.forget_offers()
        self._rarity.measure([(each.features, each.pieces) for each in contenders if each.pieces])
        return Comparison(contenders, table, self._rarity, ambiguous, previous, self._run.model)

    def among_newcomers(self) -> Comparison:
        """The newcomers compared with each other."""
        return self.comparison(self._run.contenders, self._run.vectors)

    def candidates(self) -> list[tuple[int, int]]:
        """Pairs of newcomers worth comparing."""
        return all_pairs(self._candidates, range(len(self._run.contenders)))[0]

    def _living(self, places: Sequence[int], outer: Mapping[int, Sequence[Hit]]) -> Scored:
        """Compare newcomers with their living candidates, and with whom stewards named."""
        mine = self._run.contenders
        wanted = {
            place: dict.fromkeys(
                (
                    *(hit.offer_id for hit in outer.get(place, ())),
                    *self._named.get(mine[place].offer_id, ()),
                )
            )
            for place in places
        }
        ids = {other for others in wanted.values() for other in others} - self._itself
        readings = {
            hit.offer_id: hit.reading
            for hits in outer.values()
            for hit in hits
            if hit.reading and hit.offer_id in ids
        }
        asked = self._asked_ahead(places, ids)
        products = self._products(asked)
        living, table = contenders_kept(
            readings, products, self._others(ids - readings.keys()), self._run.vectors.shape[1]
        )
        here = [place for place in places if wanted[place]]
        at = {each.offer_id: len(here) + place for place, each in enumerate(living)}
        pairs = [
            (number, at[other])
            for number, place in enumerate(here)
            for other in wanted[place]
            if other in at
        ]
        contenders = [mine[place] for place in here] + living
        comparison = self.comparison(contenders, _stacked(self._run.vectors[here], table))
        scored = Scored(products=_ruled_products(living, self._run.ruled))
        found, vetoed = comparison.scored(pairs)
        likely = [pair for pair in found if pair.probability >= ASK]
        met = {contenders[pair.right].offer_id for pair in likely}
        products |= self._products(met & readings.keys() - asked)
        scored.take(contenders, likely, vetoed, readings, products)
        return scored

    def _asked_ahead(self, places: Sequence[int], ids: set[str]) -> set[str]:
        """Living offers whose product plays a part in the comparison; of the others it is asked
        only where they turn out to be like a newcomer."""
        if any(self._run.contenders[place].offer_id in self._run.previous for place in places):
            return ids
        return ids & self._named.keys()

    def _products(self, offer_ids: set[str]) -> dict[str, str]:
        return {**self._catalogue.products(sorted(offer_ids))} if offer_ids else {}

    def _others(self, offer_ids: set[str]) -> Sequence[LivingOffer]:
        return self._catalogue.offers(sorted(offer_ids)) if offer_ids else ()


def _named_by_stewards(ruled: Ruled) -> dict[str, list[str]]:
    """By offer, those that stewards put together with it."""
    named: dict[str, list[str]] = {}
    for one, other in ruled.together:
        named.setdefault(one, []).append(other)
        named.setdefault(other, []).append(one)
    return named


def _ruled_products(living: Sequence[Contender], ruled: Ruled) -> dict[str, str]:
    together = {offer_id for pair in ruled.together for offer_id in pair}
    return {
        each.offer_id: each.product_id
        for each in living
        if each.product_id and each.offer_id in together
    }


def _stacked(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    return np.concatenate([one, other]) if len(other) else one
