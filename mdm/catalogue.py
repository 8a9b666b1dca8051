"""Reading the golden catalogue: products with their live offers, and the log of what changed.

Positions of the change log have no gaps and become visible in order, because every writer takes
one advisory lock; a reader that remembers a position never misses a change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kernel.db import Prepared, Transaction, advisory_lock, announce, sent_together
from kernel.jobs import Job, defer
from kernel.pictures import picture_url
from mdm.offers import OFFER_SELECT, offer_view
from mdm.price_trails import price_trails
from mdm.product_view import OfferView, PriceTrail, ProductView, Stated

CATALOGUE_CHANGED = Job("catalogue.changed", "index", lock="index")

CHANGES = "mdm_changes"
"""Channel on which whoever listens is woken, at the moment the changes can be read.

The job is the lasting word: it waits where nobody listens.
"""

_LOCK = "mdm.change_log"
_APPEND = Prepared(
    sa.text(
        "INSERT INTO mdm.change_log (position, product_id) "
        "SELECT last.position + ordinality, product_id "
        "FROM (SELECT coalesce(max(position), 0) AS position FROM mdm.change_log) AS last, "
        "unnest(CAST(:ids AS text[])) WITH ORDINALITY AS changed(product_id, ordinality)"
    )
)
_LABELS = Prepared(
    sa.text(
        "SELECT product_id, golden -> 'titles' AS titles, golden -> 'image_urls' AS images, "
        "(golden ->> 'category_id')::integer AS category_id, "
        "golden -> 'attributes' ->> 'colour' AS colour "
        "FROM mdm.product WHERE state = 'live' AND product_id = ANY(:ids)"
    )
)


@dataclass(frozen=True, slots=True)
class ProductLabel:
    """How a product is shown in a line: the address of its picture, its titles by language."""

    picture: str
    titles: Mapping[str, str]


def changes_after(tx: Transaction, position: int, limit: int) -> list[tuple[int, str]]:
    """(position, product id) after a position, oldest first. Retired products are named too."""
    statement = sa.text(
        "SELECT position, product_id FROM mdm.change_log WHERE position > :position "
        "ORDER BY position LIMIT :limit"
    )
    rows = tx.execute(statement, {"position": position, "limit": limit})
    return [(row.position, row.product_id) for row in rows]


def head(tx: Transaction) -> int:
    """The last position of the change log; 0 when nothing ever changed."""
    return int(
        tx.execute(sa.text("SELECT coalesce(max(position), 0) FROM mdm.change_log")).scalar_one()
    )


def log_changes(tx: Transaction, product_ids: Iterable[str]) -> int:
    """Append changed products and wake the indexer. Returns how many were logged."""
    changed = sorted(set(product_ids))
    if not changed:
        return 0
    with sent_together(tx):
        advisory_lock(tx, _LOCK)
        _APPEND.run(tx, {"ids": changed})
        announce(tx, CHANGES)
        defer(tx, CATALOGUE_CHANGED, once=CATALOGUE_CHANGED.name)
    return len(changed)


def all_product_ids(tx: Transaction, after: str, limit: int) -> list[str]:
    """Ids of living products after an id (empty string to start), in order."""
    statement = sa.text(
        "SELECT product_id FROM mdm.product WHERE state = 'live' AND product_id > :after "
        "ORDER BY product_id LIMIT :limit"
    )
    return list(tx.execute(statement, {"after": after, "limit": limit}).scalars())


def resolve(tx: Transaction, product_id: str) -> str | None:
    """The living product behind an id that may have been merged away; None when there is none."""
    found = tx.execute(
        sa.text(
            "WITH RECURSIVE way(product_id) AS (SELECT CAST(:id AS text) UNION "
            "SELECT new_id FROM mdm.product_redirect JOIN way ON old_id = way.product_id) "
            "SELECT product_id FROM way JOIN mdm.product USING (product_id) WHERE state = 'live'"
        ),
        {"id": product_id},
    ).scalars()
    # A living product leads nowhere, so that the way has one at most: its end.
    return next(iter(found), None)


def product_views(tx: Transaction, product_ids: Sequence[str]) -> list[ProductView]:
    """Living products with their live offers, in the order asked; retired ones are absent."""
    if not product_ids:
        return []
    ids = {"ids": list(product_ids)}
    offers: dict[str, list[OfferView]] = defaultdict(list)
    for row in tx.execute(
        sa.text(
            OFFER_SELECT
            + " WHERE o.live AND NOT o.expired AND o.product_id = ANY(:ids) ORDER BY o.offer_id"
        ),
        ids,
    ):
        offers[row.product_id].append(offer_view(row))
    rows = tx.execute(
        sa.text(
            "SELECT product_id, version, golden, updated_at FROM mdm.product "
            "WHERE state = 'live' AND product_id = ANY(:ids)"
        ),
        ids,
    )
    trails = price_trails(tx, product_ids)
    views = {
        row.product_id: _product_view(row, offers[row.product_id], trails.get(row.product_id, ()))
        for row in rows
    }
    return [views[each] for each in product_ids if each in views]


def product_labels(tx: Transaction, product_ids: Sequence[str]) -> dict[str, ProductLabel]:
    """Picture and titles of each living product, where nothing else of it is wanted."""
    return {
        row.product_id: ProductLabel(
            picture_url(row.images, row.category_id, row.colour), row.titles or {}
        )
        for row in _LABELS.all(tx, {"ids": list(product_ids)})
    }


def _product_view(
    row: sa.Row[Any], offers: list[OfferView], trails: tuple[PriceTrail, ...]
) -> ProductView:
    golden = row.golden
    return ProductView(
        product_id=row.product_id,
        version=row.version,
        titles=golden["titles"],
        descriptions=golden["descriptions"],
        manufacturer=golden["manufacturer"],
        gtins=tuple(golden["gtins"]),
        mpns=tuple(golden["mpns"]),
        # Records written by earlier releases have none.
        shop_numbers=tuple(golden.get("shop_numbers", ())),
        category_id=golden["category_id"],
        attributes=golden["attributes"],
        image_urls=tuple(golden["image_urls"]),
        variant_groups=_variant_groups(golden),
        offers=tuple(offers),
        provenance=golden["provenance"],
        updated_at=row.updated_at,
        price_trails=trails,
        google_category_id=golden.get("google_category_id"),
        conflicts={
            name: tuple(
                Stated(each["value"], tuple(each["offers"]), tuple(each["merchants"]))
                for each in others
            )
            for name, others in golden.get("conflicts", {}).items()
        },
    )


def _variant_groups(golden: Mapping[str, Any]) -> tuple[str, ...]:
    """Records written by earlier releases have one at most."""
    if "variant_groups" in golden:
        return tuple(golden["variant_groups"])
    return (golden["variant_group"],) if golden["variant_group"] else ()
