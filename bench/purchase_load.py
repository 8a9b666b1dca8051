"""Many purchases at once: how many a second are carried out whole, and a sale of the last pieces.

In: a shop set up for buying. Out: what became of every purchase, counted in the books of the
merchant and of the provider, never in ours alone.
"""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checkout.confirm import AskAgain, confirm
from checkout.purchase.advance import advance
from checkout.states import LegState, MoneyState, Reason
from tests.purchase_setting import Setting, add_offer
from tests.small_merchant import Article, SmallMerchant

if TYPE_CHECKING:
    from checkout.deps import CheckoutDeps

NOT_BOUGHT = "told before paying"
_PRICE = 4900


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of many purchases: how each buyer was told, and what the others' books say.

    `told` counts (state, money, reason), or `NOT_BOUGHT` for who was told before anything was paid.
    """

    told: Counter[object]
    seconds: float
    orders: int
    references: int
    charged: int
    held: int

    @property
    def lost(self) -> int:
        """Charges and orders that do not belong together, and money still held."""
        return abs(self.orders - self.charged) + self.held

    @property
    def twice(self) -> int:
        """Orders of one purchase beyond the first."""
        return self.orders - self.references


def sell(setting: Setting, merchant: SmallMerchant, sku: str, buyers: int, at_once: int) -> Outcome:
    """Have each buyer buy one piece of the article, so many of them at the same time."""
    offer_id = add_offer(setting.database, "norden", sku, _PRICE)
    deps = setting.deps
    started = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        ends = list(pool.map(lambda _: buy(setting, deps, offer_id), range(buyers)))
    seconds = time.perf_counter() - started
    return outcome_of(
        setting, [row["reference"] for row in merchant.orders.values()], ends, seconds
    )


def outcome_of(
    setting: Setting, orders: list[str], ends: list[tuple[object, str | None]], seconds: float
) -> Outcome:
    """What became of purchases that ended so, by the merchant's orders and the provider's books."""
    payments = setting.provider_payments(*(leg_id for _, leg_id in ends if leg_id))
    return Outcome(
        Counter(told for told, _ in ends),
        seconds,
        orders=len(orders),
        references=len(set(orders)),
        charged=sum(row["captured_amount"] == row["amount"] for row in payments),
        held=sum(row["status"] == "authorised" for row in payments),
    )


def flash_sale(
    setting: Setting, merchant: SmallMerchant, *, buyers: int, pieces: int, at_once: int
) -> Outcome:
    """More buyers than pieces, at a merchant that does not oversell."""
    merchant.articles["FLASH"] = Article(_PRICE, pieces)
    return sell(setting, merchant, "FLASH", buyers, at_once)


def buy(setting: Setting, deps: CheckoutDeps, offer_id: str) -> tuple[object, str | None]:
    """Quote, click, pay; answers what the buyer is told in the end, and the leg if there is one."""
    quote = setting.quote({offer_id: 1})
    if not quote.can_pay:
        return NOT_BOUGHT, None
    made = confirm(deps, setting.brand, setting.acceptance(quote))
    if isinstance(made, AskAgain):
        return NOT_BOUGHT, None
    advance(deps, made.purchase_id)
    setting.pay(made.purchase_id)
    advance(deps, made.purchase_id)
    (record,) = setting.order(made.purchase_id).legs
    return (record.state, record.money, record.leg.reason), record.leg.leg_id


def sold(outcome: Outcome) -> int:
    """Buyers who have it and have paid."""
    return outcome.told[(LegState.COMPLETED, MoneyState.CHARGED, None)]


def told_the_truth(outcome: Outcome) -> int:
    """Buyers who were told that it is gone, and that nothing was charged."""
    gone = (LegState.CANCELLED, MoneyState.RELEASED, Reason.OUT_OF_STOCK)
    return outcome.told[gone] + outcome.told[NOT_BOUGHT]
