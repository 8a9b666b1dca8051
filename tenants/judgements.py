"""A brand's judgements in one language: how well a product answers a query, 0 (not) to 3 (best).

In: rows of query, product and rating. Out: query -> product -> rating, for offline evaluation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from kernel.db import Transaction, schema_metadata
from kernel.errors import DomainError

MOST_RATED = 200_000
"""Ratings of one brand and language."""

_JUDGEMENT = sa.Table(
    "judgement",
    schema_metadata("tenants"),
    sa.Column("brand_id", sa.Text, primary_key=True),
    sa.Column("locale", sa.Text, primary_key=True),
    sa.Column("query", sa.Text, primary_key=True),
    sa.Column("product_id", sa.Text, primary_key=True),
    sa.Column("rating", sa.SmallInteger),
    sa.Column("judged_by", sa.Text),
    sa.Column("judged_at", sa.DateTime(timezone=True)),
)


def keep_judgements(
    tx: Transaction,
    brand_id: str,
    locale: str,
    ratings: Mapping[str, Mapping[str, int]],
    judged_by: str,
) -> int:
    """Add ratings; a product rated before gets the new rating. Answers how many were given."""
    rows = [
        {
            "brand_id": brand_id,
            "locale": locale,
            "query": query,
            "product_id": product_id,
            "rating": rating,
            "judged_by": judged_by,
            "judged_at": sa.func.now(),
        }
        for query, products in ratings.items()
        for product_id, rating in products.items()
    ]
    if len(rows) > MOST_RATED:
        raise DomainError("judgements_too_many", f"More than {MOST_RATED:,} ratings at once.")
    for start in range(0, len(rows), 1_000):
        insert = pg.insert(_JUDGEMENT).values(rows[start : start + 1_000])
        tx.execute(
            insert.on_conflict_do_update(
                constraint="judgement_pkey",
                set_={name: insert.excluded[name] for name in ("rating", "judged_by", "judged_at")},
            )
        )
    return len(rows)


def read_brand_judgements(tx: Transaction, brand_id: str, locale: str) -> dict[str, dict[str, int]]:
    """Query -> product -> rating."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    statement = _JUDGEMENT.select().where(
        _JUDGEMENT.c.brand_id == brand_id, _JUDGEMENT.c.locale == locale
    )
    for row in tx.execute(statement.order_by(_JUDGEMENT.c.query, _JUDGEMENT.c.product_id)):
        found[row.query][row.product_id] = row.rating
    return dict(found)


def forget_judgements(tx: Transaction, brand_id: str, locale: str) -> int:
    """Remove every rating of the brand in the language; answers how many there were."""
    return tx.execute(
        _JUDGEMENT.delete().where(_JUDGEMENT.c.brand_id == brand_id, _JUDGEMENT.c.locale == locale)
    ).rowcount
