"""Matching new and changed offers against the living catalogue: asks it, writes nothing.

Only what shares a key or a near title with a newcomer is read; the rest of the catalogue is left
alone. What comes out are groups, each an existing product or a new one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mdm.match.candidates import known_by_keys, known_by_title, near_within, pairs_within
from mdm.match.decide import Contender, Group, Pair, decide
from mdm.match.features import Features, offer_features
from mdm.match.living_catalogue import LivingCatalogue
from mdm.match.rarity import Rarity
from mdm.match.score import explain, probability
from mdm.match.vetoes import veto

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# An offer that has this many partners by keys is not looked up by its title as well.
ENOUGH_BY_KEYS = 8
# A changed offer stays where it was unless the evidence speaks against it.
STAYS = 1.0
# Titles further apart than this, without a shared key, are not worth a comparison.
TOO_FAR = 0.3


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
) -> list[Group]:
    """Group newcomers with each other and with existing products."""
    features = [offer_features(each.title, each.facts) for each in newcomers]
    contenders = [
        Contender(each.offer_id, each.merchant_id, each.condition, found)
        for each, found in zip(newcomers, features, strict=True)
    ]
    inner = _inner_pairs(features, vectors)
    wanted = _catalogued(catalogue, newcomers, features, vectors)
    existing, existing_vectors = _members(catalogue, wanted, newcomers)
    places = {each.offer_id: len(newcomers) + at for at, each in enumerate(existing)}
    outer = [
        (place, places[other])
        for place, each in enumerate(newcomers)
        for other in wanted.get(each.offer_id, ())
        if other in places
    ]
    contenders += existing
    table = _stacked(vectors, existing_vectors)
    comparison = _Comparison(
        contenders,
        table,
        _rarity(catalogue, features, existing),
        _ambiguous_gtins(contenders),
        {place: each.previous for place, each in enumerate(newcomers) if each.previous},
    )
    return comparison.groups(sorted(inner) + outer)


def _inner_pairs(
    features: Sequence[Features], vectors: NDArray[np.float32]
) -> set[tuple[int, int]]:
    pairs = set(pairs_within(features))
    partners = Counter(place for pair in pairs for place in pair)
    lonely = [place for place in range(len(features)) if partners[place] < ENOUGH_BY_KEYS]
    return pairs | set(near_within(vectors, lonely)) if lonely else pairs


def _catalogued(
    catalogue: LivingCatalogue,
    newcomers: Sequence[Newcomer],
    features: Sequence[Features],
    vectors: NDArray[np.float32],
) -> dict[str, list[str]]:
    """Existing offers worth comparing, for each newcomer."""
    ids = [each.offer_id for each in newcomers]
    by_keys = known_by_keys(catalogue, dict(zip(ids, features, strict=True)))
    by_title = known_by_title(catalogue, ids, vectors)
    itself = set(ids)
    return {
        each: [
            other
            for other in dict.fromkeys([*by_keys.get(each, []), *by_title.get(each, [])])
            if other not in itself
        ]
        for each in ids
    }


def _members(
    catalogue: LivingCatalogue, wanted: Mapping[str, Sequence[str]], newcomers: Sequence[Newcomer]
) -> tuple[list[Contender], NDArray[np.float32]]:
    """All live offers of the products that the wanted offers belong to, with their vectors."""
    ids = sorted({other for others in wanted.values() for other in others})
    return catalogue.members(ids, without=[each.offer_id for each in newcomers])


def _stacked(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    return np.concatenate([one, other]) if len(other) else one


def _rarity(
    catalogue: LivingCatalogue, features: Iterable[Features], existing: Iterable[Contender]
) -> Rarity:
    """Weights of all words in play, by how many offers of the catalogue and this batch use them."""
    counts = word_counts(features)
    words = set(counts)
    for each in existing:
        words |= each.features.words | each.features.all_codes
    counts.update(catalogue.word_counts(words))
    return Rarity(counts.pop("", 0), counts)


def word_counts(features: Iterable[Features]) -> Counter[str]:
    """How many titles use each word; the empty word counts the titles."""
    counts: Counter[str] = Counter()
    for each in features:
        counts.update(each.words | each.all_codes)
        counts[""] += 1
    return counts


def _ambiguous_gtins(contenders: Iterable[Contender]) -> frozenset[str]:
    """GTINs under which one merchant sells several things in the same condition."""
    sold: dict[tuple[str, str, str], int] = defaultdict(int)
    for each in contenders:
        for gtin in each.features.gtins:
            sold[each.merchant_id, each.condition, gtin] += 1
    return frozenset(gtin for (_, _, gtin), count in sold.items() if count > 1)


class _Comparison:
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

    def groups(self, candidates: Sequence[tuple[int, int]]) -> list[Group]:
        pairs: list[Pair] = []
        vetoed: list[tuple[int, int, str]] = []
        for (left, right), cosine in zip(candidates, self._cosines(candidates), strict=True):
            one, other = self._contenders[left].features, self._contenders[right].features
            if cosine < TOO_FAR and not _share_a_key(one, other):
                continue
            reason = veto(one, other)
            if reason is None:
                pairs.append(Pair(left, right, self._score(left, right, cosine)))
            elif cosine > 0.5 or one.gtins & other.gtins:
                vetoed.append((left, right, reason))
        return decide(self._contenders, pairs, vetoed, self._compare, self._explain)

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

    def _explain(self, one: Contender, other: Contender) -> list[tuple[str, float]]:
        left, right = self._place[one], self._place[other]
        cosine = float(self._table[left] @ self._table[right])
        pieces = explain(one.features, other.features, cosine, self._rarity, self._ambiguous)
        stays = self._stays(left, right)
        return [*pieces, ("was there before", stays)] if stays else pieces

    def _stays(self, left: int, right: int) -> float:
        """A changed offer that meets one of the product that it was in."""
        was = self._previous.get(left)
        return STAYS if was and self._contenders[right].product_id == was else 0.0


def _share_a_key(one: Features, other: Features) -> bool:
    return bool(one.gtins & other.gtins or one.mpns & other.mpns or one.all_codes & other.all_codes)
