"""What is in force for one brand and language: the resolved ranking, as frozen values.

Made by `tenants.ranking.inheritance` from the documents of the platform, the brand and the locale;
read by retrieval, by the order of offers and by the legal disclosure. Pure: no I/O, no clock.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from tenants.ranking.wording import rule_words

RuleKind = Literal["boost", "bury", "pin", "hide", "redirect", "filter"]
QueryMatch = Literal["exact", "contains", "all_words"]
LadderStep = Literal[
    "corrected", "half_of_words", "drop_word", "similar", "popular_in_category", "popular"
]
OfferOrder = Literal["total_price", "weighted"]
ScopeKind = Literal["platform", "brand", "locale"]
PlacementList = Literal["results", "offers"]

LADDER_STEPS: Final[tuple[LadderStep, ...]] = (
    "corrected",
    "half_of_words",
    "drop_word",
    "similar",
    "popular_in_category",
    "popular",
)


@dataclass(frozen=True, slots=True)
class FieldWeights:
    """What a word counts in each field of a product, 0 (not searched) to 50."""

    title: float = 3.0
    manufacturer: float = 4.0
    """More than the title: `equivalent to` a maker's toner stands there as well."""
    model: float = 2.0
    category: float = 1.5
    attributes: float = 0.8
    description: float = 0.7
    codes: float = 12.0
    code_prefixes: float = 2.0
    other_language: float = 0.4
    """Share of a field's weight where its text is not in the reader's language, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """What is tried, in order, when few products have all the words.

    `required_share` of the words must match on the step `half_of_words`; fewer than `few` products
    start the ladder; below the cosine `meaning_floor` nothing is called similar.
    """

    steps: tuple[LadderStep, ...] = LADDER_STEPS
    required_share: float = 0.5
    few: int = 10
    meaning_floor: float = 0.5

    def required(self, count: int) -> int:
        """Of so many words how many are enough on the step `half_of_words`; one at least."""
        return max(1, -int(-count * self.required_share // 1))


@dataclass(frozen=True, slots=True)
class ProductWeights:
    """Weights of the second stage, each a share of the best text score (0 to 1)."""

    vector: float = 0.05
    """Meaning, where a product has every word of the question; 0 leaves meaning out altogether."""
    vector_partial: float = 0.7
    """Its share of words and meaning, where a product misses a word: those it has say less."""
    in_stock: float = 0.05
    offer_count: float = 0.03
    accessory: float = 0.5
    """Share of its text score that an accessory loses where the thing itself is asked for."""

    @property
    def meaning_where_words_miss(self) -> float:
        """Meaning's share of words and meaning together, for a product that misses a word."""
        return self.vector_partial if self.vector else 0.0


@dataclass(frozen=True, slots=True)
class OfferWeights:
    """How the offers of a product are ordered.

    `total_price`: the lowest total first, speed decides equal ones. `weighted`: the weights (0 to
    1, one of them above 0) are shared out over the four criteria. Either way what can be delivered
    comes before what cannot.
    """

    order: OfferOrder = "total_price"
    total_price: float = 1.0
    delivery_days: float = 0.0
    merchant_quality: float = 0.0
    condition: float = 0.0


@dataclass(frozen=True, slots=True)
class Synonym:
    """`words` also find `replacements`; with `two_way` each of these finds the others as well.

    `weight` (0 to 1) is what a match through the synonym counts beside the word itself.
    """

    words: tuple[str, ...]
    replacements: tuple[str, ...]
    two_way: bool = False
    weight: float = 0.9


