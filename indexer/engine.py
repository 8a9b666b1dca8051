"""The port of the search engines: reading and writing, questions and answers that name no engine.

One index per brand, versioned, behind an alias: `create` makes an empty one beside the live one,
`publish` switches to it in one step. Writes carry versions; a late or doubled write never wins.
Every method may raise DomainError: `search_unavailable` (503), `index_missing` (503),
`index_damaged` (503), `vector_model_differs` (409).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.document import ProductDocument
from indexer.hits import Hit, Hits
from indexer.inventory import Inventory
from tenants.ranking.profile import FieldWeights

WINDOW = 1_000
"""No answer reaches further than this many products down the list."""

VOCABULARY = 50_000

Vector = NDArray[np.float32]
"""One unit vector [dimensions], or several as rows [n, dimensions]."""


class Match(StrEnum):
    """How many of the words a product must have. HALF still puts those with all words first."""

    ALL = "all"
    HALF = "half"


class Sort(StrEnum):
    """Order of hits. Products without a total come last in both directions of price."""

    RELEVANCE = "relevance"
    PRICE_ASC = "price_asc"
    PRICE_DESC = "price_desc"
    NEWEST = "newest"
    POPULAR = "popular"
    """Most offers first: what most merchants sell."""
    DROP = "drop"
    """How far the price lies under the highest of the days before it fell, most first."""
    ID = "id"
    """A fixed order of ids, the engine's own, for walking through everything with `after`."""


class FacetField(StrEnum):
    """What can be counted and filtered by."""

    CATEGORY = "category"
    MANUFACTURER = "manufacturer"
    MERCHANT = "merchant"
    AVAILABILITY = "availability"
    PRICE = "price"


@dataclass(frozen=True, slots=True)
class Expansion:
    """Another reading of a word (synonym, corrected spelling), analysed like typed text.

    `text` is one or several words that all have to be in one field; 0 < `weight` <= 1.
    """

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Words:
    """Text as typed and the language it is read in (`fr`, `de`, `en`; others are only folded).

    `expansions` map the place of a word (as `indexer.analysis.query_words` numbers them) to what
    may stand for it. `required` words of the query are enough (None: as `match` says); where that
    is fewer than all, the `essential` places must be among them. `opposites` map the place of a
    word that denies to what titles say of things that have it (`filaire`). `weights` None are the
    defaults.
    """

    text: str
    language: str
    match: Match = Match.ALL
    expansions: Mapping[int, tuple[Expansion, ...]] = field(default_factory=dict)
    required: int | None = None
    essential: tuple[int, ...] = ()
    opposites: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    weights: FieldWeights | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """Values of one field are alternatives, fields add up. Empty means no condition.

    `manufacturers` are keys (`indexer.analysis.key`). Totals are minor units of the index's
    currency, both ends included. `product_ids` restricts to those; None to none. `variant_groups`
    lets pass what is in any of them. `attributes` maps
    a key of the document's attributes to values as they stand there.
    """

    categories: tuple[int, ...] = ()
    manufacturers: tuple[str, ...] = ()
    merchants: tuple[str, ...] = ()
    availabilities: tuple[str, ...] = ()
    total_min: int | None = None
    total_max: int | None = None
    variant_groups: tuple[str, ...] = ()
    product_ids: tuple[str, ...] | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dropped_from: int | None = None
    """Only where the last change of the lowest price, on this day since 1970-01-01 or later, left
    it under the days before (`indexer.price_steps.last_drop`)."""
    without: tuple[Filters, ...] = ()
    """What passes one of these is in neither hits nor totals nor facets: a brand hides it."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """`words` None matches everything. Offset + limit stay within WINDOW (ValueError else).

    `attributes` are the keys whose values are counted. Where fewer than `facets_from` are found,
    an engine may leave all counts out (`counting` is None then). With `vector` (of unit length) and
    the order by relevance every hit carries its cosine; with `model_id` as well, whose vector it
    is, an index of another model's vectors leaves them out. `after` is the last id of a page, in
    Sort.ID only (ValueError else): that walk knows no window.
    """

    words: Words | None = None
    filters: Filters = field(default_factory=Filters)
    sort: Sort = Sort.RELEVANCE
    offset: int = 0
    limit: int = 24
    facets: tuple[FacetField, ...] = ()
    facet_size: int = 30
    facets_from: int = 0
    attributes: tuple[str, ...] = ()
    vector: Vector | None = None
    model_id: str | None = None
    after: str | None = None

    def __post_init__(self) -> None:
        if self.after is not None and (self.sort is not Sort.ID or self.offset):
            raise ValueError("`after` needs the order by id, and no offset")
        if self.offset < 0 or self.limit < 0 or self.offset + self.limit > WINDOW:
            raise ValueError(f"{self.offset}+{self.limit} is outside the window of {WINDOW}")


class FacetCount(NamedTuple):
    """`value` is what a filter takes (an id or key), `label` what people read."""

    value: str
    label: str
    count: int  # type: ignore[assignment]  # nobody counts values in this tuple


@dataclass(frozen=True, slots=True)
class PriceCounts:
    """Products in each bar of `indexer.price_bars`; lowest and highest total."""

    counts: tuple[int, ...]
    lowest: int | None
    highest: int | None


@dataclass(frozen=True, slots=True)
class Counts:
    """What facets show. Counts ignore the filter on their own field; most frequent first."""

    facets: Mapping[FacetField, tuple[FacetCount, ...]] = field(default_factory=dict)
    prices: PriceCounts | None = None
    attributes: Mapping[str, tuple[FacetCount, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """`total` is exact. `counting` answers the counts, and may wait for an engine that is still at
    them (DomainError as of `search`); None where they were left out."""

    hits: Hits
    total: int
    counting: Callable[[], Counts] | None = None

    def counts(self) -> Counts:
        """What was counted; nothing where that was left out."""
        return self.counting() if self.counting is not None else Counts()


@dataclass(frozen=True, slots=True)
class ClauseScore:
    """What the terms of a word (its place in the query) earned in a field of the index."""

    word: int
    field: str
    terms: tuple[str, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a product is found: clauses that matched, best first, and the score they make together.

    Of the clauses of one word the best counts whole and the others by a tenth; `score` includes the
    bonus for having every word.
    """

    product_id: str
    score: float
    clauses: tuple[ClauseScore, ...]


