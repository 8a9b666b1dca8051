"""Queries put to the shop as shoppers put them, and the lists of judged documents that come back.

`ShopLists` asks `Shop.search` page by page, so that what is measured is what people see: the
understanding of the question, the ladder, the second stage. A product stands for the judged
documents that its offers carry as `sku`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from comptoir.relevance.judgements import Judgements
from comptoir.relevance.metrics import CUT, DEPTH, QueryFigures, query_figures
from indexer.document import ProductDocument
from indexer.embed_text import embed_text
from indexer.engine import Engine, Upsert
from kernel.embedding.encoder import Encoder
from search_api.overview import Overviews
from search_api.query import MOST_PER_PAGE, read_query
from search_api.search import Shop
from tenants.brand import Brand
from tenants.ranking.document import RankingDocument
from tenants.ranking.inheritance import Stated

Mode = Literal["lexical", "hybrid"]
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Answered:
    """Judged ids of a list, best first, and the step of the ladder that was taken."""

    documents: tuple[str, ...]
    relaxation: str | None


class ShopLists:
    """The shop on one index, as one brand in one language."""

    def __init__(
        self,
        engine: Engine,
        encoder: Encoder,
        brand: Brand,
        language: str,
        judged_ids: Mapping[str, Sequence[str]],
    ) -> None:
        self._shop = Shop(engine, encoder, Overviews(engine))
        self._shop.snapshots.load(brand.id)
        self._brand = brand
        self._language = language
        self._judged_ids = judged_ids

    def ask(self, text: str, depth: int = DEPTH) -> Answered:
        """The first `depth` products of a query, as pages give them."""
        size = min(MOST_PER_PAGE, depth)
        documents: list[str] = []
        relaxation = None
        for page in range(1, -(-depth // size) + 1):
            pairs = [("q", text), ("page", str(page)), ("per_page", str(size))]
            answer = self._shop.search(
                read_query(pairs, self._brand.currency), self._brand, self._language
            )
            relaxation = answer.relaxation.step if answer.relaxation else None
            for product in answer.products:
                documents.extend(self._judged_ids.get(product.id, (product.id,)))
            if answer.page < page or page >= answer.pages:
                break
        return Answered(tuple(dict.fromkeys(documents))[:depth], relaxation)


def measure(lists: ShopLists, judgements: Judgements) -> Iterator[QueryFigures]:
    """Figures of every query."""
    for query, gains in judgements.items():
        answered = lists.ask(query)
        yield query_figures(query, answered.documents, gains, answered.relaxation)


def first_pages(
    lists: ShopLists, queries: Iterable[tuple[str, Mapping[str, int]]]
) -> Iterator[QueryFigures]:
    """Figures of copies of queries, by their first ten alone."""
    for text, gains in queries:
        answered = lists.ask(text, CUT)
        yield query_figures(text, answered.documents, gains, answered.relaxation)


def in_mode(brand: Brand, mode: Mode) -> Brand:
    """The brand with the shipped ranking, or without what vectors say in it."""
    weights = {"in_stock": 0.0, "offer_count": 0.0}
    # Stock and offers of a judged catalogue are made up: they must not speak.
    if mode == "lexical":
        weights["vector"] = 0.0
    document = RankingDocument.model_validate({"product_weights": weights})
    return brand.with_rankings([Stated("brand", None, document)])


def fill(
    engine: Engine, encoder: Encoder, brand: Brand, documents: Sequence[ProductDocument]
) -> Iterator[int]:
    """Build and publish the brand's index; yields how many products were written at each step."""
    index = engine.create(brand.id, model_id=encoder.model_id, dimensions=encoder.dimensions)
    for start in range(0, len(documents), _AT_ONCE):
        batch = documents[start : start + _AT_ONCE]
        vectors = encoder.encode([embed_text(row, brand.languages[0]) for row in batch])
        changes = [Upsert(row, vector, 1) for row, vector in zip(batch, vectors, strict=True)]
        report = engine.write(index, changes)
        if report.refused:
            refused = report.refused[0]
            raise ValueError(f"{refused.product_id} was refused: {refused.reason}")
        yield len(batch)
    engine.publish(brand.id, index)


def judged_ids(documents: Iterable[ProductDocument]) -> dict[str, tuple[str, ...]]:
    """Product id -> the judged documents that its offers carry.

    Behind the numbers of its offers a document has those that shops print on it themselves (codes
    of 13 digits that begin with 2): nobody judged these, and they take no place in a list.
    """
    return {row.product_id: row.skus[: row.offer_count] for row in documents}


def measured_brand(brand: Brand, language: str, country: str, currency: str) -> Brand:
    """A brand of the measurement's own: every merchant, one language, the set's currency."""
    return replace(
        brand,
        id="relevance",
        languages=(language,),
        country=country,
        currency=currency,
        merchants=None,
    )
