"""The shop itself, whatever protocol it is asked in: articles, sessions, what they come to, orders.

A session says what is wanted; what it comes to is worked out from today's prices each time it is
looked at, until it is completed. Stock is taken with the order, in one transaction, never before.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from comptoir.protocol_merchant.database import read_setting
from kernel.ids import drawn_id

LIFETIME = timedelta(hours=6)
ORDER_PREFIX = "order_prefix"
USUAL_DELIVERY = {"FR": 490, "DE": 690}
EXPRESS_MORE = 500
MOST_POSTCODE = 16


@dataclass(frozen=True, slots=True)
class Article:
    """What is sold. Prices include VAT; `delivery` is the price of sending it, by country."""

    sku: str
    title: str
    price: int
    currency: str
    stock: int
    delivery: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a session asks for, in the same plain words for each protocol."""

    lines: tuple[tuple[str, int], ...]
    buyer: Mapping[str, str] = field(default_factory=dict)
    address: Mapping[str, str] = field(default_factory=dict)
    delivery: str | None = None
    attribution: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Session:
    """A checkout session. `shown_total` is what its owner last saw; `profile` is where a UCP
    platform says how it wants to be told of its orders, empty for ACP.
    """

    id: str
    protocol: str
    owner: str
    profile: str
    status: str
    wanted: Wanted
    shown_total: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Priced:
    """A line at today's price."""

    sku: str
    title: str
    quantity: int
    price: int
    stock: int

    @property
    def is_short(self) -> bool:
        """True where there are fewer than wanted."""
        return self.stock < self.quantity


@dataclass(frozen=True, slots=True)
class Way:
    """A way of delivery."""

    code: str
    title: str
    price: int
    days: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Bill:
    """What a session comes to now, and what is still in its way."""

    currency: str
    lines: tuple[Priced, ...]
    ways: tuple[Way, ...]
    way: Way | None
    problems: tuple[str, ...]
    """Any of `short`, `address_missing`, `address_wrong`, `not_delivered`, `way_missing`."""

    @property
    def goods(self) -> int:
        """The lines together."""
        return sum(line.price * line.quantity for line in self.lines)

    @property
    def total(self) -> int:
        """With delivery, once it is chosen."""
        return self.goods + (self.way.price if self.way else 0)


@dataclass(frozen=True, slots=True)
class Sale:
    """An order. `id` is its number, as people say it: who is to see the order has to know its
    session besides. `bill` is what was agreed; `events` what happened since, oldest first.
    """

    id: str
    session_id: str
    status: str
    bill: Bill
    wanted: Wanted
    payment: str
    events: tuple[Mapping[str, str], ...]
    made_at: datetime


class NotForSale(Exception):
    """Articles that the shop does not have, by the number of their line."""

    def __init__(self, lines: Sequence[int]) -> None:
        super().__init__("The shop does not have these articles.")
        self.lines = tuple(lines)


def put_article(tx: sqlite3.Connection, article: Article) -> bool:
    """Have an article, or change it; True for a new one."""
    known = tx.execute("SELECT 1 FROM article WHERE sku = ?", (article.sku,)).fetchone()
    row = asdict(article) | {"delivery": json.dumps(dict(article.delivery))}
    tx.execute(
        "INSERT OR REPLACE INTO article VALUES"
        " (:sku, :title, :price, :currency, :stock, :delivery)",
        row,
    )
    return known is None


def open_session(
    tx: sqlite3.Connection, protocol: str, owner: str, wanted: Wanted, *, profile: str = ""
) -> Session:
    """A new session. Raises NotForSale."""
    _articles(tx, wanted.lines)
    now = datetime.now(UTC)
    session = Session(drawn_id("cs"), protocol, owner, profile, "open", wanted, None, now)
    tx.execute(
        "INSERT INTO session VALUES (?, ?, ?, ?, 'open', ?, NULL, ?)",
        (session.id, protocol, owner, profile, _spelled(wanted), now.isoformat()),
    )
    return session


def read_session(tx: sqlite3.Connection, session_id: str, owner: str | None) -> Session | None:
    """The session, if it is this owner's; `owner` None is the shop itself."""
    row = tx.execute("SELECT * FROM session WHERE id = ?", (session_id,)).fetchone()
    if row is None or owner not in (None, row["owner"]):
        return None
    return Session(
        row["id"],
        row["protocol"],
        row["owner"],
        row["profile"],
        row["status"],
        _wanted(json.loads(row["wanted"])),
        row["shown_total"],
        datetime.fromisoformat(row["created_at"]),
    )


def change_session(tx: sqlite3.Connection, session: Session, wanted: Wanted) -> Session:
    """The session with other wishes. Raises NotForSale."""
    _articles(tx, wanted.lines)
    tx.execute("UPDATE session SET wanted = ? WHERE id = ?", (_spelled(wanted), session.id))
    return replace(session, wanted=wanted)


def cancel_session(tx: sqlite3.Connection, session: Session) -> Session:
    """The session, given up."""
    tx.execute("UPDATE session SET status = 'canceled' WHERE id = ?", (session.id,))
    return replace(session, status="canceled")


def shown(tx: sqlite3.Connection, session: Session, bill: Bill) -> None:
    """Remember what the owner was told: nothing else is agreed to by completing."""
    tx.execute("UPDATE session SET shown_total = ? WHERE id = ?", (bill.total, session.id))


