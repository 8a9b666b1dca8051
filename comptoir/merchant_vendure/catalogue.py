"""The merchant's own work at its Vendure shop: load sheets, change an article.

In: the sheets that the Oscar shop loads too (sku, title, price_minor, currency, stock, gtin,
description). Loading again changes only what differs. Delivery prices are the shop's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import httpx2

from kernel.errors import DomainError

CURRENCY = "EUR"
_BATCH = 20
_LOGIN = """mutation ($username: String!, $password: String!) {
  login(username: $username, password: $password) { __typename }
}"""
_KNOWN = """query ($skus: [String!]!) {
  productVariants(options: {filter: {sku: {in: $skus}}, take: 100}) { items { id sku } }
}"""
_CREATE = (
    "mutation ($rows: [CreateProductVariantInput!]!) { createProductVariants(input: $rows) { id } }"
)
_UPDATE = (
    "mutation ($rows: [UpdateProductVariantInput!]!) { updateProductVariants(input: $rows) { id } }"
)


class BackOffice:
    """The shop's admin API, as one of its people. Raises DomainError where it does not obey."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self._http = httpx2.Client(base_url=url, timeout=60, trust_env=False)
        try:
            answer = self._post(_LOGIN, {"username": username, "password": password})
        except DomainError:
            self._http.close()
            raise
        token = answer.headers.get("vendure-auth-token")
        if not token:
            self._http.close()
            raise DomainError("shop_login_failed", f"The shop at {url} does not know {username}.")
        self._http.headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def call(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The data of a document's answer."""
        body = self._post(document, variables or {}).json()
        if body.get("errors") or not body.get("data"):
            raise DomainError("shop_command_failed", "The shop refused.", hint=str(body)[:2000])
        return dict(body["data"])

    def load(self, sheets: Iterable[Mapping[str, Any]]) -> str:
        """Load sheets; the line that counts what was done."""
        rows = list(sheets)
        sold = [sheet for sheet in rows if sheet.get("currency") == CURRENCY]
        made = 0
        for start in range(0, len(sold), _BATCH):
            made += self._load_batch(sold[start : start + _BATCH])
        return f"{made} new, {len(sold) - made} known, {len(rows) - len(sold)} refused"

    def set_article(self, sku: str, *, price_minor: int, stock: int) -> None:
        """Another price and another count of an article that is on sale."""
        row = {"id": self._known([sku])[sku], "price": price_minor, "stockOnHand": stock}
        self.call(_UPDATE, {"rows": [row]})

    def _load_batch(self, sheets: Sequence[Mapping[str, Any]]) -> int:
        known = self._known([sheet["sku"] for sheet in sheets])
        new = [sheet for sheet in sheets if sheet["sku"] not in known]
        if new:
            products = self._products(new)
            rows = [
                {"productId": products[number], "sku": sheet["sku"], **_variant(sheet)}
                for number, sheet in enumerate(new)
            ]
            self.call(_CREATE, {"rows": rows})
        changed = [
            {"id": known[sheet["sku"]], **_variant(sheet)}
            for sheet in sheets
            if sheet["sku"] in known
        ]
        if changed:
            self.call(_UPDATE, {"rows": changed})
        return len(new)

    def _products(self, sheets: Sequence[Mapping[str, Any]]) -> list[str]:
        """A new product for each sheet; their ids, in order."""
        variables = {
            f"p{number}": {
                "translations": [
                    {
                        "languageCode": "fr",
                        "name": sheet["title"],
                        "slug": sheet["sku"].lower(),
                        "description": sheet.get("description", ""),
                    }
                ]
            }
            for number, sheet in enumerate(sheets)
        }
        declared = ", ".join(f"${name}: CreateProductInput!" for name in variables)
        fields = " ".join(f"{name}: createProduct(input: ${name}) {{ id }}" for name in variables)
        data = self.call(f"mutation ({declared}) {{ {fields} }}", variables)
        return [data[name]["id"] for name in variables]

    def _known(self, skus: Sequence[str]) -> dict[str, str]:
        items = self.call(_KNOWN, {"skus": list(skus)})["productVariants"]["items"]
        return {item["sku"]: item["id"] for item in items}

    def _post(self, document: str, variables: Mapping[str, Any]) -> httpx2.Response:
        try:
            answer = self._http.post(
                "/admin-api", json={"query": document, "variables": dict(variables)}
            )
        except httpx2.TransportError as error:
            raise DomainError("shop_command_failed", f"The shop is silent: {error}.") from error
        if answer.status_code != 200:
            raise DomainError(
                "shop_command_failed",
                f"The shop answered {answer.status_code}.",
                hint=answer.text[:2000],
            )
        return answer


def _variant(sheet: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "translations": [{"languageCode": "fr", "name": sheet["title"]}],
        "price": sheet["price_minor"],
        "stockOnHand": sheet.get("stock", 0),
        "customFields": {"gtin": sheet.get("gtin") or None},
    }
