"""The books: commission with its tax, months that close for ever, exports that equal the ledger."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from checkout import tables as t
from checkout.accounting.books import postings
from checkout.accounting.commission import (
    Commission,
    Rate,
    commission_on,
    given_back,
    rate_at,
    record_rate,
)
from checkout.accounting.export import Exported, Wanted, export
from checkout.accounting.formats import MOST_LINES, NAMES
from checkout.accounting.invoices import invoices_of, owed_in
from checkout.accounting.periods import (
    ClosedPeriod,
    close_period,
    closed_periods,
    ledger_sha256,
)
from checkout.accounting.vat import Treatment, standard_rate, treatment_of
from checkout.after_sale import refund
from checkout.orders import PIECE_CHARACTERS, find_order
from checkout.purchase.advance import advance
from kernel.db import Database
from kernel.errors import DomainError, NotFound
from kernel.money import Money
from tests.checkout.postings import SHOWN
from tests.checkout.shop_visits import bought, ledger_of
from tests.peers import wait_for
from tests.purchase_setting import Setting
from tests.small_merchant import SmallMerchant

RATE = Rate("norden", 1, 650, Treatment.DOMESTIC, "FR", datetime(2026, 1, 1, tzinfo=UTC))
amounts = st.integers(min_value=1, max_value=10**9)


def test_tax_is_owed_where_the_merchant_is() -> None:
    assert treatment_of("FR", "FR") is Treatment.DOMESTIC
    assert treatment_of("FR", "DE") is Treatment.REVERSE_CHARGE
    assert treatment_of("FR", "CH") is Treatment.OUTSIDE
    with pytest.raises(DomainError, match="not known here"):
        treatment_of("CH", "FR")
    assert standard_rate("DE", date(2020, 6, 30)) == 1900
    assert standard_rate("DE", date(2020, 7, 1)) == 1600
    assert standard_rate("DE", date(2026, 1, 1)) == 1900
    with pytest.raises(DomainError):
        standard_rate("DE", date(1999, 1, 1))


@given(goods=amounts, basis_points=st.integers(0, 5000), parts=st.lists(amounts, max_size=6))
def test_refunds_in_any_parts_give_back_the_whole_commission(
    goods: int, basis_points: int, parts: list[int]
) -> None:
    rate = replace(RATE, basis_points=basis_points)
    earned = commission_on(Money(goods, "EUR"), rate, datetime(2026, 11, 1, tzinfo=UTC))
    cuts = sorted({0, goods, *(part % goods for part in parts)})
    back = [given_back(earned, goods, *each) for each in pairwise(cuts)]
    assert sum(each.net.minor for each in back) == -earned.net.minor
    assert sum(each.vat.minor for each in back) == -earned.vat.minor
    for each in (earned, *back):
        assert sum(amount.minor for _, amount in each.entries()) == 0


def test_a_commission_of_nothing_books_nothing() -> None:
    nothing = Money(0, "EUR")
    assert Commission("norden", nothing, nothing, "FR").entries() == ()


def closed(setting: Setting, period: str, now: datetime) -> ClosedPeriod:
    """A month, closed."""
    with setting.database.platform() as tx:
        return close_period(tx, period, SHOWN, now)


def exported(setting: Setting, folder: Path, period: str, name: str) -> Exported:
    """A month in a file; what is shown now differs from what was shown then."""
    shown = replace(SHOWN, siren="987654321", charts={})
    with setting.database.platform() as tx:
        return export(tx, Wanted(period, name), folder, shown, datetime.now(UTC))


def test_a_month_from_capture_to_export(
    setting: Setting, merchant: SmallMerchant, tmp_path: Path
) -> None:
    with setting.database.platform() as tx:
        record_rate(tx, "norden", 650, Treatment.DOMESTIC, "FR", valid_from=None)
        ahead = datetime.now(UTC) + timedelta(days=400)
        record_rate(tx, "norden", 900, Treatment.DOMESTIC, "FR", valid_from=ahead)
        assert [rate_at(tx, "norden", at).basis_points for at in (datetime.now(UTC), ahead)] == [  # type: ignore[union-attr]
            650,
            900,
        ]
        with pytest.raises(DomainError, match="begins now or later"):
            record_rate(tx, "norden", 100, Treatment.DOMESTIC, "FR", valid_from=RATE.valid_from)
    if f"{datetime.now(UTC) + timedelta(minutes=20):%m}" != f"{datetime.now(UTC):%m}":
        setting.clock.ahead = timedelta(minutes=30)  # all of it in one month
    purchase_id = bought(setting, merchant)
    first = setting.clock()
    period = f"{first:%Y-%m}"
    booked = set(ledger_of(setting, purchase_id))
    assert {
        ("platform:commission_receivable:norden", 2012),
        ("platform:commission_income", -1677),
        ("platform:vat_collected:FR", -335),
    } <= booked

    refund(
        setting.deps, setting.order(purchase_id), "norden", Money(13145, "EUR"), by="test", key="1"
    )
    advance(setting.deps, purchase_id)
    with setting.database.platform() as tx:
        (owed,) = [each for each in owed_in(tx, period) if each.merchant_id == "norden"]
    assert (owed.net.minor, owed.vat.minor, owed.vat_country) == (838, 167, "FR")

    with pytest.raises(DomainError, match="is not over yet"):
        closed(setting, period, first)
    month = closed(setting, period, first + timedelta(days=40))
    assert closed(setting, period, first + timedelta(days=90)) == month
    with setting.database.platform() as tx:
        (invoice,) = invoices_of(tx, period)
        assert ledger_sha256(tx, period) == month.ledger_sha256
        assert [each.period for each in closed_periods(tx)] == [period]
    assert invoice == replace(owed, number=f"C{period[:4]}-000001")

    files = {name: exported(setting, tmp_path, period, name) for name in NAMES}
    assert all(each.is_final for each in files.values())
    sums = _sums(setting.database, period)
    rows = [json.loads(line) for line in files["jsonl"].file.read_text().splitlines()]
    assert sum(row["debit_minor"] for row in rows) == sum(row["credit_minor"] for row in rows)
    assert sum(row["debit_minor"] for row in rows) == sums

    refund(setting.deps, setting.order(purchase_id), "norden", None, by="test", key="2")
    advance(setting.deps, purchase_id)
    for name in NAMES:
        again = exported(setting, tmp_path, period, name)
        assert (again.sha256, again.file) == (files[name].sha256, files[name].file)
    with setting.database.platform() as tx:
        after = [each for each in postings(tx, _next(period)) if each.kind == "refund 2"]
        back = next(each for each in owed_in(tx, _next(period)))
    assert len(after) == 2
    assert (back.net.minor, back.vat.minor) == (-838, -167)
    _a_year_is_its_months(setting, tmp_path, period[:4])


def _a_year_is_its_months(setting: Setting, folder: Path, year: str) -> None:
    """Some are closed, some are open and shown by another chart."""
    income = {"commission_income": ("706100", "Commissions")}
    shown = replace(SHOWN, charts={**SHOWN.charts, "fec": {**SHOWN.charts["fec"], **income}})
    now = datetime.now(UTC)
    with setting.database.platform() as tx:
        months = [
            export(tx, Wanted(f"{year}-{month:02}", "fec"), folder, shown, now).file.read_bytes()
            for month in range(1, 13)
        ]
        whole = export(tx, Wanted(year, "fec"), folder, shown, now)
        with pytest.raises(DomainError, match="is no month"):
            export(tx, Wanted(year, "datev"), folder, shown, now)
    head = months[0].splitlines(keepends=True)[0]
    assert whole.file.name == f"123456789FEC{year}1231.txt"
    rows = [line for month in months for line in month.splitlines(keepends=True)[1:]]
    assert whole.file.read_bytes() == head + b"".join(rows)
    assert whole.entries == len(rows) > 0
    assert not whole.is_final
    numbers = {int(row.split(b"\t")[2]) for row in rows}
    assert numbers == set(range(1, len(numbers) + 1))


@pytest.mark.parametrize("rows_a_file", [1, 2, 99_997])
def test_a_german_file_that_is_full_goes_on_in_another(
    setting: Setting,
    merchant: SmallMerchant,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rows_a_file: int,
) -> None:
    with setting.database.platform() as tx:
        if rate_at(tx, "norden", datetime.now(UTC)) is None:
            record_rate(tx, "norden", 650, Treatment.DOMESTIC, "FR", valid_from=None)
    purchase_id = bought(setting, merchant)
    with setting.database.platform() as tx:
        booked = t.ledger_transaction.c.leg_id == t.leg.c.leg_id
        of_purchase = t.leg.c.purchase_id == purchase_id
        month = tx.execute(
            sa.select(t.ledger_transaction.c.period).where(booked, of_purchase).limit(1)
        ).scalar_one()
        now = datetime.now(UTC)
        whole = export(tx, Wanted(month, "datev"), tmp_path, SHOWN, now)
        head, names, *rows = whole.file.read_bytes().splitlines(keepends=True)
        monkeypatch.setitem(MOST_LINES, "datev", (2, 2 + rows_a_file))
        parts = export(tx, Wanted(month, "datev"), tmp_path, SHOWN, now)
    assert len(rows) >= 2
    assert len(parts.files) == -(-len(rows) // rows_a_file)
    assert parts.entries == whole.entries
    assert [each.file.name for each in parts.files][:2] == [
        f"EXTF_Buchungsstapel_{month}.csv", f"EXTF_Buchungsstapel_{month}_2.csv"
    ][: len(parts.files)]  # fmt: skip
    written = [each.file.read_bytes() for each in parts.files]
    assert [hashlib.sha256(each).hexdigest() for each in written] == [
        each.sha256 for each in parts.files
    ]
    lines = [each.splitlines(keepends=True) for each in written]
    assert all(each[:2] == [head, names] for each in lines)
    assert all(len(each) <= 2 + rows_a_file for each in lines)
    assert [row for each in lines for row in each[2:]] == rows


def test_a_file_for_accountants_does_not_open_the_page_of_the_order(
    setting: Setting, merchant: SmallMerchant, tmp_path: Path
) -> None:
    order = setting.order(bought(setting, merchant))
    named = order.order_ref[:PIECE_CHARACTERS]
    with setting.database.platform() as tx:
        statement = sa.select(t.ledger_transaction.c.period).where(
            t.ledger_transaction.c.leg_id == order.legs[0].leg.leg_id
        )
        month, now = tx.execute(statement.limit(1)).scalar_one(), datetime.now(UTC)
        for name in NAMES:
            wanted = Wanted(month, name, book="merchant:norden")
            content = export(tx, wanted, tmp_path, SHOWN, now).file.read_bytes()
            assert order.order_ref.encode() not in content
            assert named.encode() in content
        assert find_order(tx, named).purchase_id == order.purchase_id
        assert find_order(tx, order.order_ref).purchase_id == order.purchase_id
        for known in (named[:-1], "ord_", "", "ord_%", "ord_" + 12 * "%"):
            with pytest.raises(NotFound):
                find_order(tx, known)
    for known in (named, order.order_ref):
        assert setting.client().get(f"/order/{known}").status_code == 404


def test_a_file_in_euros_names_what_it_cannot_hold(
    setting: Setting, merchant: SmallMerchant, tmp_path: Path
) -> None:
    bought(setting, merchant)
    with setting.database.platform() as tx:
        tx.execute(
            sa.text(
                "INSERT INTO checkout.ledger_transaction SELECT 'led_usd', brand_id, leg_id, "
                "'in dollars', occurred_at FROM checkout.ledger_transaction LIMIT 1"
            )
        )
        tx.execute(
            sa.text(
                "INSERT INTO checkout.ledger_entry SELECT 'led_usd', n, brand_id, "
                "'platform:commission_income', 'USD', 2 * n - 1 "
                "FROM checkout.ledger_transaction, generate_series(0, 1) n "
                "WHERE transaction_id = 'led_usd'"
            )
        )
        month = tx.execute(
            sa.select(t.ledger_transaction.c.period).where(
                t.ledger_transaction.c.transaction_id == "led_usd"
            )
        ).scalar_one()
        now = datetime.now(UTC)
        for name in ("fec", "datev"):
            made = export(tx, Wanted(month, name), tmp_path, SHOWN, now)
            assert made.left_out == ("USD",)
            assert b"USD" not in made.file.read_bytes()
            with pytest.raises(DomainError, match="no rate for USD"):
                export(tx, Wanted(month, name, currency="USD"), tmp_path, SHOWN, now)
        whole = export(tx, Wanted(month, "csv"), tmp_path, SHOWN, now)
        assert whole.left_out == ()
        assert whole.file.read_bytes().count(b",USD\r\n") == 2


def _sums(database: Database, period: str) -> int:
    statement = (
        sa.select(sa.func.sum(t.ledger_entry.c.amount_minor))
        .join(
            t.ledger_transaction,
            t.ledger_transaction.c.transaction_id == t.ledger_entry.c.transaction_id,
        )
        .where(t.ledger_transaction.c.period == period, t.ledger_entry.c.amount_minor > 0)
    )
    with database.platform() as tx:
        return int(tx.execute(statement).scalar_one())


def _next(period: str) -> str:
    day = date.fromisoformat(f"{period}-01") + timedelta(days=31)
    return f"{day:%Y-%m}"


@pytest.mark.parametrize(
    "act",
    [
        "INSERT INTO checkout.ledger_transaction SELECT 'led_late', brand_id, leg_id, 'late', "
        "occurred_at, period FROM checkout.ledger_transaction LIMIT 1",
        "INSERT INTO checkout.ledger_entry SELECT transaction_id, 99, brand_id, account, currency, "
        "1 FROM checkout.ledger_entry LIMIT 1",
        "UPDATE checkout.ledger_entry SET amount_minor = 1",
        "DELETE FROM checkout.closed_period",
        "DELETE FROM checkout.ledger_transaction",
        "UPDATE checkout.commission_rate SET basis_points = 1",
        "TRUNCATE checkout.commission_invoice",
    ],
)
def test_the_database_keeps_a_closed_month_closed_to_its_owner_too(
    setting: Setting, merchant: SmallMerchant, act: str
) -> None:
    _close_all(setting, merchant)
    with (
        pytest.raises(sa.exc.DBAPIError, match=r"is closed|it is a record"),
        setting.database.engine.begin() as tx,
    ):
        tx.execute(sa.text(act))


def test_a_month_waits_for_the_bookings_that_are_under_way(
    setting: Setting, merchant: SmallMerchant
) -> None:
    _close_all(setting, merchant)
    with ThreadPoolExecutor(1) as pool, setting.database.platform() as tx:
        tx.execute(
            sa.text(
                "INSERT INTO checkout.ledger_transaction SELECT 'led_slow', brand_id, leg_id, "
                "'slow', occurred_at FROM checkout.ledger_transaction LIMIT 1"
            )
        )
        tx.execute(
            sa.text(
                "INSERT INTO checkout.ledger_entry SELECT 'led_slow', n, brand_id, 'platform:x', "
                "'EUR', 2 * n - 1 FROM checkout.ledger_transaction, generate_series(0, 1) n "
                "WHERE transaction_id = 'led_slow'"
            )
        )
        booked = sa.select(t.ledger_transaction.c.period).where(
            t.ledger_transaction.c.transaction_id == "led_slow"
        )
        month = tx.execute(booked).scalar_one()
        closing = pool.submit(closed, setting, month, datetime(2100, 1, 1, tzinfo=UTC))
        wait_for(lambda: _is_waiting(setting.database), 60)
        assert not closing.done()
        tx.commit()
        assert closing.result().transactions == 1
    with setting.database.platform() as tx:
        assert ledger_sha256(tx, month) == closing.result().ledger_sha256


def _is_waiting(database: Database) -> bool:
    """Somebody waits for an advisory lock in this database."""
    statement = sa.text(
        "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database d ON d.oid = database "
        "WHERE locktype = 'advisory' AND NOT granted AND datname = current_database())"
    )
    with database.engine.connect() as connection:
        return bool(connection.execute(statement).scalar_one())


def _close_all(setting: Setting, merchant: SmallMerchant) -> None:
    """Every month that has an entry is closed, and there is one."""
    with setting.database.platform() as tx:
        statement = sa.select(t.ledger_transaction.c.period).distinct()
        months = sorted(tx.execute(statement).scalars())
    if not months:
        bought(setting, merchant)
        _close_all(setting, merchant)
    for month in months:
        closed(setting, month, datetime(2100, 1, 1, tzinfo=UTC))
