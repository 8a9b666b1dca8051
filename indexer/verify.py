"""A brand's live index compared with what PostgreSQL says it should hold, and mended.

Everything is read in batches; what grows with the catalogue is eight bytes a product. Offers change
meanwhile: a difference counts when it is seen twice, and no change waits that the index has not
taken yet.
"""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

import numpy as np

from indexer import dead_letters
from indexer.catch_up import IndexWork, Progress
from indexer.document import ProductDocument
from indexer.index_fields import numeric_key
from indexer.inventory import Held, digest_of
from indexer.positions import read_position
from indexer.project import project
from kernel.db import Database
from kernel.errors import DomainError
from mdm.catalogue import all_product_ids, changes_after, head, product_views
from tenants.brand import Brand

BATCH = 1_000
SEEN_TWICE_AFTER_S = 2.0
PATIENCE_S = 30.0
"""How long a difference with a change on its way waits for the refresh."""
EXAMPLES = 100
_LOG_BATCH = 10_000
_MOST_WAITING = 100_000
_MOST_SUSPECTS = 20 * BATCH


class Kind(StrEnum):
    """MISSING: not in the index; EXTRA: should not be; STALE: an older state; DIFFERENT: others."""

    MISSING = "missing"
    EXTRA = "extra"
    STALE = "stale"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Difference:
    """A product that the index shows otherwise than PostgreSQL says. `refused` is the engine's word
    where it would not take the document."""

    product_id: str
    kind: Kind
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """`pending` products have changes that the index has not taken yet: no differences so far."""

    brand_id: str
    index: str
    compared: int
    differences: dict[Kind, int]
    refused: int
    pending: int
    repaired: int = 0
    examples: tuple[Difference, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the index holds what it should."""
        return not self.differences


@dataclass
class _Findings:
    """What has been seen so far."""

    counts: Counter[Kind] = field(default_factory=Counter)
    refused: int = 0
    examples: list[Difference] = field(default_factory=list)
    repaired: int = 0
    pending: list[str] = field(default_factory=list)
    suspects: list[str] = field(default_factory=list)
    seen_at: float = 0.0

    def suspect(self, product_ids: Sequence[str]) -> None:
        if product_ids:
            self.suspects += product_ids
            self.seen_at = time.monotonic()


def verify(
    work: IndexWork,
    *,
    repair: bool = False,
    patience_s: float = PATIENCE_S,
    progress: Progress = lambda _: None,
) -> VerifyReport:
    """Compare; with `repair`, mend what differs and compare again.

    Raises DomainError where the brand has no index, or one from before its last change.
    """
    index = _index_of(work)
    report = _verify(work, index, repair=repair, patience_s=patience_s, progress=progress)
    if not repair or report.is_whole:
        return report
    again = _verify(work, index, repair=False, patience_s=patience_s, progress=progress)
    return replace(again, repaired=report.repaired)


def _index_of(work: IndexWork) -> str:
    stats = work.engine.stats(work.brand.id)
    rebuild = f"comptoir index rebuild --brand {work.brand.id}"
    if stats is None:
        raise DomainError(
            "index_missing", f"The brand {work.brand.id} has no search index yet.", hint=rebuild
        )
    with work.database.platform() as tx:
        position = read_position(tx, work.brand.id, stats.index)
    if position is None or position.brand_revision != work.brand.revision:
        raise DomainError(
            "index_outdated",
            f"The index {stats.index} was not built for the brand {work.brand.id} as it is now.",
            hint=f"The next refresh builds a new one; or {rebuild}",
        )
    return stats.index


def _verify(
    work: IndexWork, index: str, *, repair: bool, patience_s: float, progress: Progress
) -> VerifyReport:
    findings = _Findings()
    living: array[int] = array("q")
    compared = 0
    for product_ids, expected in _expected_batches(work.database, work.brand):
        held = work.engine.held(index, product_ids)
        living.extend(numeric_key(product_id) for product_id in product_ids)
        compared += sum(document is not None for document in expected.values())
        findings.suspect([name for name in product_ids if _differs(expected[name], held.get(name))])
        if len(findings.suspects) >= _MOST_SUSPECTS:
            _look_again(work, index, findings, repair=repair)
        progress(len(product_ids))
    for strangers in _strangers(work, index, living):
        findings.suspect(strangers)
        if len(findings.suspects) >= _MOST_SUSPECTS:
            _look_again(work, index, findings, repair=repair)
    _look_again(work, index, findings, repair=repair)
    _wait_for_the_refresh(work, index, findings, patience_s, repair=repair)
    return VerifyReport(
        brand_id=work.brand.id,
        index=index,
        compared=compared,
        differences={kind: findings.counts[kind] for kind in Kind if findings.counts[kind]},
        refused=findings.refused,
        pending=len(findings.pending),
        repaired=findings.repaired,
        examples=tuple(findings.examples),
    )


def _expected_batches(
    database: Database, brand: Brand
) -> Iterator[tuple[list[str], dict[str, ProductDocument | None]]]:
    """Living products in order, with the document that the index should hold of each, or None."""
    after = ""
    while True:
        with database.platform() as tx:
            product_ids = all_product_ids(tx, after, BATCH)
        if not product_ids:
            return
        yield product_ids, _expected(database, brand, product_ids)
        after = product_ids[-1]


def _expected(
    database: Database, brand: Brand, product_ids: Sequence[str]
) -> dict[str, ProductDocument | None]:
    with database.platform() as tx:
        views = product_views(tx, product_ids)
    now = datetime.now(UTC)
    expected: dict[str, ProductDocument | None] = dict.fromkeys(product_ids)
    expected.update((view.product_id, project(view, brand, now)) for view in views)
    return expected


def _differs(expected: ProductDocument | None, held: Held | None) -> bool:
    if expected is None or held is None:
        return not (expected is None and held is None)
    return digest_of(expected) != held.digest


def _strangers(work: IndexWork, index: str, living: array[int]) -> Iterator[list[str]]:
    """Products that the index shows and that no longer live."""
    known = np.sort(np.frombuffer(living, dtype=np.int64)) if living else np.empty(0, np.int64)
    after = ""
    while page := work.engine.inventory(index, after=after, limit=BATCH):
        keys = np.fromiter((numeric_key(row.product_id) for row in page), dtype=np.int64)
        strange = ~np.isin(keys, known)
        yield [row.product_id for row, is_strange in zip(page, strange, strict=True) if is_strange]
        after = page[-1].product_id


def _look_again(work: IndexWork, index: str, findings: _Findings, *, repair: bool) -> None:
    """A moment later: what differs still is counted, or waits where a change is on its way."""
    suspects, findings.suspects = findings.suspects, []
    if not suspects:
        return
    time.sleep(max(0.0, findings.seen_at + SEEN_TWICE_AFTER_S - time.monotonic()))
    for start in range(0, len(suspects), BATCH):
        batch = suspects[start : start + BATCH]
        confirmed, waiting = _confirm(work, index, batch)
        findings.pending += waiting
        _count(work, index, findings, confirmed)
        if repair and confirmed:
            findings.repaired += _mend(work, index, [row.product_id for row in confirmed])


def _confirm(
    work: IndexWork, index: str, product_ids: Sequence[str]
) -> tuple[list[Difference], list[str]]:
    """Differences that no waiting change explains, and products that have such a change.

    The index's position is read first and the log last: what changed in between is seen as waiting.
    """
    with work.database.platform() as tx:
        position = read_position(tx, work.brand.id, index)
    expected = _expected(work.database, work.brand, product_ids)
    held = work.engine.held(index, product_ids)
    shown = work.engine.read(work.brand.id, list(held))
    changing = _changed_since(work.database, position.position if position else 0)
    confirmed, waiting = [], []
    for product_id in product_ids:
        if not _differs(expected[product_id], held.get(product_id)):
            continue
        if changing is None or product_id in changing:
            waiting.append(product_id)
        else:
            kind = _kind(expected[product_id], shown.get(product_id))
            confirmed.append(Difference(product_id, kind))
    return confirmed, waiting


def _changed_since(database: Database, position: int) -> set[str] | None:
    """Products with a change after the position; None where there are too many to name."""
    with database.platform() as tx:
        if head(tx) - position > _MOST_WAITING:
            return None
        changed: set[str] = set()
        while rows := changes_after(tx, position, _LOG_BATCH):
            changed.update(product_id for _, product_id in rows)
            position = rows[-1][0]
    return changed


def _kind(expected: ProductDocument | None, shown: ProductDocument | None) -> Kind:
    if expected is None:
        return Kind.EXTRA
    if shown is None:
        return Kind.MISSING
    return Kind.STALE if _age(shown) < _age(expected) else Kind.DIFFERENT


def _age(document: ProductDocument) -> tuple[int, str]:
    return document.version, max((line.updated_at for line in document.offers), default="")


def _count(
    work: IndexWork, index: str, findings: _Findings, confirmed: Sequence[Difference]
) -> None:
    if not confirmed:
        return
    with work.database.platform() as tx:
        names = [row.product_id for row in confirmed]
        reasons = dead_letters.reasons(tx, work.brand.id, index, names)
    for row in confirmed:
        findings.counts[row.kind] += 1
        findings.refused += row.product_id in reasons
        if len(findings.examples) < EXAMPLES:
            findings.examples.append(replace(row, refused=reasons.get(row.product_id)))


def _mend(work: IndexWork, index: str, product_ids: Sequence[str]) -> int:
    """Write these products anew at the end of the log: every later change still wins."""
    report = work.write_now(index, product_ids)
    return report.written + report.deleted


def _wait_for_the_refresh(
    work: IndexWork, index: str, findings: _Findings, patience_s: float, *, repair: bool
) -> None:
    """Give the refresh time to take what is on its way."""
    until = time.monotonic() + patience_s
    while findings.pending and time.monotonic() < until:
        time.sleep(min(1.0, patience_s))
        findings.suspects, findings.pending = findings.pending, []
        _look_again(work, index, findings, repair=repair)
