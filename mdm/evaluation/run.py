"""The product's own matcher on a set whose truth is known: the way of ingestion without a database.

Offers go through the normaliser, the encoder and `mdm.match` exactly as landed ones do. What the
normaliser refuses stays alone, as it would stay out of the catalogue.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from mdm.evaluation.metrics import (
    Figures,
    average_precision,
    bcubed,
    of_counts,
    pair_figures,
    recall_of_candidates,
)
from mdm.evaluation.plain_form import LabelledPair
from mdm.match.comparison import Comparison
from mdm.match.decide import LIKELY
from mdm.match.decision import Contender
from mdm.match.ensemble import Ensemble
from mdm.match.living_catalogue import EmptyCatalogue, LivingCatalogue
from mdm.match.neighbours import TitleEncoder
from mdm.match.newcomers import Matching, Newcomer
from mdm.match.scoring import Alone, Run, Scoring
from mdm.merchants import Merchant
from mdm.normalise.offer import normalise
from mdm.normalise.refused import RefusedError
from mdm.offer_rows import facts_of
from mdm.raw_offer import RawOffer
from mdm.unique_items import seat

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many of its parts are done, and of how many."""
_STAGES: Mapping[Callable[..., Any], str] = {
    Scoring.found: "looking for candidates",
    Scoring.compared: "comparing",
    Scoring.decided: "deciding",
}
_PAIRS_AT_ONCE = 500
_Part = TypeVar("_Part")
_Done = TypeVar("_Done")


def _silent(_: str, __: int, ___: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Understood:
    """The offers of a set that the matcher can see; `places` of newcomers by id."""

    newcomers: list[Newcomer]
    places: Mapping[str, int]
    matching: Matching


def evaluate_clusters(
    offers: Sequence[RawOffer],
    truth: Mapping[str, str],
    encoder: TitleEncoder,
    progress: Progress = _silent,
    model: Ensemble | None = None,
) -> dict[str, Any]:
    """Match all offers from nothing and compare with the true products of those in `truth`.

    `auto` is what is merged with nobody looking; `pair` and `bcubed` are of the matcher's whole
    answer, with the likely questions of the middle band taken as it would answer them.
    """
    started = time.perf_counter()
    understood = understand(offers, encoder, progress, model)
    decision = understood.matching.decision()
    merged = _products(offers, (group.members for group in decision.groups))
    proposed = _products(offers, decision.proposed)
    asked = {each.offer_id for each in decision.reviews}
    ids = [each.offer_id for each in understood.newcomers]
    compared = [(ids[left], ids[right]) for left, right in understood.matching.compared]
    auto = pair_figures(merged, truth)
    return {
        **_named("pair", pair_figures(proposed, truth)),
        **_named("bcubed", bcubed(proposed, truth)),
        "auto_precision": round(auto.precision, 4),
        "auto_recall": round(auto.recall, 4),
        "candidate_recall_at_30": round(recall_of_candidates(compared, truth), 4),
        "candidates_per_offer": round(2 * len(compared) / max(len(ids), 1), 1),
        "steward_share": round(len(asked) / max(len(ids), 1), 4),
        "offers": len(offers),
        **cost(started),
    }


def _products(offers: Sequence[RawOffer], groups: Iterable[Sequence[Contender]]) -> dict[str, str]:
    """The product of each offer; one that was refused stays alone."""
    found = {offer.sku: f"alone {offer.sku}" for offer in offers}
    for number, members in enumerate(groups):
        found.update((each.offer_id, str(number)) for each in members)
    return found


def evaluate_pairs(
    offers: Sequence[RawOffer],
    pairs: Sequence[LabelledPair],
    encoder: TitleEncoder,
    progress: Progress = _silent,
    model: Ensemble | None = None,
) -> dict[str, Any]:
    """Judge the given pairs with the threshold of ingestion."""
    started = time.perf_counter()
    understood = understand(offers, encoder, progress, model)
    comparison = understood.matching.among_newcomers()
    scores = []
    for count, pair in enumerate(pairs):
        if count % _PAIRS_AT_ONCE == 0:
            progress("comparing", count, len(pairs))
        scores.append(_score(understood.places, comparison, pair))
    joined = [score >= LIKELY for score in scores]
    labels = [pair.is_match for pair in pairs]
    figures = of_counts(
        sum(1 for one, other in zip(joined, labels, strict=True) if one and other),
        sum(joined),
        sum(labels),
    )
    return {
        "precision": round(figures.precision, 4),
        "recall": round(figures.recall, 4),
        "f1": round(figures.f1, 4),
        "average_precision": round(average_precision(scores, labels), 4),
        "pairs": len(pairs),
        "offers": len(offers),
        **cost(started),
    }


def _score(places: Mapping[str, int], comparison: Comparison, pair: LabelledPair) -> float:
    left, right = places.get(pair.left), places.get(pair.right)
    return 0.0 if left is None or right is None else comparison.probability_of(left, right)


def understand(
    offers: Sequence[RawOffer],
    encoder: TitleEncoder,
    progress: Progress = _silent,
    model: Ensemble | None = None,
) -> Understood:
    """Offers read as landed ones are, ready to be matched; by another model than the shipped one
    where one is given."""
    now = datetime.now(UTC)
    newcomers = []
    # As landed offers are taken up: by their keys, so that the order of the file plays no part.
    for count, offer in enumerate(sorted(offers, key=lambda each: each.sku)):
        if count % _PAIRS_AT_ONCE == 0:
            progress("reading", count, len(offers))
        merchant = Merchant("set", "set", "GB", currency="EUR", source={"prices": "optional"})
        try:
            # The matcher knows no prices: an odd one in a set says nothing about it.
            normal = normalise(replace(offer, price=None, currency=None), merchant, now)
        except RefusedError:
            continue
        place = seat(normal.condition.value, normal.grade, offer.sku)
        if not offer.seller:
            # Where a set names no merchants, nobody knows that two offers are of one.
            place = f"{place}/{offer.sku}"
        newcomers.append(
            Newcomer(offer.sku, normal.merchant_id, place, normal.title, facts_of(normal))
        )
    vectors = encoder.encode([each.title for each in newcomers])
    matching = Matching(
        EmptyCatalogue(), newcomers, vectors, model, begin=partial(_Watched, progress)
    )
    places = {each.offer_id: place for place, each in enumerate(newcomers)}
    return Understood(newcomers, places, matching)


class _Watched:
    """All parts of a run are done here, and counted."""

    def __init__(self, progress: Progress, catalogue: LivingCatalogue, run: Run) -> None:
        self._progress = progress
        self._alone = Alone(catalogue, run)

    def each(
        self, work: Callable[[Scoring, _Part], _Done], parts: Sequence[_Part]
    ) -> Iterator[_Done]:
        """What `work` makes of each part."""
        stage = _STAGES.get(work)
        for count, done in enumerate(self._alone.each(work, parts), 1):
            if stage is not None:
                self._progress(stage, count, len(parts))
            yield done


def _named(prefix: str, figures: Figures) -> dict[str, float]:
    return {
        f"{prefix}_precision": round(figures.precision, 4),
        f"{prefix}_recall": round(figures.recall, 4),
        f"{prefix}_f1": round(figures.f1, 4),
    }


def cost(started: float) -> dict[str, float]:
    """Seconds since `started`, and the peak of this process in MiB."""
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": round(time.perf_counter() - started, 1),
        "peak_mb": round(peak_kb / 1024, 1),
    }
