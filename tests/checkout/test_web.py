"""The purchase as a browser without scripts goes through it, and as a program does."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import logging
import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from html import escape
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from checkout import tables as t
from checkout.purchase.advance import advance
from checkout.purchase.jobs import ADVANCE
from checkout.states import LegState
from kernel.jobs import drain
from kernel.offer_terms import Execution
from tests.purchase_setting import CONTACT, Setting, add_merchant, add_offer, hidden_fields, pay_at
from tests.small_merchant import Article, SmallMerchant

_NUMBERS = itertools.count(1)


def shelve(setting: Setting, merchant: SmallMerchant, price: int = 4900, stock: int = 9) -> str:
    sku = f"W{next(_NUMBERS)}"
    merchant.articles[sku] = Article(price, stock)
    return add_offer(setting.database, "norden", sku, price)


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


def test_whole_way_without_scripts(setting: Setting, merchant: SmallMerchant) -> None:
    client = setting.client()
    offer = shelve(setting, merchant)
    address = to_confirm_page(client, offer, "2")
    page = client.get(address)
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert "102,90" in page.text
    bought = confirmed(client, address)
    assert bought.status_code == 303
    handoff = client.get(bought.headers["location"])
    assert handoff.status_code == 200
    refresh = handoff.headers["refresh"]
    to_provider = client.get(refresh.partition("url=")[2])
    assert to_provider.status_code == 303
    back = pay_at(to_provider.headers["location"])
    returned = client.get(back)
    assert returned.status_code == 303, returned.text
    order = client.get(returned.headers["location"])
    assert "M-1000" in order.text
    assert client.get("/basket").status_code == 200
    assert client.cookies["basket_count"] == "0"
    # The receipt stays reachable, and going back to the way in orders nothing again.
    assert client.get(bought.headers["location"]).headers["location"].startswith("/order/")
    assert confirmed_again(client, address, bought.headers["location"])
    assert len(merchant.orders) == 1


def confirmed_again(client: TestClient, address: str, handoff: str) -> bool:
    """The confirm page is gone with the basket."""
    return bool(client.get(address).headers["location"] == "/basket" and handoff)


def test_double_click_leads_to_the_same_order(setting: Setting, merchant: SmallMerchant) -> None:
    client = setting.client()
    address = to_confirm_page(client, shelve(setting, merchant))
    fields = hidden_fields(client.get(address).text) | {"terms": "accepted"}
    tabs = [setting.client() for _ in range(20)]
    for tab in tabs:
        tab.cookies.update(dict(client.cookies))

    def click(tab: TestClient) -> str:
        return str(tab.post("/checkout/confirm", data=fields).headers["location"])

    with ThreadPoolExecutor(20) as pool:
        assert len(set(pool.map(click, tabs))) == 1
    with setting.database.platform() as tx:
        made = t.purchase.c.confirmation_token == fields["token"]
        assert len(tx.execute(t.purchase.select().where(made)).all()) == 1


def test_terms_have_to_be_accepted(setting: Setting, merchant: SmallMerchant) -> None:
    client = setting.client()
    address = to_confirm_page(client, shelve(setting, merchant))
    refused = confirmed(client, address, terms="")
    assert "terms=missing" in refused.headers["location"]
    assert client.get(refused.headers["location"]).status_code == 200
    assert merchant.orders == {}


def test_prices_from_a_client_are_not_read(setting: Setting, merchant: SmallMerchant) -> None:
    client = setting.client()
    offer = shelve(setting, merchant, price=4900)
    client.post(
        "/basket/lines",
        data={"offer_id": offer, "quantity": "1", "price": "1", "unit_price": "1", "total": "1"},
    )
    given = client.post("/checkout", data=CONTACT.as_json() | {"total": "1"})
    fields = hidden_fields(client.get(given.headers["location"]).text)
    sent = fields | {"terms": "accepted", "total": "1", "price": "1", "amount": "1"}
    bought = client.post("/checkout/confirm", data=sent)
    handoff = client.get(bought.headers["location"])
    assert "53,90" in handoff.text
    pay_at(client.get(handoff.headers["refresh"].partition("url=")[2]).headers["location"])
    (payment,) = [
        row
        for row in setting.simulator.call("GET", "/v1/test/ledger").json()["payments"]
        if row["amount"] == 5390 and row["status"] == "authorised"
    ]
    assert payment["authorised_amount"] == 5390


def test_changed_price_is_shown_old_and_new(setting: Setting, merchant: SmallMerchant) -> None:
    client = setting.client()
    offer = shelve(setting, merchant, price=4900)
    address = to_confirm_page(client, offer)
    next(iter(merchant.articles.values())).price = 5900
    asked = confirmed(client, address)
    assert asked.headers["location"].startswith("/checkout/confirm?quote=")
    page = client.get(asked.headers["location"]).text
    assert "49,00" in page
    assert "59,00" in page
    assert confirmed(client, asked.headers["location"]).headers["location"].startswith("/pay/")


def test_delivery_is_chosen_before_the_button(setting: Setting, merchant: SmallMerchant) -> None:
    client = setting.client()
    address = to_confirm_page(client, shelve(setting, merchant))
    fields = hidden_fields(client.get(address).text)
    chosen = client.post(
        "/checkout/delivery", data={"quote": fields["quote"], "delivery-norden": "express"}
    )
    assert "58,90" in client.get(chosen.headers["location"]).text


def test_basket_lines_change_and_go(setting: Setting, merchant: SmallMerchant) -> None:
    client = setting.client()
    offer = shelve(setting, merchant)
    for _ in range(2):
        client.post("/basket/lines", data={"offer_id": offer})
    assert client.cookies["basket_count"] == "1"
    client.post(f"/basket/lines/{offer}", data={"quantity": "3"})
    assert client.cookies["basket_count"] == "3"
    assert "147,00" in client.get("/basket").text
    client.post(f"/basket/lines/{offer}/remove")
    assert client.cookies["basket_count"] == "0"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"offer_id": "off_unknown"}, 404),
        ({}, 404),
        ({"offer_id": "\0"}, 404),
        ({"offer_id": "x" * 5000, "quantity": "1"}, 404),
        ({"offer_id": "off_x", "quantity": "-1"}, 422),
        ({"offer_id": "off_x", "quantity": "1e9"}, 422),
    ],
)
def test_odd_forms_are_refused_with_a_page(
    setting: Setting, sent: Mapping[str, str], status: int
) -> None:
    answer = setting.client().post("/basket/lines", data=dict(sent))
    assert answer.status_code == status
    assert "<html" in answer.text


def test_odd_addresses_never_break(setting: Setting) -> None:
    client = setting.client()
    for path in (
        "/order/x", "/order/%00", "/pay/return/nothing", "/pay/return/%00?attempt=-5",
        "/pay/handoff/none", "/terms?version=99999999999999", "/checkout/confirm?quote=%00",
        "/basket?added=%00", "/v1/orders/none", "/pay/handoff/none/1",
        "/terms?version=7&language=xx",
    ):  # fmt: skip
        assert client.get(path).status_code in {200, 303, 404}, path


def test_offer_sold_elsewhere_stays_out(setting: Setting) -> None:
    add_merchant(setting.database, "linkshop", execution=Execution.LINK)
    offer = add_offer(setting.database, "linkshop", "L1", 1000)
    answer = setting.client().post("/basket/lines", data={"offer_id": offer})
    assert answer.status_code == 422
    client = setting.client()
    gone = add_offer(setting.database, "norden", "gone", 1000, availability="out_of_stock")
    assert client.post("/basket/lines", data={"offer_id": gone}).status_code == 422


def test_wrong_contact_is_told_by_field(setting: Setting, merchant: SmallMerchant) -> None:
    client = setting.client()
    client.post("/basket/lines", data={"offer_id": shelve(setting, merchant)})
    wrong = CONTACT.as_json() | {"email": "nobody", "postcode": "12", "city": ""}
    answer = client.post("/checkout", data=wrong)
    assert answer.status_code == 422
    named = re.findall(r'<p class="error" id="error-(\w+)">(.*?)</p>', answer.text)
    assert [name for name, _ in named] == ["email", "postcode", "city"]
    assert all(re.sub(r"<[^>]*>", "", said).strip() for _, said in named)
    for name in ("email", "postcode", "city"):
        assert f'aria-describedby="error-{name}' in field_of(answer.text, name)
    for name, value in wrong.items():
        if name != "country":
            assert f'value="{escape(value)}"' in field_of(answer.text, name), name
    assert re.search(r'<option value="FR" selected>', answer.text)


def field_of(html: str, name: str) -> str:
    """The input of that name, as it is written."""
    (found,) = re.findall(rf'<input[^>]* name="{name}"[^>]*>', html)
    return str(found)


def test_baskets_of_another_brand_are_empty(setting: Setting, merchant: SmallMerchant) -> None:
    client = setting.client()
    client.post("/basket/lines", data={"offer_id": shelve(setting, merchant)})
    with setting.database.brand("taktwerk") as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(t.basket)).scalar_one() == 0
    with setting.database.brand(setting.brand.id) as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(t.basket)).scalar_one() > 0


def quoted(client: TestClient, offer: str) -> Any:
    return client.post(
        "/v1/quotes",
        json={"lines": [{"offer_id": offer, "quantity": 1}], "contact": CONTACT.as_json()},
    )


def purchase_body(quote: Any) -> dict[str, Any]:
    return {
        "basket_id": quote["basket_id"],
        "quote_id": quote["quote_id"],
        "token": quote["token"],
        "terms_accepted": True,
        "terms_version": quote["terms"]["version"],
        "terms_sha256": quote["terms"]["sha256"],
    }


def test_offer_to_order_as_json(setting: Setting, merchant: SmallMerchant) -> None:
    client = setting.client()
    asked = quoted(client, shelve(setting, merchant))
    assert asked.status_code == 201, asked.text
    body = purchase_body(asked.json())
    bought = client.post("/v1/purchases", json=body)
    assert bought.status_code == 201, bought.text
    again = client.post("/v1/purchases", json=body)
    assert (again.status_code, again.json()["order_ref"]) == (200, bought.json()["order_ref"])
    (leg,) = bought.json()["legs"]
    client.get(pay_at(leg["pay_url"]))
    order = client.get(f"/v1/orders/{bought.json()['signed_ref']}").json()
    assert order["settled"]
    assert order["legs"][0]["merchant_order"] == "M-1000"
    assert order["legs"][0]["captured"] == {"minor": 5390, "currency": "EUR"}
    other = client.post("/v1/purchases", json=body | {"quote_id": "quo_other"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_conflict")


def test_changed_quote_is_a_conflict_with_the_new_one(
    setting: Setting, merchant: SmallMerchant
) -> None:
    client = setting.client()
    quote = quoted(client, shelve(setting, merchant)).json()
    next(iter(merchant.articles.values())).price = 100
    answer = client.post("/v1/purchases", json=purchase_body(quote))
    assert (answer.status_code, answer.json()["code"]) == (409, "quote_changed")
    assert answer.json()["quote"]["totals"] == [{"minor": 590, "currency": "EUR"}]
    wrong = quoted(client, "off_none")
    assert (wrong.status_code, wrong.json()["code"]) == (404, "offer_withdrawn")


def notice(setting: Setting, body: dict[str, Any], *, at: int | None = None, key: str = "") -> Any:
    """A notice as the provider signs it."""
    raw = json.dumps(body).encode()
    moment = at if at is not None else int(time.time())
    secret = (key or setting.simulator.keys["webhook_secret"]).encode()
    signature = hmac.new(secret, f"{moment}.".encode() + raw, hashlib.sha256).hexdigest()
    return {
        "content": raw,
        "headers": {"comptoir-signature": f"t={moment},v1={signature}"},
    }


def authorised_event(setting: Setting, merchant: SmallMerchant) -> tuple[str, dict[str, Any]]:
    """A purchase that is paid, and the provider's own notice of it."""
    bought = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, bought.purchase_id)
    setting.pay(bought.purchase_id)
    (leg,) = setting.order(bought.purchase_id).legs
    events = setting.simulator.call("GET", "/v1/test/events").json()["events"]
    (event,) = [
        row
        for row in events
        if row["payment_id"] == leg.leg.payment_id and row["type"].endswith("authorised")
    ]
    return bought.purchase_id, event["body"]


