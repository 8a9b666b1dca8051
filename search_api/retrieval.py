"""From a question to an ordered list of product ids: words, then fewer words, then meaning.

The ladder never ends in nothing without saying why: each step down is named. The second stage
(`tenants.ranking`) orders the first candidates; engines only retrieve. In: a ShopQuery. No SQL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from indexer.engine import (
    WINDOW,
    Engine,
    FacetField,
    Filters,
    Hit,
    Match,
    Neighbour,
    SearchRequest,
    SearchResult,
    Sort,
    Words,
)
from indexer.index_fields import ALL_WORDS_BONUS
from kernel.embedding.encoder import Encoder
from search_api.answer import Relaxation
from search_api.facets import price_edges
from search_api.query import PER_PAGE, ShopQuery
from tenants.brand import Brand
from tenants.ranking import Candidate, RankingProfile, rank_products

CANDIDATES = 200
"""Products that the second stage orders; what follows them stays in the engine's order."""
FEW = 10
"""Fewer products with all words than this, and those with half of the words are added."""
NEAR = 0.55
"""Cosine below which a product is not called similar."""
SIMILAR_AT_MOST = 2 * PER_PAGE
_HINT = 0.3
_SORTS = {
    "relevance": Sort.RELEVANCE,
    "price_asc": Sort.PRICE_ASC,
    "price_desc": Sort.PRICE_DESC,
    "newest": Sort.NEWEST,
}


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Ids of one page in their order, with the counts of the whole list."""

    product_ids: tuple[str, ...]
    result: SearchResult
    relaxation: Relaxation | None = None


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The ladder for one brand and reader."""

    engine: Engine
    encoder: Encoder
    brand: Brand
    language: str

    def page(self, query: ShopQuery) -> Retrieved:
        """The page asked for; beyond the end it is empty and the counts still stand."""
        if not query.text:
            return self._browse(query, query.filters())
        strict = self._count(query)
        if strict >= FEW:
            return self._ranked(query, self._ask(query, Match.ALL))
        # With as many hits as with every word, these are the products that have every word.
        wider = self._ask(query, Match.HALF)
        if wider.total > strict:
            relaxation = Relaxation(
                step="half_of_words", original_query=query.text, matched_all=strict
            )
            return self._ranked(query, wider, relaxation)
        if strict or self._only_filters_exclude(query):
            return self._ranked(query, wider)
        return self._near(query)

    def _count(self, query: ShopQuery) -> int:
        """Products with every word: a count costs a fraction of a page with its facets."""
        words = Words(query.text, self.language, Match.ALL)
        request = SearchRequest(words, query.filters(), limit=0)
        return self.engine.search(self.brand.id, request).total

    def _ask(self, query: ShopQuery, match: Match) -> SearchResult:
        by_relevance = query.sort == "relevance"
        limit = max(CANDIDATES, query.offset + query.per_page) if by_relevance else query.per_page
        return self._search(
            query,
            SearchRequest(
                words=Words(query.text, self.language, match),
                filters=query.filters(),
                sort=_SORTS[query.sort],
                offset=0 if by_relevance else query.offset,
                limit=min(limit, WINDOW),
            ),
        )

    def _search(self, query: ShopQuery, request: SearchRequest) -> SearchResult:
        """With the facets that the query asks for."""
        counted = replace(
            request,
            facets=_counted(query),
            facet_size=60,
            price_edges=price_edges(query.currency),
        )
        return self.engine.search(self.brand.id, counted)

    def _browse(self, query: ShopQuery, filters: Filters) -> Retrieved:
        """Without words: what most merchants offer first, unless another order is chosen."""
        sort = _SORTS[query.sort]
        request = SearchRequest(
            filters=filters,
            sort=Sort.POPULAR if sort is Sort.RELEVANCE else sort,
            offset=query.offset,
            limit=query.per_page,
        )
        result = self._search(query, request)
        return Retrieved(tuple(hit.product_id for hit in result.hits), result)

    def _ranked(
        self, query: ShopQuery, result: SearchResult, relaxation: Relaxation | None = None
    ) -> Retrieved:
        if query.sort != "relevance":
            return Retrieved(tuple(hit.product_id for hit in result.hits), result, relaxation)
        ordered = self._second_stage(query, result.hits[:CANDIDATES])
        ordered += [hit.product_id for hit in result.hits[CANDIDATES:]]
        return Retrieved(
            tuple(ordered[query.offset : query.offset + query.per_page]), result, relaxation
        )

    def _second_stage(self, query: ShopQuery, hits: Sequence[Hit]) -> list[str]:
        """Products with all words stay before the others, whatever else speaks for those."""
        if not hits:
            return []
        near = self._neighbours(
            query, Filters(product_ids=tuple(hit.product_id for hit in hits)), len(hits)
        )
        return order_candidates(hits, near, self.brand.ranking_profile(self.language))

    def _neighbours(self, query: ShopQuery, filters: Filters, limit: int) -> tuple[Neighbour, ...]:
        vector = self.encoder.encode_one(query.text)
        # An index that is yet to be rebuilt with this model answers no neighbours, and no error.
        return self.engine.neighbours(
            self.brand.id,
            vector,
            filters=filters,
            limit=limit,
            model_id=self.encoder.model_id,
        )

    def _only_filters_exclude(self, query: ShopQuery) -> bool:
        """Whether the words are found without the filters: then those are to be taken off."""
        if query.filters() == Filters():
            return False
        words = Words(query.text, self.language, Match.HALF)
        return self.engine.search(self.brand.id, SearchRequest(words, limit=0)).total > 0

    def _near(self, query: ShopQuery) -> Retrieved:
        """No word is known: near in meaning, else what is popular near there, else popular."""
        filters = query.filters()
        near = self._neighbours(query, filters, SIMILAR_AT_MOST)
        similar = [row.product_id for row in near if row.similarity >= NEAR]
        if similar:
            return self._listed(query, similar)
        category = self._common_category(near)
        relaxation = Relaxation(step="popular", original_query=query.text)
        if category is not None and not query.categories:
            filters = replace(filters, categories=(category,))
            relaxation = Relaxation(
                step="popular_in_category", original_query=query.text, category_id=category
            )
        return replace(self._browse(query, filters), relaxation=relaxation)

    def _listed(self, query: ShopQuery, product_ids: Sequence[str]) -> Retrieved:
        """These products, nearest first or in the order chosen, with their facets."""
        request = SearchRequest(
            filters=replace(query.filters(), product_ids=tuple(product_ids)),
            sort=_SORTS[query.sort],
            limit=SIMILAR_AT_MOST,
        )
        result = self._search(query, request)
        found = [hit.product_id for hit in result.hits]
        if query.sort == "relevance":
            found.sort(key=product_ids.index)
        page = tuple(found[query.offset : query.offset + query.per_page])
        return Retrieved(page, result, Relaxation(step="similar", original_query=query.text))

    def _common_category(self, near: Sequence[Neighbour]) -> int | None:
        """The category of most of the nearest ten, where they are not merely random."""
        ids = [row.product_id for row in near[:10] if row.similarity >= _HINT]
        if not ids:
            return None
        request = SearchRequest(filters=Filters(product_ids=tuple(ids)), limit=len(ids))
        hits = self.engine.search(self.brand.id, request).hits
        counted = Counter(hit.category_id for hit in hits if hit.category_id is not None)
        if not counted:
            return None
        category, count = counted.most_common(1)[0]
        return category if 2 * count >= len(ids) else None


