"""Value added tax on what the platform sells to merchants: whose tax, at which rate. Pure.

A service to a business is taxed where the business is: at home by us, elsewhere in the Union by the
merchant itself (reverse charge), outside the Union not at all.
"""

from __future__ import annotations

import tomllib
from datetime import date
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files

from kernel.errors import DomainError


class Treatment(StrEnum):
    """Who owes the tax of a commission."""

    DOMESTIC = "domestic"  # we charge it
    REVERSE_CHARGE = "reverse_charge"  # the merchant owes it in its own country
    OUTSIDE = "outside"  # no tax of the Union


@lru_cache(maxsize=1)
def _rates() -> dict[str, dict[str, int]]:
    text = files("checkout.accounting").joinpath("vat_rates.toml").read_text("utf-8")
    return tomllib.loads(text)


def treatment_of(seller_country: str, merchant_country: str) -> Treatment:
    """How a commission is taxed. DomainError `vat_unknown` for a seller outside the Union."""
    if seller_country not in _rates():
        raise DomainError(
            "vat_unknown",
            f"The tax of a seller in {seller_country} is not known here.",
            hint="ACCOUNTS_COUNTRY is a country of the European Union.",
        )
    if merchant_country == seller_country:
        return Treatment.DOMESTIC
    return Treatment.REVERSE_CHARGE if merchant_country in _rates() else Treatment.OUTSIDE


def standard_rate(country: str, day: date) -> int:
    """The standard rate in basis points on a day. DomainError `vat_unknown` where none is known."""
    known = [(since, rate) for since, rate in _rates().get(country, {}).items()]
    begun = [(since, rate) for since, rate in known if date.fromisoformat(since) <= day]
    if not begun:
        raise DomainError("vat_unknown", f"No rate of tax is known for {country} on {day}.")
    return max(begun)[1]
