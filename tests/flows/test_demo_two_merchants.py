"""One basket, two merchants in the running demonstration: a django-oscar shop, and one by UCP."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx2
import pytest

from tests.peers import http, wait_for
from tests.purchase_setting import CONTACT, hidden_fields, pay_at
from tests.running_demo import Demo

pytestmark = pytest.mark.oscar

MERCHANTS = ("maison-oscar", "werkkontor")


def offer_of(demo: Demo, merchant: str) -> str:
    """An offer of which there is plenty, the last by its number: no other test buys it."""
    (row,) = demo.rows(
        "SELECT offer_id FROM mdm.offer WHERE merchant_id = :merchant AND live "
        "AND availability = 'in_stock' AND quantity > 5 "
        'AND delivery @> \'[{"country": "FR"}]\' ORDER BY offer_id DESC LIMIT 1',
        merchant=merchant,
    )
    return str(row.offer_id)


def at_werkkontor(demo: Demo, method: str, path: str, **body: Any) -> dict[str, Any]:
    """Ask the merchant's server as its own people do."""
    file = demo.plan.data / "werkkontor" / "platform.json"
    key = json.loads(file.read_text("utf-8"))["api_key"]
    address = demo.plan.werkkontor + path
    headers = {"authorization": f"Bearer {key}"}
    answer = http.request(method, address, headers=headers, json=body or None)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def payments(demo: Demo) -> list[dict[str, Any]]:
    """The books of the payment provider."""
    found: list[dict[str, Any]] = demo.provider("GET", "/v1/test/ledger")["payments"]
    return found


def ordered(visitor: httpx2.Client, offers: list[str]) -> str:
    """The purchase of these offers, up to where it is to be paid; answers its reference."""
    for offer in offers:
        assert visitor.post("/basket/lines", data={"offer_id": offer}).status_code == 303
    given = visitor.post("/checkout", data=CONTACT.as_json())
    assert given.status_code == 303, given.text
    page = visitor.get(given.headers["location"])
    fields = hidden_fields(page.text) | {"terms": "accepted"}
    sent = visitor.post("/checkout/confirm", data=fields)
    assert sent.status_code == 303, sent.text
    return str(sent.headers["location"]).rpartition("/")[2]


def test_one_basket_two_merchants_and_an_answer_that_was_lost(demo: Demo) -> None:
    before = len(at_werkkontor(demo, "GET", "/test/books")["orders"])
    charged = len(payments(demo))
    at_werkkontor(demo, "POST", "/test/faults", operation="complete", kind="answer_lost")
    with demo.visitor("mirabelle") as visitor:
        reference = ordered(visitor, [offer_of(demo, merchant) for merchant in MERCHANTS])

        def legs() -> dict[str, Any]:
            found = visitor.get(f"/v1/orders/{reference}").json()["legs"]
            return {leg["merchant_id"]: leg for leg in found}

        for merchant in MERCHANTS:
            wait_for(lambda: legs()[merchant]["pay_url"], timeout_s=60)  # noqa: B023
            visitor.get(pay_at(legs()[merchant]["pay_url"]))
        wait_for(lambda: all(leg["merchant_order"] for leg in legs().values()), timeout_s=120)
        wait_for(lambda: all(leg["captured"] for leg in legs().values()), timeout_s=120)
        bought = legs()
    assert sorted(bought) == sorted(MERCHANTS)
    made = at_werkkontor(demo, "GET", "/test/books")["orders"][before:]
    assert [order["id"] for order in made] == [bought["werkkontor"]["merchant_order"]]
    assert re.fullmatch(r"WK-[0-9]{6}", made[0]["id"])
    taken = [(row["merchant_account"], row["captured_amount"]) for row in payments(demo)[charged:]]
    assert sorted(taken) == [(name, bought[name]["total"]["minor"]) for name in MERCHANTS]
    assert all(leg["captured"] == leg["total"] for leg in bought.values())
