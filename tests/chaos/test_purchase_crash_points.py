"""The process of a purchase is killed at every point there is; another ends what it began.

Whatever the point: one order at each merchant, of one or of three, and one capture of the confirmed
total; or, where the article sold out meanwhile, no order and the money released; or, where the
buyer has it cancelled afterwards, one cancelled order and one refund of the whole. Where a merchant
of three refuses, a buyer who wants all or nothing gets the orders of the others withdrawn and is
charged nothing; one who takes what there is gets the others' orders and pays for these alone. A
merchant that is paid on shipment is paid once it has shipped, and gives up for nothing before.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing.connection import wait
from typing import Any

import pytest
import sqlalchemy as sa

from checkout import tables as t
from checkout.states import Policy
from kernel.db import Database
from tests.chaos.crash_points import KILLED, WINDOWS, Case, carry_out, run
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


Street = dict[str, SmallMerchant]


@dataclass(frozen=True)
class Scenario:
    """What is bought, what happens to it, and what has to be left in the world of each leg."""

    merchants: tuple[str, ...]
    expected: dict[str, Any]
    steps: set[str]
    policy: Policy = Policy.BEST_EFFORT
    sells_out: frozenset[str] = frozenset()
    is_given_up: bool = False
    ships: bool = False
    refuses: str | None = None
    differently: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What is left at a merchant, where that is something else."""


_BOUGHT: dict[str, Any] = {
    "state": "completed",
    "orders": [(5390, "placed")],
    "payments": [("captured", 5390)],
    "captures": [5390],
    "refunds": [],
    "booked": (3, 0),
}
_RELEASED: dict[str, Any] = {
    "state": "cancelled",
    "orders": [],
    "payments": [("voided", 0)],
    "captures": [],
    "refunds": [],
    "booked": (0, 0),
}
_THREE = ("norden", "ost", "sued")
SCENARIOS = {
    "bought": Scenario(("norden",), _BOUGHT, {"create", "quote", "prepare", "place", "capture"}),
    "sold out": Scenario(
        ("norden",), _RELEASED, {"create", "quote", "void"}, sells_out=frozenset({"norden"})
    ),
    "given up": Scenario(
        ("norden",),
        {
            **_BOUGHT,
            "state": "refunded",
            "orders": [(5390, "cancelled")],
            "refunds": [5390],
            "booked": (5, 0),
        },
        {"place", "capture", "cancel", "refund"},
        is_given_up=True,
    ),
    "bought from three": Scenario(
        _THREE,
        _BOUGHT,
        {"create", "read", "quote", "prepare", "place", "capture"},
        policy=Policy.ALL_OR_NOTHING,
    ),
    # The first merchant is the last to be sent its order: two orders have to be withdrawn.
    "all or nothing": Scenario(
        _THREE,
        {**_RELEASED, "orders": [(5390, "cancelled")]},
        {"create", "quote", "prepare", "place", "cancel", "void"},
        policy=Policy.ALL_OR_NOTHING,
        refuses="norden",
        differently={"norden": {"orders": []}},
    ),
    "three on their own": Scenario(
        _THREE, _BOUGHT, {"create", "read", "quote", "prepare", "place", "capture"}
    ),
    "shipped": Scenario(
        ("west",),
        _BOUGHT | {"orders": [(5390, "shipped")]},
        {"place", "find", "capture"},
        ships=True,
    ),
    "unshipped": Scenario(
        ("west",),
        _RELEASED | {"orders": [(5390, "cancelled")]},
        {"place", "find", "cancel", "void"},
        is_given_up=True,
    ),
    # Two are charged at once, the third when it ships.
    "late": Scenario(
        ("norden", "sued", "west"),
        _BOUGHT,
        {"create", "quote", "prepare", "place", "find", "capture"},
        policy=Policy.ALL_OR_NOTHING,
        ships=True,
        differently={"west": {"orders": [(5390, "shipped")]}},
    ),
    # One is sold out when it is asked again, one refuses the order itself, one delivers.
    "what there is": Scenario(
        _THREE,
        _BOUGHT,
        {"create", "quote", "prepare", "place", "capture", "void"},
        sells_out=frozenset({"ost"}),
        refuses="norden",
        differently={"ost": _RELEASED, "norden": _RELEASED},
    ),
}


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    """The merchants, which outlive every purchase."""
    running = {name: SmallMerchant() for name in (*_THREE, "west")}
    yield running
    for merchant in running.values():
        merchant.close()


@pytest.fixture(scope="module")
def setting(database: Database, simulator: Simulator, street: Street) -> Setting:
    """A shop that sells from three merchants."""
    for name in _THREE:
        add_merchant(database, name)
    add_merchant(database, "west", connector_settings={"capture": "shipment"})
    return Setting(
        database=database,
        brand=bundled_brand(database),
        simulator=simulator,
        connectors={name: merchant.connector() for name, merchant in street.items()},
        provider=simulator.provider(),
        windows=WINDOWS,
    )


def in_a_process(case: Case, end_at: int | None) -> tuple[int, list[str]]:
    """Run the purchase in a new process; answers its exit status and the points it passed."""
    receiving, sending = _PROCESSES.Pipe(duplex=False)
    process = _PROCESSES.Process(target=run, args=(case, end_at, sending))
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


