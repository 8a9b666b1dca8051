"""Newcomers parted into bundles, and these into cases that are decided apart: nothing that one
holds may come to a group of another. Pure, and the same for the same newcomers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mdm.match.decision import Contender, Ruled
from mdm.match.living_catalogue import Readings
from mdm.match.scoring import Bundle, Case, Scored

LARGE = 1_000
"""Newcomers of a bundle, unless more of them hang together."""


def bundles(contenders: Sequence[Contender], scored: Scored, ruled: Ruled) -> list[Bundle]:
    """Every newcomer in one case, with all that was found of it."""
    end_of = _Ends()
    for one, other, _ in scored.likely:
        end_of.join(one, scored.products.get(other, other))
    for one, other in ruled.together:
        end_of.join(scored.products.get(one, one), scored.products.get(other, other))
    cases: dict[str, Case] = defaultdict(lambda: Case([], [], [], set()))
    for place, each in enumerate(contenders):
        cases[end_of(each.offer_id)].places.append(place)
    for pair in scored.likely:
        cases[end_of(pair[0])].likely.append(pair)
    here = {each.offer_id for each in contenders}
    for told in scored.vetoed:
        for end in {end_of(each) for each in told[:2] if each in here}:
            cases[end].vetoed.append(told)
    for product_id in scored.products.values():
        if (end := end_of(product_id)) in cases:
            cases[end].products.add(product_id)
    return list(_bundled(cases.values(), scored))


class _Ends:
    """What hangs together, by one of it."""

    def __init__(self) -> None:
        self._next: dict[str, str] = {}

    def __call__(self, each: str) -> str:
        while (onward := self._next.get(each, each)) != each:
            self._next[each] = self._next.get(onward, onward)
            each = onward
        return each

    def join(self, one: str, other: str) -> None:
        low, high = sorted((self(one), self(other)))
        self._next[high] = low


def _bundled(cases: Iterable[Case], scored: Scored) -> Iterator[Bundle]:
    offers: dict[str, list[str]] = defaultdict(list)
    for offer_id, product_id in scored.products.items():
        offers[product_id].append(offer_id)
    bundle: list[Case] = []
    size = 0
    for case in cases:
        if bundle and size + len(case.places) > LARGE:
            yield _with_readings(bundle, offers, scored.readings)
            bundle, size = [], 0
        bundle.append(case)
        size += len(case.places)
    if bundle:
        yield _with_readings(bundle, offers, scored.readings)


def _with_readings(
    cases: list[Case], offers: Mapping[str, list[str]], readings: Readings
) -> Bundle:
    held = (each for case in cases for product in case.products for each in offers[product])
    return Bundle(cases, {each: readings[each] for each in held if each in readings})
