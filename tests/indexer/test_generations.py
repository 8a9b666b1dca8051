"""Rebuilding and going back while shoppers search and prices change, on both engines."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from comptoir.cli import cli
from indexer.embedded import EmbeddedEngine
from indexer.engine import SearchRequest, Words
from indexer.generations import clear, kept_indices, roll_back
from indexer.inventory import State
from indexer.rebuild import rebuild
from indexer.verify import verify
from kernel.db import Database
from kernel.embedding.encoder import Encoder
from kernel.errors import DomainError
from tests.conftest import fresh_database
from tests.indexer.indices_at_hand import PRICES, Catalogue, as_installation, make_catalogue


@dataclass
class Traffic:
    """Shoppers who search and merchants who change prices, until told to stop."""

    catalogue: Catalogue
    stop: threading.Event = field(default_factory=threading.Event)
    searches: int = 0
    changes: int = 0
    failures: list[BaseException] = field(default_factory=list)
    last: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Traffic:
        loops = (self._search, self._search, self._change, self._refresh)
        self._threads = [threading.Thread(target=self._guarded, args=(loop,)) for loop in loops]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join()

    def _guarded(self, loop: object) -> None:
        try:
            while not self.stop.is_set():
                loop()  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001 - whatever ends a thread is the failure
            self.failures.append(error)

    def _search(self) -> None:
        catalogue = self.catalogue
        found = catalogue.engine.search(
            catalogue.brand.id, SearchRequest(Words("nordlys lamp", "en"), limit=50)
        )
        assert found.total == len(PRICES)
        read = catalogue.engine.read(catalogue.brand.id, found.hits)
        assert len(read) == len(PRICES)
        self.searches += 1
        time.sleep(0.005)

    def _change(self) -> None:
        for product_id in self.catalogue.product_ids()[:10]:
            self.changes += 1
            self.last[product_id] = 1_000 + self.changes
            self.catalogue.reprice(product_id, self.last[product_id])
        time.sleep(0.02)

    def _refresh(self) -> None:
        self.catalogue.refresh()
        time.sleep(0.05)


def assert_nothing_lost(catalogue: Catalogue, traffic: Traffic) -> None:
    """No failed search, and the index says of every product what was last said of it."""
    assert traffic.failures == []
    assert traffic.searches > 20
    assert traffic.changes > 10
    catalogue.refresh()
    report = verify(catalogue.work, patience_s=20.0)
    assert (report.differences, report.pending) == ({}, 0)
    shown = catalogue.engine.read(catalogue.brand.id, list(traffic.last))
    assert {name: each.total_minor for name, each in shown.items()} == {
        name: minor + 500 for name, minor in traffic.last.items()
    }


def test_searches_and_changes_go_on_during_rebuilds(catalogue: Catalogue) -> None:
    """Three rebuilds: no search fails, no update is lost, two generations are kept."""
    with Traffic(catalogue) as traffic:
        built = [
            rebuild(catalogue.database, catalogue.engine, catalogue.encoder, catalogue.brand)
            for _ in range(3)
        ]
        time.sleep(0.3)
    assert_nothing_lost(catalogue, traffic)
    kept = {row.index: row.state for row in catalogue.engine.generations(catalogue.brand.id)}
    assert kept == {built[1].index: State.PREVIOUS, built[2].index: State.LIVE}


def test_changes_made_meanwhile_are_there_at_the_switch(catalogue: Catalogue) -> None:
    """Nobody refreshes: what changed after the first product was read is in the new index."""
    first, last = catalogue.product_ids()[0], catalogue.product_ids()[-1]
    turns = iter([first, last])

    def change(_: int) -> None:
        for product_id in turns:
            catalogue.reprice(product_id, 7_700)

    report = rebuild(
        catalogue.database, catalogue.engine, catalogue.encoder, catalogue.brand, change
    )
    shown = catalogue.engine.read(catalogue.brand.id, [first, last])
    assert {each.total_minor for each in shown.values()} == {8_200}
    (live,) = (
        row
        for row in kept_indices(catalogue.database, catalogue.engine, catalogue.brand.id)
        if row.generation.state is State.LIVE
    )
    assert (live.generation.index, live.behind) == (report.index, 0)


def test_going_back_loses_nothing(catalogue: Catalogue) -> None:
    """There and back again under load: the former index is brought up before it answers."""
    catalogue.refresh()
    first = catalogue.index
    second = rebuild(catalogue.database, catalogue.engine, catalogue.encoder, catalogue.brand).index
    with Traffic(catalogue) as traffic:
        time.sleep(0.5)
        back = roll_back(catalogue.work)
        assert (back.index, back.replaced, catalogue.index) == (first, second, first)
        time.sleep(0.5)
        forward = roll_back(catalogue.work, at_once=True)
        assert (forward.index, catalogue.index) == (second, second)
        time.sleep(0.3)
    assert_nothing_lost(catalogue, traffic)
    assert catalogue.index == second


def test_an_index_gone_back_to_stays(catalogue: Catalogue) -> None:
    """The next refresh goes on with it from its own position, and builds no new one."""
    first = catalogue.index
    rebuild(catalogue.database, catalogue.engine, catalogue.encoder, catalogue.brand)
    product_id = catalogue.product_ids()[0]
    catalogue.reprice(product_id, 3_300)
    catalogue.refresh()
    report = roll_back(catalogue.work)
    assert report.report.written == 1
    shown = catalogue.engine.read(catalogue.brand.id, [product_id])
    assert shown[product_id].total_minor == 3_800
    catalogue.reprice(product_id, 3_400)
    catalogue.refresh()
    assert catalogue.index == first
    shown = catalogue.engine.read(catalogue.brand.id, [product_id])
    assert shown[product_id].total_minor == 3_900


def test_when_there_is_no_way_back_it_says_why(catalogue: Catalogue) -> None:
    """No former index; one of another brand revision; one without a position."""
    with pytest.raises(DomainError) as refusal:
        roll_back(catalogue.work)
    assert refusal.value.code == "no_former_index"
    former = catalogue.index
    rebuild(catalogue.database, catalogue.engine, catalogue.encoder, catalogue.brand)
    changed = replace(catalogue.brand, revision=catalogue.brand.revision + 1)
    with pytest.raises(DomainError, match="revision") as refusal:
        roll_back(replace(catalogue.work, brand=changed))
    assert refusal.value.code == "former_index_unfit"
    with catalogue.database.platform() as tx:
        tx.execute(sa.text("DELETE FROM indexer.position WHERE index_name = :i"), {"i": former})
    with pytest.raises(DomainError, match="up to which change"):
        roll_back(catalogue.work)
    assert catalogue.index != former


def test_an_index_of_another_model_is_not_gone_back_to(catalogue: Catalogue) -> None:
    """The refresh would build a new one at once; the setting must go back first."""
    index = catalogue.engine.create("mirabelle", model_id="other", dimensions=16)
    catalogue.engine.publish("mirabelle", index)
    rebuild(catalogue.database, catalogue.engine, catalogue.encoder, catalogue.brand)
    with catalogue.database.platform() as tx:
        tx.execute(
            sa.text(
                "INSERT INTO indexer.position (brand_id, index_name, position, brand_revision, "
                "live) VALUES ('mirabelle', :index, 0, :revision, false)"
            ),
            {"index": index, "revision": catalogue.brand.revision},
        )
    with pytest.raises(DomainError, match="EMBEDDING_MODEL"):
        roll_back(catalogue.work)


def test_what_was_never_finished_is_dropped_after_an_hour(catalogue: Catalogue) -> None:
    """An index that is being built is left alone; one whose builder is gone is cleared away."""
    live = catalogue.index
    working = catalogue.engine.create("mirabelle", model_id="m", dimensions=16)
    lost = catalogue.engine.create("mirabelle", model_id="m", dimensions=16)
    with catalogue.database.platform() as tx:
        for index, age in ((working, timedelta(minutes=5)), (lost, timedelta(hours=2))):
            tx.execute(
                sa.text(
                    "INSERT INTO indexer.position (brand_id, index_name, position, "
                    "brand_revision, live, published_at, moved_at) "
                    "VALUES ('mirabelle', :index, 0, 1, false, NULL, now() - :age)"
                ),
                {"index": index, "age": age},
            )
    assert clear(catalogue.work) == [lost]
    assert {row.index for row in catalogue.engine.generations("mirabelle")} == {live, working}


def test_a_damaged_live_index_is_no_hindrance(
    postgres_url: str, encoder: Encoder, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Going back is what one does then: the former one answers, brought up."""
    database = Database(fresh_database(postgres_url))
    catalogue = make_catalogue(request, "embedded", database, encoder, tmp_path / "search")
    catalogue.land(PRICES[:3])
    catalogue.refresh()
    damaged = rebuild(database, catalogue.engine, encoder, catalogue.brand).index
    (tmp_path / "search" / damaged / "manifest.json").write_bytes(b"\x00")
    catalogue.engine = EmbeddedEngine(tmp_path / "search")
    with pytest.raises(DomainError):
        catalogue.totals()
    rows = {row.index: row for row in catalogue.engine.generations("mirabelle")}
    assert rows[damaged].count is None
    roll_back(catalogue.work)
    assert len(catalogue.totals()) == 3
    database.close()


def test_one_command_goes_back(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`list` names the generations, `rollback` switches, `list` shows it."""
    first = catalogue.index
    second = rebuild(catalogue.database, catalogue.engine, catalogue.encoder, catalogue.brand).index
    as_installation(catalogue, monkeypatch, tmp_path)
    run = CliRunner().invoke
    listed = run(cli, ["index", "list", "--brand", "mirabelle"])
    assert listed.exit_code == 0, listed.output
    states = {line.split()[2]: line.split()[1] for line in listed.output.splitlines()}
    assert states == {first: "previous", second: "live"}
    done = run(cli, ["index", "rollback", "--brand", "mirabelle"])
    assert (done.exit_code, f"{first} is live" in done.output) == (0, True), done.output
    assert catalogue.index == first
    assert '"state": "live"' in run(cli, ["index", "list", "--json"]).output
    assert run(cli, ["index", "verify", "--wait", "0"]).exit_code == 0
