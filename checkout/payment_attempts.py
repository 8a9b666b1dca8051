"""How often one may try to pay: by purchases made, and by purchases that were not paid.

Whoever tries stolen card numbers makes many purchases whose payments fail: refused, or given up at
the provider's page before it has said so. After some of them the next has to wait. Asked only where
a click would make a new purchase: a repeated click, an order, its payment and its cancelling are
never refused here. Nothing of the caller is put in the database; which purchases a caller has made
is remembered for an hour in the short memory, and what became of them is read where it is true.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

import sqlalchemy as sa

from checkout import tables as t
from kernel.cache import Cache, MemoryCache
from kernel.db import Prepared, Transaction
from kernel.errors import DomainError
from tenants.call_limits import CallLimits, Limit

PURCHASES_S = 600
UNPAID_S = 3600
# A caller may be an office or a street; a basket is one buyer's.
_BASKETS_PART = 4
_REMEMBERED = 1_000
_UNPAID = Prepared(
    sa.select(t.purchase.c.created_at)
    .where(
        t.purchase.c.purchase_id == sa.any_(sa.bindparam("made", type_=sa.ARRAY(sa.Text))),
        t.purchase.c.created_at > sa.bindparam("since", type_=t.Moment),
        ~sa.exists().where(
            t.leg.c.purchase_id == t.purchase.c.purchase_id,
            t.leg.c.authorised_minor > 0,
        ),
    )
    .order_by(t.purchase.c.created_at.desc())
)
_one_at_a_time = Lock()


class TooManyPurchases(DomainError):
    """More purchases than one caller or basket may make in so short a time."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            "too_many_purchases",
            "More orders were started from here than we take in so short a time.",
            hint="Try again in about %(minutes)s min. This click ordered nothing; orders placed "
            "before stand as they are.",
            status=429,
            values={"minutes": -(-retry_after_s // 60)},
        )
        self.retry_after_s = retry_after_s


class TooManyUnpaid(DomainError):
    """Too many purchases of one caller or basket were not paid."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            "too_many_unpaid_purchases",
            "Several orders from here were not paid, so the next one has to wait: this protects "
            "people whose cards were stolen.",
            hint="Try again in about %(minutes)s min. This click ordered nothing; orders placed "
            "before stand as they are.",
            status=429,
            values={"minutes": -(-retry_after_s // 60)},
        )
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class _Who:
    """A caller or a basket: its name in the memory, and what it may do."""

    name: str
    purchases: Limit
    unpaid: int


@dataclass(frozen=True, slots=True)
class Tried:
    """What a caller and a basket have tried so far."""

    limits: CallLimits
    memory: Cache
    whose: Sequence[_Who]
    made: Sequence[tuple[str, ...]]
    keeps: bool

    def refusal(self, tx: Transaction, now: datetime) -> DomainError | None:
        """Why another purchase has to wait, if it has to; counts nothing."""
        since = now - timedelta(seconds=UNPAID_S)
        for who, made in zip(self.whose, self.made, strict=True):
            wait_s = self.limits.full_s(who.purchases, who.name)
            if wait_s:
                return TooManyPurchases(wait_s)
            if not who.unpaid or len(made) < who.unpaid:
                continue
            unpaid = _UNPAID.all(tx, {"made": list(made), "since": since})
            if len(unpaid) >= who.unpaid:
                # There is room again when the oldest of the newest ones is an hour old.
                until = unpaid[who.unpaid - 1].created_at + timedelta(seconds=UNPAID_S)
                wait_s = int((until - now).total_seconds()) + 1
                return TooManyUnpaid(min(max(1, wait_s), UNPAID_S))
        return None

    def count(self) -> None:
        """Count a purchase that is about to be made. Raises TooManyPurchases."""
        for who in self.whose:
            wait_s = self.limits.wait_s(who.purchases, who.name)
            if wait_s:
                raise TooManyPurchases(wait_s)

    def remember(self, purchase_id: str) -> None:
        """Note whose purchase it is."""
        for who in self.whose if self.keeps else ():
            # Two processes may note at once, and one note is lost: purchases are limited as well.
            with _one_at_a_time:
                made = (*_read(self.memory, who), purchase_id)[-_REMEMBERED:]
                self.memory.put(_key(who), " ".join(made).encode(), keep_ms=UNPAID_S * 1000)


def purchase_memory(shared: Cache | None = None) -> Cache:
    """Where it is remembered whose purchases are whose: Redis, or this process, in a memory that
    hot answers of the search cannot push them out of."""
    if shared is not None and shared.shared:
        return shared
    return MemoryCache(entries=32_768, most_bytes=16 << 20)


@dataclass(frozen=True, slots=True)
class PaymentAttempts:
    """`purchases` in ten minutes and `unpaid` in an hour for a caller; 0: no limit.

    A basket has a quarter of it.
    """

    limits: CallLimits
    purchases: int = 0
    unpaid: int = 0
    memory: Cache = field(default_factory=purchase_memory)

    def caller(self, brand_id: str, host: str) -> str | None:
        """The name that an address is counted by."""
        return self.limits.caller(brand_id, host)

    def of(self, caller: str | None, basket_id: str | None) -> Tried:
        """What these have tried. None is not counted."""
        whose = []
        if caller is not None:
            limit = Limit("purchases", self.purchases, PURCHASES_S)
            whose.append(_Who(caller, limit, self.unpaid))
        if basket_id is not None:
            limit = Limit("basket's purchases", _part(self.purchases), PURCHASES_S)
            whose.append(_Who(basket_id, limit, _part(self.unpaid)))
        keeps = self.unpaid > 0
        made = [_read(self.memory, who) if keeps else () for who in whose]
        return Tried(self.limits, self.memory, whose, made, keeps)


def _part(number: int) -> int:
    """A basket's part; of a limit something is always left."""
    return max(1, number // _BASKETS_PART) if number else 0


def _key(who: _Who) -> str:
    return f"purchases of {who.name}"


def _read(memory: Cache, who: _Who) -> tuple[str, ...]:
    return tuple((memory.get(_key(who)) or b"").decode().split())


UNLIMITED = PaymentAttempts(CallLimits(MemoryCache(), b""))
