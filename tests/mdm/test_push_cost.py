"""What one pushed offer costs the database, from the call to its product: counted, for no clock is
fair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import get_ident
from typing import Any

import psycopg
import pytest
from psycopg import Pipeline

from kernel.db import Database
from mdm import intake
from mdm.intake import land_at_once
from mdm.pipeline import match_landed
from mdm.raw_offer import RawOffer
from tests.mdm.offers_at_hand import WordEncoder, load, opened, products, raw

KETTLE = "Norvalis Kettle KX214Q steel 2 l"
# Of intake and the matcher together. A trip is a statement that is waited for, several that are
# sent together, or a commit; what opens a transaction is one more each and not counted.
NEW = {"transaction": 2, "statement": 31, "trip": 11}
CHANGED = {"transaction": 2, "statement": 39, "trip": 19}
PRICED = {"transaction": 1, "statement": 13, "trip": 4}
VANISHED = {"transaction": 1, "statement": 18, "trip": 9}


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    for database in opened(postgres_url, "alpha", "beta"):
        for number in range(3):
            load(database, "beta", [raw("b", KETTLE, price=f"{20 + number}.00")])
        load(database, "alpha", [raw("z", "Brantholm Toaster T9 two slots")], complete=False)
        yield database


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What goes to the server from now on, by this thread: other tests leave some behind."""
    found: Counter[str] = Counter()
    here = get_ident()
    together = [0]

    def counting(owner: type, name: str, count: Callable[[], None]) -> None:
        act: Callable[..., Any] = getattr(owner, name)

        def counts(*arguments: Any, **named: Any) -> Any:
            if get_ident() == here:
                count()
            return act(*arguments, **named)

        monkeypatch.setattr(owner, name, counts)

    def statement() -> None:
        found["statement"] += 1
        found["trip"] += 0 if together[0] else 1

    def opening() -> None:
        found["trip"] += 0 if together[0] else 1
        together[0] += 1

    def closing() -> None:
        together[0] -= 1

    for name in ("execute", "executemany", "copy"):
        counting(psycopg.Cursor, name, statement)
    counting(psycopg.Connection, "commit", lambda: found.update(transaction=1, trip=1))
    counting(Pipeline, "__enter__", opening)
    counting(Pipeline, "__exit__", closing)
    return found


def _push(database: Database, offer: RawOffer) -> None:
    with database.platform() as tx:
        land_at_once(tx, "alpha", "push", [offer])


def _assert_within(counted: Counter[str], most: dict[str, int]) -> None:
    assert counted["statement"] > 0
    assert {name: counted[name] for name in most if counted[name] > most[name]} == {}


def test_a_new_offer_takes_few_trips(database: Database, counted: Counter[str]) -> None:
    counted.clear()
    _push(database, raw("a", KETTLE))
    match_landed(database, WordEncoder())
    _assert_within(counted, NEW)
    assert products(database)["alpha/a"] == products(database)["beta/b"]


def test_a_changed_offer_takes_few_trips(database: Database, counted: Counter[str]) -> None:
    _push(database, raw("a", KETTLE))
    match_landed(database, WordEncoder())
    before = products(database)
    counted.clear()
    _push(database, raw("a", "Brantholm Drill D77 cordless 18 V"))
    match_landed(database, WordEncoder())
    _assert_within(counted, CHANGED)
    assert products(database)["alpha/a"] != before["alpha/a"]


def test_a_changed_price_takes_few_trips(database: Database, counted: Counter[str]) -> None:
    offer = raw("a", KETTLE)
    _push(database, offer)
    match_landed(database, WordEncoder())
    counted.clear()
    _push(database, replace(offer, price="9.00"))
    _assert_within(counted, PRICED)
    with database.platform() as tx:
        asked = "SELECT price_minor FROM mdm.offer WHERE sku = 'a'"
        assert tx.exec_driver_sql(asked).scalar_one() == 900


def test_a_vanished_offer_takes_few_trips(database: Database, counted: Counter[str]) -> None:
    _push(database, raw("a", KETTLE))
    match_landed(database, WordEncoder())
    with database.platform() as tx:
        run = intake.open_run(tx, "alpha", "push", complete=True)
        intake.submit(tx, run, [raw("z", "Brantholm Toaster T9 two slots")])
        assert intake.close_run(tx, run).state in ("closed", "parked")
        if intake.read_run(tx, run).state == "parked":
            intake.release_run(tx, run)
    counted.clear()
    match_landed(database, WordEncoder())
    _assert_within(counted, VANISHED)
    assert "alpha/a" not in products(database)
