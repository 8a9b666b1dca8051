"""A search answered: retrieval, then the page with facets, links, relaxation and disclosure."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import get_args

from indexer.engine import Engine, Explanation, Match, SearchRequest, Words
from kernel.categories import categories
from kernel.embedding.encoder import Encoder
from search_api.answer import (
    ClauseShare,
    Department,
    HomePage,
    PageLink,
    SearchAnswer,
    SortName,
    SortOption,
    Suggested,
    Why,
)
from search_api.card_memory import CardMemory
from search_api.facets import chips_of, facets_of, price_facet
from search_api.highlight import highlighted, wanted_terms
from search_api.notices import list_notice, ranking_statement
from search_api.overview import Overviews
from search_api.price_fall import Falls
from search_api.product_card import ProductCard
from search_api.query import ShopQuery, address, addresses, page_count, without_page
from search_api.ranking_statement import RankingStatement
from search_api.retrieval import Retrieval
from search_api.retrieved import Retrieved
from search_api.understanding.answering import as_words, suggested, understood
from search_api.understanding.cheapest import asks_for_cheap
from search_api.understanding.recognition import thing_named
from search_api.understanding.snapshot import Snapshot, Snapshots
from tenants.brand import Brand
from tenants.ranking.rules import Placed

POPULAR_AT_HOME = 8
_SORT_NAMES: tuple[SortName, ...] = get_args(SortName)


@dataclass(frozen=True, slots=True)
class Shop:
    """What answers a reader: the engine, the model, what is known of each brand's index."""

    engine: Engine
    encoder: Encoder
    overviews: Overviews
    snapshots: Snapshots = field(init=False)
    falls: Falls = field(init=False)
    cards: CardMemory = field(default_factory=CardMemory)

    def __post_init__(self) -> None:
        object.__setattr__(self, "snapshots", Snapshots(self.engine, self.encoder.knows))
        object.__setattr__(self, "falls", Falls(self.engine))

    def search(
        self, query: ShopQuery, brand: Brand, language: str, *, explain: bool = False
    ) -> SearchAnswer:
        """One page of results. A page beyond the last one is the last one, and says so."""
        started = time.perf_counter()
        snapshot = self.snapshots.of(brand.id)
        retrieval = Retrieval(self.engine, self.encoder, brand, language, snapshot)
        found = retrieval.page(query)
        pages = page_count(found.result.total, query.per_page)
        if query.page > pages:
            query = replace(query, page=pages, ignored=(*query.ignored, "page"))
            found = retrieval.page(query)
        overview = self.overviews.of(brand.id)
        result = found.result
        if result.hits:
            self.snapshots.seen(brand.id, result.hits.seen_in)
        cards = self._cards(found, brand, language)
        # Last: an engine may be counting while the cards are made.
        counts = result.counts()
        return SearchAnswer(
            query=query.text,
            language=language,
            currency=brand.currency,
            total=result.total,
            page=query.page,
            pages=pages,
            per_page=query.per_page,
            products=cards,
            facets=facets_of(counts.facets, query, language, overview),
            price=price_facet(counts.prices, query, language),
            sorts=_sorts(query, language),
            chips=chips_of(query, language, overview),
            page_links=_page_links(query, pages, language),
            relaxation=found.relaxation,
            understood=understood(found.understood, query, language, overview),
            taken_back=understood(found.taken_back, query, language, overview),
            did_you_mean=suggested(found.did_you_mean, query, language),
            as_typed=_as_typed(found, query, language),
            cheapest_first=_cheapest_first(found, query, language, snapshot),
            redirect=found.redirect,
            notice=list_notice(
                "results" if query.sort == "relevance" else "sorted",
                brand,
                language,
                len(overview.merchants),
            ),
            clear_url=address(ShopQuery(query.currency, text=query.text), language),
            ignored=query.ignored,
            explain=self._why(found, query, brand, language) if explain else None,
            took_ms=round((time.perf_counter() - started) * 1000, 1),
        )

    def _why(
        self, found: Retrieved, query: ShopQuery, brand: Brand, language: str
    ) -> tuple[Why, ...]:
        """What put each product of the page there; no clauses for those that no word has found."""
        if not query.text:
            return ()
        weights = brand.ranking_profile(language).field_weights
        words = Words(query.text, language, Match.HALF, weights=weights)
        request = SearchRequest(words, query.filters())
        placed = {row.product_id: row for row in found.placed}
        whys = []
        for name in found.product_ids:
            why = self.engine.explain(brand.id, request, name)
            if why is not None or name in placed:
                whys.append(_why(name, why, placed.get(name)))
        return tuple(whys)

    def known(self, brand_id: str) -> str | None:
        """Names what answers take beside the index's own: its overview, and what its words are read
        by. None while one of them has not been read yet."""
        overview = self.overviews.latest(brand_id)
        mark = self.snapshots.of(brand_id).mark
        return f"{overview.mark} {mark}" if overview is not None and mark else None

    def home(self, brand: Brand, language: str) -> HomePage:
        """Departments that have products, and what most merchants offer."""
        overview = self.overviews.of(brand.id)
        query = ShopQuery(brand.currency)
        found = Retrieval(self.engine, self.encoder, brand, language).page(query)
        departments = [
            Department(
                category_id=id_,
                label=category.name(language),
                url=address(replace(query, categories=(id_,)), language),
                count=overview.category_counts[id_],
            )
            for id_, category in categories().items()
            if category.parent is None and overview.category_counts.get(id_)
        ]
        return HomePage(
            departments=tuple(sorted(departments, key=lambda row: -row.count)),
            fallen=self.falls.of(brand, language),
            popular=self._cards(found, brand, language)[:POPULAR_AT_HOME],
            product_count=overview.product_count,
            merchant_count=len(overview.merchants),
            notice=list_notice("results", brand, language, len(overview.merchants)),
        )

    def ranking(self, brand: Brand, language: str) -> RankingStatement:
        """How this brand orders, for the page that says so; that also while the engine is away."""
        overview = self.overviews.last(brand.id)
        return ranking_statement(brand, language, overview.merchants, overview.updated_at)

    def _cards(self, found: Retrieved, brand: Brand, language: str) -> tuple[ProductCard, ...]:
        shown = self.cards.cards(
            found.page,
            lambda products: self.engine.read(brand.id, products),
            brand.ranking_profile(language),
            language,
            datetime.now(UTC),
        )
        return _marked(shown, found, language)


