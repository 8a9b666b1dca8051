"""Processor time of a whole purchase, by process: what two cores have to be shared by."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from tests.purchase_setting import Setting


class ProcessorTime:
    """Seconds since its making: this process (the shop, its buyers and the small merchant), the
    payment provider, and PostgreSQL with all that it has started.
    """

    def __init__(self, setting: Setting) -> None:
        self._provider = setting.simulator.process.pid
        with setting.database.platform() as tx:
            backend = tx.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
        self._backend = int(backend)
        self._before = self._now()

    def each_ms(self, purchases: int) -> str:
        """Milliseconds of each of so many purchases, by process."""
        spent = zip(self._now(), self._before, strict=True)
        ours, provider, database = ((now - then) * 1e3 / purchases for now, then in spent)
        whole = ours + provider + database
        return (
            f"{whole:.0f} ms: shop with buyers and merchant {ours:.0f}, provider {provider:.0f}, "
            f"PostgreSQL {database:.0f}"
        )

    def _now(self) -> tuple[float, float, float]:
        import psutil

        server = psutil.Process(self._backend).parent()
        assert server is not None
        family = [server, *server.children(recursive=True)]
        return (
            time.process_time(),
            _spent(psutil.Process(self._provider)),
            sum(_spent(each) for each in family),
        )


def _spent(process: object) -> float:
    times = process.cpu_times()  # type: ignore[attr-defined]
    return float(times.user + times.system)
