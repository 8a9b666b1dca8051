"""Sets in the plain form -> rows of evidence with labels and groups, as the matcher sees them.

A set of clusters gives the pairs that the matcher's own search for candidates finds; a set of pairs
gives those. Groups keep what belongs together (a category, a product) on one side of a split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kernel.embedding.encoder import Encoder
from mdm.evaluation.plain_form import read_clusters, read_offers, read_pairs
from mdm.match.evidence import evidence
from mdm.match.features import Features, offer_features
from mdm.match.rarity import Rarity
from mdm.match.term_index import TermIndex
from mdm.match.vetoes import veto
from mdm.raw_offer import RawOffer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CANDIDATES = 24


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows [n, evidence], labels [n] of 0 and 1, and the group of each row."""

    name: str
    rows: NDArray[np.float32]
    labels: NDArray[np.int8]
    groups: tuple[str, ...]


def examples(name: str, offers: Path, truth: Path, encoder: Encoder) -> Examples:
    """Read one set; `truth` holds pairs where its name says so, else clusters."""
    import numpy as np

    stated = read_offers(offers)
    features = {each.sku: _features(each) for each in stated}
    places = {each.sku: place for place, each in enumerate(stated)}
    rarity, index = _learn(features)
    if "pairs" in truth.name:
        pairs = [(p.left, p.right, p.is_match) for p in read_pairs(truth, set(features))]
    else:
        pairs = _candidates(features, index, read_clusters(truth, set(features)))
    pairs = [each for each in pairs if veto(features[each[0]], features[each[1]]) is None]
    vectors = encoder.encode([each.title for each in stated])
    rows = np.empty((len(pairs), len(_width())), dtype=np.float32)
    for at, (left, right, _) in enumerate(pairs):
        cosine = float(vectors[places[left]] @ vectors[places[right]])
        rows[at] = evidence(features[left], features[right], cosine, rarity)
    category = {each.sku: each.category or name for each in stated}
    labels = np.array([is_match for *_, is_match in pairs], dtype=np.int8)
    return Examples(name, rows, labels, tuple(category[left] for left, *_ in pairs))


def _width() -> Sequence[str]:
    from mdm.match.evidence import Evidence

    return Evidence._fields


def _features(offer: RawOffer) -> Features:
    from mdm.normalise.attributes import attributes
    from mdm.normalise.kind import is_accessory, is_bundle

    facts = {
        "manufacturer": offer.manufacturer,
        "description": offer.description,
        "attributes": attributes(offer.attributes, offer.title, None),
        "is_bundle": is_bundle(offer.title),
        "is_accessory": is_accessory(offer.title),
    }
    return offer_features(offer.title, facts)


def _learn(features: dict[str, Features]) -> tuple[Rarity, TermIndex]:
    index = TermIndex()
    index.add((offer_id, each.pieces) for offer_id, each in features.items())
    return Rarity(len(features), index.count), index


def _candidates(
    features: dict[str, Features], index: TermIndex, clusters: dict[str, str]
) -> list[tuple[str, str, bool]]:
    found = {
        (min(offer_id, other), max(offer_id, other))
        for offer_id, each in features.items()
        for other, _ in index.alike(each.pieces, CANDIDATES + 1)
        if other != offer_id
    }
    return [
        (left, right, clusters.get(left) == clusters.get(right)) for left, right in sorted(found)
    ]
