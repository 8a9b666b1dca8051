"""Cross-validation of the learned score: what it is worth on sets and products it never saw.

Pure but for the training itself. Figures are of pairs, at the threshold of the matcher.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from comptoir.matching_training.examples import Examples
from comptoir.matching_training.train import fit, predict
from mdm.evaluation.metrics import average_precision, of_counts
from mdm.match.decide import LIKELY

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FOLDS = 3

Parts = Sequence[tuple[Examples, float]]
Advance = Callable[[int], None]


def by_set(parts: Parts, advance: Advance) -> dict[str, dict[str, float]]:
    """Each set judged by a model that learnt from the others."""
    figures = {}
    for name in dict.fromkeys(part.source.name for part, _ in parts):
        others = [each for each in parts if each[0].source.name != name]
        if not others:
            continue
        model = fit(others)
        advance(1)
        for part, _ in parts:
            if part.source.name == name:
                scores = predict(model, part.rows)
                figures[part.source.truth.name] = _figures(part.labels, scores)
    return figures


def by_product(parts: Parts, advance: Advance) -> dict[str, dict[str, float]]:
    """Each product judged by models that never saw a pair of it, beside all other sets. Only sets
    of clusters tell products."""
    import numpy as np

    figures = {}
    for place, (part, weight) in enumerate(parts):
        if part.source.is_of_pairs:
            continue
        others = [each for at, each in enumerate(parts) if at != place and not _shares(each, part)]
        products = sorted(set(part.groups))
        fold = dict(zip(products, np.arange(len(products)) % FOLDS, strict=True))
        folds = np.array([fold[each] for each in part.groups])
        scores = np.zeros(len(part.labels))
        for number in range(FOLDS):
            is_held = folds == number
            model = fit([*others, (_some(part, ~is_held), weight)])
            scores[is_held] = predict(model, part.rows[is_held])
            advance(1)
        figures[part.source.truth.name] = _figures(part.labels, scores)
    return figures


def _shares(each: tuple[Examples, float], part: Examples) -> bool:
    """Pairs of the same offers would let a held product through by the back door."""
    return each[0].source.offers == part.source.offers


def _some(part: Examples, mask: NDArray[np.bool_]) -> Examples:
    return replace(part, rows=part.rows[mask], labels=part.labels[mask], groups=part.groups[mask])


def _figures(labels: NDArray[np.int8], scores: NDArray[np.float64]) -> dict[str, float]:
    import numpy as np

    joined = 1 / (1 + np.exp(-scores)) >= LIKELY
    hits = int((joined & (labels == 1)).sum())
    found = of_counts(hits, int(joined.sum()), int(labels.sum()))
    return {
        "precision": round(found.precision, 3),
        "recall": round(found.recall, 3),
        "f1": round(found.f1, 3),
        "average_precision": round(average_precision(scores.tolist(), labels == 1), 3),
    }
