"""Raw calls of the payment simulator, for its tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from comptoir.payment_simulator.cards import SAMPLES, Fate
from tests.peers import Simulator, http, running_simulator

# Of each fate the first: the others differ in something else.
CARD = {sample.fate: sample.number for sample in reversed(SAMPLES)}
SHOP = "http://127.0.0.1:8000"
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulator of this file alone."""
    with running_simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


def body_of(**changes: Any) -> dict[str, Any]:
    """A payment to ask for; `changes` are fields that differ."""
    return {
        "amount": 14480,
        "currency": "EUR",
        "merchant_account": "acct_atelier",
        "merchant_name": "Atelier <Oscar>",
        "reference": f"pur_sim{next(numbers)}/leg_1",
        "return_url": f"{SHOP}/back?step=paid",
        "cancel_url": f"{SHOP}/stopped",
        "capture_method": "manual",
        "locale": "fr",
    } | changes


def post(simulator: Simulator, path: str, body: Any, key: str | None = None) -> httpx2.Response:
    """A change, under a key of its own unless one is given."""
    key = key or f"key-{next(numbers)}"
    return simulator.call("POST", path, json=body, headers={"Idempotency-Key": key})


def create(simulator: Simulator, **changes: Any) -> dict[str, Any]:
    """A payment that was made."""
    answer = post(simulator, "/v1/payments", body_of(**changes))
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


def read(simulator: Simulator, payment: dict[str, Any]) -> dict[str, Any]:
    """The payment as it is now."""
    found: dict[str, Any] = simulator.call("GET", f"/v1/payments/{payment['id']}").json()
    return found


def pay(payment: dict[str, Any], fate: Fate = Fate.APPROVED, **changes: str) -> httpx2.Response:
    """The buyer types a card of this fate into the hosted page."""
    form = {"number": CARD[fate], "expiry": "12/39", "code": "123"} | changes
    return http.post(payment["pay_url"], data=form)


def ledger(simulator: Simulator) -> dict[str, Any]:
    """The books."""
    books: dict[str, Any] = simulator.call("GET", "/v1/test/ledger").json()
    return books
