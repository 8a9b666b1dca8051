"""Orders that were carried out become sales on record; those whose money went back do not stay."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from checkout.purchase.advance import advance
from checkout.sold_articles import sold_lines, undone_legs
from checkout.states import LegState
from comptoir.merchant_measures import record_sold_articles
from kernel.money import Money
from tests.checkout.shop_visits import shelve
from tests.purchase_setting import Setting
from tests.small_merchant import SmallMerchant


def test_what_was_sold_is_recorded_once_and_taken_back_with_the_money(
    setting: Setting, merchant: SmallMerchant
) -> None:
    offer = shelve(setting, merchant)
    bought = setting.confirm(setting.quote({offer: 2}))
    advance(setting.deps, bought.purchase_id)
    since = setting.deps.clock() - timedelta(days=1)
    with setting.database.platform() as tx:
        assert offer not in {line.offer_id for line in sold_lines(tx, since)}, "nothing paid yet"
    setting.pay(bought.purchase_id)
    advance(setting.deps, bought.purchase_id)
    with setting.database.platform() as tx:
        (line,) = [each for each in sold_lines(tx, since) if each.offer_id == offer]
        assert line.price == Money(12900, "EUR")
        assert record_sold_articles(tx, since) >= 1
        assert record_sold_articles(tx, since) == 0
        assert _sales(tx, offer) == [(12900, "EUR", "new")]
        (leg,) = [row.leg for row in setting.order(bought.purchase_id).legs]
        tx.execute(
            sa.text("UPDATE checkout.leg SET state = :state WHERE leg_id = :leg"),
            {"state": LegState.REFUNDED.value, "leg": leg.leg_id},
        )
        assert undone_legs(tx, since) == [leg.leg_id]
        record_sold_articles(tx, since)
        assert _sales(tx, offer) == []


def _sales(tx: sa.Connection, offer: str) -> list[tuple[int, str, str]]:
    rows = tx.execute(
        sa.text("SELECT price_minor, currency, grade FROM mdm.sale WHERE offer_id = :id"),
        {"id": offer},
    )
    return [tuple(row) for row in rows]  # type: ignore[misc]
