"""The merchant's own work at its Medusa shop: load sheets, change an article.

In: the sheets that the Oscar shop loads too (sku, title, price_minor, currency, stock, gtin,
description). An article that is known keeps its texts. Delivery prices are the shop's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import httpx2

from comptoir.merchant_medusa.install import MedusaInstallation
from kernel.errors import DomainError
from kernel.money import Money

CURRENCY = "EUR"
_BATCH = 40


class BackOffice:
    """The shop's admin API, by its secret key. Raises DomainError where it does not obey."""

    def __init__(self, url: str, installation: MedusaInstallation) -> None:
        self._ids = installation.accounts()
        self._http = httpx2.Client(
            base_url=url, auth=(self._ids["secret_key"], ""), timeout=120, trust_env=False
        )

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """The JSON of an answer. Amounts are given as `Money` and written as decimals."""
        try:
            content = None if body is None else _json(body)
            headers = {"Content-Type": "application/json"}
            answer = self._http.request(method, path, content=content, headers=headers)
        except httpx2.TransportError as error:
            raise DomainError("shop_command_failed", f"The shop is silent: {error}.") from error
        if answer.status_code != 200:
            raise DomainError(
                "shop_command_failed",
                f"The shop answered {answer.status_code}.",
                hint=answer.text[:2000],
            )
        return dict(answer.json())

    def load(self, sheets: Iterable[Mapping[str, Any]]) -> str:
        """Load sheets; the line that counts what was done."""
        rows = list(sheets)
        sold = [sheet for sheet in rows if sheet.get("currency") == CURRENCY]
        made = 0
        for start in range(0, len(sold), _BATCH):
            batch = sold[start : start + _BATCH]
            known = self._known([sheet["sku"] for sheet in batch])
            new = [sheet for sheet in batch if sheet["sku"] not in known]
            self._create(new)
            made += len(new)
            for sheet in batch:
                if sheet["sku"] in known:
                    self._change(known[sheet["sku"]], sheet["price_minor"], sheet.get("stock", 0))
        return f"{made} new, {len(sold) - made} known, {len(rows) - len(sold)} refused"

    def set_article(
        self, sku: str, *, price_minor: int, stock: int, others: Sequence[Money] = ()
    ) -> None:
        """Another price and another count of an article; `others` are other currencies' prices."""
        self._change(self._known([sku])[sku], price_minor, stock, others)

    def _change(
        self,
        variant: Mapping[str, Any],
        price_minor: int,
        stock: int,
        others: Sequence[Money] = (),
    ) -> None:
        self.call(
            "POST",
            f"/admin/products/{variant['product_id']}/variants/{variant['id']}",
            {"prices": [_price(each) for each in (Money(price_minor, CURRENCY), *others)]},
        )
        place = self._ids["stock_location"]
        self.call(
            "POST",
            f"/admin/inventory-items/{_inventory(variant)}/location-levels/{place}",
            {"stocked_quantity": stock},
        )

    def _create(self, sheets: Sequence[Mapping[str, Any]]) -> None:
        """New products, each with one article, counted at the one place that the shop has."""
        if not sheets:
            return
        products = [self._product(sheet) for sheet in sheets]
        self.call("POST", "/admin/products/batch", {"create": products})
        made = self._known([sheet["sku"] for sheet in sheets])
        levels = [
            {
                "inventory_item_id": _inventory(made[sheet["sku"]]),
                "location_id": self._ids["stock_location"],
                "stocked_quantity": sheet.get("stock", 0),
            }
            for sheet in sheets
        ]
        self.call("POST", "/admin/inventory-items/location-levels/batch", {"create": levels})

    def _product(self, sheet: Mapping[str, Any]) -> dict[str, Any]:
        variant = {
            "title": "-",
            "sku": sheet["sku"],
            "ean": sheet.get("gtin") or None,
            "manage_inventory": True,
            "options": {"Article": "-"},
            "prices": [_price(Money(sheet["price_minor"], CURRENCY))],
        }
        return {
            "title": sheet["title"],
            "handle": sheet["sku"].lower(),
            "description": sheet.get("description", ""),
            "status": "published",
            "shipping_profile_id": self._ids["shipping_profile"],
            "sales_channels": [{"id": self._ids["sales_channel"]}],
            "options": [{"title": "Article", "values": ["-"]}],
            "variants": [variant],
        }

    def _known(self, skus: Sequence[str]) -> dict[str, dict[str, Any]]:
        query = [("sku[]", sku) for sku in skus]
        query += [("limit", "100"), ("fields", "id,sku,product_id,inventory_items.*")]
        path = f"/admin/product-variants?{urlencode(query)}"
        return {row["sku"]: row for row in self.call("GET", path)["variants"]}


def _inventory(variant: Mapping[str, Any]) -> str:
    return str(variant["inventory_items"][0]["inventory_item_id"])


def _price(price: Money) -> dict[str, Any]:
    return {"amount": price, "currency_code": price.currency.lower()}


def _json(body: object) -> str:
    """JSON in which each `Money` is a number with exactly its decimals."""
    amounts: list[str] = []

    def mark(value: Money) -> str:
        amounts.append(value.plain())
        return f"\x00{len(amounts) - 1}\x00"

    text = json.dumps(body, default=mark)
    for number, amount in enumerate(amounts):
        text = text.replace(f'"\\u0000{number}\\u0000"', amount)
    return text
