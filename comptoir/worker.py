"""The worker: which function serves which job, how they are served, what the clock makes due."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from checkout.after_sale import ORDERS_AT_ONCE, watch_orders
from checkout.customer_events.sending import AT_ONCE as EVENTS_AT_ONCE
from checkout.customer_events.sending import send_events
from checkout.order_letters import AT_ONCE, send_letters
from checkout.payment_providers.port import ListsMovements
from checkout.purchase.advance import advance, resume_all
from checkout.purchase.jobs import ADVANCE
from checkout.reconciliation import is_compared, reconcile
from checkout.terms_archive import archive_terms
from comptoir.installation import Installation
from comptoir.master_data.categories import map_now
from comptoir.merchant_measures import measure_merchants
from comptoir.progress import bar
from comptoir.sealing import seal_records
from comptoir.stewardship.jobs import handlers as stewardship_handlers
from indexer.refresh import REBUILD, refresh
from kernel import jobs
from kernel.db import heard
from kernel.errors import DomainError
from kernel.jobs import Handler, Job
from mdm.catalogue import CATALOGUE_CHANGED, CHANGES
from mdm.expiry import BATCH, expire_offers, next_expiry
from mdm.intake import MATCH_LANDED
from mdm.merchant_quality import MEASURE
from mdm.pipeline import match_landed
from mdm.processors import usable
from mdm.stewardship.reviews import WEIGH
from tenants.brand import Brand
from tenants.query_log import PURGE, PURGE_EVERY_S, purge

LOOK_AROUND_EVERY_S = 30.0
AFTER_A_FAILURE_S = 5.0
LOOK_FOR_ENDED_EVERY_S = 1.0
LETTERS_EVERY_S = 5.0
RECONCILE_EVERY_S = 3600.0
SHORTEST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 0.5


class Pace:
    """A commit costs the same for one change as for a hundred: so many that come together go in
    one. A round begins a moment after the last; longer, where that one took longer."""

    def __init__(self) -> None:
        self._next_at = 0.0
        self._one_at_a_time = threading.Lock()

    def round(self, work: Callable[[], object]) -> None:
        """Do it when it is time to."""
        with self._one_at_a_time:
            time.sleep(max(0.0, self._next_at - time.monotonic()))
            begun = time.monotonic()
            try:
                work()
            finally:
                took = time.monotonic() - begun
                pause = min(max(SHORTEST_PAUSE_S, took / 3), LONGEST_PAUSE_S)
                self._next_at = time.monotonic() + pause


def handlers(installation: Installation) -> Mapping[str, tuple[Job, Handler]]:
    """Every job of the platform by name."""
    pace = Pace()

    def match() -> None:
        match_landed(
            installation.database,
            installation.encoder,
            folder=installation.settings.data / "matching",
            processes=installation.settings.matching_processes or usable(),
        )

    def index() -> None:
        pace.round(
            lambda: refresh(
                installation.database,
                installation.engine,
                installation.encoder,
                installation.brands.brands(),
                build_later,
            )
        )

    def build_later(brand: Brand) -> None:
        with installation.database.platform() as tx:
            once = f"{REBUILD.name}:{brand.id}"
            jobs.defer(tx, REBUILD, once=once, arguments={"brand_id": brand.id})

    def rebuild_one(brand_id: str) -> None:
        brands = installation.brands.brands()
        chosen = {brand_id: brands[brand_id]} if brand_id in brands else {}
        # Builds only what still needs it: the job may have waited behind its own first run.
        refresh(installation.database, installation.engine, installation.encoder, chosen)

    def advance_purchase(purchase_id: str) -> None:
        advance(installation.checkout, purchase_id)

    def purge_query_log() -> None:
        with installation.database.platform() as tx:
            purge(tx)
            jobs.defer(tx, PURGE, once=PURGE.name, delay_s=PURGE_EVERY_S)

    def measure() -> None:
        measure_merchants(installation.database)
        map_now(installation.database, installation.encoder)

    return {
        MEASURE.name: (MEASURE, measure),
        MATCH_LANDED.name: (MATCH_LANDED, match),
        CATALOGUE_CHANGED.name: (CATALOGUE_CHANGED, index),
        REBUILD.name: (REBUILD, rebuild_one),
        ADVANCE.name: (ADVANCE, advance_purchase),
        PURGE.name: (PURGE, purge_query_log),
        **stewardship_handlers(installation.database),
    }


def drain(installation: Installation, *, label: str = "working") -> None:
    """Do what waits for matching and indexing, here and now.

    Raises what a job failed by in the end: it is tried again later, but nobody is told that it is
    done.
    """
    failures: dict[str, Exception] = {}

    def noting(name: str, handler: Handler) -> Handler:
        def run(**arguments: Any) -> None:
            try:
                handler(**arguments)
            except Exception as error:
                failures[name] = error
                raise
            failures.pop(name, None)

        return run

    noted = {name: (job, noting(name, do)) for name, (job, do) in handlers(installation).items()}
    with bar(label, None):
        jobs.drain(installation.url, noted, queues=["mdm", "index"])
    for error in failures.values():
        raise error


def serve(installation: Installation) -> None:
    """Serve jobs until asked to stop; what a killed process left undone is taken up.

    The indices are looked at now and again: another engine, another brand revision, a restored
    database or an engine that was away for long may have left one behind the catalogue.
    """
    with installation.database.platform() as tx:
        jobs.defer(tx, PURGE, once=PURGE.name)
        jobs.defer(tx, MEASURE, once=MEASURE.name)
        jobs.defer(tx, WEIGH, once=WEIGH.name)
        # Another model than before: match vectors are made again, whether or not anything lands.
        jobs.defer(tx, MATCH_LANDED, once=MATCH_LANDED.name)
    stopping = threading.Event()
    # Now, by one thread: several are about to ask for them.
    _ = installation.engine, installation.encoder
    served = handlers(installation)
    _, index = served[CATALOGUE_CHANGED.name]

    def follow() -> float:
        return _listen(installation, index, stopping)

    watches = [
        *(_watch(stopping, failing, look) for failing, look in purchase_looks(installation)),
        _watch(stopping, "letters could not be sent", lambda: _send_letters(installation)),
        _watch(stopping, "terms could not be archived", lambda: _archive_terms(installation)),
        _watch(stopping, "records could not be sealed", lambda: _seal(installation)),
        _watch(stopping, "events could not be sent", lambda: _send_events(installation)),
        _watch(stopping, "the indices could not be looked at", lambda: look_around(installation)),
        _watch(stopping, "changes could not be followed", follow),
        _watch(stopping, "ended offers could not be told", lambda: _tell_ended(installation)),
    ]
    for watch in watches:
        watch.start()
    try:
        jobs.run_worker(installation.url, served)
    finally:
        stopping.set()


def purchase_looks(installation: Installation) -> Sequence[tuple[str, Callable[[], float]]]:
    """What has to be looked at of purchases, each with what to say where that fails.

    Nothing where nothing can be bought, which is said once.
    """
    import structlog

    try:
        _ = installation.checkout
    except DomainError as refusal:
        if refusal.code != "payment_not_configured":
            raise
        log = structlog.get_logger("comptoir.worker")
        log.warning("no purchases here", reason=refusal.message, hint=refusal.hint)
        return ()
    return (
        ("purchases could not be resumed", lambda: _resume(installation)),
        ("orders could not be followed", lambda: _follow_orders(installation)),
        ("the books were not compared", lambda: _reconcile(installation)),
    )


def _watch(stopping: threading.Event, failing: str, look: Callable[[], float]) -> threading.Thread:
    """A thread that looks again after as many seconds as each look answers."""

    def watch() -> None:
        import structlog

        log = structlog.get_logger("comptoir.worker")
        pause_s = 0.0
        while not stopping.wait(pause_s):
            try:
                pause_s = look()
            except Exception:
                # The database may be away for a moment; the next round asks again.
                log.exception(failing)
                pause_s = AFTER_A_FAILURE_S

    return threading.Thread(target=watch, daemon=True)


def _resume(installation: Installation) -> float:
    """Purchases left open."""
    import structlog

    resumed = resume_all(installation.checkout)
    if resumed:
        structlog.get_logger("comptoir.worker").info("purchases resumed", count=resumed)
    return LOOK_AROUND_EVERY_S


def _follow_orders(installation: Installation) -> float:
    """Orders whose merchants are due to be asked what became of them."""
    asked = watch_orders(installation.checkout)
    return 0.0 if asked >= ORDERS_AT_ONCE else LOOK_AROUND_EVERY_S


def _send_letters(installation: Installation) -> float:
    """Letters to buyers that are due."""
    post = installation.post
    if post is None:
        return LOOK_AROUND_EVERY_S
    brands = installation.brands.brands()
    looked_at = send_letters(
        installation.database, brands, post, datetime.now(UTC), links=installation.order_links
    )
    return 0.0 if looked_at >= AT_ONCE else LETTERS_EVERY_S


def _archive_terms(installation: Installation) -> float:
    """Versions of terms that an archive outside does not have yet."""
    archive_terms(installation.database, installation.terms_archive, datetime.now(UTC))
    return LOOK_AROUND_EVERY_S


def _seal(installation: Installation) -> float:
    """Operators' acts of late. The log keeps the head: who makes all seals anew cannot reach it."""
    import structlog

    with installation.database.platform() as tx:
        count, last = seal_records(tx, datetime.now(UTC))
    if count:
        structlog.get_logger("comptoir.worker").info("records sealed", count=count, head=last)
    return LOOK_AROUND_EVERY_S