def _counted(query: ShopQuery) -> tuple[FacetField, ...]:
    """The facets asked for; prices are always counted, for every answer states their range."""
    if query.facets is None:
        return tuple(FacetField)
    return (FacetField.PRICE, *(FacetField(name) for name in query.facets))


def order_candidates(
    hits: Sequence[Hit], near: Sequence[Neighbour], profile: RankingProfile
) -> list[str]:
    """Ids by the brand's second stage, those with all words first. Pure."""
    cosines = {row.product_id: max(row.similarity, 0.0) for row in near}
    plain = [_plain(hit) for hit in hits]
    best = max(plain, default=0.0) or 1.0
    ordered: list[str] = []
    for all_words in (True, False):
        tier = [
            Candidate(
                hit.product_id,
                text_score=score / best,
                vector_score=cosines.get(hit.product_id, 0.0),
                in_stock=hit.availability == "in_stock",
                offer_count=hit.offer_count,
            )
            for hit, score in zip(hits, plain, strict=True)
            if (hit.score >= ALL_WORDS_BONUS) is all_words
        ]
        ordered += [row.product_id for row in rank_products(tier, profile)]
    return ordered


def _plain(hit: Hit) -> float:
    """The text score without the bonus for having all words."""
    return hit.score - ALL_WORDS_BONUS if hit.score >= ALL_WORDS_BONUS else hit.score
