"""A run that learns from a set's own training pairs before it judges others of the same set.

What such pairs show is true of their two shops only: their prices, their habits of naming editions
and makers. So this model is thrown away with the run; the shipped one never sees these numbers.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comptoir.matching_training.own_evidence import OwnEvidence
from comptoir.matching_training.train import PARAMETERS, lightgbm_module
from mdm.evaluation.metrics import Figures, average_precision, of_counts
from mdm.evaluation.plain_form import LabelledPair
from mdm.evaluation.run import Progress, cost, understand
from mdm.match.comparison import Comparison
from mdm.match.decide import LIKELY
from mdm.match.neighbours import TitleEncoder
from mdm.normalise.text import folded
from mdm.raw_offer import RawOffer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SEEDS = (1, 2, 3, 4, 5)
TREES = 300
FOLDS = 8
DIGITS = 9
# With less than this to learn from, the shipped model is the better judge.
FEWEST_PAIRS = 40
FEWEST_ALIKE = 7
"""So many pairs of one product, and so many of two."""
_OWN = {
    "num_leaves": 24,
    "min_data_in_leaf": 10,
    "learning_rate": 0.04,
    "max_depth": 8,
    "feature_fraction": 0.4,
}
_GRAM = 4


@dataclass(frozen=True, slots=True)
class Split:
    """Pairs to learn from, pairs to choose the threshold by (may be empty), pairs to judge."""

    train: Sequence[LabelledPair]
    valid: Sequence[LabelledPair]
    judged: Sequence[LabelledPair]


def evaluate_split(
    offers: Sequence[RawOffer],
    split: Split,
    encoder: TitleEncoder,
    progress: Progress,
) -> dict[str, Any]:
    """Figures of the judged pairs. `trained_on` is 0 where there was too little to learn from, and
    the shipped model judged. DomainError `training_needs_library` without lightgbm."""
    started = time.perf_counter()
    lightgbm = lightgbm_module()
    numbers = _Numbers(offers, encoder, progress)
    train = numbers.understood(split.train)
    if _teach_enough(train):
        least, judged = _learnt(lightgbm, numbers, train, split, progress)
    else:
        train = []
        least, judged = LIKELY, numbers.shipped(split.judged)
    labelled = [pair.is_match for pair in split.judged]
    figures = _figures(judged, labelled, least)
    return {
        "precision": round(figures.precision, 4),
        "recall": round(figures.recall, 4),
        "f1": round(figures.f1, 4),
        "average_precision": round(average_precision(judged.tolist(), labelled), 4),
        "threshold": round(least, 3),
        "trained_on": len(train),
        "pairs": len(split.judged),
        "offers": len(offers),
        **cost(started),
    }


def _teach_enough(pairs: Sequence[LabelledPair]) -> bool:
    matches = sum(each.is_match for each in pairs)
    return len(pairs) >= FEWEST_PAIRS and FEWEST_ALIKE <= matches <= len(pairs) - FEWEST_ALIKE


def _learnt(
    lightgbm: Any,
    numbers: _Numbers,
    train: Sequence[LabelledPair],
    split: Split,
    progress: Progress,
) -> tuple[float, NDArray[np.float64]]:
    """(threshold, scores of the judged pairs). What could not be read is never one product."""
    import numpy as np

    rows, labels = numbers.of(train)
    models = []
    for count, seed in enumerate(SEEDS):
        progress("learning", count, len(SEEDS))
        models.append(_fit(lightgbm, rows, labels, seed))

    def scores(pairs: Sequence[LabelledPair]) -> NDArray[np.float64]:
        found = np.zeros(len(pairs))
        given, _ = numbers.of(numbers.understood(pairs))
        if len(given):
            read = [numbers.knows(pair) for pair in pairs]
            found[read] = sum(model.predict(given, num_threads=1) for model in models) / len(models)
        return found

    if split.valid:
        least = _best_threshold(scores(split.valid), split.valid)
    else:
        least = _best_threshold(_held_out(lightgbm, rows, labels), train)
    return least, scores(split.judged)


def _fit(lightgbm: Any, rows: NDArray[np.float64], labels: NDArray[np.int8], seed: int) -> Any:
    data = lightgbm.Dataset(rows, labels)
    return lightgbm.train({**PARAMETERS, **_OWN, "seed": seed}, data, TREES)


def _held_out(
    lightgbm: Any, rows: NDArray[np.float64], labels: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Scores of the training pairs by models that did not see them."""
    import numpy as np

    folds = np.arange(len(labels)) % FOLDS
    scores = np.zeros(len(labels))
    for fold in range(FOLDS):
        held = folds == fold
        model = _fit(lightgbm, rows[~held], labels[~held], SEEDS[0])
        scores[held] = model.predict(rows[held], num_threads=1)
    return scores


