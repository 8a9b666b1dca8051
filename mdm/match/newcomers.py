"""Matching new and changed offers against the living catalogue: asks it, writes nothing.

Only what shares a key or a near title with a newcomer is read; the rest of the catalogue is left
alone. What comes out are groups, each an existing product or a new one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mdm.match.candidates import known_by_keys, known_by_title, near_within, pairs_within
from mdm.match.comparison import Comparison, ambiguous_gtins
from mdm.match.decide import Contender, Group
from mdm.match.features import Features, offer_features
from mdm.match.living_catalogue import LivingCatalogue
from mdm.match.rarity import Rarity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# An offer that has this many partners by keys is not looked up by its title as well.
ENOUGH_BY_KEYS = 8


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
    prepared = prepare(catalogue, newcomers, vectors)
    return prepared.comparison.decision(prepared.candidates).groups


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything read that a run needs. Places below len(newcomers) are theirs, in their order."""

    comparison: Comparison
    candidates: Sequence[tuple[int, int]]


def prepare(
    catalogue: LivingCatalogue, newcomers: Sequence[Newcomer], vectors: NDArray[np.float32]
) -> Prepared:
    """Find what is worth comparing. `vectors` are those of the newcomers' titles."""
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
    comparison = Comparison(
        contenders,
        table,
        _rarity(catalogue, features, existing),
        ambiguous_gtins(contenders),
        {place: each.previous for place, each in enumerate(newcomers) if each.previous},
    )
    return Prepared(comparison, sorted(inner) + outer)


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
    return Rarity(counts.pop("", 0), counts.__getitem__)


def word_counts(features: Iterable[Features]) -> Counter[str]:
    """How many titles use each word; the empty word counts the titles."""
    counts: Counter[str] = Counter()
    for each in features:
        counts.update(each.words | each.all_codes)
        counts[""] += 1
    return counts
