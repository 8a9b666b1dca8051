"""The text of a product that its vector is made of. Pure."""

from __future__ import annotations

from indexer.document import ProductDocument
from kernel.categories import categories

_LONGEST = 400


def embed_text(document: ProductDocument, language: str) -> str:
    """Title in the brand's language, maker and kind: what tells products apart in meaning.

    Descriptions are left out: they are long, and shops copy them from product to product.
    """
    category = categories().get(document.category_id or 0)
    kind = category.name(language) if category else ""
    parts = (document.title(language)[:_LONGEST], document.manufacturer or "", kind)
    return " ".join(part for part in parts if part)