def jobs_for(setting: Setting, purchase_id: str) -> int:
    with setting.database.platform() as tx:
        return int(
            tx.execute(
                sa.text(
                    "SELECT count(*) FROM procrastinate_jobs WHERE task_name = :name "
                    "AND args->>'purchase_id' = :id AND scheduled_at IS NULL"
                ),
                {"name": ADVANCE.name, "id": purchase_id},
            ).scalar_one()
        )


def test_notice_twenty_times_is_one_event(setting: Setting, merchant: SmallMerchant) -> None:
    purchase_id, body = authorised_event(setting, merchant)
    client = setting.client()
    started = time.perf_counter()
    answers = [
        client.post("/webhooks/payments/simulator", **notice(setting, body)) for _ in range(20)
    ]
    assert (time.perf_counter() - started) / 20 < 1
    assert [answer.json()["new"] for answer in answers] == [True] + [False] * 19
    assert {answer.status_code for answer in answers} == {200}
    assert jobs_for(setting, purchase_id) == 1


def test_notice_alone_carries_the_purchase_out(setting: Setting, merchant: SmallMerchant) -> None:
    """The shopper has closed the browser at the provider's page."""
    purchase_id, body = authorised_event(setting, merchant)
    answer = setting.client().post("/webhooks/payments/simulator", **notice(setting, body))
    assert answer.json() == {"received": True, "new": True}

    def handler(purchase_id: str) -> None:
        advance(setting.deps, purchase_id)

    drain(setting.database.url, {ADVANCE.name: (ADVANCE, handler)}, queues=["checkout"])
    (record,) = setting.order(purchase_id).legs
    assert record.state is LegState.COMPLETED
    # Later notices, of whatever state, find everything done.
    late = {**body, "id": "evt_late", "type": "payment.cancelled"}
    assert setting.client().post("/webhooks/payments/simulator", **notice(setting, late)).is_success
    drain(setting.database.url, {ADVANCE.name: (ADVANCE, handler)}, queues=["checkout"])
    assert setting.payment_of(purchase_id)["captured_amount"] == 5390
    assert len(merchant.orders) == 1


