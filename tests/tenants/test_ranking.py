"""Offers and products stand where the disclosure says they stand."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.ranking import Candidate, RankingProfile, rank_offers, rank_products

PROFILE = RankingProfile()


@dataclass(frozen=True)
class Offer:
    offer_id: str
    total_minor: int | None
    price_minor: int | None = None
    days_max: int | None = None
    condition: str = "new"
    availability: str = "in_stock"
    merchant_id: str = "m"
    merchant_quality_percent: int | None = None


offers = st.lists(
    st.builds(
        Offer,
        offer_id=st.uuids().map(str),
        total_minor=st.none() | st.integers(0, 10**7),
        price_minor=st.none() | st.integers(0, 10**7),
        days_max=st.none() | st.integers(0, 30),
        condition=st.sampled_from(["new", "refurbished", "used"]),
        availability=st.sampled_from(["in_stock", "out_of_stock", "preorder", "unknown"]),
    ),
    max_size=12,
    unique_by=lambda offer: offer.offer_id,
)


def test_the_lowest_total_in_stock_is_first_and_says_why() -> None:
    ranked = rank_offers(
        [
            Offer("cheap-but-gone", 100, availability="out_of_stock"),
            Offer("used", 500, condition="used"),
            Offer("dear", 2000),
            Offer("best", 1000),
            Offer("unknown-delivery", None, price_minor=10),
        ],
        PROFILE,
    )
    assert [row.offer.offer_id for row in ranked] == [
        "best", "dear", "unknown-delivery", "used", "cheap-but-gone",
    ]  # fmt: skip
    assert ranked[0].reasons == ("in_stock", "lowest_total")
    assert "total_unknown" in ranked[2].reasons


@given(offers, st.randoms())
def test_order_does_not_depend_on_the_order_of_arrival(rows: list[Offer], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rank_offers(rows, PROFILE) == rank_offers(shuffled, PROFILE)


@given(offers)
def test_within_equal_stock_and_condition_totals_rise(rows: list[Offer]) -> None:
    ranked = [row.offer for row in rank_offers(rows, PROFILE)]
    assert sorted(row.offer_id for row in ranked) == sorted(row.offer_id for row in rows)
    for before, after in itertools.pairwise(ranked):
        same = (before.availability, before.condition) == (after.availability, after.condition)
        if same and before.total_minor is not None and after.total_minor is not None:
            assert before.total_minor <= after.total_minor
        if same and before.total_minor is None:
            assert after.total_minor is None


def test_products_are_ordered_by_the_stated_sum() -> None:
    ranked = rank_products(
        [
            Candidate("b", 0.9, 0.0, in_stock=False, offer_count=0),
            Candidate("a", 0.9, 0.0, in_stock=False, offer_count=0),
            Candidate("c", 0.8, 0.9, in_stock=True, offer_count=4),
        ],
        PROFILE,
    )
    assert [row.product_id for row in ranked] == ["c", "a", "b"]
    assert ranked[0].score == pytest.approx(sum(ranked[0].parts.values()))


def test_meaning_decides_among_products_that_miss_a_word() -> None:
    """One word of two says little of a thing; a product that has both stays first."""
    candidates = [
        Candidate("far", 1.0, 0.2, in_stock=False, offer_count=0, tier=1),
        Candidate("near", 0.5, 0.7, in_stock=False, offer_count=0, tier=1),
        Candidate("all", 0.1, 0.0, in_stock=False, offer_count=0),
    ]
    ranked = rank_products(candidates, PROFILE)
    assert [row.product_id for row in ranked] == ["all", "near", "far"]
    assert ranked[1].parts["text"] == pytest.approx(0.3 * 0.5)
    assert ranked[1].parts["meaning"] == pytest.approx(0.7 * 0.7)
    alike = [row._replace(tier=0) for row in candidates]
    assert [row.product_id for row in rank_products(alike, PROFILE)] == ["far", "near", "all"]
    without = replace(PROFILE, product_weights=replace(PROFILE.product_weights, vector=0.0))
    ranked = rank_products(candidates, without)
    assert [row.product_id for row in ranked] == ["all", "far", "near"]
    assert ranked[1].score == 1.0
