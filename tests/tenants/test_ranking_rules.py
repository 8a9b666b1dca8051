"""Rules, paid places and the weighted order of offers do what the document says, and no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.ranking import Candidate, RankedProduct, RankingProfile, rank_offers, rank_products
from tenants.ranking.offers import place_offers
from tenants.ranking.profile import (
    OfferWeights,
    PaidPolicy,
    Placement,
    Rule,
    RuleFilter,
    Target,
    When,
)
from tenants.ranking.rules import Question, RulePlan, place_products, plan_rules

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _plan(*rules: Rule, text: str = "", categories: tuple[int, ...] = ()) -> RulePlan:
    return plan_rules(Question(text, "fr", categories), RankingProfile(rules=rules), NOW)


def _ids(plan: RulePlan) -> list[str]:
    return [rule.id for rule in plan.applied]


@pytest.mark.parametrize(
    ("match", "condition", "typed", "holds"),
    [
        ("exact", "lave linge", "Lave-Linge", True),
        ("exact", "lave linge", "lave linge 8 kg", False),
        ("contains", "lave linge", "petit lave linge", True),
        ("contains", "lave linge", "linge à laver", False),
        ("contains", "linge", "lingerie", False),
        ("all_words", "cafe machine", "machine à café", True),
        ("all_words", "cafe machine", "machine", False),
    ],
)
def test_conditions_read_words_as_people_type_them(
    match: str, condition: str, typed: str, holds: bool
) -> None:
    rule = Rule("r", "redirect", When(condition, match), url="/x")  # type: ignore[arg-type]
    assert (_plan(rule, text=typed).redirect == "/x") is holds


def test_a_category_condition_holds_below_the_category() -> None:
    rule = Rule("r", "hide", When(categories=(7,)), Target(products=("a",)))
    assert _ids(_plan(rule, categories=(7, 71))) == ["r"]
    assert _ids(_plan(rule, categories=(8,))) == []


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "holds"),
    [(0, 1, True), (1, 2, False), (-2, 0, False), (None, 1, True), (-1, None, True)],
)
def test_dates_include_the_beginning_and_not_the_end(
    valid_from: int | None, valid_to: int | None, holds: bool
) -> None:
    def moment(hours: int | None) -> datetime | None:
        return None if hours is None else NOW + timedelta(hours=hours)

    rule = Rule("r", "redirect", url="/x", valid_from=moment(valid_from), valid_to=moment(valid_to))
    assert (_plan(rule).redirect is not None) is holds


def test_a_rule_of_another_language_is_silent() -> None:
    assert _ids(_plan(Rule("de", "redirect", url="/x", locale="de"))) == []


def _candidate(id_: str, text: float, **more: object) -> Candidate:
    return Candidate(id_, text, 0.0, in_stock=False, offer_count=0, **more)  # type: ignore[arg-type]


def test_boost_and_bury_are_parts_of_the_score_and_the_first_rule_decides() -> None:
    plan = _plan(
        Rule("up", "boost", target=Target(manufacturers=("miele",)), weight=0.3),
        Rule("down", "bury", target=Target(products=("b", "c")), weight=0.5),
    )
    ranked = rank_products(
        [
            _candidate("a", 0.9),
            _candidate("b", 0.8, manufacturer="miele"),
            _candidate("c", 1.0),
        ],
        RankingProfile(),
        plan.moves,
    )
    assert [row.product_id for row in ranked] == ["b", "a", "c"]
    assert ranked[0].parts["rule up"] == 0.3
    assert ranked[2].parts["rule down"] == -0.5
    assert all(row.score == pytest.approx(sum(row.parts.values())) for row in ranked)


def _ranked(*ids: str) -> list[RankedProduct]:
    return [RankedProduct(id_, 1 - place / 100, {}) for place, id_ in enumerate(ids)]


def test_pins_take_their_places_and_the_others_move_down() -> None:
    plan = _plan(
        Rule("one", "pin", target=Target(products=("c", "new")), position=1),
        Rule("three", "pin", target=Target(products=("away",)), position=2),
    )
    placed = place_products(plan, _ranked("a", "b", "c"), available={"new"})
    assert [(row.product_id, row.pinned_by) for row in placed] == [
        ("c", "one"), ("new", "one"), ("a", None), ("b", None),
    ]  # fmt: skip


def test_of_pin_and_hide_the_first_wins() -> None:
    pin = Rule("p", "pin", target=Target(products=("x",)))
    hide = Rule("h", "hide", target=Target(products=("x",)))
    assert _plan(pin, hide).placed_ids == ("x",)
    assert _plan(pin, hide).hidden == ()
    assert _plan(hide, pin).placed_ids == ()
    assert _plan(hide, pin).hidden == (hide,)


def test_filters_add_up_and_of_two_on_one_field_the_first_wins() -> None:
    plan = _plan(
        Rule("a", "filter", narrow=RuleFilter(categories=(1,))),
        Rule("b", "filter", narrow=RuleFilter(categories=(2,), merchants=("m",))),
    )
    assert plan.narrow == RuleFilter(categories=(1,), merchants=("m",))


places = st.lists(st.tuples(st.integers(1, 12), st.sampled_from("abcdefghij")), max_size=6)


@given(st.lists(st.sampled_from("abcdefgh"), unique=True), places)
def test_placing_neither_loses_nor_doubles_a_product(
    found: list[str], pins: list[tuple[int, str]]
) -> None:
    rules = [
        Rule(f"r{at}", "pin", target=Target(products=(id_,)), position=position)
        for at, (position, id_) in enumerate(pins)
    ]
    plan = _plan(*rules)
    placed = [row.product_id for row in place_products(plan, _ranked(*found), available={"i"})]
    extra = {"i"} & set(plan.placed_ids)
    assert sorted(placed) == sorted({*found} | extra)
    others = [id_ for id_ in placed if id_ not in plan.placed_ids]
    assert others == [id_ for id_ in found if id_ not in plan.placed_ids]


BOUGHT = Placement("ad", "results", "m", "Acme", products=("x", "y"), position=1)


def test_a_paid_place_is_marked_and_limited_and_needs_the_policy() -> None:
    paid = PaidPolicy(allowed=True, slots=1, placements=(BOUGHT,))
    plan = plan_rules(Question("tv", "fr"), RankingProfile(paid=paid), NOW)
    placed = place_products(plan, _ranked("a", "y", "x"))
    assert [(row.product_id, row.sponsored) for row in placed] == [
        ("x", BOUGHT), ("a", None), ("y", None),
    ]  # fmt: skip
    off = RankingProfile(paid=PaidPolicy(allowed=False, placements=(BOUGHT,)))
    assert plan_rules(Question("tv", "fr"), off, NOW) == RulePlan()


@dataclass(frozen=True)
class Offer:
    offer_id: str
    total_minor: int | None
    days_max: int | None = None
    merchant_quality_percent: int | None = None
    condition: str = "new"
    availability: str = "in_stock"
    price_minor: int | None = None

    @property
    def merchant_id(self) -> str:
        return self.offer_id


def _weighted(**weights: float) -> RankingProfile:
    return RankingProfile(offer_weights=OfferWeights("weighted", **weights))


def test_the_weighted_order_follows_the_weights() -> None:
    rows = [Offer("cheap-slow", 10_000, 10, 80), Offer("dear-fast", 11_000, 1, 100)]
    by_price = rank_offers(rows, _weighted(total_price=1.0))
    by_speed = rank_offers(rows, _weighted(total_price=0.3, delivery_days=0.7))
    by_quality = rank_offers(rows, _weighted(total_price=0.2, merchant_quality=0.8))
    assert [row.offer.offer_id for row in by_price] == ["cheap-slow", "dear-fast"]
    assert [row.offer.offer_id for row in by_speed] == ["dear-fast", "cheap-slow"]
    assert [row.offer.offer_id for row in by_quality] == ["dear-fast", "cheap-slow"]
    assert by_speed[0].parts["total_price"] == pytest.approx(0.3 * 10 / 11)


@given(
    st.lists(
        st.builds(
            Offer,
            offer_id=st.uuids().map(str),
            total_minor=st.none() | st.integers(0, 10**7),
            days_max=st.none() | st.integers(0, 30),
            merchant_quality_percent=st.none() | st.integers(0, 100),
            condition=st.sampled_from(["new", "refurbished", "used"]),
            availability=st.sampled_from(["in_stock", "out_of_stock", "preorder"]),
        ),
        max_size=10,
        unique_by=lambda offer: offer.offer_id,
    ),
    st.tuples(*[st.floats(0, 1)] * 4),
)
def test_weighted_or_not_what_can_be_delivered_comes_first(
    rows: list[Offer], weights: tuple[float, float, float, float]
) -> None:
    ranked = rank_offers(rows, RankingProfile(offer_weights=OfferWeights("weighted", *weights)))
    rank = ["in_stock", "preorder", "out_of_stock"].index
    assert [rank(row.offer.availability) for row in ranked] == sorted(
        rank(row.availability) for row in rows
    )
    assert all(-1e-9 <= sum(row.parts.values()) <= 1 + 1e-9 for row in ranked)


def test_a_paid_offer_stands_where_it_was_bought_with_its_mark() -> None:
    bought = Placement("ad", "offers", "dear", "Dear Ltd", products=("p",), position=1)
    profile = RankingProfile(paid=PaidPolicy(allowed=True, placements=(bought,)))
    ranked = rank_offers([Offer("cheap", 1), Offer("dear", 9)], profile)
    placed = place_offers(ranked, profile, "p", NOW)
    assert [(row.offer.offer_id, row.position, row.sponsored) for row in placed] == [
        ("dear", 1, bought), ("cheap", 2, None),
    ]  # fmt: skip
    assert place_offers(ranked, profile, "another", NOW) == ranked
    gone = rank_offers([Offer("cheap", 1), Offer("dear", 9, availability="out_of_stock")], profile)
    assert place_offers(gone, profile, "p", NOW) == gone
