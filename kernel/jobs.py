"""Jobs: work enqueued in the same transaction as the fact that causes it.

The only module that knows the queue library (procrastinate, on PostgreSQL). Packages enqueue by
name (`package.verb`); the composition root says which function serves which name. A job may run
twice: every handler is idempotent.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from kernel.db import Prepared, Transaction

if TYPE_CHECKING:
    import procrastinate

_LOG = logging.getLogger(__name__)

Handler = Callable[..., None]
"""Takes the job's arguments as keywords. Raises to be tried again."""

MAX_ATTEMPTS = 6
AT_ONCE = 4
"""Jobs of one worker that run beside each other: a long matching holds up no price and no order."""

HEARTBEAT_S = 2.0
DEAD_AFTER_S = 10.0
"""A worker that has said nothing for so long was killed: what it was doing is taken up again."""

_TRY_AGAIN = (
    "UPDATE procrastinate_jobs SET status = 'todo', attempts = attempts + 1, lock = NULL, "
    "queueing_lock = NULL, scheduled_at = %(retry_at)s "
    "WHERE id = %(job_id)s AND status IN ('doing', 'failed')"
)


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of job: its name, its queue, and the lock that keeps two from running at once.

    A job that is delayed, or waits to be tried again, holds no lock: others of its kind go ahead.
    """

    name: str
    queue: str
    lock: str | None = None


def schema_sql() -> str:
    """DDL of the queue's own tables."""
    from procrastinate.schema import SchemaManager

    return str(SchemaManager.get_schema())


_ADD = Prepared(
    sa.text("""
    INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, scheduled_at)
    VALUES (:queue, :name, :lock, :once, CAST(:arguments AS jsonb), :scheduled_at)
    ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
    """)
)
"""What the library's own function does, without a savepoint where the job waits already."""


def defer(
    tx: Transaction,
    job: Job,
    *,
    once: str | None = None,
    delay_s: int = 0,
    arguments: Mapping[str, Any] | None = None,
) -> bool:
    """Enqueue in the transaction: a rollback leaves no job. False when `once` is queued already.

    `once` names the work; while a job of that name waits (not yet started), another is not added.
    """
    added = {
        "queue": job.queue,
        "name": job.name,
        "lock": None if delay_s else job.lock,
        "once": once,
        "arguments": json.dumps(dict(arguments or {})),
        "scheduled_at": datetime.now(UTC) + timedelta(seconds=delay_s) if delay_s else None,
    }
    return _ADD.run(tx, added) == 1


def waiting(tx: Transaction, queues: Sequence[str] | None = None) -> int:
    """How many jobs wait or run, in these queues or in all."""
    where = "" if queues is None else " AND queue_name = ANY(:queues)"
    statement = f"SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo','doing'){where}"  # noqa: S608 - no input in it
    return int(tx.execute(sa.text(statement), {"queues": list(queues or ())}).scalar_one())


def failed(tx: Transaction) -> list[tuple[int, str, int]]:
    """Jobs given up on: (id, name, attempts)."""
    statement = "SELECT id, task_name, attempts FROM procrastinate_jobs WHERE status = 'failed'"
    return [(row[0], row[1], row[2]) for row in tx.execute(sa.text(statement))]


def try_again(tx: Transaction) -> int:
    """Put every job that was given up on into its queue again; answers how many."""
    statement = (
        "UPDATE procrastinate_jobs SET status = 'todo', attempts = 0, lock = NULL, "
        "queueing_lock = NULL, scheduled_at = now() WHERE status = 'failed'"
    )
    return tx.execute(sa.text(statement)).rowcount


def _app(url: str, handlers: Mapping[str, tuple[Job, Handler]]) -> procrastinate.App:
    import procrastinate
    from procrastinate.manager import JobManager

    class Manager(JobManager):
        """A job to be tried again gives up its lock and its name: newer ones go ahead of it."""

        async def retry_job(
            self,
            job: procrastinate.jobs.Job,
            retry_at: datetime | None = None,
            priority: int | None = None,  # noqa: ARG002 - the signature is the library's
            queue: str | None = None,  # noqa: ARG002
            lock: str | None = None,  # noqa: ARG002
        ) -> None:
            await self.connector.execute_query_async(_TRY_AGAIN, job_id=job.id, retry_at=retry_at)

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, max_size=8))
    app.job_manager = Manager(app.connector)
    retry = procrastinate.RetryStrategy(max_attempts=MAX_ATTEMPTS, exponential_wait=2)
    for name, (job, handler) in handlers.items():
        app.task(name=name, queue=job.queue, lock=job.lock, retry=retry)(handler)
    return app


async def _run(app: procrastinate.App, *, wait: bool, queues: Sequence[str] | None) -> None:
    async with app.open_async():
        # Work left `doing` by a killed process is taken up again before anything new.
        await _take_up(app)
        watch = asyncio.create_task(_watch(app))
        try:
            await app.run_worker_async(
                queues=queues,  # type: ignore[arg-type] # None means every queue
                wait=wait,
                concurrency=AT_ONCE if wait else 1,
                install_signal_handlers=wait,
                delete_jobs="successful",
                fetch_job_polling_interval=1.0,
                update_heartbeat_interval=HEARTBEAT_S,
            )
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch


async def _take_up(app: procrastinate.App) -> None:
    """Put jobs of workers that are no more back into the queue."""
    stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_S)
    for job in stalled:
        await app.job_manager.retry_job(job)


async def _watch(app: procrastinate.App) -> None:
    """A worker may die, and another begin, at any moment."""
    import procrastinate.exceptions

    while True:
        await asyncio.sleep(HEARTBEAT_S)
        try:
            await _take_up(app)
        except procrastinate.exceptions.ConnectorException:
            # The database may be away for a moment; the next round asks again.
            _LOG.warning("stalled jobs could not be looked for", exc_info=True)


def run_worker(url: str, handlers: Mapping[str, tuple[Job, Handler]]) -> None:
    """Serve jobs until asked to stop (SIGINT, SIGTERM)."""
    asyncio.run(_run(_app(url, handlers), wait=True, queues=None))


def drain(
    url: str, handlers: Mapping[str, tuple[Job, Handler]], *, queues: Sequence[str] | None = None
) -> None:
    """Serve jobs until none is left that may start now."""
    asyncio.run(_run(_app(url, handlers), wait=False, queues=queues))
