"""An index compared with the database and mended, on both engines and by the command line."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from comptoir.cli import cli
from indexer import verify as verify_module
from indexer.engine import Delete, Upsert
from indexer.verify import Kind, VerifyReport, verify
from kernel.errors import DomainError
from tests.indexer.documents import document
from tests.indexer.indices_at_hand import PRICES, Catalogue, as_installation


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second look after a moment: long enough for a refresh of the engine."""
    monkeypatch.setattr(verify_module, "SEEN_TWICE_AFTER_S", 0.7)


def compare(catalogue: Catalogue, *, repair: bool = False, patience_s: float = 0.0) -> VerifyReport:
    return verify(catalogue.work, repair=repair, patience_s=patience_s)


def disturb(catalogue: Catalogue) -> dict[str, Kind]:
    """One difference of each kind, made behind the back of the refresh; what is to be found."""
    ids = catalogue.product_ids()
    missing, stale, different = ids[:3]
    documents = catalogue.engine.read(catalogue.brand.id, ids[:3])
    held = catalogue.engine.held(catalogue.index, ids[:3])
    vector = catalogue.encoder.encode_one("lamp")

    def at(product_id: str, changed: dict[str, object]) -> Upsert:
        found = replace(documents[product_id], **changed)  # type: ignore[arg-type]
        return Upsert(found, vector, held[product_id].version)

    old = documents[stale]
    catalogue.engine.write(
        catalogue.index,
        [
            Delete(missing, held[missing].version),
            Upsert(replace(document("prd_stranger", "no product of ours")), vector, 1),
            at(stale, {"version": old.version - 1, "total_minor": 1}),
            at(different, {"titles": {"en": "another lamp"}}),
        ],
    )
    return {
        missing: Kind.MISSING,
        "prd_stranger": Kind.EXTRA,
        stale: Kind.STALE,
        different: Kind.DIFFERENT,
    }


def test_a_faithful_index_has_no_difference(catalogue: Catalogue) -> None:
    report = compare(catalogue)
    assert report.is_whole
    assert (report.compared, report.pending, report.differences) == (len(PRICES), 0, {})
    assert report.index == catalogue.index


def test_every_kind_of_difference_is_found_named_and_mended(catalogue: Catalogue) -> None:
    """Missing, extra, stale, different: counted and named; repaired, and compared again."""
    expected = disturb(catalogue)
    report = compare(catalogue)
    assert report.differences == dict.fromkeys(expected.values(), 1)
    assert {row.product_id: row.kind for row in report.examples} == expected
    assert not report.is_whole

    mended = compare(catalogue, repair=True)
    assert mended.is_whole
    assert mended.repaired == 4
    assert compare(catalogue).is_whole
    assert len(catalogue.totals()) == len(PRICES)


def test_a_change_on_its_way_is_no_difference(catalogue: Catalogue) -> None:
    """It is told apart as pending; taken by the refresh meanwhile, it is not even that."""
    catalogue.land([*PRICES[:-2], "7.00", "8.00"])
    waiting = compare(catalogue)
    assert waiting.is_whole
    assert waiting.pending == 2
    later = threading.Timer(1.0, catalogue.refresh)
    later.start()
    taken = compare(catalogue, patience_s=30.0)
    later.join()
    assert (taken.is_whole, taken.pending) == (True, 0)


def test_a_lost_change_is_a_difference_even_while_others_wait(catalogue: Catalogue) -> None:
    """The position passed it: the index must have it, whatever else is on its way."""
    lost, other = catalogue.product_ids()[:2]
    catalogue.reprice(lost, 4200, tell=False)
    catalogue.reprice(other, 4300)
    report = compare(catalogue)
    assert {row.product_id for row in report.examples} == {lost}
    assert report.pending == 1
    mended = compare(catalogue, repair=True)
    assert mended.is_whole
    assert catalogue.engine.read(catalogue.brand.id, [lost])[lost].total_minor == 4700


def test_offers_change_while_it_looks(catalogue: Catalogue) -> None:
    """Prices change and are brought into the index all the time: no difference is seen."""
    stop = threading.Event()
    ids = catalogue.product_ids()

    def change() -> None:
        minor = 1_000
        while not stop.is_set():
            for product_id in ids[:6]:
                minor += 1
                catalogue.reprice(product_id, minor)
            catalogue.refresh()
            time.sleep(0.05)

    changing = threading.Thread(target=change)
    changing.start()
    try:
        reports = [compare(catalogue, patience_s=20.0) for _ in range(4)]
    finally:
        stop.set()
        changing.join()
    assert [report.differences for report in reports] == [{}] * 4
    assert compare(catalogue, patience_s=20.0).pending == 0


def test_an_index_ahead_of_the_database_is_not_called_mended(catalogue: Catalogue) -> None:
    """After a restored backup the index holds later versions than the log has: no repair wins."""
    product_id = catalogue.product_ids()[0]
    found = catalogue.engine.read(catalogue.brand.id, [product_id])[product_id]
    vector = catalogue.encoder.encode_one("lamp")
    ahead = Upsert(replace(found, total_minor=1), vector, 1_000_000)
    catalogue.engine.write(catalogue.index, [ahead])
    report = compare(catalogue, repair=True)
    assert report.differences == {Kind.DIFFERENT: 1}
    assert report.repaired == 0


def test_an_index_of_an_older_brand_is_not_compared(catalogue: Catalogue) -> None:
    """The next refresh builds a new one anyway."""
    catalogue.brand = replace(catalogue.brand, revision=catalogue.brand.revision + 1)
    with pytest.raises(DomainError) as refusal:
        compare(catalogue)
    assert refusal.value.code == "index_outdated"


def test_the_command_says_what_differs_and_ends_with_1(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As an operator runs it, with JSON for a machine."""
    as_installation(catalogue, monkeypatch, tmp_path)
    run = CliRunner().invoke
    whole = run(cli, ["index", "verify", "--wait", "0"])
    assert (whole.exit_code, "no difference" in whole.output) == (0, True), whole.output
    expected = disturb(catalogue)
    found = run(cli, ["index", "verify", "--json", "--wait", "0"])
    assert found.exit_code == 1, found.output
    (told,) = json.loads(found.output)
    assert told["differences"] == dict.fromkeys(expected.values(), 1)
    assert {row["product_id"]: row["kind"] for row in told["examples"]} == expected
    mended = run(cli, ["index", "verify", "--repair", "--brand", catalogue.brand.id, "--wait", "0"])
    assert (mended.exit_code, "4 mended" in mended.output) == (0, True), mended.output
    assert run(cli, ["index", "status"]).output.startswith(f"{catalogue.brand.id}: {len(PRICES)} ")


def test_the_command_says_what_could_not_be_mended_and_the_way_out(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As after a restored backup: the index is ahead, and only a new one helps."""
    as_installation(catalogue, monkeypatch, tmp_path)
    product_id = catalogue.product_ids()[0]
    found = catalogue.engine.read(catalogue.brand.id, [product_id])[product_id]
    ahead = Upsert(replace(found, total_minor=1), catalogue.encoder.encode_one("lamp"), 1_000_000)
    catalogue.engine.write(catalogue.index, [ahead])
    told = CliRunner().invoke(cli, ["index", "verify", "--wait", "0"])
    assert "rebuild" not in told.output
    tried = CliRunner().invoke(cli, ["index", "verify", "--repair", "--wait", "0"])
    assert tried.exit_code == 1
    assert f"comptoir index rebuild --brand {catalogue.brand.id}" in tried.output
