"""One setting for each test module: a merchant, the real payment simulator, a brand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from checkout import tables as t
from checkout.purchase.machine import FINAL, State
from kernel.db import Database
from tests.peers import Simulator, running_simulator
from tests.purchase_setting import Setting, add_merchant, bundled_brand
from tests.small_merchant import SmallMerchant


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """The payment simulator as a process of its own: no notice of another file waits in it."""
    with running_simulator(tmp_path_factory.mktemp("payments")) as running:
        yield running


@pytest.fixture
def merchant() -> Iterator[SmallMerchant]:
    """A merchant's system with nothing on its shelves."""
    running = SmallMerchant()
    yield running
    running.close()


@pytest.fixture(scope="module")
def two_merchants(database: Database) -> None:
    """Two merchants on record."""
    for name in ("norden", "sued"):
        add_merchant(database, name)


@pytest.fixture
def setting(
    database: Database, two_merchants: None, simulator: Simulator, merchant: SmallMerchant
) -> Setting:
    """A shop in which `norden` sells from `merchant`."""
    return Setting(
        database=database,
        brand=bundled_brand(database),
        simulator=simulator,
        connectors={"norden": merchant.connector()},
        provider=simulator.provider(),
    )


@pytest.fixture
def paid_on_shipment(setting: Setting, database: Database) -> Iterator[None]:
    """`norden` is paid once it has shipped; what the test leaves waiting is nobody's concern."""
    add_merchant(database, "norden", connector_settings={"capture": "shipment"})
    yield
    add_merchant(database, "norden")
    ended = {"state": State.CANCELLED, "attention": None, "next_try_at": None}
    with setting.database.platform() as tx:
        tx.execute(t.leg.update().where(t.leg.c.state.not_in(FINAL)).values(ended))
