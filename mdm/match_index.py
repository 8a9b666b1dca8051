"""What later matching looks offers up by: keys, title vectors, and how common each word is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from kernel.db import Transaction
from mdm.bulk import copy_rows, stage_rows
from mdm.match.decide import Group
from mdm.match.features import Features
from mdm.match.neighbours import TitleEncoder
from mdm.match.newcomers import word_counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PAGE = 2_000


def index_newcomers(
    tx: Transaction,
    groups: Iterable[Group],
    places: Mapping[str, int],
    vectors: NDArray[np.float32],
    model_id: str,
    known: set[str],
) -> None:
    """Make newcomers findable. `places` are their rows of `vectors`; words of `known` offers have
    been counted before."""
    features = {
        each.offer_id: each.features
        for group in groups
        for each in group.members
        if each.offer_id in places
    }
    unindex(tx, [each for each in features if each in known])
    keys = ((key, each) for each, found in sorted(features.items()) for key in found.keys())  # noqa: SIM118
    copy_rows(tx, "mdm.match_key", ("key", "offer_id"), keys)
    ids = sorted(features)
    _store_vectors(tx, ids, vectors[[places[each] for each in ids]], model_id)
    _count_words(tx, [found for each, found in features.items() if each not in known])


def unindex(tx: Transaction, offer_ids: Sequence[str]) -> None:
    """Offers that are gone, or about to be indexed anew."""
    if not offer_ids:
        return
    for table in ("mdm.match_key", "mdm.offer_vector"):
        tx.execute(
            sa.text(f"DELETE FROM {table} WHERE offer_id = ANY(:ids)"),  # noqa: S608
            {"ids": list(offer_ids)},
        )


def reencode(tx: Transaction, encoder: TitleEncoder, limit: int = _PAGE) -> int:
    """Give offers whose vector another model made one of this model: how many, `limit` at most."""
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
    tx: Transaction, offer_ids: Sequence[str], vectors: NDArray[np.float32], model_id: str
) -> None:
    rows = (
        (offer_id, model_id, vector.tobytes())
        for offer_id, vector in zip(offer_ids, vectors.astype("float16"), strict=True)
    )
    copy_rows(tx, "mdm.offer_vector", ("offer_id", "model_id", "vector"), rows)


def _count_words(tx: Transaction, features: Sequence[Features]) -> None:
    counts = sorted(word_counts(features).items())
    staged = stage_rows(tx, "mdm.title_word", ("word", "offers"), counts)
    tx.execute(
        sa.text(
            f"INSERT INTO mdm.title_word (word, offers) SELECT word, offers FROM {staged} "  # noqa: S608
            "ON CONFLICT (word) DO UPDATE SET offers = title_word.offers + EXCLUDED.offers"
        )
    )
