"""The books against the provider's list: what is missing, extra or other is found, nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from checkout.after_sale import refund
from checkout.payment_providers import open_provider
from checkout.payment_providers.port import (
    ListsMovements,
    Movement,
    MovementKind,
    PaymentRequest,
)
from checkout.purchase.advance import advance
from checkout.reconciliation import (
    Booking,
    Difference,
    Finding,
    compare,
    findings_of,
    is_compared,
    reconcile,
)
from kernel.db import Database
from kernel.errors import DomainError
from kernel.ids import drawn_id
from kernel.money import Money
from tests.checkout.shop_visits import bought
from tests.contracts.payment_peers import settings_of
from tests.peers import Simulator
from tests.purchase_setting import SITE, Setting, add_merchant, pay_at
from tests.small_merchant import SmallMerchant

DAY = date(2026, 11, 21)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def account(database: Database, two_merchants: None) -> str:
    """An account at the provider that no other test uses."""
    own = drawn_id("acc")
    add_merchant(database, "norden", connector_settings={"payment_account": own})
    return own


def booked(reference: str, minor: int, at: datetime = NOON) -> Booking:
    """A capture in the books."""
    return Booking(reference, "norden", MovementKind.CAPTURE, Money(minor, "EUR"), at)


def moved(reference: str, minor: int, at: datetime = NOON) -> Movement:
    """A capture at the provider."""
    return Movement("1", MovementKind.CAPTURE, reference, Money(minor, "EUR"), at)


def found(bookings: list[Booking], movements: list[Movement]) -> list[tuple[Difference, str]]:
    """What does not agree."""
    return [
        (each.difference, each.reference) for each in compare("norden", bookings, movements, DAY)
    ]


def test_each_kind_of_difference_is_told_apart() -> None:
    ours = [booked("same", 1), booked("only ours", 2), booked("other", 3)]
    theirs = [moved("other", 4), moved("same", 1), moved("only theirs", 5)]
    assert found(ours, theirs) == [
        (Difference.MISSING_THERE, "only ours"),
        (Difference.MISSING_HERE, "only theirs"),
        (Difference.OTHER_AMOUNT, "other"),
    ]


def test_midnight_is_no_difference_and_another_day_is_not_ours() -> None:
    late = NOON + timedelta(hours=13)
    assert found([booked("midnight", 1)], [moved("midnight", 1, late)]) == []
    assert found([booked("tomorrow", 1, late)], []) == []
    assert found([booked("both", 1, late)], [moved("both", 2)]) == [
        (Difference.OTHER_AMOUNT, "both")
    ]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3)), max_size=8), st.randoms())
def test_whatever_order_the_same_movements_come_in_nothing_differs(
    amounts: list[tuple[str, int]], chance: object
) -> None:
    theirs = [moved(*each) for each in amounts]
    chance.shuffle(theirs)  # type: ignore[attr-defined]
    ours = [booked(*each) for each in amounts]
    assert found(ours, theirs) == []
    if theirs:
        (one,) = found(ours, theirs[1:])
        assert one == (Difference.MISSING_THERE, theirs[0].reference)


def found_in(setting: Setting, day: date) -> set[Finding]:
    """Differences of a day and of the next one: midnight may fall into a test."""
    later = datetime.now(UTC) + timedelta(days=3)
    return {
        finding
        for each in (day, day + timedelta(days=1))
        for finding in reconcile(
            setting.database, "simulator", setting.provider, each, later
        ).findings
    }


def test_the_books_are_compared_with_the_provider(
    setting: Setting, merchant: SmallMerchant, account: str
) -> None:
    purchase_id, other_id, third_id = (bought(setting, merchant) for _ in range(3))
    refund(
        setting.deps, setting.order(purchase_id), "norden", Money(700, "EUR"), by="test", key="r"
    )
    advance(setting.deps, purchase_id)
    today = _day_of(setting, purchase_id)
    assert found_in(setting, today) == set()

    leg = setting.leg(other_id)
    assert leg.leg.payment_id is not None
    setting.provider.refund(leg.leg.payment_id, Money(300, "EUR"), "by hand")
    lost = setting.leg(third_id)
    _book_by_hand(setting, lost.leg.leg_id)
    second = found_in(setting, today)
    assert {(each.difference, each.kind, each.reference) for each in second} == {
        (Difference.MISSING_HERE, MovementKind.REFUND, leg.leg.leg_id),
        (Difference.MISSING_THERE, MovementKind.REFUND, lost.leg.leg_id),
    }
    assert all(each.why and each.hint for each in second)
    with setting.database.platform() as tx:
        days = (today, today + timedelta(days=1))
        kept = {each for day in days for each in findings_of(tx, "simulator", day)}
        assert kept == second
        assert is_compared(tx, "simulator", today)
        assert not is_compared(tx, "simulator", today - timedelta(days=9))
    assert found_in(setting, today) == second


def _day_of(setting: Setting, purchase_id: str) -> date:
    """The day that the books have the capture on."""
    statement = sa.text(
        "SELECT (x.occurred_at AT TIME ZONE 'UTC')::date FROM checkout.ledger_transaction x "
        "JOIN checkout.leg USING (leg_id) WHERE purchase_id = :id AND kind = 'capture'"
    )
    with setting.database.platform() as tx:
        found = tx.execute(statement, {"id": purchase_id}).scalar_one()
    assert isinstance(found, date)
    return found


def _book_by_hand(setting: Setting, leg_id: str) -> None:
    """A refund in the books that nobody made."""
    with setting.database.platform() as tx:
        tx.execute(
            sa.text(
                "INSERT INTO checkout.ledger_transaction SELECT 'led_by_hand', brand_id, leg_id, "
                "'refund 9', occurred_at FROM checkout.ledger_transaction "
                "WHERE leg_id = :leg AND kind = 'capture'"
            ),
            {"leg": leg_id},
        )
        for position, (account, minor) in enumerate(
            [("merchant:norden:refunds_given", 100), ("merchant:norden:provider_receivable", -100)]
        ):
            tx.execute(
                sa.text(
                    "INSERT INTO checkout.ledger_entry SELECT transaction_id, :position, brand_id, "
                    ":account, 'EUR', :minor FROM checkout.ledger_transaction "
                    "WHERE transaction_id = 'led_by_hand'"
                ),
                {"position": position, "account": account, "minor": minor},
            )


def test_a_provider_lists_its_movements_page_by_page(
    setting: Setting, merchant: SmallMerchant, account: str
) -> None:
    bought(setting, merchant)
    begin, end = int((datetime.now(UTC) - timedelta(days=1)).timestamp()), 2**40
    path = f"/v1/movements?merchant_account={account}&from={begin}&until={end}&after="
    every = setting.simulator.call("GET", f"{path}0").json()["movements"]
    rest = setting.simulator.call("GET", f"{path}{every[0]['number']}").json()["movements"]
    assert rest == every[1:]
    assert setting.simulator.call("GET", f"{path}x").status_code == 400
    assert setting.simulator.call("GET", path.replace(account, "sued-unused") + "0").json() == {
        "movements": []
    }


@pytest.mark.parametrize("name", ["simulator", "stripe"])
def test_a_provider_lists_what_it_moved(simulator: Simulator, name: str) -> None:
    provider, own = open_provider(name, simulator.settings()), drawn_id("acct")
    own = own.replace("acct_", "acct_x")
    assert isinstance(provider, ListsMovements)
    begin, end = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1)
    request = PaymentRequest(
        drawn_id("leg"), Money(900, "EUR"), own, "Atelier", f"{SITE}/a", f"{SITE}/b", "fr"
    )
    payment = provider.create(request, f"{request.reference}/create")
    pay_at(payment.pay_url)
    assert list(provider.movements(own, begin, end)) == []
    provider.capture(payment.id, Money(900, "EUR"), f"{request.reference}/capture")
    for number, minor in enumerate((200, 300)):
        provider.refund(payment.id, Money(minor, "EUR"), f"{request.reference}/refund/{number}")
    moved = list(provider.movements(own, begin, end))
    assert sorted((each.kind, each.amount.minor, each.reference) for each in moved) == [
        (MovementKind.CAPTURE, 900, request.reference),
        (MovementKind.REFUND, 200, request.reference),
        (MovementKind.REFUND, 300, request.reference),
    ]
    assert len({each.id for each in moved}) == 3
    assert all(begin < each.at < end for each in moved)
    assert list(provider.movements(own, begin - timedelta(days=9), begin)) == []


@pytest.mark.parametrize("name", ["worldline", "sips"])
def test_a_provider_without_a_list_is_not_compared(setting: Setting, name: str) -> None:
    provider = open_provider(name, settings_of(name, setting.simulator))
    assert not isinstance(provider, ListsMovements)
    with pytest.raises(DomainError, match=f"{name} has no list"):
        reconcile(setting.database, name, provider, DAY, datetime.now(UTC))


def test_what_cannot_be_compared_says_so(setting: Setting) -> None:
    now = datetime.now(UTC)
    with pytest.raises(DomainError, match="has no list"):
        reconcile(setting.database, "paper", object(), DAY, now)
    with pytest.raises(DomainError, match="is not over"):
        reconcile(setting.database, "simulator", setting.provider, now.date(), now)


def test_a_finding_reads_the_same_from_the_database(setting: Setting) -> None:
    (finding,) = compare("norden", [booked("x", 1)], [], DAY)
    assert finding.ours == Money(1, "EUR")
    assert finding.theirs is None
    assert replace(finding, difference=Difference.MISSING_HERE).why != finding.why
