"""The merchants' own description files: who they are, how offers arrive, how orders are executed.

In: merchants/*.toml. Out: `Merchant`; `source` is the table as written, for the feed reader.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from kernel.offer_terms import Execution


@dataclass(frozen=True, slots=True)
class Merchant:
    """A merchant as its file describes it. Delivery in cents, by parcel size and country."""

    id: str
    name: str
    company: str
    website: str
    country: str
    languages: tuple[str, ...]
    customer_phone: str
    returns_days: int
    source: Mapping[str, Any]
    execution: Execution
    connector: str | None
    delivery: Mapping[str, Mapping[str, Any]]

    def delivery_for(self, parcel: str, price_minor: int) -> dict[str, int]:
        """Delivery by country for one article, in cents; free above the merchant's threshold."""
        free = self.delivery.get("free_above", {})
        return {
            country: 0
            if parcel in free.get("parcels", ()) and price_minor >= free.get(country, 10**9)
            else int(minor)
            for country, minor in self.delivery[parcel].items()
        }


def _merchant(row: Mapping[str, Any]) -> Merchant:
    return Merchant(
        id=row["id"],
        name=row["name"],
        company=row["company"],
        website=row["website"],
        country=row["country"],
        languages=tuple(row["languages"]),
        customer_phone=row["customer_phone"],
        returns_days=int(row["returns_days"]),
        source=row["source"],
        execution=Execution(row["orders"]["execution"]),
        connector=row["orders"].get("connector"),
        delivery=row["delivery"],
    )


@lru_cache(maxsize=1)
def merchants() -> Mapping[str, Merchant]:
    """All merchants by id, ordered by id."""
    folder = files("comptoir.demo_market").joinpath("merchants")
    found = [
        _merchant(tomllib.loads(entry.read_text("utf-8")))
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    ]
    return {merchant.id: merchant for merchant in found}
