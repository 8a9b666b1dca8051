"""The ACP connector against the merchant's server and the published schemas."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from checkout.merchant_connectors._acp_messages import read_session
from checkout.merchant_connectors._checked_answers import Malformed
from checkout.merchant_connectors.acp import TOLERANCE_S, VERSION, AcpConnector
from checkout.merchant_connectors.port import Notice, OrderStatus, QuoteLine
from checkout.outcomes import HandoffNeeded, NoAnswer, Refused
from tests.peers import http, wait_for
from tests.protocols.merchant_server import ProtocolShop, running_merchant
from tests.protocols.orders import PARIS, sell


@pytest.fixture(scope="module")
def handing_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProtocolShop]:
    """A merchant that takes orders on its own page only."""
    with running_merchant(tmp_path_factory.mktemp("handing"), "--hands-off") as shop:
        shop.name = "acp"
        yield shop


def post(shop: ProtocolShop, path: str, body: Any, **headers: str) -> httpx2.Response:
    """A raw call; headers by their names with underscores."""
    given = {"Authorization": f"Bearer {shop.keys['api_key']}", "API-Version": VERSION}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return http.post(f"{shop.url}/acp{path}", json=body, headers=given)


def test_keys_of_requests_are_kept_as_the_protocol_wants(acp_shop: ProtocolShop) -> None:
    body = {"line_items": [{"id": sell(acp_shop).sku}], "currency": "eur", "capabilities": {}}
    missing = post(acp_shop, "/checkout_sessions", body)
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_required")
    first = post(acp_shop, "/checkout_sessions", body, Idempotency_Key="k1")
    turned = dict(reversed(list(body.items())))
    again = post(acp_shop, "/checkout_sessions", turned, Idempotency_Key="k1")
    assert first.status_code == 201
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    other = post(acp_shop, "/checkout_sessions", body | {"locale": "fr"}, Idempotency_Key="k1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_conflict")
    acp_shop.fault("create", "down")
    assert post(acp_shop, "/checkout_sessions", body, Idempotency_Key="k2").status_code == 503
    assert post(acp_shop, "/checkout_sessions", body, Idempotency_Key="k2").status_code == 201
    older = post(
        acp_shop, "/checkout_sessions", body, Idempotency_Key="k3", API_Version="2025-09-29"
    )
    assert (older.status_code, older.json()["code"]) == (400, "unsupported_version")


def test_pieces_are_named_one_by_one_and_not_without_end(acp_shop: ProtocolShop) -> None:
    connector, sold = acp_shop.connector(), sell(acp_shop, stock=500)
    assert connector.quote([QuoteLine(sold.sku, 7)], PARIS).lines[0].quantity == 7
    with pytest.raises(Refused) as refusal:
        connector.quote([QuoteLine(sold.sku, 201)], PARIS)
    assert refusal.value.code == "too_many"


def test_a_merchant_that_wants_the_buyer_on_its_page(handing_shop: ProtocolShop) -> None:
    connector, sold = handing_shop.connector(), sell(handing_shop)
    with pytest.raises(HandoffNeeded) as handoff:
        connector.prepare(sold.order)
    assert handoff.value.continue_url.startswith(f"{handing_shop.url}/continue/")
    assert isinstance(connector, AcpConnector)
    page = connector.hand_off([QuoteLine(sold.sku, 2)])
    assert "2 × Grille-pain" in http.get(page).text


def test_orders_are_followed_by_their_session(acp_shop: ProtocolShop) -> None:
    connector, sold = acp_shop.connector(), sell(acp_shop)
    handle = connector.prepare(sold.order)
    number = connector.place(sold.order, handle).merchant_order_number
    for ask in (connector.status, lambda each: connector.cancel(each, "the buyer withdrew")):
        with pytest.raises(Refused) as refusal:
            ask(number)
        assert refusal.value.code == "not_supported"
    for status, seen in [
        ("processing", OrderStatus.IN_PREPARATION),
        ("shipped", OrderStatus.SHIPPED),
        ("canceled", OrderStatus.CANCELLED),
    ]:
        acp_shop.turn(number, status)
        found = connector.find(sold.order.reference, handle)
        assert found is not None
        assert (found.status, found.total) == (seen, sold.order.expected_total)


def test_notices_come_signed_twice_and_overtaken_and_are_told_apart(
    acp_shop: ProtocolShop,
) -> None:
    site, connector = acp_shop.site, acp_shop.connector()
    assert isinstance(connector, AcpConnector)
    acp_shop.call("PUT", "/shop/acp-notices", {"url": f"{site.url}/webhooks/orders/acme"})
    sold, before = sell(acp_shop), len(site.received)
    handle = connector.prepare(sold.order)
    acp_shop.fault("notice", "reordered")
    acp_shop.fault("notice", "duplicate")
    site.statuses = [503]
    number = connector.place(sold.order, handle).merchant_order_number
    acp_shop.turn(number, "shipped")
    # The first try of one is refused: three notices make four posts.
    wait_for(lambda: len(site.received) >= before + 4, timeout_s=60)
    received = site.received[before:]
    kinds = [json.loads(each.body)["type"] for each in received]
    assert kinds[0] == "order_update"  # it has overtaken the first
    assert "order_create" in kinds
    now = datetime.now(UTC)
    told = [
        connector.verify_notice(Notice("POST", site.url, each.headers, each.body, now))
        for each in received
    ]
    assert {(each.merchant_order_number, each.handle) for each in told} == {(number, handle)}
    assert len({each.event_id for each in told}) == 2


def signed(secret: str, body: bytes, at: float) -> dict[str, str]:
    digest = hmac.new(secret.encode(), f"{int(at)}.".encode() + body, hashlib.sha256).hexdigest()
    return {"merchant-signature": f"t={int(at)},v1={digest}"}


def test_a_notice_that_is_old_forged_or_unsigned_is_refused() -> None:
    connector = AcpConnector(
        url="http://127.0.0.1:9", key="k", webhook_secret="s", currency="EUR", timeout_s=1
    )
    order = {"id": "o", "checkout_session_id": "cs", "permalink_url": "https://a.example"}
    body = json.dumps({"type": "order_update", "data": order}).encode()
    now = datetime.now(UTC)
    at = now.timestamp()

    def code_of(headers: dict[str, str], raw: bytes = body) -> str:
        with pytest.raises(Refused) as refusal:
            connector.verify_notice(Notice("POST", "https://x.example", headers, raw, now))
        return refusal.value.code

    good = Notice("POST", "https://x.example", signed("s", body, at), body, now)
    assert connector.verify_notice(good).handle == "cs"
    edge = signed("s", body, at - TOLERANCE_S + 5)
    assert connector.verify_notice(Notice("POST", "", edge, body, now)).handle == "cs"
    assert code_of(signed("s", body, at - TOLERANCE_S - 5)) == "webhook_stale"
    assert code_of(signed("s", body, at + TOLERANCE_S + 5)) == "webhook_stale"
    assert code_of(signed("other", body, at)) == "webhook_forged"
    assert code_of(signed("s", body, at), body + b" ") == "webhook_forged"
    assert code_of({}) == "webhook_unsigned"
    assert code_of({"merchant-signature": f"t={int(at)}"}) == "webhook_unsigned"
    assert code_of(signed("s", b"[" * 5000, at), b"[" * 5000) == "webhook_invalid"
    late = now + timedelta(seconds=TOLERANCE_S + 60)
    with pytest.raises(Refused):
        connector.verify_notice(Notice("POST", "", good.headers, body, late))


def test_a_merchant_without_a_secret_sends_no_notices() -> None:
    connector = AcpConnector(
        url="http://127.0.0.1:9", key="k", webhook_secret="", currency="EUR", timeout_s=1
    )
    notice = Notice("POST", "", signed("", b"{}", time.time()), b"{}", datetime.now(UTC))
    with pytest.raises(Refused):
        connector.verify_notice(notice)
    with pytest.raises(NoAnswer):
        connector.find("ref", "cs_1")


SESSION: dict[str, Any] = {
    "id": "cs_1",
    "status": "ready_for_payment",
    "currency": "eur",
    "line_items": [{"item": {"id": "A"}, "quantity": 1, "unit_amount": 100}],
    "fulfillment_options": [],
    "totals": [{"type": "total", "amount": 100}],
    "messages": [],
    "capabilities": {},
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"totals": [{"type": "total", "amount": 1.0}]},
        {"totals": []},
        {"currency": "points"},
        {"line_items": [{"item": {"id": "A"}, "quantity": 1, "unit_amount": "1"}]},
        {"line_items": [{"item": {"id": "A"}, "quantity": -1, "unit_amount": 1}]},
        {"continue_url": "data:text/html,x"},
        {"messages": [{"type": "error"}] * 1000},
        {"order": {"id": ""}},
        {"fulfillment_options": [{"type": "shipping", "id": "s", "title": "S", "totals": []}]},
    ],
)
def test_a_session_that_makes_no_sense_is_not_believed(wrong: dict[str, Any]) -> None:
    assert read_session(SESSION)
    with pytest.raises(Malformed):
        read_session(SESSION | wrong)
