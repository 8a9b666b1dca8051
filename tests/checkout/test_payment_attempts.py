"""Trying stolen cards is slowed, and no buyer loses an order by it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
import sqlalchemy as sa

from checkout import tables as t
from checkout.confirm import AskAgain, Purchased, confirm
from checkout.deps import CheckoutDeps
from checkout.payment_attempts import (
    PURCHASES_S,
    UNPAID_S,
    PaymentAttempts,
    TooManyPurchases,
    TooManyUnpaid,
    Tried,
    purchase_memory,
)
from checkout.purchase.advance import advance
from checkout.quote_document import Quote
from kernel.cache import MemoryCache, open_cache
from tenants.call_limits import CallLimits
from tests.checkout.shop_visits import shelve
from tests.purchase_setting import Setting
from tests.redis_server import RedisServer
from tests.redis_server import redis_server as redis_server
from tests.small_merchant import SmallMerchant

DECLINED = {"number": "4000 0000 0000 0002", "expiry": "12/39", "code": "123"}


def limited(setting: Setting, purchases: int = 8, unpaid: int = 8, redis: str = "") -> CheckoutDeps:
    cache = open_cache(redis) if redis else MemoryCache()
    attempts = PaymentAttempts(
        CallLimits(cache, b"secret"),
        purchases=purchases,
        unpaid=unpaid,
        memory=purchase_memory(cache),
    )
    return replace(setting.deps, attempts=attempts)


def click(
    setting: Setting, deps: CheckoutDeps, quote: Quote, host: str = "203.0.113.7"
) -> Purchased:
    caller = deps.attempts.caller(setting.brand.id, host)
    outcome = confirm(deps, setting.brand, replace(setting.acceptance(quote), caller=caller))
    assert not isinstance(outcome, AskAgain)
    return outcome


def fails_to_pay(setting: Setting, made: Purchased) -> None:
    """A card that is refused, as the provider tells it."""
    advance(setting.deps, made.purchase_id)
    setting.pay(made.purchase_id, DECLINED)
    advance(setting.deps, made.purchase_id)
    assert not setting.order(made.purchase_id).legs[0].leg.authorised.minor


def rows(setting: Setting) -> dict[str, int]:
    with setting.database.platform() as tx:
        return {
            table.name: tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (t.purchase, t.leg, t.step, t.leg_transition, t.accepted_terms)
        }


@pytest.fixture
def offer(setting: Setting, merchant: SmallMerchant) -> str:
    return shelve(setting, merchant)


def test_after_so_many_unpaid_purchases_the_next_purchase_waits(
    setting: Setting, offer: str
) -> None:
    deps = limited(setting, purchases=100, unpaid=3)
    for _ in range(3):
        fails_to_pay(setting, click(setting, deps, setting.quote({offer: 1})))
    quote, before = setting.quote({offer: 1}), rows(setting)
    with pytest.raises(TooManyUnpaid) as refused:
        click(setting, deps, quote)
    assert UNPAID_S - 120 <= (refused.value.retry_after_s or 0) <= UNPAID_S
    assert rows(setting) == before, "nothing half is left"
    other = click(setting, deps, quote, "203.0.113.8")
    assert other.is_new, "another caller is not concerned"
    caller = deps.attempts.caller(setting.brand.id, "203.0.113.7")
    tried = deps.attempts.of(caller, None)
    with setting.database.brand(setting.brand.id) as tx:
        assert tried.refusal(tx, setting.clock() + timedelta(seconds=UNPAID_S)) is None


def test_payments_that_go_well_are_no_failures(setting: Setting, offer: str) -> None:
    deps = limited(setting, purchases=100, unpaid=2)
    for _ in range(4):
        made = click(setting, deps, setting.quote({offer: 1}))
        advance(setting.deps, made.purchase_id)
        setting.pay(made.purchase_id)
        advance(setting.deps, made.purchase_id)


def test_a_basket_has_a_quarter_from_whichever_address(setting: Setting, offer: str) -> None:
    deps = limited(setting, purchases=100, unpaid=8)
    quote = setting.quote({offer: 1})
    for number in range(2):
        fails_to_pay(setting, click(setting, deps, quote, f"203.0.113.{number}"))
        quote = _again(setting, quote)
    with pytest.raises(TooManyUnpaid):
        click(setting, deps, quote, "198.51.100.1")


def _again(setting: Setting, quote: Quote) -> Quote:
    """The same basket, quoted anew."""
    from checkout.basket import read_basket
    from checkout.quote import freeze, live_quote
    from tests.purchase_setting import CONTACT

    with setting.database.brand(setting.brand.id) as tx:
        basket = read_basket(tx, quote.basket_id)
    new = live_quote(setting.deps, setting.brand, basket, CONTACT)
    with setting.database.brand(setting.brand.id) as tx:
        freeze(tx, setting.brand, new)
    return new


def test_a_click_that_bought_leads_to_its_order_however_often(setting: Setting, offer: str) -> None:
    deps = limited(setting, purchases=2)
    quote = setting.quote({offer: 1})
    first = click(setting, deps, quote)
    click(setting, deps, setting.quote({offer: 1}))
    with pytest.raises(TooManyPurchases):
        click(setting, deps, setting.quote({offer: 1}))
    for _ in range(20):
        again = click(setting, deps, quote)
        assert (again.purchase_id, again.is_new) == (first.purchase_id, False)


def test_twenty_clicks_at_once_count_as_one_purchase(setting: Setting, offer: str) -> None:
    deps = limited(setting, purchases=1)
    quote = setting.quote({offer: 1})
    with ThreadPoolExecutor(20) as pool:
        made = list(pool.map(lambda _: click(setting, deps, quote), range(20)))
    assert len({each.purchase_id for each in made}) == 1
    assert sum(each.is_new for each in made) == 1


def test_many_purchases_at_once_are_no_more_than_the_limit(setting: Setting, offer: str) -> None:
    deps = limited(setting, purchases=5)
    quotes = [setting.quote({offer: 1}) for _ in range(12)]

    def tried(quote: Quote) -> bool:
        try:
            return click(setting, deps, quote).is_new
        except TooManyPurchases as refused:
            waits.append(refused.retry_after_s)
            return False

    waits: list[int] = []
    before = rows(setting)
    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(tried, quotes)) == 5
    assert all(1 <= wait <= PURCHASES_S for wait in waits)
    after = rows(setting)
    assert {name: after[name] - before[name] for name in ("purchase", "leg")} == {
        "purchase": 5, "leg": 5,
    }  # fmt: skip


@pytest.mark.parametrize("jump", [timedelta(days=-2), timedelta(days=2)])
def test_a_clock_that_jumps_locks_nobody_out_for_longer(
    setting: Setting, offer: str, jump: timedelta
) -> None:
    deps = limited(setting, purchases=100, unpaid=4)
    made = [click(setting, deps, setting.quote({offer: 1})) for _ in range(4)]
    for each in made:
        fails_to_pay(setting, each)
    quote = setting.quote({offer: 1})
    tried = deps.attempts.of(deps.attempts.caller(setting.brand.id, "203.0.113.7"), quote.basket_id)
    with setting.database.brand(setting.brand.id) as tx:
        refusal = tried.refusal(tx, setting.clock() + jump)
    if jump > timedelta(0):
        assert refusal is None
    else:
        assert isinstance(refusal, TooManyUnpaid)
        assert 1 <= (refusal.retry_after_s or 0) <= UNPAID_S


def test_two_shops_with_one_redis_know_the_same(
    setting: Setting, offer: str, redis_server: RedisServer
) -> None:
    here, there = (limited(setting, 100, 2, redis_server.url) for _ in range(2))
    for deps in (here, there):
        fails_to_pay(setting, click(setting, deps, setting.quote({offer: 1})))
    with pytest.raises(TooManyUnpaid):
        click(setting, here, setting.quote({offer: 1}))
    redis_server.kill()
    assert click(setting, there, setting.quote({offer: 1})).is_new, "nobody is refused by guessing"


@pytest.mark.parametrize(
    ("language", "sentence", "money"),
    [
        ("fr", "Plusieurs commandes d’ici n’ont pas été payées", "Aucun argent"),
        ("de", "Mehrere Bestellungen von hier wurden nicht bezahlt", "Es ist kein Geld"),
        ("en", "Several orders from here were not paid", "No money has moved."),
    ],
)
def test_a_buyer_reads_what_why_and_what_next(
    setting: Setting,
    offer: str,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    sentence: str,
    money: str,
) -> None:
    monkeypatch.setattr(Tried, "refusal", lambda *_: TooManyUnpaid(1500))
    quote, terms = setting.quote({offer: 1}), setting.terms()
    client = setting.client()
    client.cookies.set("basket", quote.basket_id)
    fields = {
        "quote": quote.quote_id, "token": quote.token, "terms": "accepted",
        "terms_version": terms.version, "terms_sha256": terms.sha256,
    }  # fmt: skip
    answer = client.post(f"/checkout/confirm?lang={language}", data=fields)
    said = unescape(answer.text)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1500")
    assert sentence in said
    assert "25" in said
    assert money in said
    asked = {
        "basket_id": quote.basket_id, "quote_id": quote.quote_id, "token": quote.token,
        "terms_accepted": True, "terms_version": terms.version, "terms_sha256": terms.sha256,
    }  # fmt: skip
    key = {"idempotency-key": f"k{language}"}
    program = client.post(f"/v1/purchases?lang={language}", json=asked, headers=key)
    assert (program.status_code, program.headers["retry-after"]) == (429, "1500")
    assert program.json()["code"] == "too_many_unpaid_purchases"
    monkeypatch.undo()
    bought = client.post(f"/v1/purchases?lang={language}", json=asked, headers=key)
    assert bought.status_code == 201, "a key is not answered with a refusal that is over"
