"""The basket: offers and quantities under an unguessable id, owned by one brand.

In: offer ids and quantities, never prices. Out: the rows joined with the offers as `mdm` knows
them now. A line remembers the price it was chosen at, so that a change can be shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from checkout import tables as t
from checkout.contact import Contact
from kernel.db import Prepared, Transaction
from kernel.errors import DomainError, NotFound
from kernel.ids import drawn_id
from kernel.money import Money
from kernel.offer_terms import Availability, Execution
from mdm.offers import read_offer
from mdm.product_view import OfferView
from tenants.brand import Brand

MAX_LINES = 40
MAX_QUANTITY = 20
_OF_BASKET = t.basket.c.basket_id == sa.bindparam("of_basket")
_LINE_OF = t.basket_line.c.basket_id == sa.bindparam("of_basket")
_NEW = Prepared(t.basket.insert())
_READ = Prepared(t.basket.select().where(_OF_BASKET))
_TOUCH = Prepared(t.basket.update().where(_OF_BASKET).values(updated_at=sa.func.now()))
_LINES = Prepared(
    t.basket_line.select()
    .where(_LINE_OF)
    .order_by(t.basket_line.c.added_at, t.basket_line.c.offer_id)
)
_WANTED = insert(t.basket_line)
_PUT = Prepared(
    _WANTED.on_conflict_do_update(
        index_elements=["basket_id", "offer_id"],
        set_={
            "quantity": sa.func.greatest(t.basket_line.c.quantity, _WANTED.excluded.quantity),
            "seen_minor": _WANTED.excluded.seen_minor,
            "seen_currency": _WANTED.excluded.seen_currency,
        },
    )
)
_CHANGE_LINE = Prepared(
    t.basket_line.update().where(_LINE_OF, t.basket_line.c.offer_id == sa.bindparam("of_offer"))
)
_OFFERS = sa.bindparam("offers", type_=ARRAY(sa.Text))
_TAKE_OUT = Prepared(
    t.basket.update()
    .where(
        _OF_BASKET,
        ~sa.select(t.basket_line.c.offer_id)
        .where(_LINE_OF, t.basket_line.c.offer_id != sa.all_(_OFFERS))
        .exists(),
    )
    .values(contact=sa.null())
    .add_cte(
        t.basket_line.delete()
        .where(_LINE_OF, t.basket_line.c.offer_id == sa.any_(_OFFERS))
        .cte("taken")
    )
)
_BASKET_ID = re.compile(r"^bsk_[a-z2-7]{26}$")
_SELLABLE = {Availability.IN_STOCK, Availability.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Line:
    """One offer wanted. `seen` is the unit price that the shopper last saw and accepted.

    `offer` is None when the merchant has withdrawn it; `title` still names it then.
    """

    offer_id: str
    title: str
    quantity: int
    seen: Money
    offer: OfferView | None


@dataclass(frozen=True, slots=True)
class Basket:
    """`basket_id` is None for a shopper who has none yet."""

    basket_id: str | None
    lines: tuple[Line, ...]
    contact: Contact | None

    @property
    def count(self) -> int:
        """Articles in the basket."""
        return sum(line.quantity for line in self.lines)


EMPTY = Basket(None, (), None)


def read_basket(tx: Transaction, basket_id: str | None) -> Basket:
    """The basket of this brand by id; an unknown or foreign id is an empty basket."""
    if basket_id is None or not _BASKET_ID.match(basket_id):
        return EMPTY
    row = _READ.first(tx, {"of_basket": basket_id})
    if row is None:
        return EMPTY
    contact = None if row.contact is None else Contact.from_json(row.contact)
    return Basket(row.basket_id, _lines(tx, row.basket_id), contact)


def _lines(tx: Transaction, basket_id: str) -> tuple[Line, ...]:
    return tuple(
        Line(
            row.offer_id,
            row.title,
            row.quantity,
            Money(row.seen_minor, row.seen_currency),
            read_offer(tx, row.offer_id),
        )
        for row in _LINES.all(tx, {"of_basket": basket_id})
    )


def require_buyable(brand: Brand, offer: OfferView | None) -> OfferView:
    """The offer, if this brand sells it here now; otherwise the refusal that says why not."""
    if offer is None or not brand.shows(offer.merchant_id):
        raise NotFound("offer_withdrawn", "This offer is no longer there.", hint="Compare again.")
    if offer.execution is not Execution.EXECUTE or offer.price is None:
        raise DomainError(
            "not_sold_here",
            "%(merchant)s sells this in its own shop only.",
            hint="Follow the link to the merchant.",
            values={"merchant": offer.merchant_name},
        )
    if offer.availability not in _SELLABLE or offer.quantity == 0:
        raise DomainError(
            "out_of_stock",
            "Out of stock at %(merchant)s.",
            hint="Choose another offer of the same product.",
            values={"merchant": offer.merchant_name},
        )
    return offer


def put_line(
    tx: Transaction, brand: Brand, basket_id: str | None, offer_id: str, quantity: int
) -> tuple[str, OfferView]:
    """Put an offer in the basket (made when there is none). Doing it twice changes nothing."""
    offer = require_buyable(brand, read_offer(tx, offer_id))
    assert offer.price is not None
    basket = read_basket(tx, basket_id)
    known = {line.offer_id for line in basket.lines}
    if offer_id not in known and len(known) >= MAX_LINES:
        raise DomainError(
            "basket_full",
            "A basket holds %(most)s different offers.",
            hint="Remove one.",
            values={"most": MAX_LINES},
        )
    kept = basket.basket_id or _new_basket(tx, brand)
    line = {
        "basket_id": kept,
        "offer_id": offer_id,
        "brand_id": brand.id,
        "title": offer.title,
        "quantity": _bounded(quantity),
        "seen_minor": offer.price.minor,
        "seen_currency": offer.price.currency,
    }
    _PUT.run(tx, line)
    _touch(tx, kept)
    return kept, offer


def set_quantity(tx: Transaction, basket_id: str, offer_id: str, quantity: int) -> None:
    """Change how many; zero removes the line. A line that is gone already stays gone."""
    here = (t.basket_line.c.basket_id == basket_id, t.basket_line.c.offer_id == offer_id)
    if quantity <= 0:
        tx.execute(t.basket_line.delete().where(*here))
    else:
        tx.execute(t.basket_line.update().where(*here).values(quantity=_bounded(quantity)))
    _touch(tx, basket_id)


def remember_seen(tx: Transaction, basket_id: str, seen: Sequence[tuple[str, Money]]) -> None:
    """Note the unit prices that a page has just shown, offer by offer."""
    rows = [
        {
            "of_basket": basket_id,
            "of_offer": offer_id,
            "seen_minor": price.minor,
            "seen_currency": price.currency,
        }
        for offer_id, price in seen
    ]
    _CHANGE_LINE.run_each(tx, rows)


def keep_contact(tx: Transaction, basket_id: str, contact: Contact) -> None:
    """Keep who buys with the basket until it is ordered."""
    _TOUCH.run(tx, {"of_basket": basket_id, "contact": contact.as_json()})


def take_out(tx: Transaction, basket_id: str, offer_ids: Sequence[str]) -> None:
    """Remove what has been ordered; the contact goes with the last line."""
    _TAKE_OUT.run(tx, {"of_basket": basket_id, "offers": list(offer_ids)})


def _new_basket(tx: Transaction, brand: Brand) -> str:
    basket_id = drawn_id("bsk")
    _NEW.run(tx, {"basket_id": basket_id, "brand_id": brand.id})
    return basket_id


def _touch(tx: Transaction, basket_id: str) -> None:
    _TOUCH.run(tx, {"of_basket": basket_id})


def _bounded(quantity: int) -> int:
    if not 1 <= quantity <= MAX_QUANTITY:
        raise DomainError(
            "quantity_out_of_range",
            "A quantity is a number from 1 to %(most)s.",
            values={"most": MAX_QUANTITY},
        )
    return quantity
