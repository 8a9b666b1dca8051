"""What an embedded index shows, read from its files as they are committed now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tantivy

from indexer.embedded.querying import of_products, query_of
from indexer.embedded.schema import DIGEST, open_index
from indexer.engine import Filters
from indexer.inventory import Held


def page(folder: Path, after: str, limit: int) -> tuple[Held, ...]:
    """The next products in the order of their numeric keys."""
    searcher = open_index(folder / "lexical").searcher()
    query = query_of(None, Filters(), after=after or None)
    found = searcher.search(
        query, limit=limit, count=False, order_by_field="key", order=tantivy.Order.Asc
    )
    return _rows(searcher, [address for _, address in found.hits])


def among(folder: Path, product_ids: Sequence[str]) -> dict[str, Held]:
    """Those of the products that are shown."""
    if not product_ids:
        return {}
    searcher = open_index(folder / "lexical").searcher()
    parts = (query_of(None, Filters()), of_products(product_ids))
    query = tantivy.Query.boolean_query([(tantivy.Occur.Must, part) for part in parts])
    found = searcher.search(query, limit=len(product_ids), count=False)
    return {row.product_id: row for row in _rows(searcher, [address for _, address in found.hits])}


def count(folder: Path) -> int:
    """Products shown."""
    searcher = open_index(folder / "lexical").searcher()
    found = searcher.search(query_of(None, Filters()), limit=1, count=True)
    return int(getattr(found, "count"))  # noqa: B009 - the library's types leave it out


def _rows(searcher: tantivy.Searcher, addresses: list[tantivy.DocAddress]) -> tuple[Held, ...]:
    versions = searcher.fast_field_values("version", addresses)
    digests = searcher.fast_field_values(DIGEST, addresses)
    return tuple(
        Held(
            str(searcher.doc(address).get_first("product_id")), int(version or 0), int(digest or 0)
        )
        for address, version, digest in zip(addresses, versions, digests, strict=True)
    )
