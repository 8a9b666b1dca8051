from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.embed_text import embed_text
from indexer.embedded.engine import EmbeddedEngine
from indexer.engine import Upsert
from kernel.embedding.encoder import load_encoder
from search_api.overview import Overviews
from search_api.search import Shop
from search_api.variants import differing, variants
from tenants.brand import brand_from, read_brand_file
from tests.indexer.documents import document

ROOT = Path(__file__).parents[2]
PERFUMES = (
    document(
        "prd_30", "Cedre 30 ml", manufacturer="Verlanne",
        variant_groups=("grp_a",), attributes={"content": "30 ml"},
    ),
    document(
        "prd_50", "Cedre 50 ml", manufacturer="VERLANNE",
        variant_groups=("grp_a", "grp_b"), attributes={"content": "50 ml", "volume_ml": "50ML"},
    ),
    document(
        "prd_100", "Cedre 100 ml", manufacturer="verlanne",
        variant_groups=("grp_b",), attributes={"volume_ml": "100 ml"},
    ),
    document(
        "prd_soap", "Soap", manufacturer="Aubrisse",
        variant_groups=("grp_b",), attributes={"content": "75 ml"},
    ),
    document("prd_alone", "Alone", manufacturer="Verlanne"),
    document(
        "prd_green2", "Dome 2 green", variant_groups=("grp_d",), attributes={"colour": "green"}
    ),
    document(
        "prd_green3", "Dome 3 green", variant_groups=("grp_d",), attributes={"colour": "green"}
    ),
    document(
        "prd_red", "Dome red", variant_groups=("grp_d",),
        attributes={"colour": "red", "persons": "4"},
    ),
    document(
        "prd_8", "Book 8 GB", variant_groups=("grp_c",),
        attributes={"graphics": "8 GB", "memory": "8 GB"},
    ),
    document(
        "prd_16", "Book 16 GB", variant_groups=("grp_c",),
        attributes={"graphics": "4 GB", "memory": "16 GB"},
    ),
    document(
        "prd_16b", "Book 16 GB", variant_groups=("grp_c",),
        attributes={"graphics": "8 GB", "memory": "16 GB", "weave": "Alu"},
    ),
)  # fmt: skip


Shown = Callable[[str], list[tuple[str, str]]]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Id and words of each variant on the page of a product."""
    brand = brand_from(read_brand_file(ROOT / "tenants/bundled/mirabelle.toml")[0])
    engine, encoder = EmbeddedEngine(tmp_path_factory.mktemp("search")), load_encoder()
    index = engine.create(brand.id, model_id=encoder.model_id, dimensions=encoder.dimensions)
    vectors = encoder.encode([embed_text(row, "fr") for row in PERFUMES])
    engine.write(index, [Upsert(row, one, 1) for row, one in zip(PERFUMES, vectors, strict=True)])
    engine.publish(brand.id, index)
    shop = Shop(engine, encoder, Overviews(engine))
    documents = {row.product_id: row for row in PERFUMES}

    def of(product_id: str) -> list[tuple[str, str]]:
        rows = variants(shop, documents[product_id], brand, "fr")
        assert [row.id for row in rows if row.selected] == ([product_id] if rows else [])
        return [(row.id, ", ".join(fact.value for fact in row.differs)) for row in rows]

    return of


def test_variants_share_any_group_and_are_told_apart_once(shown: Shown) -> None:
    """What is stated under two names is said once; another maker's thing is no variant."""
    every = [("prd_30", "30 ml"), ("prd_50", "50 ml"), ("prd_100", "100 ml")]
    assert [shown(product_id) for product_id, _ in every] == [every, every, every]
    assert shown("prd_alone") == []


def test_two_that_say_the_same_are_told_by_their_titles(shown: Shown) -> None:
    """A fact that one alone states tells nobody apart."""
    assert sorted(shown("prd_red")) == [("prd_green2", ""), ("prd_green3", ""), ("prd_red", "red")]


def test_two_facts_with_one_value_somewhere_stay_two(shown: Shown) -> None:
    """Equal here, unequal there: memory and a graphics card's are not one fact. What tells nobody
    apart any more is left out."""
    assert shown("prd_8") == [
        ("prd_8", "8 GB, 8 GB"), ("prd_16", "16 GB, 4 GB"), ("prd_16b", "16 GB, 8 GB"),
    ]  # fmt: skip


def test_versions_do_not_differ_by_the_language_that_a_merchant_speaks() -> None:
    book = document("prd_a", "Nordlys Phone")
    facts = [
        {"megapixels": "50 Mpx", "runtime_h": "11,5 h d'autonomie", "capacity": "1 GB"},
        {"megapixels": "50 Megapixel", "runtime_h": "11.5 Std. Laufzeit", "capacity": "1 TB"},
        {"megapixels": "50 MP", "capacity": "1 TB", "network": "5G"},
    ]
    siblings = [replace(book, attributes=each) for each in facts]
    assert differing(siblings[:2]) == ["capacity"]
    assert differing(siblings) == ["capacity", "network", "runtime_h"]