@dataclass(frozen=True, slots=True)
class Completion:
    """A product whose title goes on from what was typed; `total_minor` as in its document."""

    product_id: str
    title: str
    category_id: int | None
    manufacturer: str | None
    total_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """`similarity` is the cosine, 1 for the same meaning."""

    product_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Upsert:
    """A document, its vector, and the version it was made at (a position of the change log).

    With `model_id`, whose vector it is, an index of another model's vectors refuses it."""

    document: ProductDocument
    vector: Vector
    version: int
    model_id: str | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """The product is shown no longer, since `version`."""

    product_id: str
    version: int


def misfit(change: Upsert | Delete, model_id: str, dimensions: int) -> str | None:
    """Why a change's vector cannot stand beside those of an index; None where it can."""
    if isinstance(change, Delete):
        return None
    if change.model_id not in {None, model_id}:
        return f"its vector is one of {change.model_id}, the index holds those of {model_id}"
    if change.vector.shape != (dimensions,):
        return f"its vector has shape {change.vector.shape}, not ({dimensions},)"
    return None


@dataclass(frozen=True, slots=True)
class Refused:
    """A document that the engine did not take, and why."""

    product_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class WriteReport:
    """`late` writes lost against a newer version, which is right; `refused` ones need a person."""

    written: int = 0
    deleted: int = 0
    late: int = 0
    refused: tuple[Refused, ...] = ()

    def __add__(self, other: WriteReport) -> WriteReport:
        return WriteReport(
            self.written + other.written,
            self.deleted + other.deleted,
            self.late + other.late,
            self.refused + other.refused,
        )


@dataclass(frozen=True, slots=True)
class IndexStats:
    """The live index of a brand: its name, products shown, and whose vectors it holds."""

    index: str
    count: int
    model_id: str
    dimensions: int


class Writing(Protocol):
    """What builds and changes indices."""

    def create(self, brand_id: str, *, model_id: str, dimensions: int) -> str:
        """A new empty index beside the live one; answers its name."""

    def publish(self, brand_id: str, index: str) -> str | None:
        """Make the index the brand's live one in one step; answers the one it replaces."""

    def drop(self, brand_id: str, index: str) -> None:
        """Remove an index that is not live (ValueError for the live one). Unknown names pass."""

    def write(self, index: str, changes: Sequence[Upsert | Delete]) -> WriteReport:
        """Apply changes; on return they are durable and visible within a second.

        A version below the one last written (or deleted) is late and changes nothing; the same
        version may be written again.
        """

    def previous(self, brand_id: str) -> str | None:
        """The index that the live one replaced, while it is kept: what a roll back publishes."""


class Reading(Protocol):
    """What answers questions. An unknown brand is DomainError `index_missing`."""

    def search(self, brand_id: str, request: SearchRequest) -> SearchResult:
        """Products by words, filters, order, with facet counts and cosines."""

    def neighbours(
        self,
        brand_id: str,
        vector: Vector,
        *,
        filters: Filters,
        limit: int,
        model_id: str | None = None,
    ) -> tuple[Neighbour, ...]:
        """Products nearest in meaning, best first, that pass the filters.

        With `model_id`, whose vector it is, an index of another model's vectors answers none.
        """

    def read(self, brand_id: str, products: Sequence[str | Hit]) -> dict[str, ProductDocument]:
        """Documents by id; ids that are not shown are absent.

        A hit stands for its product as it was seen: an engine that holds that version in memory
        does not ask for it again. An id alone is always read anew.
        """

    def explain(self, brand_id: str, request: SearchRequest, product_id: str) -> Explanation | None:
        """Why the product is found by the request's words; None where it is not."""

    def vocabulary(self, brand_id: str, language: str) -> Iterable[tuple[str, int]]:
        """Folded words, not stemmed, that people see, with the number of products that show them.

        `language` is one of `indexer.analysis.LANGUAGES` (words of titles) or OTHER (makers, values
        of attributes, titles in other languages). At most VOCABULARY words of a field, the most
        frequent ones, in no order.
        """

    def complete(
        self, brand_id: str, prefix: str, language: str, limit: int
    ) -> tuple[Completion, ...]:
        """Products whose title or maker has every word typed, the last one as a beginning.

        Most offers first; the title is the one that readers of the language see.
        """

    def stats(self, brand_id: str) -> IndexStats | None:
        """The live index, or None where the brand has none."""

    def stamp(self, brand_id: str) -> str | None:
        """Names what questions are answered from: this index, with these products and vectors.

        The same before and after some questions: all of them were answered from that. Cheap. None
        where the engine cannot tell.
        """


class Engine(Reading, Writing, Inventory, Protocol):
    """Both engines behave the same; `tests/contracts/test_search_engine*.py` hold them to it."""
