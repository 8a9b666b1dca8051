"""The registry of merchants: who sells, under which terms, and how their feeds are to be read.

A source that speaks for several sellers (a marketplace, another comparison site) is a merchant
whose sellers are registered under it on the fly, as `source/seller`, up to a bounded count.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from kernel.db import Prepared, Transaction, sent_together
from kernel.errors import DomainError, NotFound
from kernel.ids import derived_id, slug
from kernel.money import Money, is_currency
from kernel.offer_terms import Execution
from mdm.product_view import Delivery
from mdm.taxonomy.memory import asked_categories
from mdm.taxonomy.placement import APPLIED_PERCENT, Remembered

MAX_SELLERS = 5000

_COLUMNS = (
    "merchant_id, name, country, website, languages, currency, execution, connector, "
    "connector_settings, returns_days, phone, source, decimal_mark, lifetime_days, "
    "default_delivery, speaks_for"
)
_READ = Prepared(
    sa.text(f"SELECT {_COLUMNS} FROM mdm.merchant WHERE merchant_id = :id")  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class Merchant:
    """A merchant. `decimal` is `.` or `,` where all its feeds keep to one; None: per price.

    `source` says how its offers come in (read by crawlers); its members `prices` (`optional`:
    offers without a price are shown without one), `max_vanished_percent` and `max_price_percent`
    are read here. `default_delivery` counts where an offer states no delivery to that country.
    """

    id: str
    name: str
    country: str
    website: str | None = None
    languages: tuple[str, ...] = ("en",)
    currency: str = "EUR"
    execution: Execution = Execution.LINK
    connector: str | None = None
    connector_settings: Mapping[str, str] = field(default_factory=dict)
    returns_days: int | None = None
    phone: str | None = None
    source: Mapping[str, Any] = field(default_factory=dict)
    decimal: str | None = None
    lifetime_days: int = 30
    default_delivery: tuple[Delivery, ...] = ()
    speaks_for: str | None = None
    categories: Remembered = field(default_factory=dict)
    """Where its categories belong, as far as that is known; see `read_source`."""

    @property
    def prices_are_optional(self) -> bool:
        """True where the source is known to carry no prices."""
        return self.source.get("prices") == "optional"


def register_merchant(tx: Transaction, merchant: Merchant) -> None:
    """Insert or replace. Refuses an id, currency or decimal mark that cannot be meant."""
    if merchant.speaks_for is None and merchant.id != slug(merchant.id):
        raise DomainError(
            "merchant_id", f"{merchant.id!r} is no merchant id", hint="Use a-z, 0-9 and hyphens."
        )
    if not is_currency(merchant.currency):
        raise DomainError("merchant_currency", f"{merchant.currency!r} is no ISO 4217 currency")
    if merchant.decimal not in (None, ".", ","):
        raise DomainError("merchant_decimal", "The decimal mark is a dot or a comma")
    tx.execute(
        sa.text(
            f"INSERT INTO mdm.merchant ({_COLUMNS}) VALUES (:id, :name, :country, :website, "  # noqa: S608
            ":languages, :currency, :execution, :connector, CAST(:connector_settings AS jsonb), "
            ":returns_days, :phone, CAST(:source AS jsonb), :decimal, :lifetime_days, "
            "CAST(:default_delivery AS jsonb), :speaks_for) "
            "ON CONFLICT (merchant_id) DO UPDATE SET (name, country, website, languages, currency, "
            "execution, connector, connector_settings, returns_days, phone, source, decimal_mark, "
            "lifetime_days, default_delivery) = (EXCLUDED.name, EXCLUDED.country, "
            "EXCLUDED.website, EXCLUDED.languages, EXCLUDED.currency, EXCLUDED.execution, "
            "EXCLUDED.connector, EXCLUDED.connector_settings, EXCLUDED.returns_days, "
            "EXCLUDED.phone, EXCLUDED.source, EXCLUDED.decimal_mark, EXCLUDED.lifetime_days, "
            "EXCLUDED.default_delivery)"
        ),
        _as_row(merchant),
    )
    # Offers that state no end of their own live on as long as the merchant's offers do now.
    tx.execute(
        sa.text(
            "UPDATE mdm.offer SET expires_at = confirmed_at + make_interval(days => :days) "
            "WHERE source_id = :id AND valid_until IS NULL "
            "AND expires_at <> confirmed_at + make_interval(days => :days)"
        ),
        {"id": merchant.id, "days": merchant.lifetime_days},
    )


def read_merchant(tx: Transaction, merchant_id: str) -> Merchant:
    """The merchant; NotFound when it was never registered."""
    return _known(_READ.first(tx, {"id": merchant_id}), merchant_id)


def read_source(tx: Transaction, merchant_id: str) -> Merchant:
    """The merchant with what is known of its categories: what its offers are read by."""
    with sent_together(tx):
        asked = asked_sources(tx, [merchant_id])
    return asked()[merchant_id]


def asked_sources(
    tx: Transaction, merchant_ids: Iterable[str]
) -> Callable[[], dict[str, Merchant]]:
    """The same of several by id, asked for now and read when it is called: for statements that are
    sent together."""
    asked = {
        each: (
            _READ.asked(tx, {"id": each}),
            asked_categories(tx, each, least_percent=APPLIED_PERCENT),
        )
        for each in merchant_ids
    }
    return lambda: {
        each: replace(_known(row.fetchone(), each), categories=categories())
        for each, (row, categories) in asked.items()
    }


def list_merchants(tx: Transaction, *, sellers: bool = True) -> list[Merchant]:
    """All merchants by id; `sellers=False` leaves out those that another source speaks for."""
    where = "" if sellers else "WHERE speaks_for IS NULL "
    rows = tx.execute(
        sa.text(f"SELECT {_COLUMNS} FROM mdm.merchant {where}ORDER BY merchant_id")  # noqa: S608
    )
    return [_from_row(row) for row in rows]


def seller_id(source_id: str, seller: str) -> str:
    """`source/seller`, the same for every spelling that differs only in case and punctuation."""
    return f"{source_id}/{slug(seller, limit=40) or derived_id('s', seller)}"


def register_sellers(tx: Transaction, source: Merchant, names: Iterable[str]) -> frozenset[str]:
    """Make merchants of the sellers a source names. Returns the ids known afterwards.

    Sellers beyond MAX_SELLERS are left out: their offers are to be refused.
    """
    known = _sellers_of(tx, source.id)
    for name in sorted(set(names)):
        identity = seller_id(source.id, name)
        if identity not in known and len(known) < MAX_SELLERS:
            register_merchant(tx, _seller(source, identity, name))
            known.add(identity)
    return frozenset(known)


def _sellers_of(tx: Transaction, source_id: str) -> set[str]:
    statement = sa.text("SELECT merchant_id FROM mdm.merchant WHERE speaks_for = :id")
    return set(tx.execute(statement, {"id": source_id}).scalars())


def _seller(source: Merchant, identity: str, name: str) -> Merchant:
    return Merchant(
        id=identity,
        name=name[:120],
        country=source.country,
        languages=source.languages,
        currency=source.currency,
        decimal=source.decimal,
        lifetime_days=source.lifetime_days,
        source={"prices": "optional"} if source.prices_are_optional else {},
        speaks_for=source.id,
    )


def delivery_as_json(rows: Iterable[Delivery]) -> list[dict[str, Any]]:
    """Stored form of deliveries."""
    return [
        {
            "country": row.country,
            "price": row.price.as_json(),
            "service": row.service,
            "days_min": row.days_min,
            "days_max": row.days_max,
        }
        for row in rows
    ]


def delivery_from_json(rows: Iterable[Mapping[str, Any]]) -> tuple[Delivery, ...]:
    """Inverse of `delivery_as_json`."""
    return tuple(Delivery(**{**row, "price": Money.from_json(row["price"])}) for row in rows)


def _as_row(merchant: Merchant) -> dict[str, Any]:
    return {
        "id": merchant.id,
        "name": merchant.name,
        "country": merchant.country,
        "website": merchant.website,
        "languages": list(merchant.languages),
        "currency": merchant.currency,
        "execution": merchant.execution.value,
        "connector": merchant.connector,
        "connector_settings": json.dumps(dict(merchant.connector_settings)),
        "returns_days": merchant.returns_days,
        "phone": merchant.phone,
        "source": json.dumps(dict(merchant.source)),
        "decimal": merchant.decimal,
        "lifetime_days": merchant.lifetime_days,
        "default_delivery": json.dumps(delivery_as_json(merchant.default_delivery)),
        "speaks_for": merchant.speaks_for,
    }


def _known(row: Any, merchant_id: str) -> Merchant:
    if row is None:
        raise NotFound("merchant_unknown", f"No merchant is called {merchant_id!r}")
    return _from_row(row)


def _from_row(row: Any) -> Merchant:
    return Merchant(
        id=row.merchant_id,
        name=row.name,
        country=row.country,
        website=row.website,
        languages=tuple(row.languages),
        currency=row.currency,
        execution=Execution(row.execution),
        connector=row.connector,
        connector_settings=row.connector_settings,
        returns_days=row.returns_days,
        phone=row.phone,
        source=row.source,
        decimal=row.decimal_mark,
        lifetime_days=row.lifetime_days,
        default_delivery=delivery_from_json(row.default_delivery),
        speaks_for=row.speaks_for,
    )
