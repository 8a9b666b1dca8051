"""What each category is expected to state, learnt from the catalogue and kept until next time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from kernel.db import Transaction, advisory_lock
from mdm.golden.completeness import (
    ENOUGH_PRODUCTS,
    EXPECTED_PERCENT,
    Completeness,
    Expectations,
    completeness,
)

_LOCK = "mdm.learn_expectations"

_LEARN = sa.text(
    """
    WITH placed AS (
        SELECT (golden ->> 'category_id')::integer AS category_id, golden -> 'attributes' AS stated
        FROM mdm.product WHERE state = 'live' AND golden ->> 'category_id' IS NOT NULL
    ), counted AS (
        SELECT category_id, count(*) AS products FROM placed GROUP BY 1 HAVING count(*) >= :enough
    )
    INSERT INTO mdm.category_expectation (category_id, attribute, products, stating)
    SELECT category_id, attribute, products, count(*)
    FROM counted JOIN placed USING (category_id) CROSS JOIN LATERAL
        jsonb_object_keys(stated) AS attribute
    GROUP BY 1, 2, 3 HAVING count(*) * 100 >= products * :share
    """
)


def learn_expectations(tx: Transaction) -> int:
    """Count the catalogue anew. Returns how many expectations there are."""
    advisory_lock(tx, _LOCK)
    tx.execute(sa.text("DELETE FROM mdm.category_expectation"))
    return tx.execute(_LEARN, {"enough": ENOUGH_PRODUCTS, "share": EXPECTED_PERCENT}).rowcount


def read_expectations(tx: Transaction) -> dict[int, Expectations]:
    """By category, the most usual attribute first."""
    rows = tx.execute(
        sa.text(
            "SELECT category_id, attribute, stating * 100 / products AS share "
            "FROM mdm.category_expectation ORDER BY 1, 3 DESC, 2"
        )
    )
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for row in rows:
        found[row.category_id][row.attribute] = row.share
    return dict(found)


def product_completeness(
    tx: Transaction, product_id: str, languages: Sequence[str]
) -> Completeness | None:
    """Of a living product; None where there is none of that id."""
    golden = tx.execute(
        sa.text("SELECT golden FROM mdm.product WHERE product_id = :id AND state = 'live'"),
        {"id": product_id},
    ).scalar_one_or_none()
    if golden is None:
        return None
    expected = read_expectations(tx).get(golden["category_id"] or 0, {})
    return completeness(golden, expected, languages)
