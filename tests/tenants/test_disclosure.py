"""What is said about the ranking is what the ranking does, in three languages."""

from __future__ import annotations

from dataclasses import astuple, fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.disclosure import About, disclosure, percents, sections
from tenants.ranking.document import FieldWeightsTable, OfferWeightsTable, ProductWeightsTable
from tenants.ranking.profile import (
    FieldWeights,
    OfferWeights,
    PaidPolicy,
    ProductWeights,
    RankingProfile,
    Rule,
    Target,
)

LANGUAGES = ("fr", "de", "en")
PLAIN = RankingProfile()
NOW = datetime(2026, 11, 23, tzinfo=UTC)
ABOUT = About("Mirabelle", 7, NOW)


def whole(profile: RankingProfile, language: str) -> str:
    """Every sentence of the page."""
    return "\n".join(
        text
        for section in sections(profile, language, ABOUT)
        for text in (
            section.heading,
            *section.paragraphs,
            *(" ".join(map(str, astuple(row))) for row in section.criteria),
        )
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("subject", ["results", "sorted", "offers"])
def test_every_list_says_order_merchants_and_money(subject: str, language: str) -> None:
    text = disclosure(subject, PLAIN, language, 7)  # type: ignore[arg-type]
    assert "7" in text
    assert "{" not in text
    free = {"fr": "aucune place payée", "de": "kein Platz bezahlt", "en": "no place is paid for"}
    assert free[language] in text
    exhaustive = {"fr": "pas exhaustive", "de": "nicht vollständig", "en": "not exhaustive"}
    assert exhaustive[language] in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_has_every_part_of_the_duty(language: str) -> None:
    keys = [section.key for section in sections(PLAIN, language, ABOUT)]
    assert keys == [
        "results", "offers", "people", "paid", "ties", "prices", "warranty", "exhaustive",
        "updates", "opinions",
    ]  # fmt: skip
    assert "{" not in whole(PLAIN, language)


CHANGES = [
    replace(PLAIN, product_weights=replace(PLAIN.product_weights, **{row.name: 0.77}))
    for row in fields(ProductWeights)
] + [
    replace(PLAIN, field_weights=replace(PLAIN.field_weights, **{row.name: 9.9}))
    for row in fields(FieldWeights)
    if row.name not in ("code_prefixes", "other_language")
]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("changed", CHANGES)
def test_a_changed_weight_is_a_changed_text(changed: RankingProfile, language: str) -> None:
    assert whole(changed, language) != whole(PLAIN, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_weights_of_the_weighted_order_are_stated(language: str) -> None:
    weights = OfferWeights("weighted", 0.6, delivery_days=0.3, merchant_quality=0.1)
    weighted = replace(PLAIN, offer_weights=weights)
    short = disclosure("offers", weighted, language, 7)
    assert all(share in short.replace("\u00a0", "") for share in ("60%", "30%", "10%"))
    assert short != disclosure("offers", PLAIN, language, 7)
    offers = next(each for each in sections(weighted, language, ABOUT) if each.key == "offers")
    assert [row.percent for row in offers.criteria] == [60, 30, 10, 0]
    assert "90" in whole(weighted, language), "what an unknown merchant counts as"


@pytest.mark.parametrize("language", LANGUAGES)
def test_paid_places_paid_listing_and_rules_are_stated(language: str) -> None:
    marks = {"fr": "Annonce", "de": "Anzeige", "en": "Sponsored"}
    for changed in (
        replace(PLAIN, paid=PaidPolicy(allowed=True, slots=2)),
        replace(PLAIN, paid=PaidPolicy(allowed=True, slots=2, listing=True)),
    ):
        assert marks[language] in disclosure("results", changed, language, 7)
        assert marks[language] in disclosure("offers", changed, language, 7)
        assert marks[language] in whole(changed, language)
    listing = replace(PLAIN, paid=PaidPolicy(listing=True))
    assert disclosure("results", listing, language, 7) != disclosure("results", PLAIN, language, 7)
    ruled = replace(PLAIN, rules=(Rule("a", "boost", target=Target(products=("p",))),) * 3)
    assert "3" in whole(ruled, language).replace(whole(PLAIN, language), "")
    tied = replace(PLAIN, ties={language: "10 % of Acme."})
    assert "10 % of Acme." in whole(tied, language)


@pytest.mark.parametrize(
    ("language", "moved_up", "narrowed"),
    [
        ("fr", "mise en avant", "limitée"),
        ("de", "hervorheben", "eingrenzen"),
        ("en", "moved up", "narrowed"),
    ],
)
def test_only_rules_in_force_are_counted_and_named(
    language: str, moved_up: str, narrowed: str
) -> None:
    ended = Rule("old", "boost", valid_to=NOW)
    to_come = Rule("next", "pin", valid_from=NOW + timedelta(days=1))
    over = whole(replace(PLAIN, rules=(ended, to_come)), language)
    assert over == whole(PLAIN, language)
    filters = whole(replace(PLAIN, rules=(ended, Rule("a", "filter"))), language)
    assert narrowed in filters
    assert moved_up not in filters.replace(whole(PLAIN, language), "")
    both = replace(PLAIN, rules=(Rule("a", "filter"), Rule("b", "boost", valid_from=NOW)))
    assert f"{moved_up}, " in whole(both, language)


@given(st.lists(st.floats(0, 50), min_size=1, max_size=8))
def test_percents_add_up(weights: list[float]) -> None:
    found = percents(weights)
    assert sum(found) == (100 if sum(weights) else 0)
    assert all(
        abs(100 * w / sum(weights) - p) < 1
        for w, p in zip(weights, found, strict=True)
        if sum(weights)
    )


@pytest.mark.parametrize(
    ("table", "shape"),
    [
        (FieldWeightsTable, FieldWeights),
        (ProductWeightsTable, ProductWeights),
        (OfferWeightsTable, OfferWeights),
    ],
)
def test_every_weight_can_be_set_by_a_document(table: type, shape: type) -> None:
    assert set(table.model_fields) == {row.name for row in fields(shape)}  # type: ignore[attr-defined]