def test_forged_stale_and_foreign_notices_do_nothing(
    setting: Setting, merchant: SmallMerchant
) -> None:
    purchase_id, body = authorised_event(setting, merchant)
    client = setting.client()
    url = "/webhooks/payments/simulator"
    old = int(time.time()) - 301
    for sent in (
        notice(setting, body, key="another secret"),
        notice(setting, body, at=old),
        {"content": json.dumps(body).encode()},
        {"content": b"", "headers": {"comptoir-signature": ""}},
    ):
        answer = client.post(url, **sent)
        assert (answer.status_code, answer.json()["code"][:8]) == (401, "webhook_"), answer.text
    unreadable = client.post(url, **notice(setting, {"id": 7}))
    assert (unreadable.status_code, unreadable.json()["code"]) == (400, "webhook_malformed")
    assert client.post("/webhooks/payments/other", **notice(setting, body)).status_code == 404
    assert jobs_for(setting, purchase_id) == 0
    with setting.database.platform() as tx:
        known = t.webhook_event.c.event_id == body["id"]
        assert tx.execute(t.webhook_event.select().where(known)).first() is None


def test_no_card_number_is_kept_or_logged(
    setting: Setting, merchant: SmallMerchant, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = setting.client()
    bought = confirmed(client, to_confirm_page(client, shelve(setting, merchant)))
    handoff = client.get(bought.headers["location"])
    paid = pay_at(client.get(handoff.headers["refresh"].partition("url=")[2]).headers["location"])
    client.get(paid)
    with setting.database.platform() as tx:
        every = sa.text(
            "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables "
            "WHERE table_type = 'BASE TABLE' "
            "AND table_schema NOT IN ('pg_catalog', 'information_schema')"
        )
        tables = tx.execute(every).scalars().all()
        assert "checkout.leg" in tables
        kept = {
            name: "\n".join(tx.execute(sa.text(f"SELECT x::text FROM {name} AS x")).scalars())
            for name in tables
        }
    assert merchant.orders
    for name, text in (*kept.items(), ("the log", caplog.text)):
        assert "4111111111111111" not in re.sub(r"[ \\-]", "", text), name
