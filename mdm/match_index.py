"""What later matching finds offers by: the vectors of their titles, in the order of storing.

`mdm.living_index` follows that order: an offer that was described anew or withdrawn takes a new
place in it. Who writes here holds the matcher's lock, so that places are seen in their order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from kernel.db import Transaction
from mdm.bulk import copy_rows
from mdm.match.neighbours import TitleEncoder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PAGE = 2_000


def index_newcomers(
    tx: Transaction,
    offer_ids: Sequence[str],
    vectors: NDArray[np.float32],
    model_id: str,
    *,
    known: Collection[str],
) -> None:
    """Make offers findable as they are now described; a row of `vectors` for each of them.

    What is stored of the `known` ones goes first: they take a new place in the order.
    """
    if known:
        tx.execute(
            sa.text("DELETE FROM mdm.offer_vector WHERE offer_id = ANY(:ids)"), {"ids": [*known]}
        )
    _store_vectors(tx, offer_ids, vectors, model_id)


def meet_again(tx: Transaction, offer_ids: Collection[str]) -> None:
    """Offers that are gone, or described in other words: they take a new place in the order, where
    indices meet them as they are."""
    if offer_ids:
        tx.execute(
            sa.text("UPDATE mdm.offer_vector SET stored = DEFAULT WHERE offer_id = ANY(:ids)"),
            {"ids": [*offer_ids]},
        )


def reencode(tx: Transaction, encoder: TitleEncoder, limit: int = _PAGE) -> int:
    """Give offers whose vector another model made one of this model: how many, `limit` at most."""
    used = sa.text("SELECT min(model_id), max(model_id) FROM mdm.offer_vector")
    if set(tx.execute(used).one()) <= {encoder.model_id, None}:
        return 0
    rows = tx.execute(
        sa.text(
            "SELECT o.offer_id, o.title FROM mdm.offer_vector v JOIN mdm.offer o "
            "USING (offer_id) WHERE v.model_id < :model OR v.model_id > :model LIMIT :page"
        ),
        {"model": encoder.model_id, "page": limit},
    ).all()
    if rows:
        tx.execute(
            sa.text("DELETE FROM mdm.offer_vector WHERE offer_id = ANY(:ids)"),
            {"ids": [row.offer_id for row in rows]},
        )
        vectors = encoder.encode([row.title for row in rows])
        _store_vectors(tx, [row.offer_id for row in rows], vectors, encoder.model_id)
    return len(rows)


def stored_models(tx: Transaction) -> list[tuple[str, int, int]]:
    """Whose vectors are stored: model, dimensions, how many."""
    counted = (
        "SELECT model_id, dimensions, count(*) AS n FROM mdm.offer_vector "
        "GROUP BY model_id, dimensions ORDER BY n"
    )
    return [(row.model_id, row.dimensions, row.n) for row in tx.execute(sa.text(counted))]


def _store_vectors(
    tx: Transaction,
    offer_ids: Sequence[str],
    vectors: NDArray[np.float32],
    model_id: str,
) -> None:
    rows = (
        (offer_id, model_id, vector.tobytes())
        for offer_id, vector in zip(offer_ids, vectors.astype("float16"), strict=True)
    )
    copy_rows(tx, "mdm.offer_vector", ("offer_id", "model_id", "vector"), rows)
