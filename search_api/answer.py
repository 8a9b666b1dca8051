"""What the shop answers: a page of results, a product with its offers. Read by templates and API.

Built by `search_api.search` and `search_api.product`. Amounts are `Money` in the brand's currency
and include delivery wherever they are called totals. Texts that depend on the reader's language
are already in it; words such as `in_stock` are codes that templates translate. Plain frozen
dataclasses: they are made on every request, and made from values of our own.
"""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from kernel.money import Money
from search_api.plain_dataclass import dataclass
from search_api.price_facts import PriceFall, PriceHistory
from search_api.price_verdict import PriceVerdict
from search_api.product_card import Fact, OfferCard, ProductCard

FacetName = Literal["category", "manufacturer", "merchant", "availability"]
SortName = Literal["relevance", "price_asc", "price_desc", "newest"]
RelaxationStep = Literal[
    "corrected", "half_of_words", "drop_word", "similar", "popular_in_category", "popular"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetValue:
    """A value to narrow by. `value` goes into the address; `url` switches it on or off.

    `depth` and `parent` (a `value`) draw the category tree; they are 0 and None elsewhere.
    """

    value: str
    label: str
    count: int
    selected: bool
    url: str
    depth: int = 0
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """Counts ignore the facet's own selection. `name` is also the parameter of the address."""

    name: FacetName
    values: tuple[FacetValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBar:
    """A bar of the histogram: totals from `low` (included) to `high` (excluded)."""

    low: Money
    high: Money
    count: int
    selected: bool
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFacet:
    """Totals of the results. `minimum` and `maximum` are of what is there without this filter.

    `selected_min` and `selected_max` repeat what the address says (price_min, price_max).
    """

    minimum: Money | None
    maximum: Money | None
    selected_min: Money | None
    selected_max: Money | None
    bars: tuple[PriceBar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SortOption:
    """A way to order; `url` is the same search in that order."""

    value: SortName
    selected: bool
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A condition in force, and the address without it. `kind` is the name of its parameter."""

    kind: Literal["q", "category", "manufacturer", "merchant", "availability", "price"]
    label: str
    url: str
    low: Money | None = None
    high: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """Something that the words of the question say and that narrows the result like a filter.

    `text` is what was typed, `label` what it was taken for (a price has `low` and `high` instead;
    limits of a measure, `au moins 8 kg`, stand as typed and have no `value`, for several pass);
    `denied` is what the products are to be without, with the word that says so (`sans fil`);
    `url` is the search that takes it as plain words again.
    """

    kind: Literal["price", "category", "manufacturer", "attribute", "denied"]
    text: str
    label: str
    url: str
    key: str = ""
    value: str = ""
    low: Money | None = None
    high: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """Another text, and the address of its search."""

    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxation:
    """The products answer less than what was asked; which step was taken, to be said aloud.

    corrected: nothing has `original_query`, these have `corrected_query` (which later steps may
    have as well).
    half_of_words: no (or only `matched_all`) products have all words, these have at least half.
    drop_word: these have every word but those `dropped`.
    similar: none has the words; these are near in meaning. popular_in_category (`category_id`) and
    popular: nothing is near; these are what most merchants offer there.
    """

    step: RelaxationStep
    original_query: str
    matched_all: int = 0
    category_id: int | None = None
    corrected_query: str | None = None
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the law wants above the results: how they are ordered and who is compared."""

    text: str
    merchant_count: int
    paid: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLink:
    """A page of the list; `number` starts at 1."""

    number: int
    url: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Degraded:
    """The engine does not answer: this was its answer `age_s` seconds ago. `reason` is a code."""

    reason: str
    age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseShare:
    """What the word at that place of the query earned in a field, through these terms."""

    word: int
    field: str
    terms: tuple[str, ...]
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why a product stands where it stands: its text score with the clauses that make it.

    `parts` are what the brand's order added up (`text`, `meaning`, ..., `rule <id>`); `pinned_by`
    is the rule that fixed its place.
    """

    product_id: str
    score: float
    clauses: tuple[ClauseShare, ...]
    parts: dict[str, float] = field(default_factory=dict)
    pinned_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAnswer:
    """One page of results; `query_id` names this answer in events.

    At most the first 1,000 can be paged through; `total` is exact.
    """

    query_id: str = ""
    query: str
    language: str
    currency: str
    total: int
    page: int
    pages: int
    per_page: int
    products: tuple[ProductCard, ...]
    facets: tuple[Facet, ...]
    price: PriceFacet
    sorts: tuple[SortOption, ...]
    chips: tuple[Chip, ...]
    page_links: tuple[PageLink, ...]
    relaxation: Relaxation | None
    understood: tuple[Understood, ...] = ()
    taken_back: tuple[Understood, ...] = ()
    """Understood as well, but nothing passes it: the result is not narrowed by it."""
    did_you_mean: Suggested | None = None
    """A better spelling, offered and not applied."""
    as_typed: Suggested | None = None
    """Where a corrected spelling was searched: the way back to the words as typed."""
    cheapest_first: Suggested | None = None
    """Where the words ask for what is cheap: the kind of thing they name, ordered by price."""
    redirect: str | None = None
    """An address that the brand's rules answer this question with."""
    notice: Notice
    clear_url: str
    # From here on each asking's own, as `query_id` is: see `answer_json.with_own_parts`.
    ignored: tuple[str, ...] = ()
    """Parameters of the address that could not be read and were left out."""
    degraded: Degraded | None = None
    explain: tuple[Why, ...] | None = None
    """On demand: one entry for each product that words have found."""
    took_ms: float

    def facet(self, name: FacetName) -> Facet:
        """The facet of that name; every answer has all four."""
        return next(facet for facet in self.facets if facet.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crumb:
    """A category on the way to the product, with the address of its results."""

    category_id: int
    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A sibling of the product; `differs` are the facts in which the siblings differ, none where
    they would say the same of two of them: these are told apart by `title`."""

    id: str
    url: str
    title: str
    picture: str
    differs: tuple[Fact, ...]
    from_total: Money | None
    availability: str
    selected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductPage:
    """A product, its facts, its siblings (itself among them) and its offers in the brand's order.

    `offers_order` says how; `pictures` has `picture` first, or nothing where that is the only one;
    `disputed`, by key of a fact, what else merchants state. The languages
    are those that the texts are really in."""

    id: str
    url: str
    title: str
    title_language: str | None
    description: str
    description_language: str | None
    manufacturer: str | None
    gtins: tuple[str, ...]
    mpns: tuple[str, ...]
    category_id: int | None
    crumbs: tuple[Crumb, ...]
    picture: str
    facts: tuple[Fact, ...]
    variants: tuple[Variant, ...]
    offers: tuple[OfferCard, ...]
    offers_order: str
    notice: Notice
    from_total: Money | None
    to_total: Money | None
    merchant_count: int
    availability: str
    updated_at: str
    price_history: PriceHistory | None = None
    price_verdict: PriceVerdict | None = None
    disputed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """A category of the home page with the number of products below it."""

    category_id: int
    label: str
    url: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallen:
    """A product that costs less than before, and how much."""

    product: ProductCard
    fall: PriceFall


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """Departments with products, what fell most this week, and what most merchants offer."""

    departments: tuple[Department, ...]
    fallen: tuple[Fallen, ...]
    popular: tuple[ProductCard, ...]
    product_count: int
    merchant_count: int
    notice: Notice
