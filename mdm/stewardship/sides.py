"""The two offers of a question as a steward compares them, and what differs between them.

`read_sides` reads; telling the differences is pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kernel.db import Transaction
from kernel.money import Money
from mdm.normalise.text import folded

_WORD = re.compile(r"\S+")
_LETTERS = re.compile(r"[^\W_]+")
# A shorter word inside a longer one of the other title says nothing.
_PART = 4


@dataclass(frozen=True, slots=True)
class Side:
    """An offer with what its merchant says of it. `beside` counts the product's other offers."""

    offer_id: str
    product_id: str | None
    live: bool
    title: str
    merchant_id: str
    merchant_name: str
    url: str | None
    price: Money | None
    condition: str
    availability: str
    facts: Mapping[str, Any]
    product_title: str
    beside: int

    @property
    def pictures(self) -> tuple[str, ...]:
        """Addresses of pictures, of secure ones only."""
        found = self.facts.get("image_urls", ())
        return tuple(each for each in found if each.startswith("https://"))

    @property
    def gtins(self) -> tuple[str, ...]:
        """Bar codes that its merchant states and that can be ones."""
        return tuple(self.facts.get("gtins", ()))

    @property
    def description(self) -> str:
        """What its merchant writes about it; empty where that is nothing."""
        return self.facts.get("description") or ""

    def stated(self) -> dict[str, str]:
        """What identifies and describes the offer, by key, as one line each."""
        facts = self.facts
        rows = {
            "manufacturer": facts.get("manufacturer") or "",
            "gtin": ", ".join(self.gtins),
            "mpn": facts.get("mpn") or "",
            "category": facts.get("category_text") or "",
            **{key: str(value) for key, value in sorted(facts.get("attributes", {}).items())},
        }
        return {key: value for key, value in rows.items() if value}


@dataclass(frozen=True, slots=True)
class Row:
    """A stated fact on both sides; `differs` where both state it and not the same."""

    key: str
    left: str
    right: str

    @property
    def differs(self) -> bool:
        """Both sides say something, and not the same."""
        return bool(self.left and self.right) and folded(self.left) != folded(self.right)


def read_sides(tx: Transaction, offer_ids: Iterable[str]) -> dict[str, Side]:
    """Offers by id, withdrawn ones too; unknown ids are absent."""
    rows = tx.execute(
        sa.text(
            "SELECT o.offer_id, o.product_id, o.live, o.title, o.merchant_id, m.name, o.url, "
            "o.price_minor, o.currency, o.condition, o.availability, o.facts, p.golden -> 'titles' "
            "AS titles, (SELECT count(*) FROM mdm.offer x WHERE x.live "
            "AND x.product_id = o.product_id AND x.offer_id <> o.offer_id) AS beside "
            "FROM mdm.offer o JOIN mdm.merchant m USING (merchant_id) "
            "LEFT JOIN mdm.product p ON p.product_id = o.product_id WHERE o.offer_id = ANY(:ids)"
        ),
        {"ids": list(offer_ids)},
    )
    return {row.offer_id: _side(row) for row in rows}


def _side(row: sa.Row[Any]) -> Side:
    price = None if row.price_minor is None else Money(row.price_minor, row.currency)
    title = next(iter((row.titles or {}).values()), "")
    return Side(
        row.offer_id, row.product_id, row.live, row.title, row.merchant_id, row.name, row.url,
        price, row.condition, row.availability, row.facts, title, row.beside,
    )  # fmt: skip


def marked(title: str, other: str) -> list[tuple[str, bool]]:
    """The title in pieces of text, and whether each is missing from the other title.

    Words are compared without case, accents and punctuation; a code written in one word here and in
    two there is the same.
    """
    words = set(_LETTERS.findall(folded(other)))
    joined = "".join(_LETTERS.findall(folded(other)))
    pieces: list[tuple[str, bool]] = []
    at = 0
    for found in _WORD.finditer(title):
        is_missing = not _is_in(found[0], words, joined)
        gap = title[at : found.start()]
        if pieces and pieces[-1][1] == is_missing:
            pieces[-1] = (pieces[-1][0] + gap + found[0], is_missing)
        else:
            if gap:
                pieces.append((gap, False))
            pieces.append((found[0], is_missing))
        at = found.end()
    return pieces


def _is_in(word: str, words: set[str], joined: str) -> bool:
    parts = _LETTERS.findall(folded(word))
    together = "".join(parts)
    return all(each in words for each in parts) or (len(together) >= _PART and together in joined)


def compared(left: Side, right: Side) -> list[Row]:
    """Everything either side states: what differs first, then the rest, in a steady order."""
    one, other = left.stated(), right.stated()
    rows = [Row(key, one.get(key, ""), other.get(key, "")) for key in dict.fromkeys([*one, *other])]
    return sorted(rows, key=lambda row: not row.differs)


def offers_of(tx: Transaction, product_id: str, limit: int) -> Sequence[Side]:
    """Live offers of a product, cheapest first."""
    ids = tx.execute(
        sa.text(
            "SELECT offer_id FROM mdm.offer WHERE live AND product_id = :id "
            "ORDER BY price_minor NULLS LAST, offer_id LIMIT :limit"
        ),
        {"id": product_id, "limit": limit},
    ).scalars()
    ordered = list(ids)
    found = read_sides(tx, ordered)
    return [found[each] for each in ordered]