class _Numbers:
    """The evidence of pairs, with what can only be learnt from the set itself."""

    def __init__(
        self, offers: Sequence[RawOffer], encoder: TitleEncoder, progress: Progress
    ) -> None:
        self._understood = understand(offers, encoder, progress)
        self._comparison: Comparison = self._understood.matching.among_newcomers()
        self._own = OwnEvidence(offers)
        self._grams = {each.sku: _grams(each) for each in offers}
        counts = Counter(gram for grams in self._grams.values() for gram in grams)
        self._weights = {
            gram: math.log(len(offers) / (count + 1)) + 1 for gram, count in counts.items()
        }
        self._lengths = {
            sku: math.sqrt(sum(self._weights[gram] ** 2 for gram in grams))
            for sku, grams in self._grams.items()
        }

    def of(self, pairs: Sequence[LabelledPair]) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
        """Rows with labels; the last column is what the shipped model thinks, identifiers and
        vetoes included: a little training moves little."""
        import numpy as np

        known = [self._places(each) for each in pairs]
        evidence = self._comparison.every_row(known)
        rows = [
            [*row, self._letters(pair), *self._own.of(pair.left, pair.right), by]
            for row, pair, by in zip(evidence, pairs, self.shipped(pairs), strict=True)
        ]
        # Sums of a set's members differ in the last digits from run to run; trees would notice.
        return np.array(rows, dtype=np.float64).round(DIGITS), np.array(
            [each.is_match for each in pairs], dtype=np.int8
        )

    def shipped(self, pairs: Sequence[LabelledPair]) -> NDArray[np.float64]:
        """How likely the shipped model thinks each pair; 0 where an offer could not be read."""
        import numpy as np

        likely = self._comparison.probability_of
        return np.array(
            [likely(*self._places(each)) if self.knows(each) else 0.0 for each in pairs]
        )

    def knows(self, pair: LabelledPair) -> bool:
        """Whether both offers could be read: one without a title cannot."""
        return pair.left in self._understood.places and pair.right in self._understood.places

    def understood(self, pairs: Sequence[LabelledPair]) -> list[LabelledPair]:
        """Those of which both offers could be read."""
        return [each for each in pairs if self.knows(each)]

    def _places(self, pair: LabelledPair) -> tuple[int, int]:
        return self._understood.places[pair.left], self._understood.places[pair.right]

    def _letters(self, pair: LabelledPair) -> float:
        """Cosine of the short runs of letters in both titles, by rarity."""
        shared = self._grams[pair.left] & self._grams[pair.right]
        length = self._lengths[pair.left] * self._lengths[pair.right]
        return sum(self._weights[gram] ** 2 for gram in shared) / length if length else 0.0


def _grams(offer: RawOffer) -> frozenset[str]:
    text = f" {' '.join(folded(offer.title or '')[:300].split())} "
    return frozenset(text[at : at + _GRAM] for at in range(len(text) - _GRAM + 1))


def _best_threshold(scores: NDArray[np.float64], pairs: Sequence[LabelledPair]) -> float:
    labels = [pair.is_match for pair in pairs]
    tried = [step / 100 for step in range(10, 91)]
    return max(tried, key=lambda least: (_figures(scores, labels, least).f1, -abs(least - 0.5)))


def _figures(scores: NDArray[np.float64], labels: Sequence[bool], least: float) -> Figures:
    joined = scores >= least
    hits = sum(1 for one, other in zip(joined, labels, strict=True) if one and other)
    return of_counts(hits, int(joined.sum()), sum(labels))
