"""Which product each newcomer belongs to, and what moves because of it, inside one transaction.

In: offers about to be written, and what the database holds of them. Out: their products and
evidence, offers that were looked at again, products that became one, questions for stewards.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from kernel.db import Transaction
from mdm.living_index import vectors_of
from mdm.match.decision import Contender, Group, Review
from mdm.match.features import offer_features
from mdm.match.living_catalogue import contenders_of
from mdm.match.newcomers import Newcomer, match_newcomers
from mdm.match.scoring import Alone, Begin
from mdm.match.second_look import Change, loosened
from mdm.offer_rows import KnownOffer, OfferRow
from mdm.products import merge_products, name_groups
from mdm.stewardship.reviews import drop_reviews
from mdm.stored_catalogue import StoredCatalogue
from mdm.unique_items import SEAT, seat

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MERGED = "evidence for one product"


@dataclass(slots=True)
class Placed:
    """`created` are products to be made before anything is written, `again` are stored offers with
    their product and evidence as they are now; `moves` says from which product to which an offer
    went."""

    created: list[str] = field(default_factory=list)
    again: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    moves: list[tuple[str, str]] = field(default_factory=list)
    merged: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)

    @property
    def is_plain(self) -> bool:
        """Nothing that is stored goes anywhere else."""
        return not (self.again or self.merged)

    @property
    def products(self) -> set[str]:
        """Those whose offers are no longer what they were, without those that became one."""
        return {product for move in self.moves for product in move}


def place_newcomers(
    catalogue: StoredCatalogue,
    fresh: Sequence[OfferRow],
    known: Mapping[str, KnownOffer],
    vectors: NDArray[np.float32],
    begin: Begin = Alone,
) -> Placed:
    """Give newcomers their products and evidence; returns what else changes by it. `begin` says who
    compares them."""
    tx = catalogue.tx
    previous = {
        row.offer_id: old.product_id
        for row in fresh
        if (old := known.get(row.offer_id)) and old.product_id
    }
    newcomers = [_newcomer(row, previous.get(row.offer_id)) for row in fresh]
    again, more_vectors = _looked_at_again(catalogue, newcomers, vectors)
    previous |= {each.offer_id: each.previous for each in again if each.previous}
    whole = _stacked(vectors, more_vectors)
    decision = match_newcomers(catalogue, [*newcomers, *again], whole, begin)
    groups = decision.groups
    created = name_groups(tx, groups, previous)
    matched_anew = [*known.keys() & {each.offer_id for each in newcomers}]
    matched_anew += [each.offer_id for each in again]
    if matched_anew:
        drop_reviews(tx, matched_anew)
    placed = _placed(groups, {row.offer_id: row for row in fresh}, previous, decision.reviews)
    placed.created = created
    return placed


def put_in_place(tx: Transaction, placed: Placed, now: datetime) -> list[str]:
    """Once the newcomers are written: move what was looked at again, make one of products that are
    one. Returns the products whose records that has changed already."""
    if placed.again:
        _move(tx, placed.again, now)
    changed: list[str] = []
    for kept, ended in placed.merged:
        changed += merge_products(tx, kept, ended, now, MERGED)
    return changed


def _move(
    tx: Transaction, again: Sequence[tuple[str, str, Mapping[str, Any]]], now: datetime
) -> None:
    tx.execute(
        sa.text(
            "UPDATE mdm.offer o SET product_id = s.product_id, evidence = s.evidence, "
            "updated_at = :now FROM unnest(CAST(:offers AS text[]), CAST(:products AS text[]), "
            "CAST(:evidence AS jsonb[])) AS s(offer_id, product_id, evidence) "
            "WHERE o.offer_id = s.offer_id"
        ),
        {
            "offers": [offer_id for offer_id, _, _ in again],
            "products": [product_id for _, product_id, _ in again],
            "evidence": [orjson.dumps(evidence).decode() for _, _, evidence in again],
            "now": now,
        },
    )


def where_offers_went(moves: Sequence[tuple[str, str]]) -> dict[str, str]:
    """By product that offers left: where most of them went."""
    went: dict[str, Counter[str]] = defaultdict(Counter)
    for left, to in moves:
        went[left][to] += 1
    return {left: min(to, key=lambda each: (-to[each], each)) for left, to in went.items()}


def _newcomer(row: OfferRow, previous: str | None) -> Newcomer:
    normal = row.normal
    return Newcomer(
        row.offer_id,
        normal.merchant_id,
        seat(normal.condition.value, normal.grade, row.offer_id),
        normal.title,
        row.facts,
        previous,
    )


def _looked_at_again(
    catalogue: StoredCatalogue, newcomers: Sequence[Newcomer], vectors: NDArray[np.float32]
) -> tuple[list[Newcomer], NDArray[np.float32]]:
    """Stored offers that a changed one may have held in the wrong product, with their vectors."""
    changed = [place for place, each in enumerate(newcomers) if each.previous]
    if not changed:
        return [], vectors[:0]
    before, before_vectors = contenders_of(
        catalogue.offers([newcomers[place].offer_id for place in changed]), catalogue.dimensions
    )
    place_of = {newcomers[place].offer_id: place for place in changed}
    changes = []
    for each, vector in zip(before, before_vectors, strict=True):
        place = place_of[each.offer_id]
        after = newcomers[place]
        features = offer_features(after.title, after.facts)
        is_now = Contender(after.offer_id, after.merchant_id, after.condition, features)
        changes.append(Change(each, is_now, vector, vectors[place]))
    products = sorted(loosened(catalogue, changes))
    return _offers_of(catalogue, products, set(place_of)) if products else ([], vectors[:0])


def _offers_of(
    catalogue: StoredCatalogue, product_ids: Sequence[str], without: set[str]
) -> tuple[list[Newcomer], NDArray[np.float32]]:
    rows = catalogue.tx.execute(
        sa.text(
            f"SELECT o.offer_id, o.merchant_id, {SEAT}, o.title, o.facts, "  # noqa: S608
            "o.product_id, "
            "v.vector FROM mdm.offer o JOIN mdm.offer_vector v USING (offer_id) "
            "WHERE o.live AND v.model_id = :model AND o.product_id = ANY(:ids) "
            "AND NOT o.offer_id = ANY(:without) ORDER BY o.offer_id"
        ),
        {"ids": list(product_ids), "without": list(without), "model": catalogue.model_id},
    ).all()
    return [Newcomer(*row[:6]) for row in rows], vectors_of([row.vector for row in rows])


def _placed(
    groups: Sequence[Group],
    rows: Mapping[str, OfferRow],
    previous: Mapping[str, str],
    reviews: list[Review],
) -> Placed:
    placed = Placed(reviews=reviews)
    for group in groups:
        product_id = group.product_id
        assert product_id is not None
        if group.merged:
            placed.merged.append((product_id, group.merged))
        for offer_id, evidence in group.evidence.items():
            left = previous.get(offer_id)
            if left and left != product_id:
                placed.moves.append((left, product_id))
            if offer_id in rows:
                rows[offer_id].product_id = product_id
                rows[offer_id].evidence = evidence
            else:
                placed.again.append((offer_id, product_id, evidence))
    return placed


def _stacked(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    return np.concatenate([one, other]) if len(other) else one
