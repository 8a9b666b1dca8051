"""The ledger balances, in Python and by the database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from checkout.article import Article
from checkout.ledger import capture_entries
from checkout.merchant_connectors.port import Destination
from checkout.quote_document import (
    DeliveryQuoted,
    LegQuoted,
    OfferQuoted,
    Quote,
    as_document,
    legs_from,
    totals,
)
from kernel.db import Database
from kernel.money import Money
from tests.purchase_setting import add_merchant, bundled_brand

_DESTINATION = Destination("FR", "69005", "Lyon")
_MOMENT = datetime(2026, 11, 22, tzinfo=UTC)
amounts = st.integers(min_value=0, max_value=10**9)


def leg_of(prices: list[tuple[int, int]], delivery: int) -> LegQuoted:
    """A leg of (unit price, quantity) lines."""
    return LegQuoted(
        merchant_id="norden",
        merchant_name="Norden",
        returns_days=None,
        offers=tuple(
            OfferQuoted(
                f"off_{n}", "prd_1", "1", Article("Article"), "/x.svg", quantity,
                Money(price, "EUR"), Money(price, "EUR"),
            )
            for n, (price, quantity) in enumerate(prices)
        ),
        deliveries=(DeliveryQuoted("post", "Post", Money(delivery, "EUR"), None, None),),
        chosen="post",
        seen_delivery=None,
    )  # fmt: skip


@given(st.lists(st.tuples(amounts, st.integers(1, 20)), min_size=1, max_size=10), amounts)
def test_entries_of_a_capture_sum_to_nothing(prices: list[tuple[int, int]], delivery: int) -> None:
    leg = leg_of(prices, delivery)
    entries = capture_entries(leg)
    assert sum(entry.amount.minor for entry in entries) == 0
    assert all(entry.amount.minor for entry in entries)
    assert leg.total.minor == sum(price * count for price, count in prices) + delivery
    document = as_document(Quote("quo", "bsk", "tok", "", _DESTINATION, (leg,), _MOMENT, _MOMENT))
    assert legs_from(document) == (leg,)


def test_totals_keep_currencies_apart() -> None:
    given_amounts = [Money(1, "EUR"), Money(5, "CHF"), Money(2, "EUR")]
    assert totals(given_amounts) == (Money(3, "EUR"), Money(5, "CHF"))


@pytest.mark.parametrize("entries", [[("a", 100)], [("a", 100), ("b", -99)], []])
def test_database_refuses_what_does_not_balance(
    database: Database, entries: list[tuple[str, int]]
) -> None:
    brand = bundled_brand(database)
    add_merchant(database, "norden")
    leg_id = f"leg_{len(entries)}{sum(amount for _, amount in entries)}"
    with database.platform() as tx:
        _leg_row(tx, brand.id, leg_id)
    with pytest.raises(sa.exc.IntegrityError, match="does not balance"):
        _book(database, brand.id, leg_id, entries)


def _book(database: Database, brand_id: str, leg_id: str, entries: list[tuple[str, int]]) -> None:
    identity = f"led_{leg_id}"
    with database.platform() as tx:
        tx.execute(
            sa.text(
                "INSERT INTO checkout.ledger_transaction VALUES (:id, :brand, :leg, 'x', now())"
            ),
            {"id": identity, "brand": brand_id, "leg": leg_id},
        )
        for position, (account, amount) in enumerate(entries):
            tx.execute(
                sa.text(
                    "INSERT INTO checkout.ledger_entry "
                    "VALUES (:id, :position, :brand, :account, 'EUR', :amount)"
                ),
                {
                    "id": identity,
                    "position": position,
                    "brand": brand_id,
                    "account": account,
                    "amount": amount,
                },
            )


def test_what_is_booked_can_never_be_changed(database: Database) -> None:
    for statement in (
        "UPDATE checkout.ledger_entry SET amount_minor = 1",
        "DELETE FROM checkout.ledger_transaction",
        "DELETE FROM checkout.quote",
        "DELETE FROM checkout.leg_transition",
    ):
        with (
            pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
            database.platform() as tx,
        ):
            tx.execute(sa.text(statement))


def _leg_row(tx: sa.Connection, brand_id: str, leg_id: str) -> None:
    now = "now()"
    tx.execute(
        sa.text(
            f"INSERT INTO checkout.quote VALUES (:id, :brand, 'bsk', :id, '{{}}', '', {now}, {now})"
        ),
        {"id": f"quo_{leg_id}", "brand": brand_id},
    )
    tx.execute(
        sa.text(
            "INSERT INTO checkout.purchase (purchase_id, brand_id, order_ref, confirmation_token, "
            "request_sha256, quote_id, basket_id, language, site, contact, terms_version, "
            "terms_language, terms_sha256, terms_accepted_at, created_at) "
            "SELECT :id, :brand, :id, :id, '', :quote, 'bsk', 'fr', '', '{}', version, language, "
            "body_sha256, now(), now() FROM tenants.terms WHERE owner_id = :brand LIMIT 1"
        ),
        {"id": f"pur_{leg_id}", "brand": brand_id, "quote": f"quo_{leg_id}"},
    )
    tx.execute(
        sa.text(
            "INSERT INTO checkout.leg (leg_id, brand_id, purchase_id, ordinal, merchant_id, "
            "merchant_name, currency, total_minor, state, deadline_at, state_since, created_at) "
            "VALUES (:id, :brand, :purchase, 1, 'norden', 'Norden', 'EUR', 1, 'new', now(), "
            "now(), now())"
        ),
        {"id": leg_id, "brand": brand_id, "purchase": f"pur_{leg_id}"},
    )
