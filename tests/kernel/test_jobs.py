"""Jobs on a real database: what waits holds up nothing, what fails is tried again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from comptoir.cli import cli
from kernel import jobs
from kernel.db import Database
from kernel.jobs import Job, defer, drain
from tests.conftest import fresh_database

WORK = Job("test.work", "test", lock="test")


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    opened = Database(fresh_database(postgres_url))
    yield opened
    opened.close()


def _defer(database: Database, *, delay_s: int = 0) -> bool:
    with database.platform() as tx:
        return defer(tx, WORK, once=f"work@{delay_s}", delay_s=delay_s)


def test_a_delayed_job_does_not_hold_up_those_of_its_kind(database: Database) -> None:
    done: list[int] = []
    _defer(database, delay_s=3600)
    _defer(database)
    drain(database.url, {WORK.name: (WORK, lambda: done.append(1))})
    assert done == [1]


def test_a_failed_job_is_tried_again_beside_newer_ones(database: Database) -> None:
    """While it waits, it neither takes their name nor their lock."""
    done: list[str] = []

    def fail() -> None:
        # Another change comes in while this one is being worked off in vain.
        assert _defer(database) is True
        raise RuntimeError("no engine")

    _defer(database)
    drained = {"count": 0}

    def work() -> None:
        drained["count"] += 1
        if drained["count"] == 1:
            fail()
        done.append("done")

    drain(database.url, {WORK.name: (WORK, work)})
    assert done == ["done"]
    with database.platform() as tx:
        assert jobs.waiting(tx) == 1
        rows = tx.exec_driver_sql(
            "SELECT attempts, lock, queueing_lock, scheduled_at > now() FROM procrastinate_jobs"
        ).all()
    assert [tuple(row) for row in rows] == [(1, None, None, True)]


def test_what_a_killed_worker_was_doing_is_taken_up_again(database: Database) -> None:
    """Its heart has not beaten for a while; a worker that begins does its work."""
    _defer(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat) "
            "VALUES (now() - interval '1 minute') RETURNING id) UPDATE procrastinate_jobs "
            "SET status = 'doing', worker_id = dead.id FROM dead"
        )
    done: list[int] = []
    drain(database.url, {WORK.name: (WORK, lambda: done.append(1))})
    assert done == [1]
    with database.platform() as tx:
        assert jobs.waiting(tx) == 0


def test_a_job_that_was_given_up_on_is_done_once_the_cause_is_gone(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COMPTOIR_DATA", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database.url)
    done: list[str] = []

    def fail() -> None:
        raise RuntimeError("no engine")

    _defer(database)
    with database.platform() as tx:
        last = f"UPDATE procrastinate_jobs SET attempts = {jobs.MAX_ATTEMPTS}"
        tx.exec_driver_sql(last)
    drain(database.url, {WORK.name: (WORK, fail)})
    with database.platform() as tx:
        assert [name for _, name, _ in jobs.failed(tx)] == [WORK.name]
    drain(database.url, {WORK.name: (WORK, lambda: done.append("done"))})
    assert done == []
    operator = CliRunner()
    listed = operator.invoke(cli, ["jobs", "list"])
    assert (listed.exit_code, WORK.name in listed.output) == (1, True)
    assert operator.invoke(cli, ["jobs", "retry"]).output == "1 jobs wait for the worker again\n"
    drain(database.url, {WORK.name: (WORK, lambda: done.append("done"))})
    assert done == ["done"]
    assert operator.invoke(cli, ["jobs", "list"]).output == "no job was given up on\n"
