"""What a brand's index in a cluster is answered from: read beside the searches, never within one.

A cluster does not say which writes its copies show. The database notes each write once the cluster
has taken it, so a note that has stood for as long as a refresh takes is shown by every copy. In: a
brand. Out: that note, or None where it is too young or not known, and nobody may rely on it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from indexer.positions import live_stamps
from kernel.db import Database
from kernel.errors import DomainError

READ_EVERY_S = 0.2
GOOD_FOR_S = 0.5
"""A reading that began longer ago is no longer known to hold: the database is away, or slow."""
REFRESH_MARGIN_S = 2.0
"""A refresh that is due may wait this long on a busy node."""
ASLEEP_AFTER_S = 60.0
"""Without a question for so long, nobody reads any more; the next one begins again."""
_LOG = logging.getLogger("comptoir.live_stamps")


@dataclass(frozen=True, slots=True)
class _Reading:
    """Stamps by brand with the time each was first read; when the reading of them began."""

    begun_at: float = float("-inf")
    stamps: Mapping[str, tuple[str, float]] = field(default_factory=dict)


class LiveStamps:
    """The notes of every brand's live index, some tenths of a second old; threads share it."""

    def __init__(self, database: Database, *, refresh_s: float) -> None:
        """`refresh_s` is the time after which the cluster shows what was written."""
        self._database = database
        self._settled_after_s = refresh_s + REFRESH_MARGIN_S
        self._reading = _Reading()
        self._asked_at = 0.0
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def of(self, brand_id: str) -> str | None:
        """The note that every answer from now on is at least as new as; None where none is sure."""
        now = self._asked_at = time.monotonic()
        if self._thread is None:
            self._start()
        reading = self._reading
        if now - reading.begun_at > GOOD_FOR_S:
            return None
        stamp, since = reading.stamps.get(brand_id, (None, now))
        return stamp if now - since > self._settled_after_s else None

    def _start(self) -> None:
        # Not in the constructor: a role may be forked after the application was made.
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="stamps", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while time.monotonic() - self._asked_at < ASLEEP_AFTER_S:
            try:
                self._read()
            except (sa.exc.SQLAlchemyError, DomainError) as error:
                _LOG.info("the state of the indices is not known: %s", type(error).__name__)
                time.sleep(GOOD_FOR_S)
            except Exception:  # noqa: BLE001 - a thread has nobody to tell
                _LOG.exception("the state of the indices is not known")
                time.sleep(GOOD_FOR_S)
            else:
                time.sleep(READ_EVERY_S)
        self._thread = None

    def _read(self) -> None:
        begun_at = time.monotonic()
        with self._database.platform() as tx:
            found = live_stamps(tx)
        self._reading = _Reading(begun_at, self._with_ages(found))

    def _with_ages(self, found: Mapping[str, str]) -> dict[str, tuple[str, float]]:
        """A stamp that stays keeps the time of its first reading."""
        before, now = self._reading.stamps, time.monotonic()
        return {
            brand_id: before[brand_id]
            if brand_id in before and before[brand_id][0] == stamp
            else (stamp, now)
            for brand_id, stamp in found.items()
        }
