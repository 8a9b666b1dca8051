"""The simulator's notices: signed, sent again, twice, late, out of order or never."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.comptoir.payment_simulator_calls import create, pay, post, simulator
from tests.peers import Listener, Simulator, wait_for

__all__ = ["simulator"]


@pytest.fixture
def listener(simulator: Simulator) -> Iterator[Listener]:
    listening = Listener()
    url = f"{listening.url}/hooks/payments"
    assert simulator.call("PUT", "/v1/webhook-endpoint", json={"url": url}).status_code == 200
    # What earlier tests left behind arrives first.
    wait_for(lambda: not _undelivered(simulator))
    listening.received.clear()
    yield listening
    simulator.call("DELETE", "/v1/test/faults")
    listening.close()


def _undelivered(simulator: Simulator) -> list[Any]:
    events = simulator.call("GET", "/v1/test/events").json()["events"]
    return [each for each in events if each["tries"] is not None and each["outcome"] is None]


def _types(listener: Listener) -> list[str]:
    return [json.loads(each.body)["type"] for each in listener.received]


def test_notices_are_signed_as_the_adapter_reads_them(
    simulator: Simulator, listener: Listener
) -> None:
    payment = create(simulator)
    pay(payment)
    wait_for(lambda: len(listener.received) == 1)
    notice = listener.received[0]
    event = simulator.provider().verify_webhook(notice.headers, notice.body, datetime.now(UTC))
    assert (event.type, event.payment_id) == ("payment.authorised", payment["id"])
    assert event.reference == payment["reference"]


def test_a_notice_is_sent_again_until_it_is_accepted(
    simulator: Simulator, listener: Listener
) -> None:
    listener.statuses = [500, 302]
    pay(create(simulator))
    wait_for(lambda: len(listener.received) == 3)
    assert len({each.body for each in listener.received}) == 1
    wait_for(lambda: not _undelivered(simulator))


def test_notices_come_twice_late_out_of_order_or_never(
    simulator: Simulator, listener: Listener
) -> None:
    payment = create(simulator)
    simulator.fault("webhook", "duplicate")
    pay(payment)
    wait_for(lambda: _types(listener) == ["payment.authorised"] * 2)
    assert len({each.body for each in listener.received}) == 1
    simulator.fault("webhook", "reordered")
    post(simulator, f"/v1/payments/{payment['id']}/capture", {"amount": 14480})
    post(simulator, f"/v1/payments/{payment['id']}/refund", {"amount": 80})
    wait_for(lambda: _types(listener)[2:] == ["payment.refunded", "payment.captured"])
    simulator.fault("webhook", "none")
    silent = create(simulator)
    pay(silent)
    simulator.fault("webhook", "delayed", delay_s=0.5)
    post(simulator, f"/v1/payments/{silent['id']}/void", {})
    wait_for(lambda: len(listener.received) == 5)
    assert _types(listener)[4] == "payment.voided"
