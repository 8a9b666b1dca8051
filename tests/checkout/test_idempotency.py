"""Idempotency-Key at our own API: one effect, one answer, whatever is sent again and when."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from checkout import tables as t
from checkout.idempotency import KEPT_H, LEASE_S, InFlight, Kept, once
from kernel.errors import DomainError
from tests.checkout.shop_visits import shelve
from tests.purchase_setting import CONTACT, Setting, bundled_brand
from tests.small_merchant import SmallMerchant, SmallMerchantConnector

_KEYS = itertools.count(1)


class Work:
    """Counts how often it is done."""

    def __init__(self, status: int = 201) -> None:
        self.done = 0
        self._status = status

    def __call__(self) -> Kept:
        self.done += 1
        return Kept(self._status, {"done": self.done})


def key() -> str:
    return f"test-{next(_KEYS)}"


def at(setting: Setting, **later: float) -> Any:
    return replace(setting.deps, clock=lambda: datetime.now(UTC) + timedelta(**later))


def test_same_content_same_answer_and_other_content_is_refused(setting: Setting) -> None:
    work, name, brand = Work(), key(), setting.brand.id
    first = once(setting.deps, brand, "/a", name, {"n": 1}, work)
    again = once(setting.deps, brand, "/a", name, {"n": 1}, work)
    assert (first.body, again.body, again.is_replayed, work.done) == (
        {"done": 1},
        {"done": 1},
        True,
        1,
    )
    for other in ({"n": 2}, {"n": 1, "m": None}):
        with pytest.raises(DomainError) as refusal:
            once(setting.deps, brand, "/a", name, other, work)
        assert (refusal.value.code, refusal.value.status) == ("idempotency_conflict", 422)
    assert once(setting.deps, brand, "/b", name, {"n": 2}, work).body == {"done": 2}


def test_while_the_first_is_at_work_the_second_is_told_to_wait(setting: Setting) -> None:
    name, brand, begun, may_end = key(), setting.brand.id, threading.Event(), threading.Event()

    def slow() -> Kept:
        begun.set()
        assert may_end.wait(20)
        return Kept(201, "slow")

    def ask() -> Kept:
        return once(setting.deps, brand, "/a", name, 1, slow)

    first = threading.Thread(target=ask)
    first.start()
    assert begun.wait(20)
    with pytest.raises(InFlight) as refusal:
        ask()
    assert (refusal.value.status, refusal.value.retry_after_s) == (409, 2)
    may_end.set()
    first.join()
    assert ask() == Kept(201, "slow", is_replayed=True)


def test_failures_are_not_kept_and_refusals_are(setting: Setting) -> None:
    brand, name, work = setting.brand.id, key(), Work(status=503)
    once(setting.deps, brand, "/a", name, 1, work)
    once(setting.deps, brand, "/a", name, 1, work)
    assert work.done == 2

    def broken() -> Kept:
        raise RuntimeError("no disk")

    with pytest.raises(RuntimeError):
        once(setting.deps, brand, "/a", name, 1, broken)
    refused = Work(status=409)
    once(setting.deps, brand, "/a", name, 1, refused)
    once(setting.deps, brand, "/a", name, 1, refused)
    assert refused.done == 1


def test_what_a_killed_process_held_is_taken_over_after_its_lease(setting: Setting) -> None:
    brand, name = setting.brand.id, key()
    with setting.database.brand(brand) as tx:
        tx.execute(
            sa.text(
                "INSERT INTO checkout.idempotent_request (brand_id, route, key, content_sha256,"
                " begun_at) SELECT brand_id, '/a', :key, content_sha256, now() FROM"
                " checkout.idempotent_request WHERE key = :like"
            ),
            {"key": name, "like": _kept(setting)},
        )
    work = Work()
    with pytest.raises(InFlight):
        once(setting.deps, brand, "/a", name, 1, work)
    assert once(at(setting, seconds=LEASE_S + 1), brand, "/a", name, 1, work).body == {"done": 1}


def _kept(setting: Setting) -> str:
    """A key under which the content 1 was answered."""
    name = key()
    once(setting.deps, setting.brand.id, "/a", name, 1, Work())
    return name


def test_answers_are_forgotten_after_two_days(setting: Setting) -> None:
    name = _kept(setting)
    once(at(setting, hours=KEPT_H + 1), setting.brand.id, "/a", key(), 1, Work())
    with setting.database.brand(setting.brand.id) as tx:
        keys = set(tx.execute(sa.select(t.idempotent_request.c.key)).scalars())
    assert name not in keys


def test_over_http(setting: Setting, merchant: SmallMerchant) -> None:
    client = setting.client()
    lines = [{"offer_id": shelve(setting, merchant), "quantity": 1}]
    body = {"lines": lines, "contact": CONTACT.as_json()}
    headers = {"Idempotency-Key": key()}

    def ask(content: Any, **more: str) -> Any:
        return client.post("/v1/quotes", json=content, headers=headers | more)

    first, again = ask(body), ask(body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert ask(body | {"deliveries": {}}).status_code == 422
    wrong = {"Idempotency-Key": "k" * 256}
    assert client.post("/v1/quotes", json=body, headers=wrong).status_code == 400
    assert _basket_count(setting, first.json()["basket_id"]) == 1


def test_over_http_while_the_first_is_at_work(setting: Setting, merchant: SmallMerchant) -> None:
    lines = [{"offer_id": shelve(setting, merchant), "quantity": 1}]
    body = {"lines": lines, "contact": CONTACT.as_json()}
    headers, asked, may_answer = {"Idempotency-Key": key()}, threading.Event(), threading.Event()
    connector = setting.connectors["norden"]

    class Hesitating(SmallMerchantConnector):
        """A merchant that is asked for its price and thinks about it."""

        def quote(self, *arguments: Any) -> Any:
            asked.set()
            assert may_answer.wait(20)
            return connector.quote(*arguments)

    setting.connectors["norden"] = Hesitating(merchant.url, "EUR")

    def ask(content: Any) -> Any:
        return setting.client().post("/v1/quotes", json=content, headers=headers)

    try:
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(ask, body)
            assert asked.wait(20)
            second, other = ask(body), ask(body | {"deliveries": {}})
            may_answer.set()
            answered = first.result()
    finally:
        may_answer.set()
        setting.connectors["norden"] = connector
    assert (second.status_code, second.headers["retry-after"]) == (409, "2")
    assert second.json()["code"] == "idempotency_in_flight"
    assert other.status_code == 422
    assert (answered.status_code, ask(body).json()) == (201, answered.json())


def _basket_count(setting: Setting, basket_id: str) -> int:
    with setting.database.brand(setting.brand.id) as tx:
        rows = tx.execute(t.basket_line.select().where(t.basket_line.c.basket_id == basket_id))
        return len(rows.all())


def test_another_brand_has_keys_of_its_own(setting: Setting) -> None:
    name, work = key(), Work()
    for brand in (setting.brand, bundled_brand(setting.database, "taktwerk")):
        assert not once(setting.deps, brand.id, "/a", name, 1, work).is_replayed
    assert work.done == 2
