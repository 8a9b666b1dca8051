"""A product as the lists show it, with the offer that stands first: part of the answer's shape.

What the page says of a product whatever was asked, and what one answer adds to it: the words found
in its title, a paid place.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import msgspec

from kernel.money import Money
from search_api.plain_dataclass import dataclass
from search_api.price_facts import UnitPrice


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One attribute of a product: a stable English key (`colour`) and its value (`black`)."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart:
    """A piece of a text; `matched` where a word of the question was found in it."""

    text: str
    matched: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCard:
    """One merchant's offer. `total` is None where price or delivery is unknown.

    `reasons` say, in the reader's language, why the offer stands where it stands. `sponsored`: its
    place is paid for, by `sponsored_by`; no setting of a brand takes that mark away. `grade` says
    how well used goods are kept, `photos` and `piece` show and describe the very article sold.
    """

    offer_id: str
    position: int
    merchant_id: str
    merchant_name: str
    title: str
    language: str | None
    url: str | None
    price: Money | None
    delivery: Money | None
    total: Money | None
    days_min: int | None
    days_max: int | None
    condition: str
    availability: str
    quantity: int | None
    execution: str
    returns_days: int | None
    updated_at: str
    reasons: tuple[str, ...] = ()
    unit_price: UnitPrice | None = None
    sponsored: bool = False
    sponsored_by: str | None = None
    grade: str | None = None
    photos: tuple[str, ...] = ()
    piece: str | None = None


@dataclass(frozen=True, kw_only=True)
class ProductCard:
    """A product in a list. `from_total` is the lowest total including delivery.

    `sponsored`: its place is paid for, by `sponsored_by`; no setting takes that mark away. What an
    answer adds to a product (`highlight`, `sponsored`, `sponsored_by`) is added by `in_answer`.
    """

    id: str
    url: str
    title: str
    manufacturer: str | None
    category_id: int | None
    picture: str
    facts: tuple[Fact, ...]
    from_total: Money | None
    best_offer: OfferCard | None
    offer_count: int
    merchant_count: int
    availability: str
    conditions: tuple[str, ...]
    updated_at: str
    true_until: str | None = None
    """When the first of its offers expires: what the card says may differ from then on."""
    unit_price: UnitPrice | None = None
    """Of the best offer, where the quantity is known."""
    highlight: tuple[TextPart, ...] = ()
    """The title in parts, those that the question matches marked; empty where nothing was asked."""
    sponsored: bool = False
    sponsored_by: str | None = None

    def in_answer(
        self, highlight: tuple[TextPart, ...], *, sponsored: bool, sponsored_by: str | None
    ) -> ProductCard:
        """This card as it stands in one answer."""
        card = object.__new__(ProductCard)
        # As `dataclasses.replace`, in an eighth of its time.
        vars(card).update(
            vars(self),
            written=self.written,
            highlight=highlight,
            sponsored=sponsored,
            sponsored_by=sponsored_by,
        )
        return card

    @cached_property
    def written(self) -> bytes:
        """The card's JSON as far as `highlight`: what follows is the answer's.

        Kept with the card, which is shown again and again: writing it takes longer than finding it.
        """
        return msgspec.json.encode(self).partition(b'"highlight":')[0]

    def facts_of(self, keys: Sequence[str]) -> list[Fact]:
        """What is known of these attributes, in their order."""
        known = {fact.key: fact for fact in self.facts}
        return [known[key] for key in keys if key in known]
