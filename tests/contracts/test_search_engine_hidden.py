"""What a brand hides is nowhere: not in hits, totals, facets or neighbours, on each engine."""

from __future__ import annotations

import pytest

from indexer.engine import Engine, FacetField, Filters, SearchRequest, Words
from tests.contracts.search_engines import fill, new_brand
from tests.indexer.documents import direction, document, offer, upsert

ROWS = (
    document("prd_a", "Kettle white", manufacturer="Nordlys"),
    document("prd_b", "Kettle black", manufacturer="Voltina", category=305),
    document("prd_c", "Kettle red", manufacturer="Nordlys", offers=(offer("voltina", 900),)),
)


@pytest.fixture(scope="module")
def kettles(engine: Engine) -> str:
    """A brand with those three, which every test here only reads."""
    brand = new_brand()
    fill(engine, brand, [upsert(row) for row in ROWS])
    return brand


@pytest.mark.parametrize(
    ("hidden", "left"),
    [
        (Filters(product_ids=("prd_a",)), {"prd_b", "prd_c"}),
        (Filters(manufacturers=("nordlys",)), {"prd_b"}),
        (Filters(manufacturers=("nordlys",), merchants=("voltina",)), {"prd_a", "prd_b"}),
        (Filters(categories=(305,)), {"prd_a", "prd_c"}),
    ],
)
@pytest.mark.parametrize("words", [Words("kettle", "en"), None])
def test_hidden_products_are_nowhere(
    engine: Engine, kettles: str, hidden: Filters, left: set[str], words: Words | None
) -> None:
    filters = Filters(without=(hidden,))
    result = engine.search(kettles, SearchRequest(words, filters, facets=tuple(FacetField)))
    assert {hit.product_id for hit in result.hits} == left
    assert result.total == len(left)
    makers = {row.value: row.count for row in result.counts().facets[FacetField.MANUFACTURER]}
    assert sum(makers.values()) == len(left)
    near = engine.neighbours(kettles, direction(1.0), filters=filters, limit=9)
    assert {row.product_id for row in near} == left


def test_several_hidden_things_add_up(engine: Engine, kettles: str) -> None:
    hidden = (Filters(product_ids=("prd_a",)), Filters(categories=(305,)))
    result = engine.search(kettles, SearchRequest(None, Filters(without=hidden)))
    assert [hit.product_id for hit in result.hits] == ["prd_c"]
