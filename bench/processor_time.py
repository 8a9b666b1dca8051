"""Processor time of a whole purchase, by process: what two cores have to be shared by."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from kernel.db import Database


class ProcessorTime:
    """Processor time since its making, of processes by name, and of PostgreSQL with all that it
    has started.
    """

    def __init__(self, database: Database, pids: Mapping[str, int]) -> None:
        self._pids = pids
        with database.platform() as tx:
            backend = tx.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
        self._backend = int(backend)
        self._before = self._now()

    def each_ms(self, purchases: int) -> dict[str, float]:
        """Milliseconds of each of so many purchases, by process."""
        now = self._now()
        return {name: (now[name] - self._before[name]) * 1e3 / purchases for name in now}

    def _now(self) -> dict[str, float]:
        import psutil

        server = psutil.Process(self._backend).parent()
        assert server is not None
        family = [server, *server.children(recursive=True)]
        spent = {name: _spent(psutil.Process(pid)) for name, pid in self._pids.items()}
        return {**spent, "PostgreSQL": sum(_spent(each) for each in family)}


def _spent(process: object) -> float:
    times = process.cpu_times()  # type: ignore[attr-defined]
    return float(times.user + times.system)
