"""The worker: which function serves which job, and how jobs are served."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from checkout.purchase.advance import advance, resume_all
from checkout.purchase.jobs import ADVANCE
from comptoir.installation import Installation
from comptoir.progress import bar
from indexer.refresh import refresh
from kernel import jobs
from kernel.jobs import Handler, Job
from mdm.catalogue import CATALOGUE_CHANGED
from mdm.intake import MATCH_LANDED
from mdm.pipeline import match_landed

RESUME_EVERY_S = 30.0


def handlers(installation: Installation) -> Mapping[str, tuple[Job, Handler]]:
    """Every job of the platform by name."""

    def match() -> None:
        match_landed(installation.database, installation.encoder)

    def index() -> None:
        refresh(
            installation.database,
            installation.engine,
            installation.encoder,
            installation.brands.brands(),
        )

    def advance_purchase(purchase_id: str) -> None:
        advance(installation.checkout, purchase_id)

    return {
        MATCH_LANDED.name: (MATCH_LANDED, match),
        CATALOGUE_CHANGED.name: (CATALOGUE_CHANGED, index),
        ADVANCE.name: (ADVANCE, advance_purchase),
    }


def drain(installation: Installation, *, label: str = "working") -> None:
    """Do what waits for matching and indexing, here and now."""
    with bar(label, None):
        jobs.drain(installation.url, handlers(installation), queues=["mdm", "index"])


def serve(installation: Installation) -> None:
    """Serve jobs until asked to stop; purchases left open by a killed process are taken up.

    Every start looks at the indices once: another engine, another brand revision or a restored
    database may have left one behind the catalogue.
    """
    with installation.database.platform() as tx:
        jobs.defer(tx, CATALOGUE_CHANGED, once=CATALOGUE_CHANGED.name)
    stopping = threading.Event()
    watch = threading.Thread(target=_resume, args=(installation, stopping), daemon=True)
    watch.start()
    try:
        jobs.run_worker(installation.url, handlers(installation))
    finally:
        stopping.set()


def _resume(installation: Installation, stopping: threading.Event) -> None:
    import structlog

    log = structlog.get_logger("comptoir.worker")
    while not stopping.is_set():
        try:
            resumed = resume_all(installation.checkout)
        except Exception:
            # The database may be away for a moment; the next round asks again.
            log.exception("purchases could not be resumed")
        else:
            if resumed:
                log.info("purchases resumed", count=resumed)
        stopping.wait(RESUME_EVERY_S)
