"""`comptoir index refresh`: what waits is done, a new index by a job of its own included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from comptoir.cli import cli
from kernel.db import Database
from kernel.embedding.encoder import load_encoder
from tests.conftest import fresh_database
from tests.indexer.indices_at_hand import Catalogue, make_catalogue


@pytest.fixture
def catalogue(
    request: pytest.FixtureRequest, postgres_url: str, tmp_path: Path
) -> Iterator[Catalogue]:
    database = Database(fresh_database(postgres_url))
    yield make_catalogue(request, "embedded", database, load_encoder(), tmp_path / "search")
    database.close()


def test_a_brand_without_an_index_gets_one(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first run builds it, the second follows the log; no job is left."""
    monkeypatch.setenv("COMPTOIR_DATA", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", catalogue.database.url)
    monkeypatch.delenv("ELASTICSEARCH_URL", raising=False)
    catalogue.land(["100.00", "200.00"])
    done = CliRunner().invoke(cli, ["index", "refresh"])
    assert done.exit_code == 0, done.output
    built = catalogue.index
    assert sorted(catalogue.totals().values()) == [10_500, 20_500]
    catalogue.reprice(catalogue.product_ids()[0], 9_000)
    done = CliRunner().invoke(cli, ["index", "refresh"])
    assert done.exit_code == 0, done.output
    assert catalogue.index == built
    assert sorted(catalogue.totals().values()) == [9_500, 20_500]
    with catalogue.database.platform() as tx:
        waiting = sa.text(
            "SELECT task_name FROM procrastinate_jobs WHERE queue_name = 'index' "
            "AND status IN ('todo', 'doing', 'failed')"
        )
        assert list(tx.execute(waiting).scalars()) == []
