"""The stake of open questions, kept up with prices and traffic.

One pass over the log for the traffic, one over the open questions in pages; a row is written only
where its stake has changed. Runs as a job, and at once for questions just put.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kernel.db import Prepared, Transaction
from mdm.match.decide import ASK, MERGE
from mdm.stewardship.stake import Traffic, stake
from tenants.traffic import product_traffic

TRAFFIC_OF = timedelta(days=14)
EVERY_S = 600
_PAGE = 2_000

# The lowest price of each side, in the condition and currency of the offer in question.
_LOWEST = (
    "(SELECT min(o.price_minor) FROM mdm.offer o WHERE o.live AND NOT o.expired "
    "AND o.currency = one.currency AND o.condition = one.condition AND o.product_id = {side})"
)
_SIDES = (
    "SELECT r.review_id, r.probability, r.stake, "  # noqa: S608 - no input in it
    "one.product_id AS one, other.product_id AS other, "
    f"{_LOWEST.format(side='one.product_id')} AS low_one, "
    f"{_LOWEST.format(side='other.product_id')} AS low_other "
    "FROM mdm.review r JOIN mdm.offer one ON one.offer_id = r.offer_id "
    "JOIN mdm.offer other ON other.offer_id = r.against "
    "WHERE r.state = 'open' AND r.review_id > :after "
)
_ALL = Prepared(sa.text(_SIDES + "ORDER BY r.review_id LIMIT :page"))
_NAMED = Prepared(sa.text(_SIDES + "AND r.review_id = ANY(:ids) ORDER BY r.review_id LIMIT :page"))
_BETWEEN = Prepared(
    sa.text(
        # The first condition says nothing new: it is what an index is for.
        _SIDES + "AND r.offer_id = ANY(:offers) AND (r.offer_id, r.against) IN "  # noqa: S608
        "(SELECT * FROM unnest(CAST(:offers AS text[]), CAST(:others AS text[])))"
    )
)
_WEIGHED = Prepared(
    sa.text(
        "UPDATE mdm.review r SET stake = s.stake FROM unnest(CAST(:ids AS bigint[]), "
        "CAST(:stakes AS double precision[])) AS s(review_id, stake) "
        "WHERE r.review_id = s.review_id"
    )
)


def weigh_all(tx: Transaction, now: datetime) -> int:
    """Weigh every open question by the traffic of the last two weeks; answers how many changed."""
    products = tx.execute(
        sa.text(
            "SELECT DISTINCT product_id FROM mdm.offer WHERE product_id IS NOT NULL "
            "AND offer_id IN (SELECT unnest(ARRAY[offer_id, against]) FROM mdm.review "
            "WHERE state = 'open')"
        )
    ).scalars()
    found = product_traffic(tx, products, now - TRAFFIC_OF)
    return weigh(tx, {each: Traffic(*met) for each, met in found.items()})


def weigh(
    tx: Transaction, traffic: Mapping[str, Traffic], *, review_ids: Sequence[int] | None = None
) -> int:
    """Weigh open questions, or those of them that are named; answers how many changed."""
    changed, after = 0, 0
    while True:
        values: dict[str, Any] = {"after": after, "page": _PAGE}
        if review_ids is None:
            rows = _ALL.all(tx, values)
        else:
            rows = _NAMED.all(tx, {**values, "ids": list(review_ids)})
        changed += _write(tx, rows, traffic)
        if len(rows) < _PAGE:
            return changed
        after = rows[-1].review_id


def asked_between(tx: Transaction, pairs: Sequence[tuple[str, str]]) -> Callable[[], int]:
    """Open questions about pairs of offers, asked for now and weighed when it is called: answers
    how many there are."""
    offers, others = [one for one, _ in pairs], [other for _, other in pairs]
    asked = _BETWEEN.asked(tx, {"after": 0, "offers": offers, "others": others})

    def weigh_them() -> int:
        rows = asked.fetchall()
        _write(tx, rows, {})
        return len(rows)

    return weigh_them


def _write(tx: Transaction, rows: Sequence[Any], traffic: Mapping[str, Traffic]) -> int:
    weighed = {row.review_id: _stake(row, traffic) for row in rows}
    moved = [row.review_id for row in rows if weighed[row.review_id] != row.stake]
    if moved:
        _WEIGHED.run(tx, {"ids": moved, "stakes": [weighed[each] for each in moved]})
    return len(moved)


def _stake(row: Any, traffic: Mapping[str, Traffic]) -> float:
    met = sum((traffic[each] for each in {row.one, row.other} if each in traffic), Traffic())
    return stake(met, (row.low_one, row.low_other), row.probability, (ASK, MERGE))
