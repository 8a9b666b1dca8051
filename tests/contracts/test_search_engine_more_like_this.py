"""More like this, through the shop, on each engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from indexer.embed_text import embed_text
from indexer.engine import Engine, Filters, Upsert
from kernel.embedding.encoder import Encoder, load_encoder
from search_api.more_like_this import more_like_this
from search_api.overview import Overviews
from search_api.search import Shop
from tenants.brand import Brand, brand_from, read_brand_file
from tests.indexer.documents import document

ROOT = Path(__file__).resolve().parents[2]
TITLES = {
    "prd_mouse": "Wireless optical mouse",
    "prd_mice": "Cordless optical mouse, black",
    "prd_red": "Wireless optical mouse, red",
    "prd_pad": "Mouse pad for gamers",
    "prd_sofa": "Corner sofa in grey velvet",
}


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture
def shop(engine: Engine, brand: str, encoder: Encoder) -> tuple[Shop, Brand]:
    """A shop of five products; the red mouse is a variant of the first one."""
    made = brand_from(read_brand_file(ROOT / "tenants/bundled/mirabelle.toml")[0])
    rows = [
        document(
            name,
            title,
            category=None,
            total=1000 + place,
            variant_groups=("g1",) if name in {"prd_mouse", "prd_red"} else (),
        )
        for place, (name, title) in enumerate(TITLES.items())
    ]
    index = engine.create(brand, model_id=encoder.model_id, dimensions=encoder.dimensions)
    texts = [embed_text(row, made.languages[0]) for row in rows]
    vectors = encoder.encode(texts)
    changes = [Upsert(row, vector, 1) for row, vector in zip(rows, vectors, strict=True)]
    assert engine.write(index, changes).refused == ()
    engine.publish(brand, index)
    return Shop(engine, encoder, Overviews(engine)), replace(made, id=brand)


def test_products_near_in_meaning(shop: tuple[Shop, Brand]) -> None:
    """Nearest first, without the product, its variants and what is something else."""
    asked, brand = shop
    found = more_like_this(asked, "prd_mouse", brand, "en")
    assert found is not None
    ids = [card.id for card in found]
    assert ids[0] == "prd_mice"
    assert not {"prd_mouse", "prd_red", "prd_sofa"} & set(ids)


def test_conditions_and_limits_hold(shop: tuple[Shop, Brand]) -> None:
    """Within the shopper's conditions; unknown products are told from those without neighbours."""
    asked, brand = shop
    cheap = more_like_this(asked, "prd_mouse", brand, "en", filters=Filters(total_max=1000))
    assert cheap == ()
    one = more_like_this(asked, "prd_red", brand, "en", limit=1)
    assert one is not None
    assert len(one) == 1
    assert more_like_this(asked, "prd_zzz", brand, "en") is None
