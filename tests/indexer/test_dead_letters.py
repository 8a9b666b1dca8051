"""What an engine refuses: set aside with the reason, counted, shown, tried again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from comptoir.cli import cli
from indexer.dead_letters import DeadLetter, every_letter
from indexer.rebuild import rebuild
from indexer.verify import verify
from tests.indexer.indices_at_hand import TOO_MUCH, Catalogue, as_installation


@pytest.fixture
def prices() -> list[str]:
    return ["10.00", "20.00", "30.00"]


def letters(catalogue: Catalogue) -> list[DeadLetter]:
    return list(every_letter(catalogue.database, catalogue.brand.id, catalogue.index))


def test_a_refused_product_is_kept_and_holds_up_nothing(catalogue: Catalogue) -> None:
    """The others of its batch are seen; its row says what, why, since when, how often."""
    first, second, third = catalogue.product_ids()
    catalogue.reprice(first, TOO_MUCH)
    catalogue.reprice(second, 2100)
    catalogue.refresh()
    (letter,) = letters(catalogue)
    assert (letter.product_id, letter.index, letter.count) == (first, catalogue.index, 1)
    assert letter.reason
    shown = catalogue.engine.read(catalogue.brand.id, [first, second, third])
    assert {name: each.total_minor for name, each in shown.items()} == {
        first: 1500,
        second: 2600,
        third: 3500,
    }
    catalogue.refresh()
    assert letters(catalogue) == [letter]

    catalogue.reprice(first, TOO_MUCH)
    catalogue.refresh()
    (again,) = letters(catalogue)
    assert (again.count, again.first_seen) == (2, letter.first_seen)
    assert again.version > letter.version
    assert again.last_seen > letter.last_seen

    catalogue.reprice(first, 1100)
    catalogue.refresh()
    assert letters(catalogue) == []
    assert catalogue.engine.read(catalogue.brand.id, [first])[first].total_minor == 1600


def test_it_is_tried_again_when_asked(catalogue: Catalogue) -> None:
    """Without a change of the product: what is refused still stays, what is taken now goes."""
    first, second, _ = catalogue.product_ids()
    for product_id in (first, second):
        catalogue.reprice(product_id, TOO_MUCH)
    catalogue.refresh()
    catalogue.reprice(first, 1200, tell=False)
    report = catalogue.work.retry_refused(catalogue.index)
    assert (report.written, [row.product_id for row in report.refused]) == (1, [second])
    assert [(row.product_id, row.count) for row in letters(catalogue)] == [(second, 2)]


def test_a_rebuild_has_dead_letters_of_its_own(catalogue: Catalogue) -> None:
    """Those of an index go with it."""
    first = catalogue.product_ids()[0]
    catalogue.reprice(first, TOO_MUCH)
    catalogue.refresh()
    names = [catalogue.index]
    for _ in range(2):
        built = rebuild(catalogue.database, catalogue.engine, catalogue.encoder, catalogue.brand)
        assert [row.product_id for row in built.report.refused] == [first]
        names.append(built.index)
        assert [row.index for row in letters(catalogue)] == [built.index]
    with catalogue.database.platform() as tx:
        kept = tx.execute(sa.text("SELECT index_name FROM indexer.dead_letter")).scalars().all()
    assert set(kept) == set(names[1:])


def test_commands_show_and_retry_it(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The list, the count in the status and in the doctor's report, verify's word, the retry."""
    first = catalogue.product_ids()[0]
    as_installation(catalogue, monkeypatch, tmp_path)
    run = CliRunner().invoke
    assert "nothing is refused" in run(cli, ["index", "dead-letters"]).output
    catalogue.reprice(first, TOO_MUCH)
    catalogue.refresh()
    (told,) = json.loads(run(cli, ["index", "dead-letters", "--json"]).output)
    assert (told["product_id"], told["brand_id"], told["count"]) == (first, "mirabelle", 1)
    assert first in run(cli, ["index", "dead-letters"]).output
    assert "1 refused" in run(cli, ["index", "status"]).output
    assert "1 refused" in run(cli, ["index", "list"]).output
    assert "1 products refused" in run(cli, ["doctor"]).output
    report = verify(catalogue.work, patience_s=0)
    assert (sum(report.differences.values()), report.refused) == (1, 1)
    assert report.examples[0].refused == told["reason"]

    catalogue.reprice(first, 1300, tell=False)
    retried = run(cli, ["index", "dead-letters", "--retry"]).output
    assert "1 taken now" in retried
    assert "nothing is refused" in retried
    assert verify(catalogue.work, patience_s=0).is_whole