def _marked(
    cards: Sequence[ProductCard], found: Retrieved, language: str
) -> tuple[ProductCard, ...]:
    """Cards with the words that found them marked in their titles, and paid places marked."""
    said = [piece.text for piece in found.understood if piece.kind != "price"]
    words = " ".join((found.words, *said)).strip()
    wanted = wanted_terms(words, language, found.readings)
    paid_by = {name: placement.paid_by for name, placement in found.sponsored.items()}
    return tuple(
        card.in_answer(
            highlighted(card.title, wanted, language) if words else (),
            sponsored=card.id in paid_by,
            sponsored_by=paid_by.get(card.id),
        )
        for card in cards
    )


def _as_typed(found: Retrieved, query: ShopQuery, language: str) -> Suggested | None:
    """The way back from a corrected spelling."""
    if found.relaxation is None or found.relaxation.corrected_query is None:
        return None
    return Suggested(text=query.text, url=as_words(query, "spelling", language))


def _cheapest_first(
    found: Retrieved, query: ShopQuery, language: str, snapshot: Snapshot
) -> Suggested | None:
    """The order by price, for who asks for it in words; of the thing alone where it is named."""
    if query.sort != "relevance" or not asks_for_cheap(query.text):
        return None
    ordered = replace(without_page(query), sort="price_asc")
    is_narrowed = any(piece.kind == "category" for piece in found.understood)
    thing = None if is_narrowed else thing_named(query.text, language, snapshot)
    if query.categories or thing is None:
        return Suggested(text=query.text, url=address(ordered, language))
    ordered = replace(ordered, categories=(thing,))
    return Suggested(text=categories()[thing].name(language), url=address(ordered, language))


def _why(product_id: str, found: Explanation | None, placed: Placed | None) -> Why:
    ranked = placed.ranked if placed is not None else None
    return Why(
        product_id=product_id,
        score=found.score if found is not None else 0.0,
        clauses=tuple(
            ClauseShare(word=row.word, field=row.field, terms=row.terms, score=row.score)
            for row in (found.clauses if found is not None else ())
        ),
        parts=dict(ranked.parts) if ranked is not None else {},
        pinned_by=placed.pinned_by if placed is not None else None,
    )


def _sorts(query: ShopQuery, language: str) -> tuple[SortOption, ...]:
    url = addresses(query, language)
    return tuple(
        SortOption(value=name, selected=name == query.sort, url=url(name, 1))
        for name in _SORT_NAMES
    )


def _page_links(query: ShopQuery, pages: int, language: str) -> tuple[PageLink, ...]:
    """The first, the last and those around the current one."""
    near = range(query.page - 2, query.page + 3)
    numbers = sorted({1, pages, *(number for number in near if 1 <= number <= pages)})
    url = addresses(query, language)
    return tuple(
        PageLink(number=number, url=url(query.sort, number), current=number == query.page)
        for number in numbers
    )
