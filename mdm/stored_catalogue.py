"""The catalogue in the database, as the matcher asks it: indexed lookups in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from kernel.db import Prepared, Transaction, sent_together
from mdm.living_index import LivingIndex
from mdm.match.decision import NOTHING_RULED, Ruled
from mdm.match.living_catalogue import LivingOffer
from mdm.stewardship.decisions import about, asked_rulings, ruled_for
from mdm.unique_items import SEAT

_OFFER = (
    f"SELECT o.offer_id, o.merchant_id, {SEAT} AS seat, o.product_id, "  # noqa: S608
    "CAST(extract(epoch FROM p.created_at) AS double precision) AS since, v.vector, "
    "o.title, o.facts "
    "FROM mdm.offer o JOIN mdm.product p USING (product_id) LEFT JOIN mdm.offer_vector v "
    "ON v.offer_id = o.offer_id AND v.model_id = :model "
    "WHERE o.live AND o.{} = ANY(:ids) ORDER BY o.offer_id"
).format
_OFFERS = Prepared(sa.text(_OFFER("offer_id")))
_MEMBERS = Prepared(sa.text(_OFFER("product_id")))
_PRODUCTS = Prepared(
    sa.text(
        "SELECT offer_id, product_id FROM mdm.offer "
        "WHERE live AND product_id IS NOT NULL AND offer_id = ANY(:ids)"
    )
)


@dataclass(slots=True)
class Told:
    """What stewards decided about some offers."""

    offer_ids: frozenset[str] = frozenset()
    ruled: Callable[[], Ruled] = lambda: NOTHING_RULED


@dataclass(frozen=True, slots=True)
class StoredCatalogue:
    """`mdm.match.living_catalogue.LivingCatalogue` on PostgreSQL."""

    tx: Transaction
    index: LivingIndex
    model_id: str
    dimensions: int
    told: Told = field(default_factory=Told)
    """What was asked ahead of the matching."""

    def offers(self, offer_ids: Collection[str]) -> Sequence[LivingOffer]:
        """Those of these offers that are live, by their ids."""
        return self._asked(_OFFERS, offer_ids)

    def products(self, offer_ids: Collection[str]) -> Mapping[str, str]:
        """Of those of these offers that are live: their products, by their ids."""
        rows = _PRODUCTS.all(self.tx, {"ids": list(offer_ids)})
        return {row.offer_id: row.product_id for row in rows}

    def members(self, product_ids: Collection[str]) -> Sequence[LivingOffer]:
        """All live offers of these products, by their ids."""
        return self._asked(_MEMBERS, product_ids)

    def around(
        self, product_ids: Collection[str], offer_ids: Collection[str]
    ) -> tuple[Sequence[LivingOffer], Ruled]:
        """All live offers of these products, by their ids, and what stewards decided about them and
        about these offers."""
        if not product_ids:
            return (), NOTHING_RULED
        products = list(product_ids)
        with sent_together(self.tx):
            rows = _MEMBERS.asked(self.tx, {"ids": products, "model": self.model_id})
            ruled = asked_rulings(self.tx, offer_ids, products)
        return [LivingOffer(*row) for row in rows.fetchall()], ruled()

    def ruled(self, offer_ids: Collection[str]) -> Ruled:
        """What stewards decided about these offers."""
        if self.told.offer_ids.issuperset(offer_ids):
            return about(self.told.ruled(), offer_ids)
        return ruled_for(self.tx, offer_ids)

    def ask_ruled(self, offer_ids: Collection[str]) -> None:
        """The same, asked for now: for statements that are sent together."""
        self.told.ruled = asked_rulings(self.tx, offer_ids)
        self.told.offer_ids = frozenset(offer_ids)

    def _asked(self, statement: Prepared, ids: Collection[str]) -> list[LivingOffer]:
        rows: list[Any] = []
        if ids:
            rows = statement.all(self.tx, {"ids": list(ids), "model": self.model_id})
        return [LivingOffer(*row) for row in rows]
