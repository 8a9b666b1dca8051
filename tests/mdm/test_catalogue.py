"""Merchants and the change log, which has no gaps under concurrent writers."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from kernel.db import Database
from kernel.errors import DomainError, NotFound
from kernel.money import Money
from mdm.catalogue import changes_after, head, log_changes
from mdm.merchants import Merchant, list_merchants, read_merchant, register_merchant
from mdm.offer_rows import offer_id_of
from mdm.offers import read_offer
from mdm.product_view import Delivery
from tests.mdm.offers_at_hand import load, products, raw

SHOP = Merchant(
    "shop", "Shop", "FR", website="https://shop.example", languages=("fr", "de"),
    connector="oscar", connector_settings={"url": "https://shop.example/api"}, returns_days=30,
    phone="+33 1 00 00 00 00", source={"format": "google", "prices": "required"}, decimal=",",
    lifetime_days=7, default_delivery=(Delivery("FR", Money(490, "EUR"), "Post", 1, 3),),
)  # fmt: skip


def test_merchants_are_kept_as_given(database: Database) -> None:
    with database.platform() as tx:
        register_merchant(tx, SHOP)
        assert read_merchant(tx, "shop") == SHOP
        register_merchant(tx, replace(SHOP, name="Other"))
        assert [each.name for each in list_merchants(tx, sellers=False)] == ["Other"]
        with pytest.raises(NotFound):
            read_merchant(tx, "nobody")


@pytest.mark.parametrize(
    "wrong", [{"id": "No Slug"}, {"currency": "XYZ"}, {"decimal": ";"}], ids=str
)
def test_impossible_merchants_are_refused(database: Database, wrong: dict[str, str]) -> None:
    with database.platform() as tx, pytest.raises(DomainError):
        register_merchant(tx, replace(SHOP, **wrong))  # type: ignore[arg-type]


def test_an_offer_has_its_merchants_terms(database: Database) -> None:
    with database.platform() as tx:
        register_merchant(tx, SHOP)
    load(database, "shop", [raw("1", "Kettle"), raw("2", "Toaster")])
    with database.brand("any") as tx:
        offer = read_offer(tx, offer_id_of("shop", "1"))
        assert read_offer(tx, "off_unknown") is None
    assert offer is not None
    assert offer.delivery == SHOP.default_delivery
    assert offer.returns_days == 30
    assert offer.expires_at is not None
    assert (offer.expires_at - offer.updated_at).days in (6, 7)


def test_the_change_log_has_no_gaps(database: Database) -> None:
    ids = sorted(products(database).values())
    with database.platform() as tx:
        start = head(tx)

    def write(fails: bool) -> None:
        for _ in range(10):
            try:
                with database.platform() as tx:
                    assert log_changes(tx, ids) == len(ids)
                    if fails:
                        raise InterruptedError
            except InterruptedError:
                continue

    writers = [threading.Thread(target=write, args=(fails,)) for fails in (False, True, False)]
    for each in writers:
        each.start()
    seen: list[int] = []
    while any(each.is_alive() for each in writers) or len(seen) < 20 * len(ids):
        with database.platform() as tx:
            seen += [at for at, _ in changes_after(tx, seen[-1] if seen else start, 3)]
    for each in writers:
        each.join()
    assert seen == list(range(start + 1, start + 1 + 20 * len(ids)))
