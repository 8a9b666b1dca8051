"""Every page of a brand that search engines may show, page by page, in the sitemap protocol.

The home page and the categories are the first page; the products follow by id. Where a page of
products begins is found by one walk through the brand's ids, repeated beside the questions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape

from indexer.engine import WINDOW, Engine, SearchRequest, Sort
from kernel.categories import categories
from kernel.errors import DomainError, NotFound
from search_api.cards import product_url
from search_api.overview import Overviews
from search_api.query import ShopQuery, address
from search_api.renewed import Renewed
from tenants.brand import Brand

PER_PAGE = 10_000
"""Products of a page; the protocol allows five times as many."""
KEEP_S = 3_600.0
FOUND_AT_ONCE = 50_000
"""Products of a brand that are walked through while somebody waits, the first time."""
RETRY_S = 60
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_XMLNS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


@dataclass(frozen=True, slots=True)
class _Walk:
    """The id before the first product of each page; None before the first of all."""

    starts: tuple[str | None, ...]


class SitemapUnfinished(DomainError):
    """A large catalogue is being walked through for the first time."""

    retry_after_s = RETRY_S

    def __init__(self) -> None:
        super().__init__("sitemap_unfinished", "The list of pages is being made.", status=503)


class Sitemaps:
    """The sitemaps of all brands, each from its own index."""

    def __init__(self, engine: Engine, overviews: Overviews, *, per_page: int = PER_PAGE) -> None:
        self._engine = engine
        self._overviews = overviews
        self._per_page = per_page
        self._walks = Renewed(self._walk, "sitemap", keep_s=KEEP_S)

    def index(self, brand: Brand, origin: str) -> str:
        """The list of the pages. SitemapUnfinished while a large catalogue is first walked."""
        pages = len(self._starts(brand)) + 1
        rows = [f"<sitemap><loc>{escape(f'{origin}/sitemaps/{n}.xml')}</loc></sitemap>"
                for n in range(pages)]  # fmt: skip
        return f"{_HEAD}<sitemapindex {_XMLNS}>{''.join(rows)}</sitemapindex>\n"

    def page(self, brand: Brand, number: int, origin: str) -> str:
        """Page 0: home and categories; then products. NotFound beyond the last."""
        starts = self._starts(brand)
        if not 0 <= number <= len(starts):
            raise NotFound("page_unknown", "There is no such page.")
        paths = self._plain(brand) if number == 0 else self._products(brand.id, starts[number - 1])
        rows = [f"<url><loc>{escape(origin + path)}</loc></url>" for path in paths]
        return f"{_HEAD}<urlset {_XMLNS}>{''.join(rows)}</urlset>\n"

    def _starts(self, brand: Brand) -> tuple[str | None, ...]:
        if self._overviews.of(brand.id).product_count <= FOUND_AT_ONCE:
            return self._walks.made(brand.id).starts
        walk = self._walks.latest(brand.id)
        if walk is None:
            raise SitemapUnfinished
        return walk.starts

    def _plain(self, brand: Brand) -> Iterator[str]:
        yield "/"
        shown = self._overviews.of(brand.id).category_counts
        for id_ in categories():
            if shown.get(id_):
                yield address(
                    replace(ShopQuery(brand.currency), categories=(id_,)), brand.languages[0]
                )

    def _products(self, brand_id: str, after: str | None) -> Iterator[str]:
        for ids in self._ids(brand_id, after, self._per_page):
            yield from map(product_url, ids)

    def _walk(self, brand_id: str) -> _Walk:
        starts: list[str | None] = []
        seen, last = 0, None
        for ids in self._ids(brand_id, None, None):
            for id_ in ids:
                if seen % self._per_page == 0:
                    starts.append(last)
                seen, last = seen + 1, id_
        return _Walk(tuple(starts))

    def _ids(self, brand_id: str, after: str | None, most: int | None) -> Iterator[list[str]]:
        """Ids after one, in the engine's order, as many at a time as it gives."""
        left = most
        while left is None or left > 0:
            limit = WINDOW if left is None else min(WINDOW, left)
            request = SearchRequest(sort=Sort.ID, after=after, limit=limit)
            ids = [hit.product_id for hit in self._engine.search(brand_id, request).hits]
            if ids:
                yield ids
            if len(ids) < limit:
                return
            after = ids[-1]
            left = None if left is None else left - len(ids)
