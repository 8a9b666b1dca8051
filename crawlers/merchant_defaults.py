"""A merchant for a feed that nobody described: its country and currency as the feed suggests.

In: the first records of the feed. Out: a `Merchant` that only links, to be replaced by a TOML.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from kernel.ids import slug
from mdm.merchants import Merchant
from mdm.raw_offer import RawOffer

# Country of a top-level domain or of a carrier that delivers there -> (currency, language).
COUNTRIES = {
    "FR": ("EUR", "fr"), "DE": ("EUR", "de"), "AT": ("EUR", "de"), "BE": ("EUR", "fr"),
    "CH": ("CHF", "de"), "IT": ("EUR", "it"), "ES": ("EUR", "es"), "NL": ("EUR", "nl"),
    "SK": ("EUR", "sk"), "CZ": ("CZK", "cs"), "PL": ("PLN", "pl"), "GB": ("GBP", "en"),
    "HU": ("HUF", "hu"), "RO": ("RON", "ro"), "GR": ("EUR", "el"), "PT": ("EUR", "pt"),
    "DK": ("DKK", "da"), "SE": ("SEK", "sv"), "IE": ("EUR", "en"), "LU": ("EUR", "fr"),
    "US": ("USD", "en"),
}  # fmt: skip
DOMAINS = {"uk": "GB", **{country.lower(): country for country in COUNTRIES}}
CARRIERS = {
    "CESKA_POSTA": "CZ", "ZASILKOVNA": "CZ", "SLOVENSKA_POSTA": "SK", "SLOVENSKA": "SK",
    "COLISSIMO": "FR", "MAGYAR_POSTA": "HU",
}  # fmt: skip
FALLBACK = "FR"


def described_by(
    merchant_id: str, offers: Iterable[RawOffer], source: Mapping[str, Any]
) -> Merchant:
    """A merchant called `merchant_id`. What the source table states goes before what is guessed."""
    sample = list(offers)
    country = str(source.get("country") or _commonest(map(_country_of, sample)) or FALLBACK)
    currency, language = COUNTRIES.get(country, ("EUR", "en"))
    own_currency = source.get("currency") or _commonest(map(stated_currency, sample))
    own_language = source.get("language") or _commonest(each.language for each in sample)
    host = _commonest(urlsplit(each.url or "").hostname for each in sample)
    return Merchant(
        id=slug(merchant_id),
        name=merchant_id,
        country=country,
        website=f"https://{host}" if host else None,
        languages=(str(own_language or language),),
        currency=str(own_currency or currency),
        decimal=source.get("decimal"),
        source=source,
    )


def _commonest(values: Iterable[str | None]) -> str | None:
    counts = Counter(value for value in values if value)
    return counts.most_common(1)[0][0] if counts else None


def _country_of(offer: RawOffer) -> str | None:
    for row in offer.delivery:
        if row.country and row.country.upper() in COUNTRIES:
            return row.country.upper()
        if row.service and row.service.upper() in CARRIERS:
            return CARRIERS[row.service.upper()]
    host = urlsplit(offer.url or "").hostname or ""
    return DOMAINS.get(host.rpartition(".")[2])


def stated_currency(offer: RawOffer) -> str | None:
    """A code stated with the price: `15.00 EUR`, `EUR 15.00`."""
    from kernel.money import is_currency

    if offer.currency:
        return offer.currency
    words = (offer.price or "").upper().split()
    return next((word for word in words if is_currency(word)), None)
