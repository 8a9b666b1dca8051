"""Offers and an encoder for the tests of mdm: small, hand-written, without any model file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernel.db import Database
from mdm import intake
from mdm.match.features import Features, offer_features
from mdm.merchants import Merchant, register_merchant
from mdm.normalise.attributes import attributes
from mdm.pipeline import match_landed
from mdm.raw_offer import RawOffer
from tests.conftest import fresh_database


class WordEncoder:
    """A real, deterministic encoder: the sum of a fixed random direction for each word."""

    def __init__(self, model_id: str = "words-1") -> None:
        self.model_id = model_id
        self.dimensions = 64

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for place, text in enumerate(texts):
            for word in text.lower().split():
                seed = hashlib.sha256(f"{self.model_id} {word}".encode()).digest()[:8]
                chance = np.random.default_rng(int.from_bytes(seed, "little"))
                rows[place] += chance.standard_normal(self.dimensions).astype(np.float32)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(norms > 0, norms, 1)


def title_features(title: str) -> Features:
    """What the matcher knows of an offer that states its title alone."""
    return offer_features(title, {"attributes": attributes((), title, None)})


def raw(sku: str, title: str, price: str | None = "10.00", **stated: Any) -> RawOffer:
    """A raw offer in euros with a dot for decimal mark."""
    return RawOffer(sku=sku, title=title, price=price, **{"decimal": ".", **stated})


def opened(postgres_url: str, *shops: str) -> Iterator[Database]:
    """A database of its own in which these merchants are known, closed in the end."""
    database = Database(fresh_database(postgres_url))
    merchants(database, *shops)
    yield database
    database.close()


def merchants(database: Database, *names: str, **terms: Any) -> None:
    """Register merchants by id."""
    with database.platform() as tx:
        for name in names:
            register_merchant(tx, Merchant(name, name.title(), "FR", **terms))


def load(
    database: Database,
    merchant: str,
    offers: Sequence[RawOffer],
    *,
    complete: bool = True,
    match: bool = True,
) -> intake.RunSummary:
    """One run of a merchant, and the matching after it."""
    with database.platform() as tx:
        run = intake.open_run(tx, merchant, "feed", complete=complete)
        intake.submit(tx, run, offers)
        summary = intake.close_run(tx, run)
    if match:
        match_landed(database, WordEncoder())
    return summary


def products(database: Database) -> dict[str, str]:
    """Product id of every live offer, by `merchant/sku`."""
    with database.platform() as tx:
        rows = tx.exec_driver_sql(
            "SELECT source_id || '/' || sku, product_id FROM mdm.offer WHERE live ORDER BY 1"
        )
        return {row[0]: row[1] for row in rows}


def snapshot(database: Database) -> dict[str, list[Any]]:
    """Everything mdm holds of the catalogue, apart from runs and times."""
    queries = {
        "offers": "SELECT offer_id, product_id, live, price_minor, evidence::text FROM mdm.offer "
        "ORDER BY 1",
        "products": "SELECT product_id, version, state, golden::text FROM mdm.product ORDER BY 1",
        "changes": "SELECT position, product_id FROM mdm.change_log ORDER BY 1",
        "history": "SELECT offer_id, price_minor, availability FROM mdm.price_history ORDER BY 1",
        "indexed": "SELECT offer_id, model_id FROM mdm.offer_vector ORDER BY 1",
    }
    with database.platform() as tx:
        return {
            name: [tuple(row) for row in tx.exec_driver_sql(query)]
            for name, query in queries.items()
        }
