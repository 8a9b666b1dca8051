"""The process of a purchase is killed at every point there is; a new one ends what it began.

Whatever the point: one order at the merchant and one capture of the confirmed total; or, where the
article sold out meanwhile, no order and the money released; or, where the buyer has it cancelled
afterwards, one cancelled order and one refund of the whole.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import wait
from typing import Any

import pytest
import sqlalchemy as sa

from checkout import tables as t
from kernel.db import Database
from tests.chaos.crash_points import KILLED, Case, another, run
from tests.peers import Simulator, running_simulator
from tests.purchase_setting import Setting, add_merchant, add_offer, bundled_brand
from tests.small_merchant import Article, SmallMerchant

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.chaos.crash_points", "psycopg", "procrastinate"])

# A start reads the status of every process that has ended; where two threads read the same one,
# the second finds nothing and takes it for 255.
_STATUSES = threading.Lock()

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """The payment simulator as a process of its own."""
    with running_simulator(tmp_path_factory.mktemp("payments")) as running:
        yield running


@pytest.fixture(scope="module")
def merchant() -> Iterator[SmallMerchant]:
    """The merchant, which outlives every purchase."""
    running = SmallMerchant()
    yield running
    running.close()


@pytest.fixture(scope="module")
def setting(database: Database, simulator: Simulator, merchant: SmallMerchant) -> Setting:
    """A shop with one merchant."""
    add_merchant(database, "norden")
    return Setting(
        database=database,
        brand=bundled_brand(database),
        simulator=simulator,
        connectors={"norden": merchant.connector()},
        provider=simulator.provider(),
    )


def in_a_process(case: Case, end_at: int | None, *, is_resumed: bool) -> tuple[int, list[str]]:
    """Run the purchase in a new process; answers its exit status and the points it passed."""
    receiving, sending = _PROCESSES.Pipe(duplex=False)
    process = _PROCESSES.Process(target=run, args=(case, end_at, is_resumed, sending))
    with _STATUSES:
        process.start()
    sending.close()
    wait([process.sentinel], 150)
    with _STATUSES:
        process.join(0)
    points = receiving.recv() if process.exitcode == 0 else []
    receiving.close()
    assert process.exitcode is not None
    return process.exitcode, points


def new_case(setting: Setting, merchant: SmallMerchant, name: str, what: str) -> Case:
    """A new article, quoted, and the click that confirms it; what happens to it then."""
    merchant.articles[name] = Article(4900, 3)
    quote = setting.quote({add_offer(setting.database, "norden", name, 4900): 1})
    case = Case(
        setting.database.url,
        setting.brand.id,
        merchant.url,
        setting.simulator.settings(),
        setting.acceptance(quote),
    )
    return another(
        case,
        case.accepted,
        name if what == "sold out" else None,
        is_given_up=what == "given up",
    )


def outcome(setting: Setting, merchant: SmallMerchant, case: Case) -> dict[str, Any]:
    """What is left in the world of a purchase: at the merchant, at the provider, in the books."""
    with setting.database.platform() as tx:
        (leg,) = tx.execute(
            t.leg.select()
            .join(t.purchase, t.purchase.c.purchase_id == t.leg.c.purchase_id)
            .where(t.purchase.c.confirmation_token == case.accepted.token)
        ).all()
        booked = tx.execute(
            sa.select(
                sa.func.count(), sa.func.coalesce(sa.func.sum(t.ledger_entry.c.amount_minor), 0)
            )
            .join(
                t.ledger_transaction,
                t.ledger_transaction.c.transaction_id == t.ledger_entry.c.transaction_id,
            )
            .where(t.ledger_transaction.c.leg_id == leg.leg_id)
        ).one()
    payments = setting.provider_payments(leg.leg_id)
    orders = [row for row in merchant.orders.values() if row["reference"] == leg.leg_id]
    return {
        "state": leg.state,
        "orders": [(row["total"], row["status"]) for row in orders],
        "known order": leg.merchant_order == (orders[0]["number"] if orders else None),
        "payments": [(row["status"], row["captured_amount"]) for row in payments],
        "captures": [
            entry["amount"]
            for row in payments
            for entry in row["entries"]
            if "captur" in entry["kind"]
        ],
        "refunds": [
            entry["amount"]
            for row in payments
            for entry in row["entries"]
            if "refund" in entry["kind"]
        ],
        "captured": leg.captured_minor,
        "refunded": leg.refunded_minor,
        "booked": tuple(booked),
        "lease": leg.lease_owner,
    }


EXPECTED: dict[str, dict[str, Any]] = {
    "bought": {
        "state": "completed",
        "orders": [(5390, "placed")],
        "payments": [("captured", 5390)],
        "captures": [5390],
        "refunds": [],
    },
    "sold out": {"state": "cancelled", "orders": [], "payments": [("voided", 0)], "refunds": []},
    "given up": {
        "state": "refunded",
        "orders": [(5390, "cancelled")],
        "payments": [("captured", 5390)],
        "captures": [5390],
        "refunds": [5390],
    },
}
STEPS = {
    "bought": {"create", "quote", "prepare", "place", "capture"},
    "sold out": {"create", "quote", "void"},
    "given up": {"place", "capture", "cancel", "refund"},
}


@pytest.mark.parametrize("what", list(EXPECTED))
def test_killed_at_every_point(setting: Setting, merchant: SmallMerchant, what: str) -> None:
    kind = what[0].upper()
    smooth = new_case(setting, merchant, f"{kind}0", what)
    status, points = in_a_process(smooth, None, is_resumed=False)
    assert status == 0
    expected = outcome(setting, merchant, smooth)
    assert {name: expected[name] for name in EXPECTED[what]} == EXPECTED[what]
    assert set(points) >= STEPS[what]

    def survive(end_at: int) -> dict[str, Any]:
        case = new_case(setting, merchant, f"{kind}{end_at + 1}", what)
        status, _ = in_a_process(case, end_at, is_resumed=False)
        assert status in {KILLED, 0}, f"point {end_at} ({points[end_at]})"
        status, _ = in_a_process(case, None, is_resumed=True)
        return outcome(setting, merchant, case) if status == 0 else {"status": status}

    # The purchases have nothing in common: mostly they wait for leases to end.
    with ThreadPoolExecutor(8) as pool:
        left = list(pool.map(survive, range(len(points))))
    differing = {
        f"{end_at} {points[end_at]}": state
        for end_at, state in enumerate(left)
        if state != expected
    }
    assert differing == {}
    print(f"{len(points)} points, each survived: {points}")  # noqa: T201
