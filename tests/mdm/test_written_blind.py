"""Kinds of goods that nobody developed against, as their writers left them.

Offers of 35 kinds with the truth beside them, and pairs of two shops in seven languages, written by
hand by people who knew nothing of the matcher's rules, from what they know of models and of how
shops name them; shops, prices and GTINs are made up. Most have been looked at since
(docs/matching-card.md), of the pairs one half only (the column says which: b was not). What is held
here is that the matcher does not get worse on them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from kernel.embedding.encoder import load_encoder
from mdm.evaluation.plain_form import read_clusters, read_offers, read_pairs
from mdm.evaluation.run import evaluate_clusters, evaluate_pairs

_SETS = Path(__file__).parent / "written_blind"


@pytest.mark.parametrize(
    ("name", "sure", "found", "pairs"),
    [
        ("a_comparison_site", 0.97, 0.40, 0.72),
        ("a_comparison_site_again", 0.97, 0.44, 0.75),
        ("eight_kinds", 0.96, 0.37, 0.80),
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


@pytest.mark.parametrize(
    ("name", "f1"),
    [
        ("american", 0.83),
        ("american_again", 0.84),
        ("czech", 0.73),
        ("english", 0.75),
        ("four_languages", 0.74),
        ("german", 0.60),
    ],
)
def test_what_two_shops_sell_is_told_apart_and_together(name: str, f1: float) -> None:
    offers = list(read_offers(_SETS / f"{name}-offers.csv"))
    pairs = list(read_pairs(_SETS / f"{name}-pairs.csv", {each.sku for each in offers}))
    assert evaluate_pairs(offers, pairs, load_encoder())["f1"] >= f1
