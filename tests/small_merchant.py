"""A small merchant with a system of its own, over real HTTP: quick enough for hundreds of orders.

It keeps the contract of the connector port: a handle makes at most one order, a total other than
the one expected is refused. Answers can be lost after the effect, and stock and prices changed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from checkout.merchant_connectors.port import (
    DeliveryOption,
    Destination,
    LineStatus,
    MerchantQuote,
    OrderRequest,
    OrderStatus,
    PlacedOrder,
    QuotedLine,
    QuoteLine,
)
from checkout.outcomes import NoAnswer, OutcomeUnknown, Refused
from checkout.peer_http import AnswerLost, NeverSent, PeerClient, PeerLimits
from kernel.money import Money
from tests.little_server import Answering, LittleServer


@dataclass
class Article:
    """What is sold: price in minor units, pieces in stock; `is_kept`: orders for it are refused."""

    price: int
    stock: int
    is_kept: bool = False


@dataclass
class SmallMerchant:
    """The merchant's system. `lose` names calls whose next answers are lost after their effect;
    of those in `dies_before` the next one has no effect either.
    """

    currency: str = "EUR"
    delivery: dict[str, int] = field(default_factory=lambda: {"post": 490, "express": 990})
    articles: dict[str, Article] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    lose: dict[str, int] = field(default_factory=dict)
    dies_before: set[str] = field(default_factory=set)
    is_down: bool = False
    _handles: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        merchant = self

        class Handler(Answering):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = json.loads(self.taken())
                name = self.path.strip("/")
                if merchant.is_down or name in merchant.dies_before:
                    merchant.dies_before.discard(name)
                    self.close_connection = True
                    return
                with merchant._lock:
                    merchant.calls.append(name)
                    status, answer = getattr(merchant, f"_{name}")(body)
                    is_lost = merchant.lose.get(name, 0) > 0
                    merchant.lose[name] = merchant.lose.get(name, 0) - int(is_lost)
                if is_lost:
                    self.close_connection = True
                    return
                raw = json.dumps(answer).encode()
                self.reply(status, raw, {"Content-Type": "application/json"})

        self._server = LittleServer(Handler)
        self.url = self._server.url

    def close(self) -> None:
        """Stop serving."""
        self._server.close()

    def connector(self) -> SmallMerchantConnector:
        """A connector to it."""
        return SmallMerchantConnector(self.url, self.currency)

    def _quote(self, body: Any) -> tuple[int, Any]:
        lines = []
        for sku, quantity in body["lines"]:
            article = self.articles.get(sku)
            lines.append(
                {
                    "sku": sku,
                    "quantity": quantity,
                    "price": None if article is None else article.price,
                    "stock": None if article is None else article.stock,
                }
            )
        delivers = body["country"] in {"FR", "DE", "BE"}
        return 200, {"lines": lines, "delivery": self.delivery if delivers else {}}

    def _prepare(self, body: Any) -> tuple[int, Any]:
        for sku, quantity in body["lines"]:
            if sku not in self.articles or self.articles[sku].stock < quantity:
                return 409, {"code": "out_of_stock"}
        self._handles += 1
        return 200, {"handle": f"h{self._handles}"}

    def _place(self, body: Any) -> tuple[int, Any]:
        known = self.orders.get(body["handle"])
        if known is not None:
            return 200, known
        total = self.delivery[body["delivery"]]
        for sku, quantity in body["lines"]:
            if self.articles[sku].is_kept or self.articles[sku].stock < quantity:
                return 409, {"code": "out_of_stock"}
            total += self.articles[sku].price * quantity
        if total != body["total"]:
            return 409, {"code": "total_changed"}
        for sku, quantity in body["lines"]:
            self.articles[sku].stock -= quantity
        order = {
            "number": f"M-{1000 + len(self.orders)}",
            "reference": body["reference"],
            "total": total,
            "status": "placed",
        }
        self.orders[body["handle"]] = order
        return 200, order

    def _stock(self, body: Any) -> tuple[int, Any]:
        """A till in the shop has sold the rest, or new pieces have come in."""
        self.articles[body["sku"]].stock = body["stock"]
        return 200, {}

    def _ship(self, body: Any) -> tuple[int, Any]:
        """What was ordered under a reference leaves the house, unless it was given up."""
        for order in self.orders.values():
            if order["reference"] == body["reference"] and order["status"] == "placed":
                order["status"] = "shipped"
        return 200, {}

    def _status(self, body: Any) -> tuple[int, Any]:
        found = [row for row in self.orders.values() if row["number"] == body["number"]]
        return (200, found[0]) if found else (409, {"code": "order_unknown"})

    def _cancel(self, body: Any) -> tuple[int, Any]:
        status, order = self._status(body)
        if status != 200 or order["status"] == "cancelled":
            return status, order
        if order["status"] == "shipped":
            return 409, {"code": "too_late"}
        order["status"] = "cancelled"
        return 200, order

    def _find(self, body: Any) -> tuple[int, Any]:
        return 200, self.orders.get(body["handle"])


class SmallMerchantConnector:
    """The port over that small protocol."""

    def __init__(self, url: str, currency: str) -> None:
        self._peer = PeerClient(url, limits=PeerLimits(silence_s=3, whole_s=5))
        self._currency = currency

    def quote(self, lines: Sequence[QuoteLine], destination: Destination) -> MerchantQuote:
        body = {"lines": _pairs(lines), "country": destination.country}
        answer = self._call("quote", body, changes=False)
        quoted = tuple(self._line(row) for row in answer["lines"])
        amounts = [
            line.unit_price * line.quantity
            for line in quoted
            if line.unit_price is not None and line.status is LineStatus.OK
        ]
        return MerchantQuote(
            lines=quoted,
            goods_total=sum(amounts[1:], start=amounts[0]) if amounts else None,
            delivery=tuple(
                DeliveryOption(code, code.title(), Money(minor, self._currency), 2, 4)
                for code, minor in answer["delivery"].items()
            ),
        )

    def prepare(self, order: OrderRequest) -> str:
        return str(self._call("prepare", self._order(order), changes=False)["handle"])

    def place(self, order: OrderRequest, handle: str) -> PlacedOrder:
        body = {**self._order(order), "handle": handle}
        return self._placed(self._call("place", body, changes=True))

    def find(self, reference: str, handle: str) -> PlacedOrder | None:
        answer = self._call("find", {"handle": handle}, changes=False)
        return None if answer is None else self._placed(answer)

    def status(self, merchant_order_number: str) -> PlacedOrder:
        return self._placed(self._call("status", {"number": merchant_order_number}, changes=False))

    def cancel(self, merchant_order_number: str, reason: str) -> PlacedOrder:
        body = {"number": merchant_order_number, "reason": reason}
        return self._placed(self._call("cancel", body, changes=True))

    def _call(self, name: str, body: Any, *, changes: bool) -> Any:
        try:
            answer = self._peer.exchange("POST", f"/{name}", json_body=body)
        except NeverSent as error:
            raise NoAnswer(str(error)) from error
        except AnswerLost as error:
            raise (OutcomeUnknown if changes else NoAnswer)(str(error)) from error
        if answer.status == 409:
            raise Refused(answer.body["code"], "the merchant says no")
        return answer.body

    def _order(self, order: OrderRequest) -> dict[str, Any]:
        return {
            "reference": order.reference,
            "lines": _pairs(order.lines),
            "delivery": order.delivery_code,
            "total": order.expected_total.minor,
        }

    def _line(self, row: Any) -> QuotedLine:
        status = LineStatus.OK
        if row["price"] is None:
            status = LineStatus.UNKNOWN_SKU
        elif row["stock"] < row["quantity"]:
            status = LineStatus.OUT_OF_STOCK
        price = None if row["price"] is None else Money(row["price"], self._currency)
        return QuotedLine(row["sku"], row["quantity"], status, price, row["stock"])

    def _placed(self, row: Any) -> PlacedOrder:
        return PlacedOrder(
            merchant_order_number=row["number"],
            reference=row["reference"],
            total=Money(row["total"], self._currency),
            status=OrderStatus(row["status"]),
            merchant_status=row["status"],
            placed_at=datetime.now(UTC),
        )


def _pairs(lines: Sequence[QuoteLine]) -> list[tuple[str, int]]:
    return [(line.sku, line.quantity) for line in lines]