@dataclass(frozen=True, slots=True)
class When:
    """Which searches a rule is for. Conditions add up; none at all means every search.

    `categories` hold where the shopper has chosen one of them or one below it.
    """

    query: str | None = None
    match: QueryMatch = "all_words"
    categories: tuple[int, ...] = ()
    words: tuple[str, ...] = field(init=False, repr=False, compare=False, default=())
    """The query's words as rules compare them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", rule_words(self.query or ""))


@dataclass(frozen=True, slots=True)
class Target:
    """Which products a rule moves. Values of one field are alternatives, fields add up."""

    products: tuple[str, ...] = ()
    manufacturers: tuple[str, ...] = ()
    """Keys as the facet has them."""
    categories: tuple[int, ...] = ()
    merchants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleFilter:
    """What a rule of kind `filter` narrows the results to. The shopper sees it and can undo it."""

    categories: tuple[int, ...] = ()
    manufacturers: tuple[str, ...] = ()
    merchants: tuple[str, ...] = ()
    availabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `weight` (boost, bury) is a share of the best text score; `position` (pin) from 1.

    In force from `valid_from` (included) to `valid_to` (excluded); `locale` None means every
    language. `scope` and `changed_at` decide between rules: most specific first, then last changed.
    """

    id: str
    kind: RuleKind
    when: When = field(default_factory=When)
    target: Target = field(default_factory=Target)
    weight: float = 0.2
    position: int = 1
    url: str | None = None
    narrow: RuleFilter = field(default_factory=RuleFilter)
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    locale: str | None = None
    note: str = ""
    scope: ScopeKind = "brand"
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """A place that somebody pays for. It is marked wherever it is shown; no setting unmarks it.

    In `results`, `products` are shown at `position`; in `offers`, the offer of `merchant_id` for
    these products (none named: for all).
    """

    id: str
    shown_in: PlacementList
    merchant_id: str
    paid_by: str
    """Name of who pays, as shoppers read it."""
    products: tuple[str, ...] = ()
    position: int = 1
    when: When = field(default_factory=When)
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class PaidPolicy:
    """Whether places are sold. `slots` is the most paid products (or offers) of one list.

    `listing` says whether merchants pay to be listed at all (a fact for the disclosure).
    """

    allowed: bool = False
    slots: int = 1
    listing: bool = False
    placements: tuple[Placement, ...] = ()


@dataclass(frozen=True, slots=True)
class RankingProfile:
    """What is in force for one brand and language, resolved platform -> brand -> locale.

    `version` is the highest published version among the scopes (0: nothing was ever published, the
    shipped values and the brand's own file are in force); `published_at` is its moment.
    `provenance` maps `field_weights.title` and the like to `default`, `platform`, `brand` or
    `locale fr`.
    """

    version: int = 0
    stamp: str = "0"
    """Differs whenever what is in force differs: for the keys of caches."""
    published_at: datetime | None = None
    field_weights: FieldWeights = field(default_factory=FieldWeights)
    ladder: Ladder = field(default_factory=Ladder)
    product_weights: ProductWeights = field(default_factory=ProductWeights)
    offer_weights: OfferWeights = field(default_factory=OfferWeights)
    synonyms: tuple[Synonym, ...] = ()
    rules: tuple[Rule, ...] = ()
    """In order of precedence: the first that applies wins."""
    paid: PaidPolicy = field(default_factory=PaidPolicy)
    ties: Mapping[str, str] = field(default_factory=dict)
    """By language: capital or contractual ties with merchants, for the disclosure."""
    provenance: Mapping[str, str] = field(default_factory=dict)
    rules_by_word: Mapping[str, tuple[int, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    """A word that a rule's query must have (empty: no condition) -> places in `rules`."""

    turns: tuple[datetime, ...] = field(init=False, repr=False, compare=False, default=())
    """Moments at which a rule or a paid place begins or ends, in their order."""

    def next_turn(self, now: datetime) -> datetime | None:
        """When time alone will change what is in force; None where nothing has a date to come."""
        place = bisect_right(self.turns, now)
        return self.turns[place] if place < len(self.turns) else None

    def __post_init__(self) -> None:
        dated: tuple[Rule | Placement, ...] = (*self.rules, *self.paid.placements)
        dates = {date for row in dated for date in (row.valid_from, row.valid_to)}
        object.__setattr__(self, "turns", tuple(sorted(date for date in dates if date)))
        places: dict[str, list[int]] = {}
        for place, rule in enumerate(self.rules):
            places.setdefault(rule.when.words[0] if rule.when.words else "", []).append(place)
        by_word = {word: tuple(found) for word, found in places.items()}
        object.__setattr__(self, "rules_by_word", by_word)
