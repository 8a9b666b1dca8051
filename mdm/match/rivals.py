"""Who fits two variants says too little itself, and is put before a person. Pure.

Where a catalogue holds a processor boxed and loose, an offer that says neither is likely to be
both; so is whoever joins it. What settles it is an identifier, or a person (docs/matching-card.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations

from mdm.match.decision import Contender, Veto

MAX_RIVALS = 20
"""The nearest offers of each that are looked at."""


class Rivals:
    """Contenders by their places, each with those that it is likely to be one product with."""

    def __init__(self, contenders: Sequence[Contender], veto: Veto) -> None:
        self._all = contenders
        self._veto = veto
        self._near: dict[int, list[int]] = defaultdict(list)
        self._torn: dict[int, str | None] = {}

    def meet(self, pairs: Iterable[tuple[int, int]]) -> None:
        """The likely pairs of places, nearest first."""
        for one, other in pairs:
            for each, beside in ((one, other), (other, one)):
                if len(self._near[each]) < MAX_RIVALS:
                    self._near[each].append(beside)

    def doubt(self, one: int, other: int) -> str | None:
        """Why a person has to look before these two come together."""
        for each, beside in ((one, other), (other, one)):
            for rival in self._near[each]:
                why = rival != beside and self._veto(self._all[rival], self._all[beside])
                if why:
                    return f"it fits {self._all[rival].offer_id} as well ({why})"
        left, right = self._all[one].features, self._all[other].features
        if left.gtins & right.gtins or left.mpns & right.mpns:
            return None
        return self._torn_between(one) or self._torn_between(other)

    def _torn_between(self, place: int) -> str | None:
        if place not in self._torn:
            self._torn[place] = self._find_torn(place)
        return self._torn[place]

    def _find_torn(self, place: int) -> str | None:
        for left, right in combinations(self._near[place], 2):
            one, other = self._all[left], self._all[right]
            why = self._veto(one, other)
            if why:
                return f"{self._all[place].offer_id} fits two that are not one ({why})"
        return None
