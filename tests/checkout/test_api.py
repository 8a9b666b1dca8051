"""From an offer to its order as a program goes: quotes, purchases, conflicts."""

from __future__ import annotations

from tests.checkout.shop_visits import (
    purchase_body,
    quoted,
    shelve,
)
from tests.purchase_setting import Setting, pay_at
from tests.small_merchant import SmallMerchant


def test_offer_to_order_as_json(setting: Setting, merchant: SmallMerchant) -> None:
    client = setting.client()
    asked = quoted(client, shelve(setting, merchant, 4900))
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
    quote = quoted(client, shelve(setting, merchant, 4900)).json()
    next(iter(merchant.articles.values())).price = 100
    answer = client.post("/v1/purchases", json=purchase_body(quote))
    assert (answer.status_code, answer.json()["code"]) == (409, "quote_changed")
    assert answer.json()["quote"]["totals"] == [{"minor": 590, "currency": "EUR"}]
    wrong = quoted(client, "off_none")
    assert (wrong.status_code, wrong.json()["code"]) == (404, "offer_withdrawn")
