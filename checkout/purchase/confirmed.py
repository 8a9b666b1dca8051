"""What the shopper confirmed for one leg, and with whom it is carried out; read once a claim."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from checkout import tables as t
from checkout.contact import Contact
from checkout.merchant_connectors import capabilities_on_record
from checkout.purchase.leg import Leg
from checkout.quote import quote_of
from checkout.quote_document import LegQuoted
from checkout.states import Policy
from kernel.db import Prepared, Transaction
from mdm.merchants import Merchant, read_merchant

_PURCHASE = Prepared(
    sa.select(
        t.quote, t.purchase.c.language, t.purchase.c.site, t.purchase.c.contact, t.purchase.c.policy
    )
    .join(t.purchase, t.purchase.c.quote_id == t.quote.c.quote_id)
    .where(t.purchase.c.purchase_id == sa.bindparam("bought"))
)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Of the click: who buys, what of this merchant, in which language, on which site.

    `is_binding`: the merchant's system takes orders and cannot cancel them.
    """

    basket_id: str
    language: str
    site: str
    contact: Contact
    quoted: LegQuoted
    merchant: Merchant
    policy: Policy
    is_binding: bool


def read_confirmed(tx: Transaction, leg: Leg) -> Confirmed:
    """What the leg is to become."""
    row = _PURCHASE.first(tx, {"bought": leg.purchase_id})
    merchant = read_merchant(tx, leg.merchant_id)
    return Confirmed(
        basket_id=row.basket_id,
        language=row.language,
        site=row.site,
        contact=Contact.from_json(row.contact),
        quoted=quote_of(row).leg(leg.merchant_id),
        merchant=merchant,
        policy=Policy(row.policy),
        is_binding=not capabilities_on_record(merchant.connector).cancels_orders,
    )
