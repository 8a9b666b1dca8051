"""Which pairs are worth comparing: by identifiers, model codes and near titles, bounded.

New offers are paired with each other and with offers that are in the catalogue already, found by
indexed lookups: nothing is read that shares neither a key nor a near title.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mdm.match.features import Features
from mdm.match.living_catalogue import LivingCatalogue
from mdm.match.neighbours import nearest_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_BY_KEYS = 14
MAX_NEAR = 6
# A key that more offers share than this says nothing (GTINs and part numbers: than that).
COMMON = {"t": 60, "p": 40, "m": 200, "g": 400}
_STRENGTH = {"g": 8.0, "m": 5.0, "t": 2.0, "p": 1.0}


def common_above(key: str) -> int:
    """How many offers may share a key before it is too common to look up."""
    return COMMON[key[0]]


def pairs_within(features: Sequence[Features]) -> list[tuple[int, int]]:
    """Pairs of places that share a key, the best MAX_BY_KEYS of each offer."""
    holders: dict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(features):
        for key in each.keys():  # noqa: SIM118 - a method of Features, not of a mapping
            holders[key].append(place)
    strength: list[Counter[int]] = [Counter() for _ in features]
    for key, places in holders.items():
        if 1 < len(places) <= common_above(key):
            weight = _STRENGTH[key[0]] + len(key) / 10 + 1 / len(places)
            for one in places:
                for other in places:
                    if one != other:
                        strength[one][other] += weight  # type: ignore[assignment]
    return list(
        {
            (min(place, other), max(place, other))
            for place, others in enumerate(strength)
            for other, _ in _best(others, MAX_BY_KEYS)
        }
    )


def _best(others: Counter[int], count: int) -> list[tuple[int, float]]:
    ranked: list[tuple[int, float]] = sorted(others.items(), key=lambda each: (-each[1], each[0]))
    return ranked[:count]


def near_within(
    vectors: NDArray[Any], places: Sequence[int], count: int = MAX_NEAR
) -> list[tuple[int, int]]:
    """Pairs of each of these places with its nearest titles among all."""
    found = nearest_rows(vectors[list(places)], vectors, count + 1)
    return list(
        {
            (min(place, other), max(place, other))
            for place, others in zip(places, found, strict=True)
            for other in others
            if other != place
        }
    )


def known_by_keys(
    catalogue: LivingCatalogue, features: Mapping[str, Features]
) -> dict[str, list[str]]:
    """For each new offer id, the best catalogued offers that share a key with it."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for offer_id, each in features.items():
        for key in each.keys():  # noqa: SIM118
            wanted[key].append(offer_id)
    strength: dict[str, Counter[str]] = defaultdict(Counter)
    for key, known in catalogue.holders(wanted):
        if len(known) > common_above(key):
            continue
        weight = _STRENGTH[key[0]] + len(key) / 10 + 1 / len(known)
        for offer_id in wanted[key]:
            for other in known:
                if other != offer_id:
                    strength[offer_id][other] += weight  # type: ignore[assignment]
    return {
        offer_id: [
            other
            for other, _ in sorted(found.items(), key=lambda each: (-each[1], each[0]))[
                :MAX_BY_KEYS
            ]
        ]
        for offer_id, found in strength.items()
    }


def known_by_title(
    catalogue: LivingCatalogue, offer_ids: Sequence[str], vectors: NDArray[Any]
) -> dict[str, list[str]]:
    """For each new offer id, the catalogued offers with the nearest titles."""
    found = catalogue.nearest(vectors, MAX_NEAR)
    return {
        offer_id: [other for other in others if other != offer_id]
        for offer_id, others in zip(offer_ids, found, strict=True)
    }
