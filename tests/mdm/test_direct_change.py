"""Changes of price and stock that need no pipeline: at once, in order, never overwritten."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from kernel.db import Database
from kernel.jobs import waiting
from mdm import pipeline
from mdm.catalogue import all_product_ids, head, product_views
from mdm.intake import land_at_once
from mdm.landed_offers import live_offers
from mdm.offer_rows import offer_id_of
from mdm.offers import price_history
from mdm.raw_offer import RawOffer
from tests.conftest import fresh_database
from tests.mdm.offers_at_hand import WordEncoder, load, merchants, raw

LAMP = raw("lamp", "Aurelle Lampe LX20 laiton", quantity=3)
KETTLE = raw("kettle", "Brulange Bouilloire BK5 inox", quantity=3)


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    opened = Database(fresh_database(postgres_url))
    merchants(opened, "alpha", "beta")
    yield opened
    opened.close()


def push(database: Database, *offers: RawOffer, merchant: str = "alpha") -> None:
    with database.platform() as tx:
        land_at_once(tx, merchant, "push", offers)


def prices(database: Database) -> dict[str, tuple[int, int | None, bool]]:
    """Price, stock and whether the pipeline has still to see it, by key."""
    with database.platform() as tx:
        rows = tx.exec_driver_sql(
            "SELECT o.sku, o.price_minor, o.quantity, r.pending FROM mdm.offer o "
            "JOIN mdm.raw_offer r USING (source_id, sku)"
        )
        return {row.sku: (row.price_minor, row.quantity, row.pending) for row in rows}


def test_a_price_takes_effect_where_it_lands(database: Database) -> None:
    load(database, "alpha", [LAMP])
    with database.platform() as tx:
        tx.exec_driver_sql("DELETE FROM procrastinate_jobs")
        before, (view,) = head(tx), product_views(tx, all_product_ids(tx, "", 9))
    push(database, replace(LAMP, price="8.50", quantity=1))
    assert prices(database) == {"lamp": (850, 1, False)}
    with database.platform() as tx:
        (after,) = product_views(tx, [view.product_id])
        points = [point.price.minor for point in price_history(tx, after.offers[0].offer_id)]  # type: ignore[union-attr]
        assert (head(tx), points) == (before + 1, [1000, 850])
        assert waiting(tx, ["mdm"]) == 0
        assert waiting(tx, ["index"]) == 1
    assert after.version == view.version
    # The pipeline finds nothing to do, and a doubled push changes nothing.
    assert pipeline.match_landed(database, WordEncoder()) == 0
    push(database, replace(LAMP, price="8.50", quantity=1))
    with database.platform() as tx:
        assert head(tx) == before + 1


def test_what_describes_the_product_is_left_to_the_pipeline(database: Database) -> None:
    """And so is everything that follows until the pipeline has seen it."""
    load(database, "alpha", [LAMP, KETTLE])
    push(database, replace(LAMP, title=LAMP.title + " brossé", price="9.00"))
    assert prices(database)["lamp"] == (1000, 3, True)
    push(database, replace(LAMP, title=LAMP.title + " brossé", price="7.00"))
    push(database, replace(KETTLE, description="Silencieuse"), replace(LAMP, price="6.00"))
    sale = replace(LAMP, sale_price="4.00", sale_interval="2090-01-01/2091-01-01")
    push(database, raw("new", "Boreal Ventilateur V1"), replace(sale, price="5.00"))
    assert prices(database) == {"lamp": (1000, 3, True), "kettle": (1000, 3, True)}
    pipeline.match_landed(database, WordEncoder())
    assert prices(database) == {
        "lamp": (500, 3, False),
        "kettle": (1000, 3, False),
        "new": (1000, None, False),
    }
    # A sale is to come back to: its offer stays with the pipeline.
    push(database, replace(sale, price="5.50"))
    assert prices(database)["lamp"] == (500, 3, True)


def test_two_changes_of_one_offer_build_on_each_other(database: Database) -> None:
    """The second waits for the first, whatever each of them changes."""
    load(database, "alpha", [LAMP])

    def change(**stated: object) -> None:
        with database.platform() as tx:
            known = live_offers(tx, "alpha", ["lamp"])["lamp"]
            land_at_once(tx, "alpha", "push", [replace(known, **stated)])  # type: ignore[arg-type]

    with database.platform() as tx:
        known = live_offers(tx, "alpha", ["lamp"])["lamp"]
        other = threading.Thread(target=change, kwargs={"quantity": 1})
        other.start()
        other.join(0.3)
        assert other.is_alive()
        land_at_once(tx, "alpha", "push", [replace(known, price="8.00")])
    other.join()
    assert prices(database) == {"lamp": (800, 1, False)}
    with database.platform() as tx:
        history = price_history(tx, offer_id_of("alpha", "lamp"))
    assert [point.price.minor for point in history] == [1000, 800]  # type: ignore[union-attr]


class _Meanwhile(WordEncoder):
    """Something happens while the pipeline is at work."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self._act: Callable[[], None] | None = act

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        act, self._act = self._act, None
        if act is not None:
            act()
        return super().encode(texts)


def test_a_pipeline_at_work_never_overwrites_a_later_price(database: Database) -> None:
    """Neither of an offer it is at, nor of another offer of the same product."""
    load(database, "alpha", [LAMP])
    load(database, "beta", [replace(LAMP, sku="same"), KETTLE])
    push(database, replace(LAMP, title=LAMP.title + " neuf", price="9.00"))

    def meanwhile() -> None:
        push(database, replace(LAMP, title=LAMP.title + " neuf", price="8.00"))
        push(database, replace(LAMP, sku="same", price="7.00"), merchant="beta")
        push(database, replace(KETTLE, price="6.00"), merchant="beta")

    pipeline.match_landed(database, _Meanwhile(meanwhile))
    pipeline.match_landed(database, WordEncoder())
    found = prices(database)
    assert found == {
        "lamp": (800, 3, False), "same": (700, 3, False), "kettle": (600, 3, False),
    }  # fmt: skip


def test_a_call_that_fails_leaves_nothing(database: Database) -> None:
    load(database, "alpha", [LAMP])
    with database.platform() as tx:
        before = head(tx)

    def killed() -> None:
        with database.platform() as tx:
            land_at_once(tx, "alpha", "push", [replace(LAMP, price="8.00")])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    with database.platform() as tx:
        assert head(tx) == before
    assert prices(database) == {"lamp": (1000, 3, False)}
