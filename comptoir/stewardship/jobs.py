"""Jobs of stewardship: acts that waited for a feed, and the order of the queue."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from kernel import jobs
from kernel.db import Database
from kernel.jobs import Handler, Job
from mdm.stewardship.acts import CARRY_OUT, carry_out_waiting
from mdm.stewardship.reviews import WEIGH
from mdm.stewardship.weighing import EVERY_S, weigh_all


def handlers(database: Database) -> Mapping[str, tuple[Job, Handler]]:
    """The jobs by name."""

    def carry_out() -> None:
        with database.platform() as tx:
            carry_out_waiting(tx, datetime.now(UTC))

    def weigh() -> None:
        with database.platform() as tx:
            weigh_all(tx, datetime.now(UTC))
            jobs.defer(tx, WEIGH, once=WEIGH.name, delay_s=EVERY_S)

    return {CARRY_OUT.name: (CARRY_OUT, carry_out), WEIGH.name: (WEIGH, weigh)}
