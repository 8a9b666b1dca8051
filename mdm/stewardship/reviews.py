"""Questions to stewards: pairs between the matcher's two thresholds, each asked once.

In: what the matcher could not decide. Out: the queue, what is most at stake first. A question that
somebody has answered is not asked again; one whose offers changed lapses until it is put anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from kernel.db import Prepared, Transaction, sent_together
from kernel.jobs import Job
from mdm.match.decision import Review
from mdm.stewardship.decisions import couple
from mdm.stewardship.weighing import asked_between

WEIGH = Job("mdm.weigh_reviews", "mdm", lock="mdm.weigh_reviews")

MOST_PER_OFFER = 3
"""More questions about one offer than this tell a steward nothing new."""

_PAGE = 1_000
_ASK = Prepared(
    sa.text(
        "INSERT INTO mdm.review AS r (offer_id, against, probability, evidence, asked_at) "
        "SELECT offer_id, against, probability, evidence, :now "
        "FROM json_to_recordset(CAST(:rows AS json)) AS s(offer_id text, against text, "
        "probability double precision, evidence jsonb) WHERE NOT EXISTS "
        "(SELECT FROM mdm.match_decision d WHERE d.in_force "
        "AND d.low_id = least(s.offer_id, s.against) "
        "AND d.high_id = greatest(s.offer_id, s.against)) "
        "ON CONFLICT (least(offer_id, against), greatest(offer_id, against)) DO UPDATE SET "
        "offer_id = EXCLUDED.offer_id, against = EXCLUDED.against, "
        "probability = EXCLUDED.probability, evidence = EXCLUDED.evidence, "
        "asked_at = EXCLUDED.asked_at, state = 'open', settled_at = NULL "
        "WHERE r.state <> 'decided'"
    )
)
_DROP = Prepared(
    sa.text(
        "UPDATE mdm.review SET state = 'lapsed', settled_at = now() WHERE state = 'open' "
        "AND (offer_id = ANY(:ids) OR against = ANY(:ids))"
    )
)
_SELECT = (
    "SELECT review_id, offer_id, against, probability, evidence, stake, state, asked_at, "
    "settled_at FROM mdm.review"
)


@dataclass(frozen=True, slots=True)
class Question:
    """A stored review. `stake` orders the queue; its unit is views x minor units."""

    review_id: int
    offer_id: str
    against: str
    probability: float
    evidence: Mapping[str, Any]
    stake: float
    state: str
    asked_at: datetime
    settled_at: datetime | None


def put_reviews(tx: Transaction, reviews: Sequence[Review], now: datetime) -> int:
    """Ask these; answers how many are open. Call it once their offers are written.

    Of several about one offer and one product the likeliest is asked. A pair on which a word is in
    force, or that was decided before, is not asked again.
    """
    with sent_together(tx):
        put = asked_reviews(tx, reviews, now)
    return put()


def asked_reviews(tx: Transaction, reviews: Sequence[Review], now: datetime) -> Callable[[], int]:
    """The same, asked now and weighed when it is called: for statements that are sent together."""
    weighing: list[Callable[[], int]] = []
    chosen = _worth_asking(reviews)
    for start in range(0, len(chosen), _PAGE):
        page = chosen[start : start + _PAGE]
        rows = [
            {
                "offer_id": each.offer_id,
                "against": each.against,
                "probability": each.probability,
                "evidence": each.evidence,
            }
            for each in page
        ]
        _ASK.run(tx, {"rows": orjson.dumps(rows).decode(), "now": now})
        weighing.append(asked_between(tx, [(each.offer_id, each.against) for each in page]))
    return lambda: sum(weigh() for weigh in weighing)


def drop_reviews(tx: Transaction, offer_ids: Iterable[str]) -> int:
    """Questions that name one of these offers lapse: it is gone, or about to be matched anew."""
    return _DROP.run(tx, {"ids": list(offer_ids)})


def queue(tx: Transaction, limit: int, after: tuple[float, int] | None = None) -> list[Question]:
    """Open questions, what is most at stake first; `after` is (stake, id) of the last one seen."""
    where = " WHERE state = 'open'"
    if after is not None:
        where += " AND (stake < :stake OR (stake = :stake AND review_id > :review_id))"
    stake, review_id = after or (0.0, 0)
    rows = tx.execute(
        sa.text(_SELECT + where + " ORDER BY stake DESC, review_id LIMIT :limit"),
        {"limit": limit, "stake": stake, "review_id": review_id},
    )
    return [Question(*row) for row in rows]


def before(tx: Transaction, question: Question) -> Question | None:
    """The open question that stands before this one in the queue; None for the first."""
    row = tx.execute(
        sa.text(
            _SELECT + " WHERE state = 'open' AND (stake > :stake OR "
            "(stake = :stake AND review_id < :review_id)) ORDER BY stake, review_id DESC LIMIT 1"
        ),
        {"stake": question.stake, "review_id": question.review_id},
    ).one_or_none()
    return None if row is None else Question(*row)


def read_question(tx: Transaction, review_id: int) -> Question | None:
    """One question, open or not; None for an unknown number."""
    row = tx.execute(sa.text(_SELECT + " WHERE review_id = :id"), {"id": review_id}).one_or_none()
    return None if row is None else Question(*row)


def questions_on(tx: Transaction, offer_ids: Sequence[str], limit: int) -> list[Question]:
    """Open questions that name one of these offers, what is most at stake first."""
    rows = tx.execute(
        sa.text(
            _SELECT + " WHERE state = 'open' AND (offer_id = ANY(:ids) OR against = ANY(:ids)) "
            "ORDER BY stake DESC, review_id LIMIT :limit"
        ),
        {"ids": list(offer_ids), "limit": limit},
    )
    return [Question(*row) for row in rows]


def question_between(tx: Transaction, one: str, other: str) -> Question | None:
    """The open question whether these two offers are one product."""
    row = tx.execute(
        sa.text(
            _SELECT + " WHERE state = 'open' AND least(offer_id, against) = :low "
            "AND greatest(offer_id, against) = :high"
        ),
        dict(zip(("low", "high"), couple(one, other), strict=True)),
    ).one_or_none()
    return None if row is None else Question(*row)


def counts(tx: Transaction) -> dict[str, int]:
    """How many questions are open, decided and lapsed."""
    rows = tx.execute(sa.text("SELECT state, count(*) FROM mdm.review GROUP BY state"))
    return {"open": 0, "decided": 0, "lapsed": 0} | {row[0]: row[1] for row in rows}


def settle(
    tx: Transaction, ones: Sequence[str], others: Sequence[str], own: int | None
) -> dict[int, str]:
    """Open questions between the two sides lapse, `own` counts as decided: the states before."""
    rows = tx.execute(
        sa.text(
            "UPDATE mdm.review r SET state = CASE WHEN r.review_id = :own THEN 'decided' "
            "ELSE 'lapsed' END, settled_at = now() FROM mdm.review was "
            "WHERE was.review_id = r.review_id AND (r.review_id = :own OR (r.state = 'open' AND "
            "((r.offer_id = ANY(:ones) AND r.against = ANY(:others)) OR "
            "(r.offer_id = ANY(:others) AND r.against = ANY(:ones))))) "
            "RETURNING r.review_id, was.state"
        ),
        {"ones": list(ones), "others": list(others), "own": own},
    )
    return {row.review_id: row.state for row in rows}


def claim(tx: Transaction, review_id: int) -> bool:
    """An open question counts as decided; False where somebody else was there before."""
    statement = sa.text(
        "UPDATE mdm.review SET state = 'decided', settled_at = now() "
        "WHERE review_id = :id AND state = 'open'"
    )
    return tx.execute(statement, {"id": review_id}).rowcount == 1


def put_states(tx: Transaction, states: Mapping[int, str]) -> dict[int, str]:
    """Give questions these states; answers those they had before.

    One that would be open lapses instead where an offer of it is gone.
    """
    rows = tx.execute(
        sa.text(
            "UPDATE mdm.review r SET state = p.state, settled_at = CASE p.state WHEN 'open' "
            "THEN NULL ELSE now() END FROM (SELECT review_id, review.state AS before, "
            "CASE WHEN wanted.state = 'open' AND (SELECT count(*) FROM mdm.offer WHERE live "
            "AND offer_id IN (review.offer_id, review.against)) < 2 THEN 'lapsed' "
            "ELSE wanted.state END AS state FROM mdm.review "
            "JOIN unnest(CAST(:ids AS bigint[]), CAST(:states AS text[])) "
            "AS wanted(review_id, state) USING (review_id)) AS p "
            "WHERE r.review_id = p.review_id RETURNING r.review_id, p.before"
        ),
        {"ids": list(states), "states": list(states.values())},
    )
    return {row.review_id: row.before for row in rows}


def _worth_asking(reviews: Sequence[Review]) -> list[Review]:
    """One for each offer and product, the likeliest; a few for each offer; each pair once."""
    best: dict[tuple[str, str], Review] = {}
    for each in sorted(reviews, key=lambda row: (-row.probability, row.offer_id, row.against)):
        best.setdefault((each.offer_id, each.product_id or each.against), each)
    asked: Counter[str] = Counter()
    pairs: dict[tuple[str, str], Review] = {}
    for each in best.values():
        if asked[each.offer_id] < MOST_PER_OFFER:
            asked[each.offer_id] += 1
            pairs.setdefault(couple(each.offer_id, each.against), each)
    return list(pairs.values())
