"""Notices of the payment provider: taken once, believed only when signed, never needed."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import sqlalchemy as sa

from checkout import tables as t
from checkout.purchase.advance import advance
from checkout.purchase.jobs import ADVANCE
from checkout.states import LegState
from kernel.jobs import drain
from tests.checkout.shop_visits import (
    shelve,
)
from tests.purchase_setting import Setting
from tests.small_merchant import SmallMerchant


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
    bought = setting.confirm(setting.quote({shelve(setting, merchant, 4900): 1}))
    advance(setting.deps, bought.purchase_id)
    setting.pay(bought.purchase_id)
    leg = setting.leg(bought.purchase_id)
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
    answers = [
        client.post("/webhooks/payments/simulator", **notice(setting, body)) for _ in range(20)
    ]
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
    record = setting.leg(purchase_id)
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
