"""The purchase as a browser without scripts goes through it."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from html import escape

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from checkout import tables as t
from kernel.offer_terms import Execution
from tests.checkout.shop_visits import confirmed, shelve, to_confirm_page
from tests.purchase_setting import CONTACT, Setting, add_merchant, add_offer, hidden_fields, pay_at
from tests.small_merchant import SmallMerchant


def test_whole_way_without_scripts(setting: Setting, merchant: SmallMerchant) -> None:
    client = setting.client()
    offer = shelve(setting, merchant, 4900)
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
    address = to_confirm_page(client, shelve(setting, merchant, 4900))
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
    address = to_confirm_page(client, shelve(setting, merchant, 4900))
    refused = confirmed(client, address, terms="")
    assert "terms=missing" in refused.headers["location"]
    assert client.get(refused.headers["location"]).status_code == 200
    assert merchant.orders == {}


def test_prices_from_a_client_are_not_read(setting: Setting, merchant: SmallMerchant) -> None:
    client = setting.client()
    offer = shelve(setting, merchant, 4900)
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
    offer = shelve(setting, merchant, 4900)
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
    address = to_confirm_page(client, shelve(setting, merchant, 4900))
    fields = hidden_fields(client.get(address).text)
    chosen = client.post(
        "/checkout/delivery", data={"quote": fields["quote"], "delivery-norden": "express"}
    )
    assert "58,90" in client.get(chosen.headers["location"]).text


def test_a_delivery_ticked_without_its_button_is_not_passed_over(
    setting: Setting, merchant: SmallMerchant
) -> None:
    """Who ticks another delivery and orders at once sees the new amount before anything is made."""
    client = setting.client()
    address = to_confirm_page(client, shelve(setting, merchant, 4900))
    fields = {**hidden_fields(client.get(address).text), "terms": "accepted"}
    first = client.post("/checkout/confirm", data={**fields, "delivery-norden": "express"})
    assert first.headers["location"].endswith("&delivery=chosen")
    page = client.get(first.headers["location"]).text
    assert "58,90" in page
    assert 'role="status"' in page
    assert merchant.orders == {}
    fields = {**hidden_fields(page), "terms": "accepted"}
    sent = client.post("/checkout/confirm", data={**fields, "delivery-norden": "express"})
    assert sent.headers["location"].startswith("/pay/")


def test_basket_lines_change_and_go(setting: Setting, merchant: SmallMerchant) -> None:
    client = setting.client()
    offer = shelve(setting, merchant, 4900)
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
    client.post("/basket/lines", data={"offer_id": shelve(setting, merchant, 4900)})
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
    client.post("/basket/lines", data={"offer_id": shelve(setting, merchant, 4900)})
    with setting.database.brand("taktwerk") as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(t.basket)).scalar_one() == 0
    with setting.database.brand(setting.brand.id) as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(t.basket)).scalar_one() > 0


def test_no_card_number_is_kept_or_logged(
    setting: Setting, merchant: SmallMerchant, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = setting.client()
    bought = confirmed(client, to_confirm_page(client, shelve(setting, merchant, 4900)))
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
