"""Brands on record, and the snapshot of them that every request reads without a query."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any

import sqlalchemy as sa

from kernel.db import Database, Transaction, schema_metadata
from kernel.errors import DomainError
from tenants.brand import Brand, brand_from, document_hash
from tenants.ranking.versions import all_published, last_act
from tenants.terms import Terms, publish_terms

_BRAND = sa.Table(
    "brand",
    schema_metadata("tenants"),
    sa.Column("brand_id", sa.Text, primary_key=True),
    sa.Column("document", sa.JSON),
    sa.Column("document_sha256", sa.Text),
    sa.Column("revision", sa.Integer),
    sa.Column("applied_at", sa.DateTime(timezone=True)),
)

REFRESH_AFTER_S = 5.0
"""An applied brand or a published ranking is in force in every process after this time at most."""
PATIENCE_S = 1.0
"""So long a question waits for a newer snapshot than the one there is."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying a brand document did; `changed` is False for the same document again."""

    brand: Brand
    terms: Terms
    changed: bool


def apply_brand(tx: Transaction, document: Mapping[str, Any], terms_text: str) -> Applied:
    """Put a brand on record, or bring it up to its document. Idempotent."""
    brand = brand_from(document)
    _refuse_taken_hosts(tx, brand)
    digest = document_hash(document)
    row = tx.execute(_BRAND.select().where(_BRAND.c.brand_id == brand.id)).one_or_none()
    changed = row is None or row.document_sha256 != digest
    revision = 1 if row is None else row.revision + int(changed)
    values = {"document": dict(document), "document_sha256": digest, "revision": revision}
    if row is None:
        tx.execute(_BRAND.insert().values(brand_id=brand.id, applied_at=sa.func.now(), **values))
    elif changed:
        tx.execute(
            _BRAND.update()
            .where(_BRAND.c.brand_id == brand.id)
            .values(applied_at=sa.func.now(), **values)
        )
    terms = publish_terms(tx, brand.id, brand.languages[0], terms_text)
    return Applied(brand_from(document, revision), terms, changed)


def _refuse_taken_hosts(tx: Transaction, brand: Brand) -> None:
    for other in load_brands(tx).values():
        taken = set(other.hosts) & set(brand.hosts)
        if other.id != brand.id and taken:
            raise DomainError(
                "host_taken", f"{', '.join(sorted(taken))} belongs to brand {other.id} already"
            )


def load_brands(tx: Transaction) -> dict[str, Brand]:
    """Every brand on record by id."""
    published = all_published(tx)
    platform = published.get(None, [])
    rows = tx.execute(_BRAND.select().order_by(_BRAND.c.brand_id))
    return {
        row.brand_id: brand_from(row.document, row.revision).with_rankings(
            [*platform, *published.get(row.brand_id, [])]
        )
        for row in rows
    }


def _state(tx: Transaction) -> tuple[object, ...]:
    """Differs when any brand or published ranking does: a fraction of reading them all."""
    brands = sa.select(_BRAND.c.brand_id, _BRAND.c.document_sha256, _BRAND.c.revision)
    return (last_act(tx), *(tuple(row) for row in tx.execute(brands.order_by(_BRAND.c.brand_id))))


class BrandRegistry:
    """A snapshot of all brands, read again when it is older than a few seconds.

    Brands that did not change stay the same objects. A database that does not answer leaves the
    last snapshot in force: browsing goes on.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._brands: dict[str, Brand] = {}
        self._by_host: dict[str, Brand] = {}
        self._state: tuple[object, ...] | None = None
        self._read_at = float("-inf")
        self._lock = Lock()

    @property
    def is_due(self) -> bool:
        """Whether the next question reads the database: not one to ask on an event loop."""
        return time.monotonic() - self._read_at >= REFRESH_AFTER_S

    def brands(self) -> Mapping[str, Brand]:
        """Brand by id."""
        self._refresh()
        return self._brands

    def by_host(self, host: str) -> Brand | None:
        """The brand of a host name (port left off)."""
        self._refresh()
        return self._by_host.get(host.partition(":")[0].lower())

    def _refresh(self) -> None:
        """Read where due. Who has a snapshot waits a moment for the next one and no longer: a
        database that neither answers nor goes away holds up nobody who only looks."""
        if not self._brands:
            with self._lock:
                if not self._brands:
                    self._read()
        elif self.is_due and self._lock.acquire(blocking=False):
            reading = Thread(target=self._read_beside, name="brands", daemon=True)
            reading.start()
            reading.join(PATIENCE_S)

    def _read_beside(self) -> None:
        try:
            self._read()
        except sa.exc.OperationalError:
            pass  # it is away: what is known stays in force
        except Exception:  # noqa: BLE001 - a thread has nobody to tell
            _LOG.exception("brands not read")
        finally:
            self._lock.release()

    def _read(self) -> None:
        try:
            with self._database.platform() as tx:
                state = _state(tx)
                if state == self._state:
                    return
                brands = load_brands(tx)
            self._by_host = {host: brand for brand in brands.values() for host in brand.hosts}
            self._brands, self._state = brands, state
        finally:
            self._read_at = time.monotonic()
