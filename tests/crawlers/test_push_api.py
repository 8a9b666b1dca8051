"""The merchants' own door: keys, idempotency, runs, bad records, price changes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from crawlers.push_api import MAX_BYTES, build_router
from kernel.db import Database
from kernel.errors import DomainError
from kernel.ids import drawn_id
from kernel.web import problem_response
from mdm.merchants import Merchant, register_merchant
from tenants.merchant_keys import create_key, revoke_keys


class Shop:
    """A merchant that pushes."""

    def __init__(self, client: TestClient, database: Database) -> None:
        self.client = client
        self.database = database
        self.id = drawn_id("m").replace("_", "-")
        with database.platform() as tx:
            register_merchant(tx, Merchant(id=self.id, name="Pusher", country="FR"))
            self.key = create_key(tx, self.id)

    def post(self, route: str, body: Any, key: str | None = None, **headers: str) -> Any:
        sent = {
            "Authorization": f"Bearer {self.key}",
            "Idempotency-Key": key or drawn_id("call"),
            **headers,
        }
        return self.client.post(f"/v1/merchants/{route}", json=body, headers=sent)

    def quarantine(self) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"}
        return self.client.get("/v1/merchants/quarantine", headers=headers).json()

    def live(self) -> dict[str, dict[str, Any]]:
        with self.database.platform() as tx:
            rows = tx.execute(
                sa.text(
                    "SELECT sku, raw FROM mdm.raw_offer WHERE source_id = :id AND state='live'"
                ),
                {"id": self.id},
            )
            return {row.sku: row.raw for row in rows}


def offer(sku: str, **changes: Any) -> dict[str, Any]:
    return {
        "sku": sku, "title": f"Lamp {sku}", "description": "Warm", "language": "fr",
        "gtin": None, "mpn": None, "manufacturer": "Aurelle", "category": "Lamps",
        "price": "19.99", "currency": "EUR", "availability": "in_stock", "quantity": 4,
        "condition": "new", "url": f"https://shop.example/{sku}",
        "delivery": [{"country": "FR", "price": "4.90", "days_min": 2, "days_max": 4}],
        "attributes": {"colour": "brass"}, **changes,
    }  # fmt: skip


@pytest.fixture(scope="module")
def client(database: Database) -> Iterator[TestClient]:
    app = FastAPI()
    app.add_exception_handler(DomainError, problem_response)
    app.include_router(build_router(database))
    with TestClient(app) as opened:
        yield opened


@pytest.fixture
def shop(client: TestClient, database: Database) -> Shop:
    return Shop(client, database)


def test_a_call_without_run_takes_effect_at_once(shop: Shop) -> None:
    answer = shop.post("offers", {"offers": [offer("A"), offer("B")]})
    assert answer.status_code == 200
    assert answer.json() == {
        "landed": 2, "unchanged": 0, "refused": [], "run": None, "state": "closed",
        "withdrawn": 0, "parked": None,
    }  # fmt: skip
    assert shop.live()["A"]["price"] == "19.99"
    again = shop.post("offers", {"offers": [offer("A"), offer("B", price="18.00")]}).json()
    assert (again["landed"], again["unchanged"]) == (1, 1)


def test_the_same_call_again_has_the_same_answer_and_no_effect(shop: Shop) -> None:
    body = {"offers": [offer("A")]}
    first = shop.post("offers", body, key="k1")
    second = shop.post("offers", body, key="k1")
    assert first.json() == second.json()
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    other = shop.post("offers", {"offers": [offer("B")]}, key="k1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert set(shop.live()) == {"A"}
    elsewhere = shop.post("prices", {"prices": []}, key="k1")
    assert elsewhere.status_code == 422


def test_keys_are_per_merchant(client: TestClient, database: Database) -> None:
    one, two = Shop(client, database), Shop(client, database)
    one.post("offers", {"offers": [offer("A")]}, key="same")
    answer = two.post("offers", {"offers": [offer("A")]}, key="same")
    assert "Idempotent-Replayed" not in answer.headers
    assert set(two.live()) == {"A"}


def test_a_call_in_flight_is_told_so(shop: Shop, database: Database) -> None:
    with database.platform() as tx:
        tx.execute(
            sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
            {"name": f"crawlers.push:{shop.id}:k"},
        )
        answer = shop.post("offers", {"offers": [offer("A")]}, key="k")
        assert (answer.status_code, answer.json()["code"]) == (409, "call_in_flight")
    assert shop.post("offers", {"offers": [offer("A")]}, key="k").json()["landed"] == 1


def test_twenty_equal_calls_at_once_land_once(shop: Shop) -> None:
    answers: list[Any] = []
    body = {"offers": [offer("A")]}
    threads = [
        threading.Thread(target=lambda: answers.append(shop.post("offers", body, key="k")))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    landed = [each for each in answers if each.status_code == 200]
    assert landed
    assert {each.status_code for each in answers} <= {200, 409}
    assert sum("Idempotent-Replayed" not in each.headers for each in landed) == 1
    assert {each.text for each in landed} == {landed[0].text}


def test_each_bad_offer_is_refused_alone(shop: Shop) -> None:
    bad = [
        offer("P", price=19.99),
        offer("Q", price="19,99"),
        offer("R", title=" "),
        {"sku": "S"},
        "no object",
        offer("T", pirce="1.00"),
        offer("U", url="javascript:alert(1)"),
        offer("V", quantity=-1),
        offer("W", currency="XXQ"),
        offer("X", valid_until="2026-13-45"),
        offer("", price="1.00"),
    ]
    answer = shop.post("offers", {"offers": [*bad, offer("OK")]}).json()
    assert answer["landed"] == 1
    refused = answer["refused"]
    assert [each["sku"] for each in refused[:4]] == ["P", "Q", "R", "S"]
    assert len(refused) == len(bad)
    assert all(each["code"] and each["reason"] for each in refused)
    assert "19.99" in refused[0]["hint"]
    assert [each["reason"] for each in refused if each["sku"] == "X"] == [
        "valid_until: month must be in 1..12"
    ]
    assert set(shop.live()) == {"OK"}
    listed = shop.quarantine()["refusals"]
    assert {"P", "Q", "R", "U"} <= {each["sku"] for each in listed}


def test_a_named_run_takes_effect_when_it_is_complete(shop: Shop) -> None:
    for run, skus in (("monday", "ABCDE"), ("tuesday", "ABCD")):
        opening = shop.post("offers", {"run": run, "offers": [offer(each) for each in skus[:2]]})
        assert opening.json()["state"] == "open"
        closing = shop.post(
            "offers",
            {"run": run, "complete": True, "offers": [offer(each) for each in skus[2:]]},
        ).json()
        assert closing["state"] == "closed"
        assert set(shop.live()) == set(skus)
    assert closing["withdrawn"] == 1


def test_a_run_that_would_empty_the_shop_is_parked(shop: Shop) -> None:
    shop.post("offers", {"complete": True, "offers": [offer(f"N{n}") for n in range(20)]})
    answer = shop.post("offers", {"complete": True, "offers": []}).json()
    assert answer["state"] == "parked"
    assert "vanished" in answer["parked"]
    assert len(shop.live()) == 20


def test_a_newer_run_ends_an_older_one(shop: Shop) -> None:
    shop.post("offers", {"run": "old", "offers": [offer("A")]})
    shop.post("offers", {"run": "new", "offers": [offer("B")]})
    late = shop.post("offers", {"run": "old", "complete": True, "offers": []})
    assert (late.status_code, late.json()["code"]) == (409, "run_state")
    assert shop.live() == {}


def test_prices_of_known_offers_change_and_unknown_ones_are_refused(shop: Shop) -> None:
    shop.post("offers", {"offers": [offer("A"), offer("B")]})
    answer = shop.post(
        "prices",
        {
            "prices": [
                {"sku": "A", "price": "17.50", "quantity": 1},
                {"sku": "B", "availability": "out_of_stock", "quantity": 0},
                {"sku": "C", "price": "1.00"},
                {"sku": "A", "price": 1},
            ]
        },
    ).json()
    assert answer["landed"] == 2
    assert [(each["sku"], each["code"]) for each in answer["refused"]] == [
        ("C", "sku_unknown"),
        ("A", "record_shape"),
    ]
    live = shop.live()
    assert (live["A"]["price"], live["A"]["quantity"]) == ("17.50", 1)
    assert (live["B"]["price"], live["B"]["availability"]) == ("19.99", "out_of_stock")
    assert live["A"]["title"] == "Lamp A"
    assert shop.post("prices", [{"sku": "A", "price": "17.50"}]).json()["unchanged"] == 1


def test_who_has_no_key_learns_and_changes_nothing(shop: Shop) -> None:
    body = {"offers": [offer("A")]}
    for bearer in ("", "Bearer ", "Bearer cmk_x_y", f"Basic {shop.key}", f"Bearer {shop.key}x"):
        answer = shop.post("offers", body, Authorization=bearer)
        assert (answer.status_code, answer.json()["code"]) == (401, "key_refused")
    with shop.database.platform() as tx:
        revoke_keys(tx, shop.id)
    assert shop.post("offers", body).status_code == 401
    assert shop.live() == {}


def test_a_merchant_sees_its_own_refusals_only(client: TestClient, database: Database) -> None:
    one, two = Shop(client, database), Shop(client, database)
    one.post("offers", {"offers": [offer("SECRET", price="x")]})
    assert len(one.quarantine()["refusals"]) == 1
    assert two.quarantine() == {"refusals": [], "next": None}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 422), (b"{}", 422), (b'{"offers":{}}', 422),
        (b'{"offers":[],"run":""}', 422), (b'{"offers":[],"run":7}', 422),
        (b'{"offers":[],"complete":"yes"}', 422), (b'{"offers":' + b"[" * 5_000, 400),
        (b"\xff\xfe", 400), (b" " * (MAX_BYTES + 1), 413),
        (b'{"offers":[' + b",".join([b"{}"] * 1_001) + b"]}", 422),
    ],
)  # fmt: skip
def test_a_call_that_is_no_call_is_refused_with_a_reason(
    shop: Shop, body: bytes, status: int
) -> None:
    headers = {"Authorization": f"Bearer {shop.key}", "Idempotency-Key": "k"}
    answer = shop.client.post("/v1/merchants/offers", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.json()["code"]
    assert answer.headers["content-type"] == "application/problem+json"
    # A call that was refused as such may be corrected under the same key.
    again = shop.client.post("/v1/merchants/offers", json={"offers": []}, headers=headers)
    assert again.status_code == 200


def test_the_idempotency_key_is_required(shop: Shop) -> None:
    for key in ("", " ", "x" * 256):
        headers = {"Authorization": f"Bearer {shop.key}", "Idempotency-Key": key}
        answer = shop.client.post("/v1/merchants/offers", json={"offers": []}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")


def test_the_description_of_the_api_can_be_drawn(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert "requestBody" in described["paths"]["/v1/merchants/offers"]["post"]
