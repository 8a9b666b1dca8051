"""The simulator: its API, its clock, the books, and a power cut."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from comptoir.payment_simulator.keys import platform_keys
from tests.comptoir.payment_simulator_calls import (
    body_of,
    create,
    ledger,
    pay,
    post,
    read,
    simulator,
)
from tests.peers import Simulator, http, running_simulator

__all__ = ["simulator"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": 14.5}, "amount"),
        ({"amount": "14480"}, "amount"),
        ({"currency": "EURO"}, "currency"),
        ({"capture_method": "automatic"}, "capture_method"),
        ({"return_url": "javascript:alert(1)"}, "return_url"),
        ({"cancel_url": "http://shop.example@evil.example/"}, "cancel_url"),
        ({"return_url": "http://a.example/\r\nX: y"}, "return_url"),
        ({"locale": "it"}, "locale"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_malformed_request_is_refused_with_the_field(
    simulator: Simulator, changes: dict[str, Any], field: str
) -> None:
    answer = post(simulator, "/v1/payments", body_of(**changes))
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(field)


def test_a_change_needs_a_key_and_the_api_a_bearer(simulator: Simulator) -> None:
    no_key = simulator.call("POST", "/v1/payments", json=body_of())
    assert (no_key.status_code, no_key.json()["error"]["code"]) == (
        400,
        "idempotency_key_required",
    )
    stranger = http.get(f"{simulator.url}/v1/payments?reference=x")
    assert stranger.status_code == 401
    huge = simulator.call("POST", "/v1/payments", content=b"[" * 100_000)
    assert huge.status_code == 413
    deep = simulator.call("POST", "/v1/payments", content=b"[" * 50_000)
    assert deep.status_code == 400


def test_a_replay_is_marked_and_means_the_same_json(simulator: Simulator) -> None:
    body = body_of()
    first = post(simulator, "/v1/payments", body, "replay")
    turned_round = dict(reversed(list(body.items())))
    again = post(simulator, "/v1/payments", turned_round, "replay")
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    other = post(simulator, "/v1/payments", body | {"amount": 1}, "replay")
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_conflict")
    elsewhere = post(simulator, f"/v1/payments/{first.json()['id']}/void", {}, "replay")
    assert elsewhere.status_code == 422


def test_a_request_under_way_is_409_with_retry_after(simulator: Simulator) -> None:
    payment = create(simulator)
    simulator.fault("void", "timeout_before", delay_s=2)
    path = f"/v1/payments/{payment['id']}/void"

    def send() -> httpx2.Response | None:
        try:
            return post(simulator, path, {}, "under-way")
        except httpx2.TransportError:
            return None

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send)
        simulator.wait_until_struck()
        second = post(simulator, path, {}, "under-way")
        assert (second.status_code, second.headers["retry-after"]) == (409, "1")
        assert first.result() is None
    third = post(simulator, path, {}, "under-way")
    assert (third.status_code, third.json()["status"]) == (200, "voided")


def test_a_hundred_captures_at_once_take_the_money_once(simulator: Simulator) -> None:
    payment = create(simulator, amount=5000)
    pay(payment)
    path = f"/v1/payments/{payment['id']}/capture"
    with ThreadPoolExecutor(8) as pool:
        statuses = list(
            pool.map(lambda _n: post(simulator, path, {"amount": 5000}).status_code, range(100))
        )
    assert statuses.count(200) == 1
    assert statuses.count(409) == 99
    assert read(simulator, payment)["captured_amount"] == 5000


def test_time_ends_a_page_and_an_authorisation(simulator: Simulator) -> None:
    waiting, held = create(simulator), create(simulator)
    pay(held)
    simulator.call("POST", "/v1/test/clock", json={"advance_s": 31 * 60})
    closed = read(simulator, waiting)
    assert (closed["status"], closed["decline_code"]) == ("cancelled", "page_expired")
    assert read(simulator, held)["status"] == "authorised"
    simulator.call("POST", "/v1/test/clock", json={"advance_s": 7 * 24 * 3600})
    late = post(simulator, f"/v1/payments/{held['id']}/capture", {"amount": 14480})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "authorisation_expired")
    assert read(simulator, held)["status"] == "expired"


def test_the_books_balance(simulator: Simulator) -> None:
    before = ledger(simulator)["totals"].get("EUR", {"captured": 0, "refunded": 0})
    whole, part, gone = (create(simulator, amount=10000) for _ in range(3))
    for payment in (whole, part, gone):
        pay(payment)
    post(simulator, f"/v1/payments/{whole['id']}/capture", {"amount": 10000})
    post(simulator, f"/v1/payments/{part['id']}/capture", {"amount": 4000})
    post(simulator, f"/v1/payments/{part['id']}/refund", {"amount": 1500})
    post(simulator, f"/v1/payments/{gone['id']}/void", {})
    books = ledger(simulator)
    assert books["totals"]["EUR"]["captured"] - before["captured"] == 14000
    assert books["totals"]["EUR"]["refunded"] - before["refunded"] == 1500
    for balances in books["balances"].values():
        assert sum(balances.values()) == 0
    by_id = {each["id"]: each for each in books["payments"]}
    kinds = [(e["kind"], e["amount"]) for e in by_id[part["id"]]["entries"]]
    assert kinds == [("authorise", 10000), ("capture", 4000), ("release", 6000), ("refund", 1500)]
    for each in books["payments"]:
        assert each["refunded_amount"] <= each["captured_amount"] <= each["authorised_amount"]


def test_a_power_cut_forgets_nothing_that_was_answered(tmp_path: Path) -> None:
    with running_simulator(tmp_path) as simulator:
        payment = create(simulator)
        pay(payment)
        path = f"/v1/payments/{payment['id']}/capture"
        simulator.fault("capture", "timeout_before", delay_s=60)
        with ThreadPoolExecutor(1) as pool:
            hanging = pool.submit(_ignore_break, simulator, path)
            simulator.wait_until_struck()
            simulator.kill()
            hanging.result()
        simulator.start()
        assert read(simulator, payment)["status"] == "authorised"
        captured = post(simulator, path, {"amount": 14480}, "cut")
        assert captured.status_code == 200
        simulator.kill()
        simulator.start()
        again = post(simulator, path, {"amount": 14480}, "cut")
        assert again.json() == captured.json()
        assert again.headers["idempotent-replayed"] == "true"
        assert ledger(simulator)["totals"]["EUR"]["captured"] == 14480


def _ignore_break(simulator: Simulator, path: str) -> None:
    with pytest.raises(httpx2.TransportError):
        post(simulator, path, {"amount": 14480}, "cut")


def test_keys_are_drawn_once_and_kept_from_others(tmp_path: Path) -> None:
    first = platform_keys(tmp_path)
    assert platform_keys(tmp_path) == first
    assert (tmp_path / "platform.json").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["platform.json"]
