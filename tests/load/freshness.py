"""Price changes pushed at a steady rate, and how soon a search by another process shows them.

Accepted means that the push API answered 2xx; visible, that the shop's search answers the new
price. Afterwards PostgreSQL, the index and what was accepted last are compared, offer by offer.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx2

from indexer.document import ProductDocument
from kernel.ids import drawn_id
from tests.load.platform import MERCHANTS, Platform, minor_of, model_of, offers_of, price_of

TICK_S = 0.05
GIVE_UP_S = 30.0


@dataclass
class Accepted:
    """What the push API has taken: the last price of each offer, and the newest change."""

    prices: dict[tuple[str, str], int] = field(default_factory=dict)
    newest: dict[str, tuple[str, int, float]] = field(default_factory=dict)
    changes: int = 0
    answer_s: list[float] = field(default_factory=list)
    late_s: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count_anew(self) -> None:
        """What came before warmed the processes up; the prices stay to be compared."""
        with self.lock:
            self.changes, self.late_s = 0, 0.0
            self.answer_s.clear()


def push(
    platform: Platform,
    accepted: Accepted,
    *,
    products: int,
    rate: float,
    seconds: float,
    batch: int = 10,
) -> list[threading.Thread]:
    """Start a pusher for each merchant; together they send `rate` changes a second."""
    threads = [
        threading.Thread(
            target=_push,
            args=(platform, merchant, accepted, products, rate / len(MERCHANTS), seconds, batch),
        )
        for merchant in MERCHANTS
    ]
    for thread in threads:
        thread.start()
    return threads


def _push(
    platform: Platform,
    merchant: str,
    accepted: Accepted,
    products: int,
    rate: float,
    seconds: float,
    batch: int,
) -> None:
    chance = random.Random(merchant)
    asked = {offer.sku: minor_of(offer) for offer in offers_of(merchant, products)}
    start = time.monotonic() + chance.random() * batch / rate
    with httpx2.Client(
        base_url=f"http://127.0.0.1:{platform.backoffice_port}", timeout=60, trust_env=False
    ) as client:
        for call in range(int(rate * seconds / batch)):
            due = start + call * batch / rate
            time.sleep(max(0.0, due - time.monotonic()))
            # A tenth up or down: more would be taken for a broken feed and parked.
            changes = {
                sku: asked[sku] * chance.randint(900, 1100) // 1000
                for sku in chance.sample(list(asked), batch)
            }
            asked |= changes
            before = time.monotonic()
            answer = client.post(
                "/v1/merchants/prices",
                json={"prices": [{"sku": sku, "price": price_of(p)} for sku, p in changes.items()]},
                headers={
                    "Authorization": f"Bearer {platform.keys[merchant]}",
                    "Idempotency-Key": drawn_id("call"),
                },
            )
            answer.raise_for_status()
            told = answer.json()
            assert (told["refused"], told["state"]) == ([], "closed"), answer.text
            now = time.monotonic()
            with accepted.lock:
                accepted.changes += len(changes)
                accepted.answer_s.append(now - before)
                accepted.late_s = max(accepted.late_s, before - due)
                for sku, price in changes.items():
                    accepted.prices[merchant, sku] = price
                sku, price = chance.choice(list(changes.items()))
                accepted.newest[merchant] = (sku, price, now)


class Probe:
    """Watches one fresh change after another until a search shows it, and counts what failed."""

    def __init__(self, platform: Platform, accepted: Accepted, seed: int) -> None:
        self.seen_after_s: list[float] = []
        self.search_s: list[float] = []
        self.overtaken = self.failed = 0
        self._platform, self._accepted, self._chance = platform, accepted, random.Random(seed)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def count_anew(self) -> None:
        """As if nothing had been seen."""
        self.seen_after_s.clear()
        self.search_s.clear()
        self.overtaken = self.failed = 0

    def stop(self) -> None:
        """End after the change under watch."""
        self._stopping.set()
        self._thread.join()

    def _watch(self) -> None:
        address = f"http://127.0.0.1:{self._platform.shop_port}"
        with httpx2.Client(base_url=address, timeout=60, trust_env=False) as client:
            while not self._stopping.wait(self._chance.random() * 0.4):
                merchant = self._chance.choice(MERCHANTS)
                with self._accepted.lock:
                    change = self._accepted.newest.pop(merchant, None)
                if change is not None:
                    self._follow(client, merchant, *change)

    def _follow(
        self, client: httpx2.Client, merchant: str, sku: str, price: int, at: float
    ) -> None:
        """A change that a newer one of the same offer overtakes says nothing: it is counted."""
        while time.monotonic() < at + GIVE_UP_S:
            asked = time.monotonic()
            shown = self._shown(client, merchant, sku)
            now = time.monotonic()
            self.search_s.append(now - asked)
            if shown == price:
                self.seen_after_s.append(now - at)
                return
            with self._accepted.lock:
                if self._accepted.prices[merchant, sku] != price:
                    self.overtaken += 1
                    return
            time.sleep(TICK_S)
        self.seen_after_s.append(GIVE_UP_S)

    def _shown(self, client: httpx2.Client, merchant: str, sku: str) -> int | None:
        answer = client.get("/v1/search", params={"q": model_of(int(sku[1:])), "lang": "en"})
        if not answer.is_success:
            self.failed += 1
            return None
        for product in answer.json()["products"]:
            best = product["best_offer"]
            if best and best["merchant_id"] == merchant:
                return int(best["price"]["minor"])
        # The other merchant is cheaper: the product's page lists both.
        for product in answer.json()["products"]:
            page = client.get(f"/v1/products/{product['id']}", params={"lang": "en"})
            for offer in page.json().get("offers", []):
                if offer["merchant_id"] == merchant:
                    return int(offer["price"]["minor"])
        return None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Offers whose price in the index, or in PostgreSQL, is not what was accepted last."""

    offers: int
    wrong_in_index: list[str]
    wrong_in_database: list[str]


def settle(platform: Platform, timeout_s: float = 60.0) -> None:
    """Wait until the index has seen the whole change log."""
    from indexer.refresh import behind

    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with platform.database.platform() as tx:
            pending = tx.exec_driver_sql("SELECT count(*) FROM mdm.raw_offer WHERE pending")
            if not pending.scalar_one() and behind(tx, platform.brand_id) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the index did not catch up with the change log")


def compare(platform: Platform, prices: Mapping[tuple[str, str], int]) -> Comparison:
    """Every offer that was ever changed."""
    stored = {
        (row.source_id, row.sku): (row.product_id, row.price_minor)
        for row in platform.rows("SELECT source_id, sku, product_id, price_minor FROM mdm.offer")
    }
    shown: dict[tuple[str, str], int | None] = {}
    products = sorted({stored[name][0] for name in prices})
    for document in _documents(platform, products):
        for line in document.offers:
            number = str(line.url).rsplit("/", 1)[1]
            shown[line.merchant_id, f"S{int(number):07d}"] = line.price_minor
    return Comparison(
        len(prices),
        sorted(f"{name}" for name, price in prices.items() if shown.get(name) != price),
        sorted(f"{name}" for name, price in prices.items() if stored[name][1] != price),
    )


def _documents(platform: Platform, product_ids: Sequence[str]) -> list[ProductDocument]:
    found: list[ProductDocument] = []
    for start in range(0, len(product_ids), 500):
        part = product_ids[start : start + 500]
        found += platform.engine.read(platform.brand_id, part).values()
    return found
