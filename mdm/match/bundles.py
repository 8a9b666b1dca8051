"""Newcomers parted into bundles that can be decided apart: nothing that one holds may come to a
group of another. Pure, and the same for the same newcomers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

from mdm.match.decision import Contender, Ruled
from mdm.match.scoring import Bundle, Scored

LARGE = 1_000
"""Newcomers of a bundle, unless more of them hang together."""


def bundles(contenders: Sequence[Contender], scored: Scored, ruled: Ruled) -> list[Bundle]:
    """Every newcomer in one bundle, with all that was found of it."""
    end_of = _Ends()
    for one, other, _ in scored.likely:
        end_of.join(one, scored.products.get(other, other))
    for one, other in ruled.together:
        end_of.join(scored.products.get(one, one), scored.products.get(other, other))
    places: dict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(contenders):
        places[end_of(each.offer_id)].append(place)
    return _filled(list(_packs(places)), contenders, scored, end_of)


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


def _packs(places: dict[str, list[int]]) -> Iterator[dict[str, list[int]]]:
    pack: dict[str, list[int]] = {}
    size = 0
    for end, some in places.items():
        if pack and size + len(some) > LARGE:
            yield pack
            pack, size = {}, 0
        pack[end] = some
        size += len(some)
    if pack:
        yield pack


def _filled(
    packs: Sequence[dict[str, list[int]]],
    contenders: Sequence[Contender],
    scored: Scored,
    end_of: _Ends,
) -> list[Bundle]:
    """Each with what was found of its newcomers."""
    found = [Bundle([*chain(*pack.values())], [], [], set(), {}) for pack in packs]
    number_of = {end: number for number, pack in enumerate(packs) for end in pack}
    here = {each.offer_id for each in contenders}
    for pair in scored.likely:
        found[number_of[end_of(pair[0])]].likely.append(pair)
    for told in scored.vetoed:
        for number in {number_of[end_of(each)] for each in told[:2] if each in here}:
            found[number].vetoed.append(told)
    for offer_id, product_id in sorted(scored.products.items()):
        if (end := end_of(product_id)) in number_of:
            bundle = found[number_of[end]]
            bundle.products.add(product_id)
            if offer_id in scored.readings:
                bundle.readings[offer_id] = scored.readings[offer_id]
    return found
