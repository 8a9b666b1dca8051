"""Filters, orders, facets and what hits carry, on each of the search engines."""

from __future__ import annotations

import pytest

from indexer import accessories, title_heads
from indexer.engine import (
    Engine,
    FacetField,
    Filters,
    PriceCounts,
    SearchRequest,
    Sort,
    Words,
)
from indexer.price_bars import EDGES
from tests.contracts.search_engines import fill, ids, new_brand
from tests.indexer.documents import document, offer, upsert

CATALOGUE = (
    document(
        "prd_1", "alpha", manufacturer="Nordlys", category=328,
        offers=(offer("darti", 1000), offer("voltina", 1200)),
        price_steps=((20_700, 1250), (20_780, 1000)),
        updated_at="2026-11-01T00:00:00+00:00",
    ),
    document(
        "prd_2", "alpha", manufacturer="NORDLYS", category=305, offers=(offer("darti", 3000),),
        updated_at="2026-11-03T00:00:00+00:00", availability="out_of_stock",
    ),
    document(
        "prd_3", "alpha", manufacturer="Ampère", category=328, offers=(offer("elektrohaus", None),),
        updated_at="2026-11-02T00:00:00+00:00", variant_groups=("g1", "g2"),
    ),
    document(
        "prd_4", "beta", manufacturer=None, category=404, offers=(offer("darti", 2000),),
        price_steps=((20_700, 4000), (20_770, 2000)),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def catalogue(engine: Engine) -> str:
    """A brand with four products, which every test here only reads."""
    brand = new_brand()
    fill(engine, brand, [upsert(row) for row in CATALOGUE])
    return brand


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), {"prd_1", "prd_2", "prd_3", "prd_4"}),
        (Filters(categories=(328,)), {"prd_1", "prd_3"}),
        (Filters(categories=(222,)), {"prd_1", "prd_2", "prd_3", "prd_4"}),
        (Filters(categories=(328, 404)), {"prd_1", "prd_3", "prd_4"}),
        (Filters(manufacturers=("nordlys",)), {"prd_1", "prd_2"}),
        (Filters(manufacturers=("nordlys",), merchants=("voltina",)), {"prd_1"}),
        (Filters(availabilities=("out_of_stock",)), {"prd_2"}),
        (Filters(total_min=1000, total_max=2000), {"prd_1", "prd_4"}),
        (Filters(total_min=1001), {"prd_2", "prd_4"}),
        (Filters(total_max=0), set()),
        (Filters(variant_groups=("g0", "g2")), {"prd_3"}),
        (Filters(variant_groups=("g0",)), set()),
        (Filters(product_ids=("prd_2", "prd_9")), {"prd_2"}),
        (Filters(product_ids=()), set()),
        (Filters(dropped_from=20_770), {"prd_1", "prd_4"}),
        (Filters(dropped_from=20_771), {"prd_1"}),
        (Filters(dropped_from=20_781), set()),
        (Filters(manufacturers=("nobody",)), set()),
    ],
)
def test_filters_add_up(
    engine: Engine, catalogue: str, filters: Filters, expected: set[str]
) -> None:
    """Values of a field are alternatives, fields add up, bounds are included."""
    answer = engine.search(catalogue, SearchRequest(filters=filters))
    assert {hit.product_id for hit in answer.hits} == expected
    assert answer.total == len(expected)


def test_orders(engine: Engine, catalogue: str) -> None:
    """Unknown totals are last whichever way prices go."""
    order = lambda sort: ids(engine, catalogue, SearchRequest(sort=sort))  # noqa: E731
    assert order(Sort.PRICE_ASC) == ["prd_1", "prd_4", "prd_2", "prd_3"]
    assert order(Sort.PRICE_DESC) == ["prd_2", "prd_4", "prd_1", "prd_3"]
    assert order(Sort.NEWEST) == ["prd_4", "prd_2", "prd_3", "prd_1"]
    assert order(Sort.POPULAR)[0] == "prd_1"
    assert order(Sort.DROP)[:2] == ["prd_4", "prd_1"]


