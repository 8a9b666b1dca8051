"""The UCP connector against the merchant's server, the published schemas and PyPI's ucp-sdk."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from ucp_sdk.models.schemas.profile import PlatformSchema
from ucp_sdk.models.schemas.shopping.checkout import Checkout
from ucp_sdk.models.schemas.shopping.checkout_complete_request import CheckoutCompleteRequest
from ucp_sdk.models.schemas.shopping.checkout_create_request import CheckoutCreateRequest
from ucp_sdk.models.schemas.shopping.checkout_update_request import CheckoutUpdateRequest
from ucp_sdk.models.schemas.shopping.order import Order

from checkout.merchant_connectors._checked_answers import Malformed
from checkout.merchant_connectors._ucp_answers import read_checkout, read_order
from checkout.merchant_connectors._ucp_profiles import (
    HANDLER,
    VERSIONS,
    negotiate,
    platform_profile,
    profile_address,
)
from checkout.merchant_connectors._ucp_signatures import platform_key, signed_headers
from checkout.merchant_connectors.port import (
    Notice,
    OrderStatus,
    PreparesHandoff,
    QuoteLine,
    SendsNotices,
)
from checkout.outcomes import HandoffNeeded, NoAnswer, OutcomeUnknown, Refused
from checkout.peer_http import PeerAnswer, PeerClient
from tests.peers import http, wait_for
from tests.protocols.merchant_server import MERCHANT, ProtocolShop, running_merchant
from tests.protocols.orders import PARIS, PRICE, made_of, sell


@pytest.fixture(scope="module")
def older_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProtocolShop]:
    """A merchant that knows 2026-04-08 only."""
    with running_merchant(tmp_path_factory.mktemp("older"), "--ucp", VERSIONS[1]) as shop:
        yield shop


@pytest.fixture(scope="module")
def handing_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProtocolShop]:
    """A merchant that takes orders on its own page only."""
    with running_merchant(tmp_path_factory.mktemp("handing"), "--hands-off") as shop:
        yield shop


def test_our_profile_is_one_in_the_published_schema_and_in_the_sdk(shared: Path) -> None:
    from comptoir.protocol_merchant.schemas import UCP_FOLDER, Schemas

    jwk = {"kid": "k", "kty": "EC", "crv": "P-256", "alg": "ES256", "x": "AA", "y": "AA"}
    profile = platform_profile("https://shop.example", "acme", VERSIONS[0], jwk)
    schema = "https://ucp.dev/schemas/profile.json#/$defs/platform_schema"
    assert Schemas(shared / "specs", print).fault(UCP_FOLDER, schema, profile) == ""
    parsed = PlatformSchema.model_validate(profile)
    assert parsed.keys is not None
    older = platform_profile("https://shop.example", "acme", VERSIONS[1], jwk)
    assert "keys" not in older
    assert older["signing_keys"] == [jwk]
    with pytest.raises(Malformed):
        platform_profile("https://shop.example", "acme", "2026-01-11", jwk)


def test_every_message_of_a_purchase_is_one_for_the_sdk(
    ucp_shop: ProtocolShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, str, Any, Any]] = []
    exchange = PeerClient.exchange

    def recorded(self: PeerClient, method: str, path: str, **more: Any) -> PeerAnswer:
        answer = exchange(self, method, path, **more)
        sent.append((method, path, json.loads(more.get("content") or b"null"), answer.body))
        return answer

    monkeypatch.setattr(PeerClient, "exchange", recorded)
    connector, sold = ucp_shop.connector(), sell(ucp_shop, quantity=2)
    connector.quote(sold.order.lines, PARIS)
    connector.place(sold.order, connector.prepare(sold.order))
    kinds = set()
    for method, path, body, answer in sent:
        if path.endswith("/complete"):
            kinds.add(CheckoutCompleteRequest.model_validate(body).__class__)
        elif path.endswith("/checkout-sessions"):
            kinds.add(CheckoutCreateRequest.model_validate(body).__class__)
        elif method == "PUT":
            kinds.add(CheckoutUpdateRequest.model_validate(body).__class__)
        if "/checkout-sessions" in path:
            kinds.add(Checkout.model_validate(answer).__class__)
        elif "/orders/" in path:
            kinds.add(Order.model_validate(answer).__class__)
    wanted = {CheckoutCreateRequest, CheckoutUpdateRequest, CheckoutCompleteRequest}
    assert kinds == wanted | {Checkout, Order}


def profile(version: str, **more: Any) -> dict[str, Any]:
    service = {"version": version, "transport": "rest", "endpoint": "https://acme.example/ucp/"}
    ucp = {"version": version, "services": {"dev.ucp.shopping": [service]}} | more
    return {"ucp": ucp, "keys": [{"kid": "new"}], "signing_keys": [{"kid": "old"}]}


def test_the_newest_version_in_common_is_spoken() -> None:
    origin = "https://acme.example"
    newest = negotiate(profile("2026-08-25"), origin)
    older = negotiate(profile("2026-04-08"), origin)
    assert not isinstance(newest, str)
    assert not isinstance(older, str)
    assert (newest.version, newest.path, newest.keys) == ("2026-08-25", "/ucp", ({"kid": "new"},))
    assert (older.version, older.keys) == ("2026-04-08", ({"kid": "old"},))
    former = {"2026-04-08": f"{origin}/a", "2026-08-25": f"{origin}/b?v=1"}
    assert negotiate(profile("2027-01-08", supported_versions=former), origin) == "/b?v=1"
    for wrong in (
        profile("2026-01-11"),
        profile("2027-01-08", supported_versions={"2026-08-25": "https://other.example/b"}),
        profile("2026-08-25", services={}),
        {"ucp": []},
        None,
        [profile("2026-08-25")],
    ):
        with pytest.raises(Malformed):
            negotiate(wrong, origin)
    with pytest.raises(Malformed):
        negotiate(profile("2026-08-25"), "https://elsewhere.example")


def test_an_older_merchant_is_spoken_to_in_its_version(older_shop: ProtocolShop) -> None:
    connector, sold = older_shop.connector(), sell(older_shop)
    assert isinstance(connector, SendsNotices)
    handle = connector.prepare(sold.order)
    placed = connector.place(sold.order, handle)
    assert connector.find(sold.order.reference, handle) == placed
    site = older_shop.site
    wait_for(lambda: bool(site.received), timeout_s=60)
    came = site.received[0]
    notice = Notice("POST", site.url + came.path, came.headers, came.body, datetime.now(UTC))
    assert connector.verify_notice(notice).merchant_order_number == placed.merchant_order_number
    assert json.loads(came.body)["ucp"]["version"] == VERSIONS[1]


def test_a_merchant_that_wants_the_buyer_on_its_page(handing_shop: ProtocolShop) -> None:
    connector, sold = handing_shop.connector(), sell(handing_shop)
    quote = connector.quote(sold.order.lines, PARIS)
    assert quote.total("standard") == sold.order.expected_total
    with pytest.raises(HandoffNeeded) as handoff:
        connector.prepare(sold.order)
    assert isinstance(connector, PreparesHandoff)
    page = connector.hand_off([QuoteLine(sold.sku, 3)])
    assert handoff.value.continue_url.startswith(f"{handing_shop.url}/continue/")
    assert "3 × Grille-pain" in http.get(page).text
    finished = http.post(page, follow_redirects=True)
    handle = page.rsplit("/", 1)[1]
    (number,) = made_of(handing_shop, handle)
    assert re.fullmatch(r"M-[0-9]{6}", number)
    assert f"Order {number}" in finished.text
    # Numbers follow each other: what leads to an order does not.
    assert str(finished.url) == f"{handing_shop.url}/order/{handle}"
    assert http.get(f"{handing_shop.url}/order/{number}").status_code == 404
    found = connector.find("any", handle)
    assert found is not None
    assert found.merchant_order_number == number


def test_an_order_that_cannot_be_read_yet_is_in_doubt_and_never_given_up(
    ucp_shop: ProtocolShop,
) -> None:
    connector, sold = ucp_shop.connector(), sell(ucp_shop)
    handle = connector.prepare(sold.order)
    for _try in range(2):  # made, and then read as made before
        ucp_shop.fault("order", "down", count=2)
        with pytest.raises(OutcomeUnknown):
            connector.place(sold.order, handle)
    placed = connector.place(sold.order, handle)
    assert made_of(ucp_shop, handle) == [placed.merchant_order_number]


def test_a_slow_merchant_is_waited_for_and_makes_one_order(ucp_shop: ProtocolShop) -> None:
    hasty, patient = ucp_shop.connector(timeout_s="1"), ucp_shop.connector()
    sold = sell(ucp_shop)
    handle = patient.prepare(sold.order)
    ucp_shop.fault("complete", "slow", delay_s=3)
    outcomes = []

    def is_struck() -> bool:
        # On a busy machine the questions before the completion may be what takes too long.
        try:
            hasty.place(sold.order, handle)
        except (OutcomeUnknown, NoAnswer) as error:
            outcomes.append(type(error))
        return ucp_shop.books()["faults"] == 0

    wait_for(is_struck, timeout_s=60)
    assert OutcomeUnknown in outcomes
    wait_for(lambda: patient.find(sold.order.reference, handle) is not None, timeout_s=60)
    assert len(made_of(ucp_shop, handle)) == 1


def test_the_merchant_wants_a_key_a_signature_and_a_platform_that_it_knows(
    ucp_shop: ProtocolShop,
) -> None:
    sold = sell(ucp_shop)
    key = platform_key(ucp_shop.site.key_file)
    url = f"{ucp_shop.url}/ucp/checkout-sessions"
    known = f'profile="{profile_address(ucp_shop.site.url, MERCHANT)}&version={VERSIONS[0]}"'

    def post(body: Any, agent: str = known, *, sign: bool = True, **headers: str) -> int:
        raw = json.dumps(body).encode()
        given = {"Content-Type": "application/json", "UCP-Agent": agent} | headers
        sent = signed_headers(key, "POST", url, given, raw) if sign else given
        return http.post(url, content=raw, headers=sent).status_code

    body = {"line_items": [{"item": {"id": sold.sku}, "quantity": 1}]}
    once = {"Idempotency-Key": str(uuid4())}
    assert post(body, **once) == 201
    assert post(body, **once) == 201
    assert post(body | {"attribution": {"a": "b"}}, **once) == 409
    assert post(body) == 400
    assert post(body, sign=False, **once) == 401
    assert post(body, 'profile="https://stranger.example/.well-known/ucp"', **once) == 403
    assert post(body, f'profile="{ucp_shop.site.url}/nothing"', **once) == 424
    assert post(body, known.replace(VERSIONS[0], VERSIONS[1]), **once) in (201, 409)


def test_notices_are_believed_from_the_order_s_own_merchant_alone(
    ucp_shop: ProtocolShop, older_shop: ProtocolShop
) -> None:
    connector, stranger = ucp_shop.connector(), older_shop.connector()
    assert isinstance(connector, SendsNotices)
    assert isinstance(stranger, SendsNotices)
    sold = sell(ucp_shop)
    handle = connector.prepare(sold.order)
    before = len(ucp_shop.site.received)
    ucp_shop.fault("notice", "duplicate")
    number = connector.place(sold.order, handle).merchant_order_number
    ucp_shop.turn(number, "shipped")
    site = ucp_shop.site
    wait_for(lambda: len(site.received) >= before + 3, timeout_s=60)
    notices = [
        Notice("POST", site.url + each.path, each.headers, each.body, datetime.now(UTC))
        for each in site.received[before:]
    ]
    told = [connector.verify_notice(notice) for notice in notices]
    assert {(each.merchant_order_number, each.handle) for each in told} == {(number, handle)}
    assert len({each.event_id for each in told}) == 2
    for notice in (
        Notice(
            "POST", notices[0].url + "x", notices[0].headers, notices[0].body, datetime.now(UTC)
        ),
        Notice("POST", notices[0].url, notices[0].headers, b"{}", datetime.now(UTC)),
        Notice("POST", notices[0].url, {}, notices[0].body, datetime.now(UTC)),
    ):
        with pytest.raises(Refused) as refusal:
            connector.verify_notice(notice)
        assert refusal.value.code == "webhook_unsigned"
    with pytest.raises(Refused):
        stranger.verify_notice(notices[0])
    assert connector.status(number).status is OrderStatus.SHIPPED


def test_an_order_is_followed_and_cancelled_by_the_merchant_alone(ucp_shop: ProtocolShop) -> None:
    connector, sold = ucp_shop.connector(), sell(ucp_shop)
    handle = connector.prepare(sold.order)
    number = connector.place(sold.order, handle).merchant_order_number
    with pytest.raises(Refused) as refusal:
        connector.cancel(number, "the buyer withdrew")
    assert refusal.value.code == "not_supported"
    for status, seen in [
        ("processing", OrderStatus.IN_PREPARATION),
        ("canceled", OrderStatus.CANCELLED),
    ]:
        ucp_shop.turn(number, status)
        found = connector.find(sold.order.reference, handle)
        assert found is not None
        assert found.status is seen
        assert found.total == sold.order.expected_total
    assert connector.cancel(number, "again").status is OrderStatus.CANCELLED


SESSION: dict[str, Any] = {
    "ucp": {"version": "2026-08-25", "payment_handlers": {HANDLER: [{"id": "h"}]}},
    "id": "cs_1",
    "status": "ready_for_complete",
    "currency": "EUR",
    "line_items": [{"id": "l", "item": {"id": "A", "price": PRICE}, "quantity": 1}],
    "totals": [{"type": "subtotal", "amount": PRICE}, {"type": "total", "amount": PRICE}],
    "continue_url": "https://acme.example/c/1",
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"totals": [{"type": "total", "amount": 69.95}]},
        {"totals": [{"type": "total", "amount": "6995"}]},
        {"totals": [{"type": "total", "amount": True}]},
        {"totals": []},
        {"totals": [{"type": "total", "amount": 1}, {"type": "total", "amount": 2}]},
        {"totals": [{"type": "total", "amount": 10**30}]},
        {"currency": "BTC"},
        {"currency": "€"},
        {"continue_url": "javascript:alert(1)"},
        {"line_items": [{"id": "l", "item": {"id": "A", "price": -1}, "quantity": 1}]},
        {"line_items": [{"id": "l", "item": {"id": "A", "price": 1}, "quantity": 1.5}]},
        {"line_items": [{"id": "l", "item": {"id": "A" * 5000, "price": 1}, "quantity": 1}]},
        {"line_items": None},
        {"id": ""},
        {"messages": [{"type": "error"}] * 5000},
        {"ucp": []},
    ],
)
def test_a_session_that_makes_no_sense_is_not_believed(wrong: dict[str, Any]) -> None:
    assert read_checkout(SESSION)
    with pytest.raises(Malformed):
        read_checkout(SESSION | wrong)


@pytest.mark.parametrize("body", [None, [], "x", {}, {"id": "o"}, {"ucp": {"status": "error"}}])
def test_nor_is_an_answer_of_another_shape(body: Any) -> None:
    for read in (read_checkout, read_order):
        with pytest.raises(Malformed):
            read(body)
