"""Product views -> changes for one brand's index, vectors included."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from indexer.document import ProductDocument
from indexer.embed_text import embed_text
from indexer.engine import Delete, Upsert
from indexer.project import project
from indexer.remembered_vectors import RememberedVectors
from kernel.embedding.encoder import Encoder
from mdm.product_view import ProductView
from tenants.brand import Brand

_VECTORS = RememberedVectors()


def changes_for(
    brand: Brand,
    product_ids: Sequence[str],
    views: Sequence[ProductView],
    encoder: Encoder,
    version: int,
    now: datetime,
) -> list[Upsert | Delete]:
    """One change for each id: its document, or its deletion where the brand shows nothing of it."""
    documents: list[ProductDocument] = []
    for view in views:
        document = project(view, brand, now)
        if document is not None:
            documents.append(document)
    language = brand.languages[0]
    vectors = _VECTORS.encode(encoder, [embed_text(document, language) for document in documents])
    shown = {document.product_id for document in documents}
    upserts = [
        Upsert(document, vector, version, encoder.model_id)
        for document, vector in zip(documents, vectors, strict=True)
    ]
    gone = [Delete(name, version) for name in dict.fromkeys(product_ids) if name not in shown]
    return [*upserts, *gone]
