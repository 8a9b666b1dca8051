"""Events to other systems: signed, in order within an order, until taken; dead ones come again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook, WebhookVerificationError

from checkout import tables as t
from checkout.after_sale import cancel, refund
from checkout.customer_events import sending
from checkout.customer_events.receivers import (
    Receiver,
    add_receiver,
    end_receiver,
    link,
    receivers,
)
from checkout.customer_events.replay import deliveries, replay
from checkout.customer_events.sending import send_events
from checkout.purchase.advance import advance
from kernel.errors import DomainError, NotFound
from kernel.money import Money
from tests.checkout.shop_visits import bought
from tests.little_server import Answering, LittleServer
from tests.purchase_setting import Setting, add_merchant
from tests.small_merchant import SmallMerchant


@dataclass
class Inbox:
    """Somebody's system that takes events. `answers` are given to the next ones, else 204."""

    answers: list[int] = field(default_factory=list)
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        inbox = self

        class Handler(Answering):
            def answer(self) -> None:
                body = self.taken()
                status = inbox.answers.pop(0) if inbox.answers else 204
                if status == 204:
                    inbox.taken.append(
                        ({name.lower(): value for name, value in self.headers.items()}, body)
                    )
                self.reply(status, b"")

        self._server = LittleServer(Handler)
        self.host = self._server.host

    def close(self) -> None:
        """Stop taking anything."""
        self._server.close()

    def said(self, secret: str) -> list[dict[str, Any]]:
        """What came in, each with its signature checked by the standard's own package."""
        hook = Webhook(secret)
        return [hook.verify(body, headers) for headers, body in self.taken]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    running = Inbox()
    yield running
    running.close()


@pytest.fixture(autouse=True)
def _no_older_receivers(setting: Setting) -> None:
    """What other tests added is none of ours."""
    with setting.database.platform() as tx:
        for each in receivers(tx):
            end_receiver(tx, each.receiver_id, datetime.now(UTC))


def receiver(setting: Setting, inbox: Inbox, *kinds: str, path: str = "/events") -> Receiver:
    """The inbox, as a receiver of the brand's events."""
    with setting.database.platform() as tx:
        return add_receiver(
            tx,
            f"http://{inbox.host}{path}",
            brand_id=setting.brand.id,
            kinds=kinds,
            link_template="https://crm.example/orders/{order_ref}?at={merchant}",
            allow_hosts={inbox.host},
            now=datetime.now(UTC),
        )


def send(setting: Setting, inbox: Inbox, **later: float) -> int:
    """Send what is due, as the worker does."""
    return send_events(setting.database, {inbox.host}, datetime.now(UTC) + timedelta(**later))


def states(setting: Setting, to: Receiver) -> list[str]:
    """What became of every delivery to a receiver, in order."""
    with setting.database.platform() as tx:
        statement = sa.select(t.event_delivery.c.state).where(
            t.event_delivery.c.receiver_id == to.receiver_id
        )
        return list(tx.execute(statement.order_by(t.event_delivery.c.sequence)).scalars())


def test_an_order_is_told_signed_and_in_order(
    setting: Setting, merchant: SmallMerchant, inbox: Inbox
) -> None:
    pages = {"back_office": "https://norden.example/admin/{merchant_order}"}
    add_merchant(setting.database, "norden", connector_settings=pages)
    to = receiver(setting, inbox)
    only = receiver(setting, inbox, "refund.made", path="/refunds")
    purchase_id = bought(setting, merchant)
    order = setting.order(purchase_id)
    refund(setting.deps, order, "norden", Money(500, "EUR"), by="test", key="1")
    advance(setting.deps, purchase_id)
    cancel(setting.deps, order, "norden")
    advance(setting.deps, purchase_id)
    inbox.answers = [503]
    assert send(setting, inbox) >= 1
    assert send(setting, inbox, seconds=10) >= 1
    while send(setting, inbox, seconds=20):
        pass
    with pytest.raises(WebhookVerificationError):
        inbox.said(only.secret)
    ids = [headers["webhook-id"] for headers, _ in inbox.taken]
    mine = [taken for taken in inbox.taken if _is_signed(to, taken)]
    inbox.taken = mine
    said = inbox.said(to.secret)
    assert [each["type"] for each in said] == [
        *("order.confirmed", "refund.made", "order.cancelled", "refund.made")
    ]
    assert len(ids) == 6
    assert len(set(ids)) == 4
    first, second, _, last = (each["data"] for each in said)
    assert first["order"] == order.order_ref
    assert first["charged"] == {"minor": 26290, "currency": "EUR"}
    assert first["merchant_order"] == order.legs[0].leg.merchant_order
    assert first["customer"]["email"] == order.contact.email
    assert first["link"] == f"https://crm.example/orders/{order.order_ref}?at=norden"
    number = order.legs[0].leg.merchant_order
    assert first["merchant_link"] == f"https://norden.example/admin/{number}"
    told = b"".join(body for _, body in mine).decode()
    assert setting.opens(order.order_ref).rpartition(".")[2] not in told
    assert f"{order.order_ref}." not in told
    assert second["amount"] == {"minor": 500, "currency": "EUR"}
    assert last["refunded"] == {"minor": 26290, "currency": "EUR"}
    assert states(setting, to) == ["sent"] * 4
    assert states(setting, only) == ["sent"] * 2


