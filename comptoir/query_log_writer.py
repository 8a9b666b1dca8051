"""Queries and events on their way to the database: a bounded queue and one thread that empties it.

The way of a search only appends. Where the database is away or too slow the queue fills, and what
does not fit is dropped and counted: these are analytics, never orders.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field

import sqlalchemy as sa

from kernel.db import Database
from tenants.query_log import LoggedQuery, QueryEvent, Written, write_batch

MOST_WAITING = 20_000
BATCH = 500
EVERY_S = 1.0
TRIES = 3
_LOG = logging.getLogger("comptoir.query_log")


@dataclass
class _Batch:
    queries: list[LoggedQuery] = field(default_factory=list)
    events: list[QueryEvent] = field(default_factory=list)


class QueryLogWriter:
    """Takes queries and events without waiting, writes them every second."""

    def __init__(self, database: Database, *, most_waiting: int = MOST_WAITING) -> None:
        self._database = database
        self._most = most_waiting
        self._waiting: deque[LoggedQuery | QueryEvent] = deque()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self.written = Written()
        self.dropped = 0
        self._told = 0

    def asked(self, query: LoggedQuery) -> bool:
        """Keep an answered query."""
        return self._take(query)

    def happened(self, event: QueryEvent) -> bool:
        """Keep an event."""
        return self._take(event)

    def close(self) -> None:
        """Write what waits, once, and stop."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self.flush()

    def flush(self) -> None:
        """Write what waits now; what the database does not take is dropped and counted."""
        while self._waiting:
            count = min(BATCH, len(self._waiting))
            rows = [self._waiting.popleft() for _ in range(count)]
            for brand_id, batch in _by_brand(rows).items():
                self._write(brand_id, batch)

    def _take(self, row: LoggedQuery | QueryEvent) -> bool:
        if len(self._waiting) >= self._most:
            self.dropped += 1
            return False
        self._waiting.append(row)
        if self._thread is None:
            self._start()
        return True

    def _start(self) -> None:
        # Not in the constructor: a role may be forked after the application was made.
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="query-log", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            self.flush()
            if self.dropped != self._told:
                _LOG.warning("%d queries or events were dropped in all", self.dropped)
                self._told = self.dropped

    def _write(self, brand_id: str, batch: _Batch) -> None:
        for attempt in range(TRIES):
            try:
                with self._database.brand(brand_id) as tx:
                    written = write_batch(tx, batch.queries, batch.events)
            except sa.exc.SQLAlchemyError as error:
                _LOG.warning("query log not written: %s", type(error).__name__)
                if self._stopping.wait(EVERY_S * (attempt + 1)):
                    break
            else:
                self.written += written
                return
        self.dropped += len(batch.queries) + len(batch.events)


def _by_brand(rows: list[LoggedQuery | QueryEvent]) -> dict[str, _Batch]:
    """Each brand is written in a transaction of its own, as that brand."""
    batches: dict[str, _Batch] = defaultdict(_Batch)
    for row in rows:
        if isinstance(row, LoggedQuery):
            batches[row.brand_id].queries.append(row)
        else:
            batches[row.brand_id].events.append(row)
    return batches