def test_hits_carry_what_the_second_stage_needs(engine: Engine, catalogue: str) -> None:
    """Stock, offers, category and the score of the words."""
    request = SearchRequest(Words("alpha", "en"), Filters(product_ids=("prd_1", "prd_2")))
    hits = {hit.product_id: hit for hit in engine.search(catalogue, request).hits}
    first = hits["prd_1"]
    assert (first.in_stock, first.offer_count) == (True, 2)
    assert first.category_id == 328
    assert first.score > 0
    assert not hits["prd_2"].in_stock


def test_hits_carry_what_their_titles_say(engine: Engine) -> None:
    """Kinds of accessory, and the words that say what the thing is for, both full numbers."""
    row = document("prd_1", "Alpha Beta Gamma Projector ceiling mount")
    brand = new_brand()
    fill(engine, brand, [upsert(row)])
    (hit,) = engine.search(brand, SearchRequest(Words("projector", "en"))).hits
    assert hit.accessories == accessories.of_titles(row.titles) > 0
    assert hit.before_head == title_heads.of_titles(row.titles, "") > 1 << 45


ALL_FACETS = tuple(FacetField)


def _bars(prices: PriceCounts) -> dict[int, int]:
    """Bars with something in them, by their lower edge."""
    return {EDGES[bar]: count for bar, count in enumerate(prices.counts) if count}


def test_facets_count_what_is_there(engine: Engine, catalogue: str) -> None:
    """Labels are what people read; spellings of one maker are one; bars are half open."""
    answer = engine.search(catalogue, SearchRequest(facets=ALL_FACETS, limit=0))
    assert not answer.hits
    assert answer.total == 4
    counts = answer.counts()
    makers = counts.facets[FacetField.MANUFACTURER]
    assert [(row.value, row.count) for row in makers] == [("nordlys", 2), ("ampere", 1)]
    assert makers[1].label == "Ampère"
    merchants = {row.value: (row.label, row.count) for row in counts.facets[FacetField.MERCHANT]}
    assert merchants["darti"] == ("Darti & Cie", 3)
    categories = {row.value: row.count for row in counts.facets[FacetField.CATEGORY]}
    assert categories == {"222": 4, "328": 2, "305": 1, "404": 1}
    stock = {row.value: row.count for row in counts.facets[FacetField.AVAILABILITY]}
    assert stock == {"in_stock": 3, "out_of_stock": 1}
    assert counts.prices is not None
    assert _bars(counts.prices) == {1000: 1, 2000: 1, 3000: 1}
    assert (counts.prices.lowest, counts.prices.highest) == (1000, 3000)


def test_a_facet_ignores_its_own_filter_alone(engine: Engine, catalogue: str) -> None:
    """With one maker chosen the others still show their counts, and every other facet narrows."""
    request = SearchRequest(
        filters=Filters(manufacturers=("nordlys",), total_min=2000),
        facets=ALL_FACETS,
    )
    answer = engine.search(catalogue, request)
    assert [hit.product_id for hit in answer.hits] == ["prd_2"]
    assert answer.total == 1
    counts = answer.counts()
    makers = {row.value: row.count for row in counts.facets[FacetField.MANUFACTURER]}
    assert makers == {"nordlys": 1}
    assert counts.prices is not None
    assert _bars(counts.prices) == {1000: 1, 3000: 1}
    assert {row.value for row in counts.facets[FacetField.MERCHANT]} == {"darti"}

    one = SearchRequest(filters=Filters(manufacturers=("nordlys",)), facets=ALL_FACETS)
    makers = {
        row.value: row.count
        for row in engine.search(catalogue, one).counts().facets[FacetField.MANUFACTURER]
    }
    assert makers == {"nordlys": 2, "ampere": 1}


def test_facets_of_nothing_are_empty(engine: Engine, catalogue: str) -> None:
    """No hit: no counts, no price range, no error."""
    request = SearchRequest(Words("qqqq", "en"), facets=ALL_FACETS)
    answer = engine.search(catalogue, request)
    assert answer.total == 0
    counts = answer.counts()
    assert all(rows == () for rows in counts.facets.values())
    assert counts.prices is not None
    assert _bars(counts.prices) == {}
    assert counts.prices.lowest is None