def new_case(setting: Setting, street: Street, sku: str, scenario: Scenario) -> Case:
    """A new article at each merchant, quoted, and the click that confirms it."""
    wanted = {}
    for name in scenario.merchants:
        street[name].articles[sku] = Article(4900, 3, is_kept=name == scenario.refuses)
        wanted[add_offer(setting.database, name, sku, 4900)] = 1
    return Case(
        setting.database.url,
        setting.brand.id,
        {name: street[name].url for name in scenario.merchants},
        setting.simulator.settings(),
        replace(setting.acceptance(setting.quote(wanted)), policy=scenario.policy),
        sku,
        sells_out=scenario.sells_out,
        is_given_up=scenario.is_given_up,
        ships=scenario.ships,
    )


def outcome(setting: Setting, street: Street, case: Case) -> dict[str, dict[str, Any]]:
    """What is left of a purchase, by merchant: there, at the provider, in the books."""
    with setting.database.platform() as tx:
        legs = tx.execute(
            t.leg.select()
            .join(t.purchase, t.purchase.c.purchase_id == t.leg.c.purchase_id)
            .where(t.purchase.c.confirmation_token == case.accepted.token)
        ).all()
    payments = setting.provider_payments(*(leg.leg_id for leg in legs))
    orders = {name: list(merchant.orders.values()) for name, merchant in street.items()}
    return {
        leg.merchant_id: _left_of(
            setting,
            leg,
            [row for row in orders[leg.merchant_id] if row["reference"] == leg.leg_id],
            [row for row in payments if row["reference"] == leg.leg_id],
        )
        for leg in legs
    }


def _left_of(
    setting: Setting, leg: Any, orders: list[dict[str, Any]], payments: list[dict[str, Any]]
) -> dict[str, Any]:
    entries = [entry for row in payments for entry in row["entries"]]
    return {
        "state": leg.state,
        "orders": [(row["total"], row["status"]) for row in orders],
        "known order": leg.merchant_order == (orders[0]["number"] if orders else None),
        "payments": [(row["status"], row["captured_amount"]) for row in payments],
        "captures": [entry["amount"] for entry in entries if "captur" in entry["kind"]],
        "refunds": [entry["amount"] for entry in entries if "refund" in entry["kind"]],
        "captured": leg.captured_minor,
        "refunded": leg.refunded_minor,
        "booked": _booked(setting, leg.leg_id),
        "lease": leg.lease_owner,
    }


def _ends(left: dict[str, dict[str, Any]], scenario: Scenario) -> dict[str, dict[str, Any]]:
    """What has to be the same. Who wants nothing or all gets the same nothing, whether an order was
    withdrawn or, because the refusal came before it, never made.
    """
    if scenario.refuses is None or scenario.policy is Policy.BEST_EFFORT:
        return left
    assert all(len(leg["orders"]) <= 1 for leg in left.values())
    return {
        name: {
            **{field: value for field, value in leg.items() if field != "known order"},
            "orders": [order for order in leg["orders"] if order[1] != "cancelled"],
        }
        for name, leg in left.items()
    }


def _booked(setting: Setting, leg_id: str) -> tuple[int, int]:
    """How many entries the ledger has for a leg, and their sum."""
    entry, transaction = t.ledger_entry, t.ledger_transaction
    with setting.database.platform() as tx:
        row = tx.execute(
            sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(entry.c.amount_minor), 0))
            .join(transaction, transaction.c.transaction_id == entry.c.transaction_id)
            .where(transaction.c.leg_id == leg_id)
        ).one()
    return row[0], row[1]


@pytest.mark.parametrize("what", list(SCENARIOS))
def test_killed_at_every_point(
    setting: Setting, street: Street, what: str, record_property: Callable[[str, object], None]
) -> None:
    scenario, kind = SCENARIOS[what], "".join(word[0] for word in what.split()).upper()
    smooth = new_case(setting, street, f"{kind}0", scenario)
    status, points = in_a_process(smooth, None)
    assert status == 0
    expected = outcome(setting, street, smooth)
    for name in scenario.merchants:
        wanted = scenario.expected | scenario.differently.get(name, {})
        assert {field: expected[name][field] for field in wanted} == wanted, name
    assert set(points) >= scenario.steps

    def survive(end_at: int) -> dict[str, Any]:
        case = new_case(setting, street, f"{kind}{end_at + 1}", scenario)
        status, _ = in_a_process(case, end_at)
        assert status in {KILLED, 0}, f"point {end_at} ({points[end_at]})"
        # This process knows nothing of what that one did but what is on record.
        carry_out(setting.deps, setting.database, case)
        return outcome(setting, street, case)

    # The purchases have nothing in common: mostly they wait for leases to end.
    with ThreadPoolExecutor(8) as pool:
        left = list(pool.map(survive, range(len(points))))
    differing = {
        f"{end_at} {points[end_at]}": state
        for end_at, state in enumerate(left)
        if _ends(state, scenario) != _ends(expected, scenario)
    }
    assert differing == {}
    record_property("points, each survived", len(points))
