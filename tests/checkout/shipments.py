"""Orders that wait to be shipped, and what is read of them: shared by the tests of that wait."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import sqlalchemy as sa

from checkout import tables as t
from checkout.purchase.advance import resume_all
from tests.checkout.shop_visits import shelve
from tests.purchase_setting import Setting
from tests.small_merchant import SmallMerchant

TOTAL = 13390


def bought(setting: Setting, merchant: SmallMerchant) -> str:
    """A purchase that is paid for and accepted: 129.00 and 4.90 for delivery."""
    made = setting.buy({shelve(setting, merchant): 1})
    return made.purchase_id


def turn(merchant: SmallMerchant, status: str) -> None:
    for order in merchant.orders.values():
        order["status"] = status


def later(setting: Setting, ahead: timedelta) -> None:
    setting.clock.ahead = ahead
    resume_all(setting.deps)


def letters_due(setting: Setting, purchase_id: str) -> int:
    statement = sa.select(sa.func.count()).where(
        t.letter.c.purchase_id == purchase_id, t.letter.c.state == "due"
    )
    with setting.database.platform() as tx:
        return int(tx.execute(statement).scalar_one())


def letters_sent(setting: Setting) -> None:
    with setting.database.platform() as tx:
        tx.execute(t.letter.update().values(state="sent", next_try_at=None))


def shown(setting: Setting, purchase_id: str, language: str) -> str:
    opens = setting.opens(setting.order(purchase_id).order_ref)
    accepted = {"accept-language": language}
    page = setting.client().get(f"/order/{opens}", headers=accepted).text
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())
