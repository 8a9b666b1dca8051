"""Offers that end: by their own word or their merchant's lifetime, told once; the clock is ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kernel.db import Database
from mdm.catalogue import changes_after, head, product_views
from mdm.expiry import expire_offers, next_expiry
from mdm.intake import land_at_once
from mdm.merchants import Merchant, register_merchant
from mdm.normalise.terms import valid_until_of
from tests.conftest import fresh_database
from tests.mdm.offers_at_hand import load, merchants, products, raw

NOW = datetime.now(UTC)
TOMORROW = NOW + timedelta(days=1)
LAMP = raw("lamp", "Aurelle Lampe LX20 laiton")
SHORT = replace(LAMP, sku="short", valid_until=TOMORROW.isoformat())


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    opened = Database(fresh_database(postgres_url))
    merchants(opened, "alpha", "beta", lifetime_days=10)
    yield opened
    opened.close()


def tell(database: Database, now: datetime, limit: int = 100) -> tuple[int, list[str]]:
    """How many ended or live again, and the products the change log was told."""
    with database.platform() as tx:
        before = head(tx)
        told = expire_offers(tx, now, limit)
        return told, [product for _, product in changes_after(tx, before, 100)]


def shown(database: Database) -> set[str]:
    with database.platform() as tx:
        views = product_views(tx, sorted(set(products(database).values())))
        return {f"{offer.merchant_id}/{offer.sku}" for view in views for offer in view.offers}


def test_an_offer_ends_by_its_own_word_or_by_its_merchants_lifetime(database: Database) -> None:
    load(database, "alpha", [LAMP])
    load(database, "beta", [SHORT])
    product = products(database)["beta/short"]
    with database.platform() as tx:
        assert next_expiry(tx) == TOMORROW
    assert tell(database, TOMORROW - timedelta(seconds=1)) == (0, [])
    assert tell(database, TOMORROW) == (1, [product])
    assert shown(database) == {"alpha/lamp"}
    assert tell(database, TOMORROW) == (0, [])
    with database.platform() as tx:
        due = next_expiry(tx)
    assert due is not None
    assert timedelta(days=9, hours=23) < due - NOW < timedelta(days=10, hours=1)
    assert tell(database, due) == (1, [products(database)["alpha/lamp"]])
    assert shown(database) == set()


def test_what_is_confirmed_or_given_more_time_lives_again(database: Database) -> None:
    load(database, "alpha", [LAMP])
    load(database, "beta", [SHORT])
    later = NOW + timedelta(days=12)
    assert tell(database, later)[0] == 2
    # A merchant's new lifetime is that of the offers it has, but not of those with their own word.
    with database.platform() as tx:
        register_merchant(tx, Merchant("alpha", "Alpha", "FR", lifetime_days=20))
        register_merchant(tx, Merchant("beta", "Beta", "FR", lifetime_days=20))
    assert tell(database, later) == (1, [products(database)["alpha/lamp"]])
    assert shown(database) == {"alpha/lamp"}
    further = replace(SHORT, valid_until=(later + timedelta(days=1)).isoformat())
    with database.platform() as tx:
        before = head(tx)
        land_at_once(tx, "beta", "push", [further])
        assert head(tx) == before + 1
    assert shown(database) == {"alpha/lamp", "beta/short"}
    assert tell(database, later) == (0, [])


def test_many_that_end_together_are_told_in_parts(database: Database) -> None:
    load(database, "alpha", [raw(f"s{n}", f"Kettle KX{n:03d}Q") for n in range(7)])
    due = NOW + timedelta(days=11)
    told = [tell(database, due, limit=3)[0] for _ in range(4)]
    assert told == [3, 3, 1, 0]
    assert shown(database) == set()


@pytest.mark.parametrize(
    ("stated", "until", "note"),
    [
        (None, None, None),
        ("2026-12-24", datetime(2026, 12, 25, tzinfo=UTC), None),
        ("2026-12-24T18:00:00+01:00", datetime(2026, 12, 24, 17, tzinfo=UTC), None),
        ("2026-12-24T18:00", datetime(2026, 12, 24, 18, tzinfo=UTC), None),
        ("2020-01-01", datetime(2020, 1, 2, tzinfo=UTC), None),
        ("9999-12-31", None, "valid_until_unreadable:9999-12-31"),
        ("2099-12-31", None, "valid_until_far"),
        ("soon", None, "valid_until_unreadable:soon"),
        ("2026-13-41", None, "valid_until_unreadable:2026-13-41"),
    ],
)
def test_the_stated_end_is_read(
    stated: str | None, until: datetime | None, note: str | None
) -> None:
    assert valid_until_of(stated, datetime(2026, 11, 22, tzinfo=UTC)) == (until, note)
