"""Matching new and changed offers against the living catalogue: asks it, writes nothing.

Only what shares telling pieces with a newcomer is read, a bounded number at a time; the other
offers of a product only where one of its offers may belong with a newcomer. The rest of the
catalogue is left alone. Parts of a run are the same whoever does them, so the decision is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mdm.match.bundles import bundles
from mdm.match.comparison import Comparison
from mdm.match.decision import Contender, Decision
from mdm.match.ensemble import Ensemble
from mdm.match.features import offer_features
from mdm.match.living_catalogue import LivingCatalogue
from mdm.match.scoring import Alone, Begin, Run, Scored, Scoring

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNK = 100
"""So many newcomers' candidates are in memory at once."""
_PAIRS = 16_384


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
    catalogue: LivingCatalogue,
    newcomers: Sequence[Newcomer],
    vectors: NDArray[np.float32],
    begin: Begin = Alone,
) -> Decision:
    """Group newcomers with each other and with existing products; `begin` says who does it. Nothing
    is proposed."""
    matching = Matching(catalogue, newcomers, vectors, begin=begin, proposes=False)
    return matching.decision()


class Matching:
    """One run of the matcher. Places are those of the newcomers, in their order."""

    def __init__(
        self,
        catalogue: LivingCatalogue,
        newcomers: Sequence[Newcomer],
        vectors: NDArray[np.float32],
        model: Ensemble | None = None,
        *,
        begin: Begin = Alone,
        proposes: bool = True,
    ) -> None:
        self._catalogue = catalogue
        self._begin = begin
        self._titles = [each.title for each in newcomers]
        self.contenders = [
            Contender(
                each.offer_id,
                each.merchant_id,
                each.condition,
                offer_features(each.title, each.facts),
            )
            for each in newcomers
        ]
        previous = {each.offer_id: each.previous for each in newcomers if each.previous}
        ruled = catalogue.ruled([each.offer_id for each in newcomers])
        self._run = Run(self.contenders, vectors, previous, ruled, model, proposes)
        self.compared: list[tuple[int, int]] = []
        """Pairs of newcomers that were found worth comparing."""

    def among_newcomers(self) -> Comparison:
        """The newcomers compared with each other."""
        return Scoring(self._catalogue, self._run).among_newcomers()

    def candidates(self) -> list[tuple[int, int]]:
        """Pairs of newcomers worth comparing."""
        return Scoring(self._catalogue, self._run).candidates()

    def decision(self) -> Decision:
        """What is merged, what is asked, what stays alone."""
        share = self._begin(self._catalogue, self._run)
        (ambiguous,) = share.each(Scoring.ambiguous, [None])
        # Near titles come together, so that what they share is read once.
        order = sorted(range(len(self.contenders)), key=self._titles.__getitem__)
        pairs: set[tuple[int, int]] = set()
        living, scored = Scored(), Scored()
        for found in share.each(Scoring.found, _parts(order, CHUNK)):
            pairs.update(found.pairs)
            living.add(found.living)
        self.compared = sorted(pairs)
        for inner in share.each(Scoring.compared, _parts(self.compared, _PAIRS)):
            scored.add(inner)
        scored.add(living)
        whole = Decision([], [], [])
        for part in share.each(Scoring.decided, bundles(self.contenders, scored, self._run.ruled)):
            whole.add(part)
        self._tell_of_namesakes(whole, ambiguous)
        return whole

    def _tell_of_namesakes(self, decision: Decision, ambiguous: frozenset[str]) -> None:
        """Offers of one merchant are never compared: what they share and cannot share is told; so
        is a title that many carry and that therefore names nothing."""
        titles = Counter(map(_own_title, self.contenders))
        carried = Counter(each.features.reading.text for each in self.contenders)
        for group in decision.groups:
            for each in group.members:
                evidence = group.evidence.get(each.offer_id)
                if evidence is None:
                    continue
                shared = sorted(each.features.gtins & ambiguous)
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


def _parts(some: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [some[start : start + size] for start in range(0, len(some), size)]
