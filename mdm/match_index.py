"""What later matching finds offers by: the vectors of their titles, in the order of storing.

`mdm.living_index` follows that order: an offer that was described anew or withdrawn takes a new
place in it. Who writes here holds the matcher's lock, so that places are seen in their order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from kernel.db import Prepared, Transaction
from mdm.match.neighbours import TitleEncoder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PAGE = 2_000
_STORE = Prepared(
    sa.text(
        "INSERT INTO mdm.offer_vector (offer_id, model_id, vector) SELECT offer_id, :model, vector "
        "FROM unnest(CAST(:ids AS text[]), CAST(:vectors AS bytea[])) AS s(offer_id, vector) "
        "ON CONFLICT (offer_id) DO UPDATE SET model_id = EXCLUDED.model_id, "
        "vector = EXCLUDED.vector, stored = DEFAULT"
    )
)
_PUT_LAST = Prepared(
    sa.text("UPDATE mdm.offer_vector SET stored = DEFAULT WHERE offer_id = ANY(:ids)")
)


def index_newcomers(
    tx: Transaction,
    offer_ids: Sequence[str],
    vectors: NDArray[np.float32],
    model_id: str,
) -> None:
    """Make offers findable as they are now described, at the end of the order; a row of `vectors`
    for each of them."""
    for start in range(0, len(offer_ids), _PAGE):
        page = slice(start, start + _PAGE)
        stored = [vector.tobytes() for vector in vectors[page].astype("float16")]
        _STORE.run(tx, {"ids": list(offer_ids[page]), "vectors": stored, "model": model_id})


def meet_again(tx: Transaction, offer_ids: Collection[str]) -> None:
    """Offers that are gone, or described in other words: they take a new place in the order, where
    indices meet them as they are."""
    if offer_ids:
        _PUT_LAST.run(tx, {"ids": [*offer_ids]})


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
        vectors = encoder.encode([row.title for row in rows])
        index_newcomers(tx, [row.offer_id for row in rows], vectors, encoder.model_id)
    return len(rows)


def stored_models(tx: Transaction) -> list[tuple[str, int, int]]:
    """Whose vectors are stored: model, dimensions, how many."""
    counted = (
        "SELECT model_id, dimensions, count(*) AS n FROM mdm.offer_vector "
        "GROUP BY model_id, dimensions ORDER BY n"
    )
    return [(row.model_id, row.dimensions, row.n) for row in tx.execute(sa.text(counted))]
