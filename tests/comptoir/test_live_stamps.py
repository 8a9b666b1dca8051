"""Notes of what is written to indices, as a shop process reads them beside its searches."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from comptoir import live_stamps
from comptoir.installation import Installation
from comptoir.live_stamps import GOOD_FOR_S, LiveStamps
from comptoir.query_log_writer import QueryLogWriter
from comptoir.search_wiring import search_wiring
from indexer import positions
from kernel.db import Database
from kernel.settings import Settings

BRAND = "orchard"


def until(check: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not check():
        assert time.monotonic() < ends, "not in time"
        time.sleep(0.01)


@pytest.fixture
def noted(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A brand with a live index; waiting times short."""
    monkeypatch.setattr(live_stamps, "REFRESH_MARGIN_S", 0.3)
    with database.platform() as tx:
        for index in ("first", "second"):
            positions.begin(tx, BRAND, positions.Position(index, 1, 1))
        positions.echo_live(tx, BRAND, "first")
    return database


def stamp_in(database: Database) -> str:
    with database.platform() as tx:
        return positions.live_stamps(tx)[BRAND]


def test_a_note_counts_once_every_copy_of_the_index_shows_it(noted: Database) -> None:
    stamps = LiveStamps(noted, refresh_s=0.1)
    assert stamps.of(BRAND) is None, "nothing has been read yet"
    until(lambda: stamps.of(BRAND) == stamp_in(noted))
    former = stamps.of(BRAND)
    with noted.platform() as tx:
        positions.move(tx, BRAND, "first", 2)
    until(lambda: stamps.of(BRAND) != former)
    assert stamps.of(BRAND) is None, "known, and not yet shown for sure"
    until(lambda: stamps.of(BRAND) is not None)
    assert stamps.of(BRAND) == stamp_in(noted) != former
    assert stamps.of("nobody") is None


def test_every_write_and_every_switch_is_another_note(noted: Database) -> None:
    seen = [stamp_in(noted)]
    for write in (
        lambda tx: positions.move(tx, BRAND, "first", 5),
        lambda tx: positions.move(tx, BRAND, "first", 5),
        lambda tx: positions.touch(tx, BRAND, "first"),
        lambda tx: positions.echo_live(tx, BRAND, "second"),
        lambda tx: positions.echo_live(tx, BRAND, "first"),
    ):
        with noted.platform() as tx:
            write(tx)
        seen.append(stamp_in(noted))
    assert len(set(seen)) == len(seen)
    with noted.platform() as tx:
        positions.move(tx, BRAND, "first", 3)
        assert positions.positions_of(tx, BRAND)["first"].at.position == 5, "never back"
        positions.touch(tx, BRAND, "second")
    assert stamp_in(noted).startswith("first:"), "what is not live says nothing"


def test_a_database_that_is_away_is_not_relied_on(
    noted: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = LiveStamps(noted, refresh_s=0.0)
    until(lambda: stamps.of(BRAND) is not None)
    there = noted.platform
    away = Database("postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setattr(noted, "platform", away.platform)
    until(lambda: stamps.of(BRAND) is None)
    time.sleep(0.3)
    assert stamps.of(BRAND) is None
    monkeypatch.setattr(noted, "platform", None)
    time.sleep(GOOD_FOR_S + 0.2)
    assert stamps.of(BRAND) is None, "whatever goes wrong"
    monkeypatch.setattr(noted, "platform", there)
    until(lambda: stamps.of(BRAND) == stamp_in(noted))
    away.close()


def test_nobody_reads_where_nobody_asks(noted: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_stamps, "ASLEEP_AFTER_S", 0.3)
    stamps = LiveStamps(noted, refresh_s=0.0)
    stamps.of(BRAND)
    until(lambda: stamps._thread is None)
    stamps.of(BRAND)
    assert stamps._thread is not None
    until(lambda: stamps.of(BRAND) is not None)


def test_a_shop_relies_on_its_engine_or_on_the_notes(noted: Database, tmp_path: Path) -> None:
    cluster = Settings(
        comptoir_data=tmp_path,
        database_url=SecretStr(noted.url),
        elasticsearch_url="http://127.0.0.1:1",
        elasticsearch_refresh_interval="7s",
    )
    for settings in (cluster, cluster.model_copy(update={"elasticsearch_url": None})):
        installation = Installation(settings)
        wired = search_wiring(installation, QueryLogWriter(noted))
        assert wired.unchanged_s == settings.answer_cache_unchanged_s
        stamps = getattr(wired.index_stamp, "__self__", None)
        if settings.elasticsearch_url is None:
            assert stamps is installation.engine
        else:
            assert isinstance(stamps, LiveStamps)
            assert stamps._settled_after_s == 7 + live_stamps.REFRESH_MARGIN_S
        installation.database.close()