def _send_events(installation: Installation) -> float:
    """Events that other systems are waiting for."""
    hosts = installation.event_allow_hosts
    sent = send_events(installation.database, hosts, datetime.now(UTC))
    return 0.0 if sent >= EVENTS_AT_ONCE else LETTERS_EVERY_S


def _reconcile(installation: Installation) -> float:
    """The books of yesterday against the payment provider's list, once a day."""
    import structlog

    deps, now = installation.checkout, datetime.now(UTC)
    name, yesterday = deps.settings.payment_provider, (now - timedelta(days=1)).date()
    with deps.database.platform() as tx:
        is_done = is_compared(tx, name, yesterday)
    if not is_done and isinstance(deps.provider, ListsMovements):
        found = reconcile(deps.database, name, deps.provider, yesterday, now).findings
        if found:
            log = structlog.get_logger("comptoir.worker")
            log.error("the books differ from the provider", day=str(yesterday), count=len(found))
    return RECONCILE_EVERY_S


def _listen(installation: Installation, index: Handler, stopping: threading.Event) -> float:
    """Bring changes into the indices as they are announced: no job has to be fetched for them."""
    for _ in heard(installation.url, CHANGES, stopping):
        index()
    return 0.0


def look_around(installation: Installation) -> float:
    """Matching and indexing find nothing to do where nothing was left."""
    with installation.database.platform() as tx:
        jobs.defer(tx, MATCH_LANDED, once=MATCH_LANDED.name)
        jobs.defer(tx, CATALOGUE_CHANGED, once=CATALOGUE_CHANGED.name)
    return LOOK_AROUND_EVERY_S


def _tell_ended(installation: Installation) -> float:
    """Offers whose lifetime is over leave the indices at that moment."""
    now = datetime.now(UTC)
    with installation.database.platform() as tx:
        told = expire_offers(tx, now)
        due = next_expiry(tx)
    if told >= BATCH:
        return 0.0
    ends_in_s = (due - datetime.now(UTC)).total_seconds() if due is not None else 3600.0
    return min(max(ends_in_s, 0.1), LOOK_FOR_ENDED_EVERY_S)
