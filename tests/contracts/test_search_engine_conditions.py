"""Used and refurbished goods by the words of a question, on each of the search engines."""

from __future__ import annotations

import pytest

from indexer.engine import Engine
from tests.contracts.search_engines import fill, found, new_brand
from tests.indexer.documents import document, upsert

CATALOGUE = (
    document("prd_1", "Smartphone Lumen 6"),
    document("prd_2", "Smartphone Lumen 7", conditions=("new", "refurbished")),
    document("prd_3", "Smartphone Lumen 8", conditions=("used",)),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("refurbished smartphone", {"prd_2"}),
        ("used smartphone", {"prd_3"}),
        ("new smartphone", set()),
    ],
)
def test_the_state_of_the_goods_is_a_word(engine: Engine, text: str, expected: set[str]) -> None:
    """`new` is said of everything and finds nothing by itself."""
    brand = new_brand()
    fill(engine, brand, [upsert(row) for row in CATALOGUE])
    assert set(found(engine, brand, text, "en")) == expected
