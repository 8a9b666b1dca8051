"""How deep the second stage looks: rules reach further down than an order without them."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.accessories import of_title
from indexer.embedded import EmbeddedEngine
from indexer.engine import Upsert
from indexer.hits import Hit, Hits
from indexer.title_heads import of_titles
from kernel.embedding.encoder import load_encoder
from search_api.overview import Overviews
from search_api.query import ShopQuery
from search_api.search import Shop
from search_api.second_stage import CANDIDATES, order_candidates
from tenants.brand import Brand
from tenants.ranking.document import ranking_document
from tenants.ranking.profile import RankingProfile
from tests.indexer.documents import document
from tests.search_api.test_ranking_in_answers import ranked
from tests.search_api.test_routes import brand

__all__ = ["brand"]
COUNT = CANDIDATES + 60


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, brand: Brand) -> Shop:
    """More lamps than are candidates; the further on, the longer the title and the lower it
    scores."""
    encoder = load_encoder()
    path: Path = tmp_path_factory.mktemp("search")
    engine = EmbeddedEngine(path)
    index = engine.create(brand.id, model_id=encoder.model_id, dimensions=encoder.dimensions)
    rows = [
        document(f"prd_lamp{n:03}", f"Lampe {'de table ' * (n // 20)}modèle {n}", language="fr")
        for n in range(COUNT)
    ]
    vectors = encoder.encode([row.titles["fr"] for row in rows])
    engine.write(index, [Upsert(row, vector, 1) for row, vector in zip(rows, vectors, strict=True)])
    engine.publish(brand.id, index)
    return Shop(engine, encoder, Overviews(engine))


def _ids(shop: Shop, brand: Brand, page: int = 1) -> list[str]:
    query = ShopQuery(brand.currency, text="lampe", page=page)
    return [card.id for card in shop.search(query, brand, "fr").products]


def test_pages_beyond_the_candidates_show_every_product_once(shop: Shop, brand: Brand) -> None:
    seen = [name for page in range(1, COUNT // 24 + 2) for name in _ids(shop, brand, page)]
    assert len(seen) == len(set(seen)) == COUNT


def test_a_boost_reaches_beyond_them(shop: Shop, brand: Brand) -> None:
    everything = [name for page in range(1, COUNT // 24 + 2) for name in _ids(shop, brand, page)]
    deep = everything[CANDIDATES + 20]
    rule = {"id": "up", "kind": "boost", "weight": 1.0, "target": {"products": [deep]}}
    boosted = ranked(brand, ranking_document({"rules": [rule]}))
    assert deep in _ids(shop, boosted)


def test_what_is_for_the_thing_comes_after_it() -> None:
    """A lamp for projectors has the word earlier in a shorter title, and scores higher."""
    lamp = of_titles({"en": "Ostrava projector lamp"}, "Ostrava")
    rows = Hits.of(
        Hit(name, score, in_stock=False, offer_count=0, before_head=before)
        for name, score, before in (("prd_lamp", 9.0, lamp), ("prd_projector", 6.0, 0))
    )
    asked = {
        text: [row.product_id for row in order_candidates(rows, text, "en", RankingProfile())]
        for text in ("projector", "projector lamp")
    }
    assert asked["projector"] == ["prd_projector", "prd_lamp"]
    assert asked["projector lamp"] == ["prd_lamp", "prd_projector"]


def test_the_thing_comes_after_what_was_asked_for_it() -> None:
    """A printer speaks of paper, in more words than the paper does of printers."""
    rows = Hits.of(
        Hit(name, score, in_stock=False, offer_count=0, accessories=of_title(title, "en"))
        for name, score, title in (
            ("prd_printer", 9.0, "Ostrava A4 printer"),
            ("prd_paper", 6.0, "Ostrava A4 printer paper"),
        )
    )
    for text, first in (("printer paper", "prd_paper"), ("printer", "prd_printer")):
        ordered = order_candidates(rows, text, "en", RankingProfile())
        assert ordered[0].product_id == first


def test_meaning_weighs_more_where_fewer_than_all_words_were_enough() -> None:
    """Without the bonus for all words a strict list's products have them all none the less."""
    rows = Hits.of(
        Hit(name, score, in_stock=False, offer_count=0, similarity=cosine)
        for name, score, cosine in (("prd_far", 9.0, 0.1), ("prd_near", 6.0, 0.8))
    )
    strict = order_candidates(rows, "red lamp", "en", RankingProfile())
    assert [row.product_id for row in strict] == ["prd_far", "prd_near"]
    partial = order_candidates(rows, "red lamp", "en", RankingProfile(), is_partial=True)
    assert [row.product_id for row in partial] == ["prd_near", "prd_far"]
