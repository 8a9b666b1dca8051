"""Real processes under a stream of changes: every accepted one is shown, the last of each offer
wins, a killed worker loses none, and an offer past its end is not shown. No timing is asserted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from indexer.engine import SearchRequest
from kernel.ids import drawn_id
from tests.load.freshness import Accepted, compare, push, settle
from tests.load.platform import Platform, model_of, price_of, sku_of

PRODUCTS = 80
ENDS_IN = timedelta(seconds=8)


@pytest.fixture(params=["embedded", "elasticsearch"])
def platform(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    """A filled installation; its processes are started by the test."""
    url = None
    if request.param == "elasticsearch":
        url = request.getfixturevalue("elasticsearch_url")
    made = Platform(tmp_path, url)
    try:
        made.fill(PRODUCTS)
        yield made
    finally:
        made.stop()


def test_every_accepted_change_is_shown(platform: Platform) -> None:
    platform.start("shop", "backoffice", "worker")
    accepted = Accepted()
    pushing = push(platform, accepted, products=PRODUCTS, rate=80, seconds=6, batch=8)
    ends = _push_one_that_ends(platform)
    time.sleep(2)
    platform.kill("worker")
    time.sleep(0.5)
    platform.start("worker")
    for thread in pushing:
        thread.join()
    assert accepted.changes == 80 * 6
    settle(platform, timeout_s=120)
    found = compare(platform, accepted.prices)
    assert found.offers > PRODUCTS / 2
    assert (found.wrong_in_index, found.wrong_in_database) == ([], [])
    _ends_in_time(platform, ends)


def test_a_price_asked_for_again_and_again_is_shown_when_it_changes(platform: Platform) -> None:
    """In a quiet catalogue, where the shop remembers its answer; never back to the former one."""
    platform.start("shop", "backoffice", "worker")
    for turn, minor in enumerate((10_500, 10_900, 10_200)):
        until = time.monotonic() + 5
        before = _price(platform)
        while time.monotonic() < until:
            assert _price(platform) == before != minor
            time.sleep(0.1)
        _push_price(platform, "castagne", sku_of(2), minor)
        deadline = time.monotonic() + 60
        while _price(platform) == before:
            assert time.monotonic() < deadline, f"change {turn} is not shown"
            time.sleep(0.05)
        assert [_price(platform) for _ in range(10)] == [minor] * 10


def _price(platform: Platform) -> int:
    (product,) = _search(platform, model_of(2))["products"][:1]
    return int(product["best_offer"]["price"]["minor"])


def _push_price(platform: Platform, merchant: str, sku: str, minor: int) -> None:
    answer = httpx2.post(
        f"http://127.0.0.1:{platform.backoffice_port}/v1/merchants/prices",
        json={"prices": [{"sku": sku, "price": price_of(minor)}]},
        headers={
            "Authorization": f"Bearer {platform.keys[merchant]}",
            "Idempotency-Key": drawn_id("call"),
        },
        timeout=60,
        trust_env=False,
    )
    assert (answer.status_code, answer.json()["refused"]) == (200, []), answer.text


def _push_one_that_ends(platform: Platform) -> datetime:
    """A new product whose only offer ends soon."""
    ends = datetime.now(UTC) + ENDS_IN
    offer = {
        "sku": sku_of(900_000), "title": f"Halvard Telescope {model_of(900_000)}",
        "price": "99.00", "currency": "EUR", "availability": "in_stock", "language": "en",
        "delivery": [{"country": "FR", "price": "0.00"}], "valid_until": ends.isoformat(),
    }  # fmt: skip
    answer = httpx2.post(
        f"http://127.0.0.1:{platform.backoffice_port}/v1/merchants/offers",
        json={"offers": [offer]},
        headers={
            "Authorization": f"Bearer {platform.keys['brevik']}",
            "Idempotency-Key": drawn_id("call"),
        },
        timeout=60,
        trust_env=False,
    )
    assert (answer.status_code, answer.json()["landed"]) == (200, 1), answer.text
    return ends


def _ends_in_time(platform: Platform, ends: datetime) -> None:
    """Never as an offer after its end; then the product, and every count of it, is gone."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        is_over = datetime.now(UTC) > ends
        answer = _search(platform, model_of(900_000))
        offers = [product["best_offer"] for product in answer["products"]]
        assert not is_over or not any(
            offer and offer["title"].startswith("Halvard") for offer in offers
        )
        everything = platform.engine.search(platform.brand_id, SearchRequest(limit=0))
        if is_over and everything.total == PRODUCTS:
            return
        time.sleep(0.2)
    raise AssertionError("the product is still counted")


def _search(platform: Platform, text: str) -> dict[str, Any]:
    address = f"http://127.0.0.1:{platform.shop_port}/v1/search"
    answer = httpx2.get(address, params={"q": text, "lang": "en"}, timeout=60, trust_env=False)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
