"""A command whose work could not be done says so; what landed is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from comptoir.cli import cli
from indexer.embedded import EmbeddedEngine
from kernel.errors import DomainError
from tests.conftest import fresh_database

BUNDLED = Path(__file__).resolve().parents[2] / "tenants" / "bundled"
FEED = """id,title,link,price,availability,condition,shipping
K1,Kettle 1 l,https://acme.example/1,39.90 EUR,in stock,new,FR:::4.90 EUR
K2,Kettle 2 l,https://acme.example/2,49.90 EUR,in stock,new,FR:::4.90 EUR
"""


@pytest.fixture
def operator(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("COMPTOIR_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DATABASE_URL", fresh_database(postgres_url))
    runner = CliRunner()
    typed = runner.invoke(cli, ["brand", "apply", str(BUNDLED / "mirabelle.toml")])
    assert typed.exit_code == 0, typed.output
    (tmp_path / "feed.csv").write_text(FEED)
    return runner


def test_offers_that_could_not_be_indexed_have_landed_and_are_not_called_indexed(
    operator: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> Any:
        raise DomainError("disk_full", "The search index cannot be written.", status=503)

    with monkeypatch.context() as broken:
        broken.setattr(EmbeddedEngine, "create", full)
        loaded = operator.invoke(cli, ["ingest", str(tmp_path / "feed.csv"), "--merchant", "acme"])
        assert isinstance(loaded.exception, DomainError)
        assert "2 landed, 0 unchanged, 0 refused" in loaded.output
        assert "matched and indexed" not in loaded.output
        refreshed = operator.invoke(cli, ["index", "refresh"])
        assert isinstance(refreshed.exception, DomainError)
        assert "up to date" not in refreshed.output
    done = operator.invoke(cli, ["index", "refresh"])
    assert done.exit_code == 0, done.output
    assert "2 products compared" in operator.invoke(cli, ["index", "verify"]).output
