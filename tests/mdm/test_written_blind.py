"""Kinds of goods that nobody developed against, as their writers left them.

Offers of 21 kinds with the truth beside them, written by hand by people who knew nothing of the
matcher's rules, from what they know of models and of how shops name them; shops, prices and GTINs
are made up. They have been looked at since (docs/matching-card.md): what is held here is that the
matcher does not get worse on them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from kernel.embedding.encoder import load_encoder
from mdm.evaluation.plain_form import read_clusters, read_offers
from mdm.evaluation.run import evaluate_clusters

_SETS = Path(__file__).parent / "written_blind"


@pytest.mark.parametrize(
    ("name", "sure", "found", "pairs"),
    [
        ("a_comparison_site", 0.97, 0.40, 0.72),
        ("ten_kinds", 0.95, 0.28, 0.77),
        ("six_kinds", 0.93, 0.31, 0.67),
    ],
)
def test_unseen_kinds_are_merged_rightly(
    name: str, sure: float, found: float, pairs: float
) -> None:
    offers = list(read_offers(_SETS / f"{name}-offers.csv"))
    truth = read_clusters(_SETS / f"{name}-clusters.csv", {each.sku for each in offers})
    figures = evaluate_clusters(offers, truth, load_encoder())
    assert figures["auto_precision"] >= sure
    assert figures["auto_recall"] >= found
    assert figures["pair_f1"] >= pairs
