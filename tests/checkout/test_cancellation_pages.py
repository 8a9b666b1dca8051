"""Cancelling an order as a browser without scripts does it, and as a program does."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.checkout.shop_visits import shelve
from tests.purchase_setting import Setting
from tests.small_merchant import SmallMerchant


def ordered(setting: Setting, merchant: SmallMerchant) -> str:
    """An order placed and charged; answers what opens it."""
    bought = setting.buy({shelve(setting, merchant): 1})
    return setting.opens(bought.order_ref)


def press(client: TestClient, opens: str) -> int:
    answer = client.post(f"/order/{opens}/cancel", data={"merchant": "norden"})
    assert answer.headers["location"] == f"/order/{opens}"
    return answer.status_code


@pytest.mark.parametrize(
    ("language", "asked", "said"),
    [
        ("fr", "Demander l’annulation", "comme vous l’avez demandé"),
        ("de", "um Stornierung bitten", "wie Sie es wollten"),
        ("en", "to cancel", "as you asked"),
    ],
)
def test_the_button_cancels_and_the_page_says_where_the_money_is(
    setting: Setting, merchant: SmallMerchant, language: str, asked: str, said: str
) -> None:
    client = setting.client()
    opens = ordered(setting, merchant)
    before = client.get(f"/order/{opens}?lang={language}").text
    assert f'action="/order/{opens}/cancel"' in before
    assert asked in before

    assert {press(client, opens), press(client, opens)} == {303}

    after = client.get(f"/order/{opens}?lang={language}").text
    assert said in after
    assert "/cancel" not in after
    assert merchant.calls.count("cancel") == 1


def test_as_json(setting: Setting, merchant: SmallMerchant) -> None:
    client = setting.client()
    opens = ordered(setting, merchant)
    path = f"/v1/orders/{opens}/cancellations"
    assert client.post(path, json={"merchant_id": "elsewhere"}).status_code == 404
    assert client.post(path, json={}).status_code == 422
    first = client.post(path, json={"merchant_id": "norden"})
    again = client.post(path, json={"merchant_id": "norden"})
    assert (first.status_code, again.status_code) == (202, 202)
    (leg,) = again.json()["legs"]
    assert (leg["state"], leg["money"], leg["reason"]) == (
        "refunded",
        "refunded",
        "cancelled_by_buyer",
    )
    assert leg["refunded"] == leg["captured"] == leg["total"]
    assert leg["cancellable"] is False
    assert (
        client.post("/v1/orders/none/cancellations", json={"merchant_id": "x"}).status_code == 404
    )
