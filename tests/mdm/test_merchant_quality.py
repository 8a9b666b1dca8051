"""How reliably a merchant confirms, from its orders to its offers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

import tenants
from comptoir.merchant_measures import measure_merchants
from kernel.db import Database
from mdm.catalogue import changes_after, head, product_views
from mdm.merchant_quality import quality_percent
from tenants.brand import read_brand_file
from tenants.registry import apply_brand
from tests.mdm.offers_at_hand import load, merchants, products, raw

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("confirmed", "not_confirmed", "percent"),
    [(9, 0, None), (10, 0, 100), (0, 10, 0), (97, 3, 95), (98, 2, 100), (8, 2, 80)],
)
def test_the_share_is_known_from_ten_orders_on(
    confirmed: int, not_confirmed: int, percent: int | None
) -> None:
    assert quality_percent(confirmed, not_confirmed) == percent


def _order(tx: sa.Connection, number: int, merchant: str, state: str, reason: str | None) -> None:
    at = NOW - timedelta(days=number)
    row = {"n": f"{merchant}{number}", "m": merchant, "state": state, "reason": reason, "at": at}
    # A leg without its purchase: only its outcome is looked at.
    tx.execute(sa.text("SET LOCAL session_replication_role = replica"))
    tx.execute(
        sa.text(
            "INSERT INTO checkout.leg (leg_id, brand_id, purchase_id, ordinal, merchant_id, "
            "merchant_name, currency, total_minor, state, reason, deadline_at, state_since, "
            "created_at) VALUES (:n, 'mirabelle', :n, 1, :m, :m, 'EUR', 100, :state, :reason, "
            ":at, :at, :at)"
        ),
        row,
    )


def test_orders_reach_the_offers_of_the_merchant(database: Database) -> None:
    merchants(database, "good", "new")
    load(database, "good", [raw("1", "Kettle Nordlys W-100")])
    load(database, "new", [raw("1", "Lamp Voltina L-7")])
    folder = Path(tenants.__file__).parent / "bundled"
    document, terms = read_brand_file(folder / "mirabelle.toml")
    with database.platform() as tx:
        apply_brand(tx, document, terms)
        before = head(tx)
    with database.engine.begin() as tx:
        for number in range(9):
            _order(tx, number, "good", "completed", None)
        _order(tx, 9, "good", "cancelled", "out_of_stock")
        _order(tx, 10, "good", "cancelled", "payment_refused")
        _order(tx, 400, "good", "cancelled", "merchant_refused")
        _order(tx, 1, "new", "completed", None)
    assert measure_merchants(database, NOW) == ["good"]
    known = products(database)
    with database.platform() as tx:
        (good, new) = product_views(tx, [known["good/1"], known["new/1"]])
        told = [product_id for _, product_id in changes_after(tx, before, 10)]
    assert [offer.merchant_quality_percent for offer in good.offers] == [90]
    assert [offer.merchant_quality_percent for offer in new.offers] == [None]
    assert told == [known["good/1"]]
    assert measure_merchants(database, NOW) == []
