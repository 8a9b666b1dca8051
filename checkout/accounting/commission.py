"""What the platform earns: a share of the goods, at the rate on record, given back with a refund.

Rates are versions that never change. A capture books the commission with its tax; a refund gives
back the same share of it, so that a whole refund leaves nothing, to the cent, however many parts
it came in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from checkout import tables as t
from checkout.accounting.vat import Treatment, standard_rate
from kernel.db import Prepared, Transaction
from kernel.errors import DomainError
from kernel.money import Money

WHOLE = 10_000
"""Basis points of one."""
COMMISSION = "commission"

_AT = Prepared(
    t.commission_rate.select()
    .where(
        t.commission_rate.c.merchant_id == sa.bindparam("of_merchant"),
        t.commission_rate.c.valid_from <= sa.bindparam("moment"),
    )
    .order_by(t.commission_rate.c.version.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Rate:
    """A version of a merchant's rate; `vat_country` is set where we charge the tax."""

    merchant_id: str
    version: int
    basis_points: int
    treatment: Treatment
    vat_country: str | None
    valid_from: datetime


@dataclass(frozen=True, slots=True)
class Commission:
    """Amounts of one commission, before and of tax."""

    merchant_id: str
    net: Money
    vat: Money
    vat_country: str | None

    def entries(self) -> tuple[tuple[str, Money], ...]:
        """Account and amount, debits positive; nothing for a commission of nothing."""
        rows = (
            (f"platform:commission_receivable:{self.merchant_id}", self.net + self.vat),
            ("platform:commission_income", self.net * -1),
            (f"platform:vat_collected:{self.vat_country}", self.vat * -1),
        )
        return tuple((account, amount) for account, amount in rows if amount.minor)


def share(amount: int, part: int, whole: int) -> int:
    """`amount * part / whole`, rounded half up, exact: the whole part is the whole amount."""
    return (2 * amount * part + whole) // (2 * whole)


def commission_on(goods: Money, rate: Rate, moment: datetime) -> Commission:
    """What a capture of goods earns. Pure."""
    net = Money(share(goods.minor, rate.basis_points, WHOLE), goods.currency)
    country = rate.vat_country
    percent = 0 if country is None else standard_rate(country, moment.date())
    vat = Money(share(net.minor, percent, WHOLE), goods.currency)
    return Commission(rate.merchant_id, net, vat, country)


def given_back(earned: Commission, captured: int, before: int, after: int) -> Commission:
    """What of a commission goes back when the refunds of a capture grow. Pure."""

    def part(amount: Money) -> Money:
        grown = share(amount.minor, after, captured) - share(amount.minor, before, captured)
        return Money(-grown, amount.currency)

    return Commission(earned.merchant_id, part(earned.net), part(earned.vat), earned.vat_country)


def record_rate(
    tx: Transaction,
    merchant_id: str,
    basis_points: int,
    treatment: Treatment,
    vat_country: str | None,
    *,
    valid_from: datetime | None,
) -> Rate:
    """Put a new version of a merchant's rate on record. DomainError `rate_in_the_past`."""
    now = tx.execute(sa.select(sa.func.now())).scalar_one()
    begins = now if valid_from is None else valid_from
    if begins < now:
        raise DomainError("rate_in_the_past", "A rate begins now or later: what is booked stays.")
    of_merchant = t.commission_rate.c.merchant_id == merchant_id
    newest = sa.select(sa.func.coalesce(sa.func.max(t.commission_rate.c.version), 0))
    version = int(tx.execute(newest.where(of_merchant)).scalar_one()) + 1
    charged = vat_country if treatment is Treatment.DOMESTIC else None
    tx.execute(
        t.commission_rate.insert().values(
            merchant_id=merchant_id,
            version=version,
            basis_points=basis_points,
            vat_treatment=treatment,
            vat_country=charged,
            valid_from=begins,
            recorded_at=now,
        )
    )
    return Rate(merchant_id, version, basis_points, treatment, charged, begins)


def rates(tx: Transaction, merchant_id: str | None = None) -> list[Rate]:
    """Every version on record, the newest of a merchant first."""
    statement = t.commission_rate.select()
    if merchant_id is not None:
        statement = statement.where(t.commission_rate.c.merchant_id == merchant_id)
    rows = tx.execute(
        statement.order_by(t.commission_rate.c.merchant_id, t.commission_rate.c.version.desc())
    )
    return [_rate(row) for row in rows]


def rate_at(tx: Transaction, merchant_id: str, moment: datetime) -> Rate | None:
    """The rate in force at a moment; None for a merchant who pays no commission."""
    row = _AT.first(tx, {"of_merchant": merchant_id, "moment": moment})
    return None if row is None else _rate(row)


def _rate(row: Any) -> Rate:
    return Rate(
        row.merchant_id,
        row.version,
        row.basis_points,
        Treatment(row.vat_treatment),
        row.vat_country,
        row.valid_from,
    )


def earned_by(tx: Transaction, leg_id: str, merchant_id: str, currency: str) -> Commission | None:
    """The commission that was booked with the capture of a leg."""
    rows = tx.execute(
        sa.select(t.ledger_entry.c.account, t.ledger_entry.c.amount_minor)
        .join(
            t.ledger_transaction,
            t.ledger_transaction.c.transaction_id == t.ledger_entry.c.transaction_id,
        )
        .where(t.ledger_transaction.c.leg_id == leg_id, t.ledger_transaction.c.kind == COMMISSION)
    )
    booked: Mapping[str, int] = {row.account: row.amount_minor for row in rows}
    if not booked:
        return None
    taxes = [account for account in booked if account.startswith("platform:vat_collected:")]
    vat = -booked[taxes[0]] if taxes else 0
    return Commission(
        merchant_id,
        Money(-booked["platform:commission_income"], currency),
        Money(vat, currency),
        taxes[0].rpartition(":")[2] if taxes else None,
    )