def _is_signed(to: Receiver, taken: tuple[dict[str, str], bytes]) -> bool:
    try:
        Webhook(to.secret).verify(taken[1], taken[0])
    except WebhookVerificationError:
        return False
    return True


def test_what_nobody_takes_waits_longer_and_longer_then_is_dead_then_comes_again(
    setting: Setting, merchant: SmallMerchant, inbox: Inbox
) -> None:
    to = receiver(setting, inbox)
    purchase_id = bought(setting, merchant)
    cancel(setting.deps, setting.order(purchase_id), "norden")
    advance(setting.deps, purchase_id)
    count = len(states(setting, to))
    inbox.answers = [500] * (len(sending.PAUSES) + 1)
    waited = timedelta(0)
    for pause in (timedelta(0), *sending.PAUSES):
        waited += pause + timedelta(seconds=1)
        assert states(setting, to) == ["due"] * count, "a later one never overtakes"
        # Only the first is tried; the rest wait behind it.
        assert send_one(setting, inbox, waited) == 1
    assert states(setting, to) == ["dead", *["due"] * (count - 1)]
    assert inbox.taken == []
    while send(setting, inbox, days=9):
        pass
    assert states(setting, to) == ["dead", *["sent"] * (count - 1)]

    with setting.database.platform() as tx:
        (dead,) = [
            each
            for each in deliveries(tx, state="dead", limit=50)
            if each.receiver_id == to.receiver_id
        ]
        assert dead.said == "answered 500"
        assert replay(tx, to.receiver_id, datetime.now(UTC)) == 1
    while send(setting, inbox):
        pass
    assert states(setting, to) == ["sent"] * count
    assert inbox.taken[-1][0]["webhook-id"] == dead.event_id
    with setting.database.platform() as tx:
        assert replay(tx, to.receiver_id, datetime.now(UTC), event_id=dead.event_id) == 1
        long_ago = datetime.now(UTC) - timedelta(days=1)
        late = replay(tx, to.receiver_id, datetime.now(UTC), since=long_ago)
    assert late >= count - 1


def send_one(setting: Setting, inbox: Inbox, ahead: timedelta) -> int:
    """One round at a moment to come; a dead one would free the next of its order within it."""
    limit, sending.AT_ONCE = sending.AT_ONCE, 1
    try:
        return send_events(setting.database, {inbox.host}, datetime.now(UTC) + ahead)
    finally:
        sending.AT_ONCE = limit


def test_a_receiver_that_is_gone_is_not_asked_again(
    setting: Setting, merchant: SmallMerchant, inbox: Inbox
) -> None:
    to = receiver(setting, inbox)
    bought(setting, merchant)
    inbox.answers = [410]
    send(setting, inbox)
    assert states(setting, to) == ["dead"]
    with setting.database.platform() as tx:
        end_receiver(tx, to.receiver_id, datetime.now(UTC))
        with pytest.raises(DomainError, match="was ended"):
            replay(tx, to.receiver_id, datetime.now(UTC))
        with pytest.raises(NotFound):
            end_receiver(tx, "rcv_unknown", datetime.now(UTC))
    bought(setting, merchant)
    assert states(setting, to) == ["dead"]


def test_private_addresses_are_not_visited_unless_named(
    setting: Setting, merchant: SmallMerchant, inbox: Inbox
) -> None:
    to = receiver(setting, inbox)
    bought(setting, merchant)
    assert send_events(setting.database, (), datetime.now(UTC)) == 1
    assert inbox.taken == []
    with setting.database.platform() as tx:
        row = tx.execute(
            t.event_delivery.select().where(t.event_delivery.c.receiver_id == to.receiver_id)
        ).one()
    assert row.state == "due"
    assert "not visited" in row.said
    # A port that is not open; and what names a buyer never goes out without encryption.
    for url, said in (
        ("http://127.0.0.1:9/x", "not open"),
        ("http://crm.example/x", "https alone"),
    ):
        with setting.database.platform() as tx, pytest.raises(DomainError, match=said):
            add_receiver(
                tx,
                url,
                brand_id=None,
                kinds=(),
                link_template=None,
                allow_hosts=(),
                now=datetime.now(UTC),
            )


@pytest.mark.parametrize(
    "template",
    [
        "http://crm.example/{order_ref}",
        "https://{merchant}/x",
        "https://crm.example/{email}",
        "https://crm.example/{order_ref.__class__}",
        "https://crm.example/{",
        "javascript:alert(1)//{order_ref}",
    ],
)
def test_a_link_leads_where_the_operator_said(template: str) -> None:
    with pytest.raises(DomainError, match="no template"):
        link(template, {"order_ref": "x"})


def test_values_of_a_link_are_escaped() -> None:
    made = link("https://crm.example/{order_ref}/{merchant_order}", {"order_ref": "a/b?c=d&e"})
    assert made == "https://crm.example/a%2Fb%3Fc%3Dd%26e/"


def test_events_hold_no_person(setting: Setting, merchant: SmallMerchant) -> None:
    purchase_id = bought(setting, merchant)
    contact = setting.order(purchase_id).contact
    with setting.database.platform() as tx:
        rows = tx.execute(
            t.customer_event.select().where(t.customer_event.c.purchase_id == purchase_id)
        ).all()
    assert rows
    text = json.dumps([row.facts for row in rows])
    assert [word for word in contact.as_json().values() if len(word) > 2 and word in text] == []
