"""A merchant's TOML: who it is, how its offers come in, how orders reach it.

In: a file. Out: the `Merchant` that mdm keeps, whose `source` is the `[source]` table. Errors name
the file, the key and what is expected there.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from crawlers import formats
from crawlers.feed_options import FeedOptions
from crawlers.formats.csv_mapping import options_of
from kernel.errors import DomainError
from kernel.ids import slug
from kernel.money import Money, is_currency
from kernel.offer_terms import Execution
from mdm.merchants import Merchant
from mdm.product_view import Delivery

# Names of ways in, as merchants write them, beside the feed formats themselves.
FORMAT_NAMES = {"csv": "csv_mapping", "google_csv": "google_table", "google_tsv": "google_table"}
WAYS_WITHOUT_FILE = frozenset({"push", "json_ld"})


def read_merchant_file(path: Path) -> Merchant:
    """The merchant of a TOML file."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DomainError("merchant_file", f"{path.name}: {error}") from error
    return merchant_of(document, path.name)


def merchant_of(document: Mapping[str, Any], where: str) -> Merchant:
    """The merchant of a parsed document; `where` is named in errors."""
    source = _table(document, "source", where)
    orders = _table(document, "orders", where)
    currency = _text(source, "currency", f"{where}: [source]") or "EUR"
    if not is_currency(currency):
        raise _wrong(where, "source.currency", "an ISO 4217 code such as EUR")
    execution = _text(orders, "execution", f"{where}: [orders]") or Execution.LINK.value
    if execution not in set(Execution):
        raise _wrong(where, "orders.execution", f"one of {', '.join(Execution)}")
    merchant = Merchant(
        id=_identity(document, where),
        name=_required(document, "name", where),
        country=_country(document, where),
        website=_text(document, "website", where),
        languages=_languages(document, where),
        currency=currency,
        execution=Execution(execution),
        connector=_text(orders, "connector", f"{where}: [orders]"),
        connector_settings=_settings(orders, where),
        returns_days=_count(document, "returns_days", where),
        phone=_text(document, "customer_phone", where) or _text(document, "phone", where),
        source=source,
        decimal=_text(source, "decimal", f"{where}: [source]"),
        lifetime_days=_count(document, "lifetime_days", where) or 30,
        default_delivery=_default_delivery(document, currency, where),
    )
    feed_format(merchant)
    feed_options(merchant)
    return merchant


def feed_format(merchant: Merchant) -> str | None:
    """Name of the format module the source declares; None: to be recognised from the file."""
    name = merchant.source.get("format")
    if name is None or name in WAYS_WITHOUT_FILE:
        return None
    known = {*formats.all_formats(), *FORMAT_NAMES}
    if name not in known:
        expected = ", ".join(sorted(known | WAYS_WITHOUT_FILE))
        raise _wrong(merchant.id, "source.format", f"one of {expected}")
    return FORMAT_NAMES.get(str(name), str(name))


def feed_options(merchant: Merchant) -> FeedOptions:
    """How to read the merchant's feeds where they are silent."""
    defaults = FeedOptions(
        currency=merchant.currency,
        country=merchant.country,
        language=merchant.languages[0] if len(merchant.languages) == 1 else None,
        decimal=merchant.decimal,
    )
    return options_of(merchant.source, merchant.id, defaults)


def source_url(merchant: Merchant, base_url: str | None = None) -> str:
    """Address of the source: `url`, or `path` below `base_url` or the merchant's website."""
    url = merchant.source.get("url")
    if isinstance(url, str) and url:
        return url
    path, base = merchant.source.get("path"), base_url or merchant.website
    if isinstance(path, str) and path and base:
        return urljoin(base, path)
    raise _wrong(merchant.id, "source.url", "the address of the feed")


def _identity(document: Mapping[str, Any], where: str) -> str:
    identity = _required(document, "id", where)
    if identity != slug(identity):
        raise _wrong(where, "id", "lower-case letters, digits and hyphens")
    return identity


def _country(document: Mapping[str, Any], where: str) -> str:
    country = _required(document, "country", where)
    if not (len(country) == 2 and country.isascii() and country.isupper()):
        raise _wrong(where, "country", "an ISO 3166 code of two capitals, such as FR")
    return country


def _languages(document: Mapping[str, Any], where: str) -> tuple[str, ...]:
    value = document.get("languages", ["en"])
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise _wrong(where, "languages", 'a list of codes, such as ["fr"]')
    return tuple(value)


def _settings(orders: Mapping[str, Any], where: str) -> dict[str, str]:
    settings = _table(orders, "settings", f"{where}: [orders]")
    return {key: str(value) for key, value in settings.items()}


def _default_delivery(
    document: Mapping[str, Any], currency: str, where: str
) -> tuple[Delivery, ...]:
    """`[default_delivery]`: country = price in minor units."""
    table = _table(document, "default_delivery", where)
    rows = []
    for country, minor in table.items():
        if isinstance(minor, bool) or not isinstance(minor, int) or minor < 0:
            raise _wrong(where, f"default_delivery.{country}", "a whole number of minor units")
        rows.append(Delivery(country=country, price=Money(minor, currency)))
    return tuple(rows)


def _table(document: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise _wrong(where, key, "a table")
    return value


def _required(document: Mapping[str, Any], key: str, where: str) -> str:
    value = _text(document, key, where)
    if value is None:
        raise _wrong(where, key, "a text")
    return value


def _text(document: Mapping[str, Any], key: str, where: str) -> str | None:
    value = document.get(key)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise _wrong(where, key, "a text")
    return value


def _count(document: Mapping[str, Any], key: str, where: str) -> int | None:
    value = document.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise _wrong(where, key, "a whole number")
    return value


def _wrong(where: str, key: str, expected: str) -> DomainError:
    return DomainError("merchant_file", f"{where}: {key}: expected {expected}")
