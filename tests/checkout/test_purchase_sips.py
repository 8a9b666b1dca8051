"""A purchase paid through SIPS: a page opened by a form, no keys, refunds from the next day on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import unquote

import pytest

from checkout.after_sale import cancel
from checkout.deps import CheckoutDeps
from checkout.payment_providers import open_provider
from checkout.payment_providers.port import Network, page_form
from checkout.purchase.advance import advance
from checkout.states import LegState, MoneyState, Reason
from checkout.webhooks import receive
from tests.checkout.shop_visits import shelve
from tests.contracts.payment_peers import CO_BADGED_CARD, paid_at, settings_of
from tests.peers import Listener, Received, wait_for
from tests.purchase_setting import GOOD_CARD, LINKS, Setting
from tests.small_merchant import SmallMerchant


@dataclass
class SipsSetting(Setting):
    """The shop with SIPS as its payment provider, and where its notices arrive."""

    notices: Listener | None = None

    @property
    def deps(self) -> CheckoutDeps:
        """What checkout is given."""
        assert self.notices is not None
        deps = super().deps
        own = {"payment_provider": "sips", "public_url": self.notices.url}
        return replace(deps, settings=deps.settings.model_copy(update=own))


@pytest.fixture
def sips(setting: Setting) -> Iterator[SipsSetting]:
    listener = Listener()
    provider = open_provider("sips", settings_of("sips", setting.simulator))
    parts = {name: getattr(setting, name) for name in setting.__dataclass_fields__}
    yield SipsSetting(**{**parts, "provider": provider}, notices=listener)
    listener.close()


def bought(setting: SipsSetting, merchant: SmallMerchant) -> str:
    """A purchase that waits for the buyer to pay."""
    purchase = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, purchase.purchase_id)
    return purchase.purchase_id


def test_bought_at_a_page_that_a_form_opens_and_given_back_the_day_after(
    sips: SipsSetting, merchant: SmallMerchant
) -> None:
    sips.simulator.fault("create", "answer_lost")
    purchase_id = bought(sips, merchant)
    advance(sips.deps, purchase_id)
    opens = sips.opens(sips.order(purchase_id).order_ref)
    pay_url = str(sips.leg(purchase_id).pay_url)
    form = page_form(pay_url)
    assert form is not None
    with sips.client() as browser:
        link = browser.get(f"/pay/handoff/{opens}/1")
        assert link.headers["location"] == f"/pay/handoff/{opens}?again=1"
        page = browser.get(f"/pay/handoff/{opens}").text
        assert f'<form class="acts" method="post" action="{form.action}">' in page
        assert all(f'name="{name}" value="{value}"' in page for name, value in form.fields)
        assert "http-equiv" not in page
        shown = browser.get(f"/v1/orders/{opens}").json()["legs"][0]["pay_url"]
        assert shown.endswith(f"/pay/handoff/{opens}?again=1")
        back = paid_at(pay_url, {**GOOD_CARD, "number": CO_BADGED_CARD})
        leads = f"/pay/return/{LINKS.payment(sips.brand.id, purchase_id)}"
        assert leads in back
        returned = browser.post(leads, data={"Data": "responseCode=17"})
        assert (returned.status_code, returned.headers["location"]) == (303, leads)
    _told(sips, purchase_id)
    sips.simulator.fault("capture", "answer_lost")
    advance(sips.deps, purchase_id)
    record = sips.leg(purchase_id)
    assert (record.state, record.money) == (LegState.COMPLETED, MoneyState.CHARGED)
    assert record.card_network is Network.CARTES_BANCAIRES
    with sips.client() as browser:
        assert "par le réseau CB" in browser.get(f"/order/{opens}").text
    cancel(sips.deps, sips.order(purchase_id), "norden")
    advance(sips.deps, purchase_id)
    # The bank gets it at night: until then the refund waits, however long, and nobody is alarmed.
    for hours in (0, 1, 5):
        sips.clock.ahead = timedelta(hours=hours)
        advance(sips.deps, purchase_id)
        waiting = sips.leg(purchase_id)
        assert (waiting.state, waiting.leg.attention) == (LegState.REFUNDING, None)
        assert waiting.leg.deadline_at > sips.clock() + timedelta(hours=1)
    assert sips.simulator.call("POST", "/v1/test/remittance").status_code == 200
    sips.simulator.fault("refund", "answer_lost")
    advance(sips.deps, purchase_id)
    assert sips.leg(purchase_id).money is MoneyState.REFUNDED
    assert moves(sips, record.leg.leg_id) == [
        ("authorise", 13390),
        ("capture", 13390),
        ("refund", 13390),
    ]


def _told(sips: SipsSetting, purchase_id: str) -> None:
    """The notice comes to the address given with the payment, and is taken in once."""
    listener, leg_id = sips.notices, sips.leg(purchase_id).leg.leg_id
    assert listener is not None

    def ours() -> list[Received]:
        named = f"orderId={leg_id}"
        return [each for each in list(listener.received) if named in unquote(each.body.decode())]

    wait_for(lambda: bool(ours()), 60)
    notice = ours()[0]
    assert notice.path == "/webhooks/payments/sips"
    assert receive(sips.deps, "sips", notice.headers, notice.body)
    assert not receive(sips.deps, "sips", notice.headers, notice.body)


def test_who_pays_after_the_time_gets_it_back(sips: SipsSetting, merchant: SmallMerchant) -> None:
    purchase_id = bought(sips, merchant)
    pay_url = str(sips.leg(purchase_id).pay_url)
    sips.clock.ahead = timedelta(minutes=31)
    advance(sips.deps, purchase_id)
    assert sips.leg(purchase_id).state is LegState.CANCELLING
    paid_at(pay_url, GOOD_CARD)
    advance(sips.deps, purchase_id)
    record = sips.leg(purchase_id)
    assert (record.state, record.leg.reason) == (LegState.CANCELLED, Reason.PAYMENT_EXPIRED)
    assert moves(sips, record.leg.leg_id) == [("authorise", 13390), ("void", 13390)]
    assert merchant.orders == {}


def moves(setting: Setting, leg_id: str) -> list[tuple[str, int]]:
    """What moved at the provider for a leg, over all of its pages."""
    books = setting.simulator.call("GET", "/v1/test/ledger").json()
    return [
        (entry["kind"], entry["amount"])
        for row in books["payments"]
        if row["metadata"].get("sips:reference") == leg_id
        for entry in row["entries"]
    ]
