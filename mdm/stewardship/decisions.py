"""What stewards have said of pairs of offers, kept by the offers' ids: it outlives every run.

In: verdicts of an act. Out: what the matcher has to obey. A pair has one word in force at most; a
newer one puts the older out of force, and undoing it brings that back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from typing import Literal

import sqlalchemy as sa

from kernel.db import Prepared, Transaction
from mdm.match.decision import Ruled

Verdict = Literal["same", "different"]
Couple = tuple[str, str]
"""Two offer ids, the lower one first."""


_RULED = Prepared(
    sa.text(
        "WITH asked AS MATERIALIZED (SELECT unnest(CAST(:ids AS text[])) AS offer_id UNION ALL "
        "SELECT offer_id FROM mdm.offer WHERE live AND product_id = ANY(:products)) "
        "SELECT low_id, high_id, verdict FROM mdm.match_decision "
        "JOIN asked ON low_id = offer_id WHERE in_force UNION "
        "SELECT low_id, high_id, verdict FROM mdm.match_decision "
        "JOIN asked ON high_id = offer_id WHERE in_force"
    )
)


def couple(one: str, other: str) -> Couple:
    """The pair as it is kept, whichever offer is named first."""
    return (one, other) if one < other else (other, one)


def ruled_for(tx: Transaction, offer_ids: Iterable[str]) -> Ruled:
    """Every word in force that names one of these offers at least."""
    return asked_rulings(tx, offer_ids)()


def asked_rulings(
    tx: Transaction, offer_ids: Iterable[str], product_ids: Iterable[str] = ()
) -> Callable[[], Ruled]:
    """The same, of the live offers of these products too: asked for now and read when it is called,
    once."""
    asked = _RULED.asked(tx, {"ids": list(offer_ids), "products": list(product_ids)})

    @cache
    def read() -> Ruled:
        rows = asked.fetchall()
        return Ruled(
            frozenset((row.low_id, row.high_id) for row in rows if row.verdict == "same"),
            frozenset((row.low_id, row.high_id) for row in rows if row.verdict == "different"),
        )

    return read


def about(ruled: Ruled, offer_ids: Collection[str]) -> Ruled:
    """Those of the words that name one of these offers at least."""
    ids = {*offer_ids}
    return Ruled(
        frozenset(each for each in ruled.together if not ids.isdisjoint(each)),
        frozenset(each for each in ruled.apart if not ids.isdisjoint(each)),
    )


def rule(tx: Transaction, act_id: int, couples: Iterable[Couple], verdict: Verdict) -> list[int]:
    """Put a verdict on these pairs in force, where nothing is said of them: the decisions begun."""
    pairs = sorted(set(couples))
    begun = tx.execute(
        sa.text(
            "INSERT INTO mdm.match_decision (low_id, high_id, verdict, act_id) "
            "SELECT low_id, high_id, :verdict, :act "
            "FROM unnest(CAST(:low AS text[]), CAST(:high AS text[])) AS p(low_id, high_id) "
            "ON CONFLICT (low_id, high_id) WHERE in_force DO NOTHING RETURNING decision_id"
        ),
        {
            "low": [low for low, _ in pairs],
            "high": [high for _, high in pairs],
            "verdict": verdict,
            "act": act_id,
        },
    )
    return sorted(begun.scalars())


def lift(tx: Transaction, couples: Iterable[Couple]) -> list[int]:
    """Put whatever is said of these pairs out of force; answers the decisions ended."""
    pairs = sorted(set(couples))
    ended = tx.execute(
        sa.text(
            "UPDATE mdm.match_decision d SET in_force = false "
            "FROM unnest(CAST(:low AS text[]), CAST(:high AS text[])) AS p(low_id, high_id) "
            "WHERE d.in_force AND d.low_id = p.low_id AND d.high_id = p.high_id "
            "RETURNING d.decision_id"
        ),
        {"low": [low for low, _ in pairs], "high": [high for _, high in pairs]},
    )
    return sorted(ended.scalars())


def swap_force(tx: Transaction, begun: Sequence[int], ended: Sequence[int]) -> None:
    """Put `begun` out of force and `ended` back into it, where no newer word stands by now."""
    tx.execute(
        sa.text("UPDATE mdm.match_decision SET in_force = false WHERE decision_id = ANY(:ids)"),
        {"ids": list(begun)},
    )
    tx.execute(
        sa.text(
            "UPDATE mdm.match_decision d SET in_force = true WHERE decision_id = ANY(:ids) "
            "AND NOT EXISTS (SELECT FROM mdm.match_decision newer WHERE newer.in_force "
            "AND newer.low_id = d.low_id AND newer.high_id = d.high_id)"
        ),
        {"ids": list(ended)},
    )


def words_between(
    tx: Transaction, ones: Sequence[str], others: Sequence[str], verdict: Verdict
) -> list[Couple]:
    """Pairs across the two sides of which this verdict is in force."""
    rows = tx.execute(
        sa.text(
            "SELECT low_id, high_id FROM mdm.match_decision WHERE in_force AND verdict = :verdict "
            "AND ((low_id = ANY(:ones) AND high_id = ANY(:others)) "
            "OR (low_id = ANY(:others) AND high_id = ANY(:ones))) ORDER BY low_id, high_id"
        ),
        {"ones": list(ones), "others": list(others), "verdict": verdict},
    )
    return [(row.low_id, row.high_id) for row in rows]
