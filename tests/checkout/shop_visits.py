"""The shop as tests go through it: what stands on the shelves, a shopper's way, a program's way."""

from __future__ import annotations

import itertools
from typing import Any

import sqlalchemy as sa
from starlette.testclient import TestClient

from checkout import tables as t
from tests.purchase_setting import CONTACT, Setting, add_offer, hidden_fields
from tests.small_merchant import Article, SmallMerchant

_NUMBERS = itertools.count(1)


def shelve(setting: Setting, merchant: SmallMerchant, price: int = 12900, stock: int = 5) -> str:
    """A new article at the merchant, and its offer in the catalogue."""
    sku = f"A{next(_NUMBERS)}"
    merchant.articles[sku] = Article(price, stock)
    return add_offer(setting.database, "norden", sku, price)


def bought(setting: Setting, merchant: SmallMerchant) -> str:
    """An order of 258.00 with 4.90 for its delivery, paid; answers its purchase."""
    return setting.buy({shelve(setting, merchant): 2}).purchase_id


def ledger_of(setting: Setting, purchase_id: str) -> list[tuple[str, int]]:
    """Accounts and amounts in minor units, as they were booked."""
    with setting.database.platform() as tx:
        rows = tx.execute(
            sa.select(t.ledger_entry.c.account, t.ledger_entry.c.amount_minor)
            .join(
                t.ledger_transaction,
                t.ledger_transaction.c.transaction_id == t.ledger_entry.c.transaction_id,
            )
            .join(t.leg, t.leg.c.leg_id == t.ledger_transaction.c.leg_id)
            .where(t.leg.c.purchase_id == purchase_id)
            .order_by(t.ledger_entry.c.position)
        )
        return [(row.account, row.amount_minor) for row in rows]


def to_confirm_page(client: TestClient, offer: str, quantity: str = "1") -> str:
    """Add, check out, give the contact; answers the address of the confirm page."""
    added = client.post("/basket/lines", data={"offer_id": offer, "quantity": quantity})
    assert added.status_code == 303
    given = client.post("/checkout", data=CONTACT.as_json())
    assert given.status_code == 303, given.text
    return str(given.headers["location"])


def confirmed(client: TestClient, address: str, **changes: str) -> Any:
    """Press the button of a confirm page."""
    fields = hidden_fields(client.get(address).text) | {"terms": "accepted"} | changes
    return client.post("/checkout/confirm", data=fields)


def quoted(client: TestClient, offer: str) -> Any:
    """One piece of an offer, quoted live."""
    return client.post(
        "/v1/quotes",
        json={"lines": [{"offer_id": offer, "quantity": 1}], "contact": CONTACT.as_json()},
    )


def purchase_body(quote: Any) -> dict[str, Any]:
    """What confirms a quote."""
    return {
        "basket_id": quote["basket_id"],
        "quote_id": quote["quote_id"],
        "token": quote["token"],
        "terms_accepted": True,
        "terms_version": quote["terms"]["version"],
        "terms_sha256": quote["terms"]["sha256"],
    }
