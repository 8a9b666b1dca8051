"""A shop on an embedded index of a few products, as the tests of answers ask it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tenants
from indexer.document import ProductDocument
from indexer.embed_text import embed_text
from indexer.embedded import EmbeddedEngine
from indexer.engine import Upsert
from kernel.embedding.encoder import load_encoder
from search_api.overview import Overviews
from search_api.search import Shop
from tenants.brand import Brand, brand_from, read_brand_file


def bundled_brand(name: str) -> Brand:
    """A brand that comes with the project."""
    folder = Path(tenants.__file__).parent / "bundled"
    return brand_from(read_brand_file(folder / f"{name}.toml")[0])


def shop_of(rows: Sequence[ProductDocument], brand: Brand, language: str, folder: Path) -> Shop:
    """The shop of a brand, its products written with their vectors and its words read."""
    engine, encoder = EmbeddedEngine(folder), load_encoder()
    index = engine.create(brand.id, model_id=encoder.model_id, dimensions=encoder.dimensions)
    vectors = encoder.encode([embed_text(row, language) for row in rows])
    engine.write(index, [Upsert(row, vector, 1) for row, vector in zip(rows, vectors, strict=True)])
    engine.publish(brand.id, index)
    opened = Shop(engine, encoder, Overviews(engine))
    opened.snapshots.load(brand.id)
    return opened