def bill_of(tx: sqlite3.Connection, session: Session) -> Bill:
    """What it comes to: at today's prices, or as it was agreed."""
    if session.status == "completed":
        sale = sale_of(tx, session.id)
        assert sale is not None
        return sale.bill
    wanted = session.wanted
    articles = _articles(tx, wanted.lines)
    lines = tuple(
        Priced(article.sku, article.title, quantity, article.price, article.stock)
        for article, (_sku, quantity) in zip(articles, wanted.lines, strict=True)
    )
    problems = ["short"] if any(line.is_short for line in lines) else []
    country = wanted.address.get("country", "")
    if not country:
        problems.append("address_missing")
    elif len(wanted.address.get("postcode", "")) > MOST_POSTCODE:
        problems.append("address_wrong")
    ways = () if "address_wrong" in problems else _ways(articles, country)
    if country and not ways and "address_wrong" not in problems:
        problems.append("not_delivered")
    way = next((each for each in ways if each.code == wanted.delivery), None)
    if way is None:
        problems.append("way_missing")
    return Bill(articles[0].currency, lines, ways, way, tuple(problems))


def complete(
    tx: sqlite3.Connection, session: Session, bill: Bill, payment: str
) -> tuple[Session, Sale]:
    """The order of an open session without problems; takes the stock."""
    for line in bill.lines:
        tx.execute("UPDATE article SET stock = stock - ? WHERE sku = ?", (line.quantity, line.sku))
    sale = Sale(
        id=_next_number(tx),
        session_id=session.id,
        status="accepted",
        bill=bill,
        wanted=session.wanted,
        payment=payment,
        events=(),
        made_at=datetime.now(UTC),
    )
    tx.execute(
        "INSERT INTO sale (id, session_id, status, contents, payment, made_at)"
        " VALUES (?, ?, 'accepted', ?, ?, ?)",
        (sale.id, session.id, json.dumps(asdict(bill)), payment, sale.made_at.isoformat()),
    )
    tx.execute("UPDATE session SET status = 'completed' WHERE id = ?", (session.id,))
    return replace(session, status="completed"), sale


def sale_of(tx: sqlite3.Connection, session_id: str) -> Sale | None:
    """The order that a session made."""
    return _sale(tx, "sale.session_id = ?", session_id)


def read_sale(tx: sqlite3.Connection, sale_id: str) -> Sale | None:
    """An order by its number."""
    return _sale(tx, "sale.id = ?", sale_id)


def turn_sale(tx: sqlite3.Connection, sale: Sale, status: str) -> Sale:
    """The order in another state; a cancelled one gives its stock back, once."""
    if sale.status in (status, "canceled"):
        return sale
    if status == "canceled":
        for line in sale.bill.lines:
            tx.execute(
                "UPDATE article SET stock = stock + ? WHERE sku = ?", (line.quantity, line.sku)
            )
    happened = {"id": drawn_id("evt"), "type": status, "at": datetime.now(UTC).isoformat()}
    events = (*sale.events, happened)
    tx.execute(
        "UPDATE sale SET status = ?, events = ? WHERE id = ?",
        (status, json.dumps(events), sale.id),
    )
    return replace(sale, status=status, events=events)


def _next_number(tx: sqlite3.Connection) -> str:
    """Orders are numbered as they are made; a write has the file alone, and none is removed."""
    made = tx.execute("SELECT coalesce(max(rowid), 0) FROM sale").fetchone()[0]
    return f"{read_setting(tx, ORDER_PREFIX) or 'M'}-{made + 1:06d}"


def _sale(tx: sqlite3.Connection, condition: str, value: str) -> Sale | None:
    row = tx.execute(
        "SELECT sale.*, session.wanted FROM sale JOIN session ON session.id = sale.session_id"  # noqa: S608
        f" WHERE {condition}",
        (value,),
    ).fetchone()
    if row is None:
        return None
    return Sale(
        id=row["id"],
        session_id=row["session_id"],
        status=row["status"],
        bill=_bill(json.loads(row["contents"])),
        wanted=_wanted(json.loads(row["wanted"])),
        payment=row["payment"],
        events=tuple(json.loads(row["events"])),
        made_at=datetime.fromisoformat(row["made_at"]),
    )


def _articles(tx: sqlite3.Connection, lines: Sequence[tuple[str, int]]) -> list[Article]:
    """The article of each line. Raises NotForSale."""
    found = []
    for sku, _quantity in lines:
        row = tx.execute("SELECT * FROM article WHERE sku = ?", (sku,)).fetchone()
        known = None if row is None else dict(row) | {"delivery": json.loads(row["delivery"])}
        found.append(None if known is None else Article(**known))
    gone = [number for number, article in enumerate(found) if article is None]
    if gone:
        raise NotForSale(gone)
    return [article for article in found if article is not None]


def _ways(articles: Sequence[Article], country: str) -> tuple[Way, ...]:
    """What it costs to send all of it together: as much as its dearest part."""
    prices = [article.delivery.get(country) for article in articles]
    if not prices or any(price is None for price in prices):
        return ()
    dearest = max(price for price in prices if price is not None)
    return (
        Way("standard", "Standard", dearest, (2, 4)),
        Way("express", "Express", dearest + EXPRESS_MORE, (1, 1)),
    )


def _spelled(wanted: Wanted) -> str:
    return json.dumps(asdict(wanted))


def _wanted(value: dict[str, Any]) -> Wanted:
    lines = tuple((sku, quantity) for sku, quantity in value["lines"])
    return Wanted(**(value | {"lines": lines}))


def _bill(value: dict[str, Any]) -> Bill:
    def way(row: dict[str, Any]) -> Way:
        return Way(row["code"], row["title"], row["price"], (row["days"][0], row["days"][1]))

    return Bill(
        currency=value["currency"],
        lines=tuple(Priced(**line) for line in value["lines"]),
        ways=tuple(way(row) for row in value["ways"]),
        way=way(value["way"]) if value["way"] else None,
        problems=tuple(value["problems"]),
    )
