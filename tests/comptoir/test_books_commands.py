"""The commands of terms, accounts, events and customers, as an operator types them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from comptoir.cli import cli
from kernel.db import Database
from kernel.errors import DomainError
from tests.purchase_setting import add_merchant, bundled_brand

Run = Callable[..., str]


@pytest.fixture
def run(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on the test's database; answers what it prints. Refusals are raised."""
    monkeypatch.setenv("DATABASE_URL", database.url)
    monkeypatch.setenv("COMPTOIR_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ACCOUNTS_SIREN", "123456789")

    def typed(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(cli, words)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.output

    return typed


@pytest.fixture(scope="module", autouse=True)
def _market(database: Database) -> None:
    bundled_brand(database)
    add_merchant(database, "norden")


def test_terms_are_published_archived_and_proven(run: Run, tmp_path: Path) -> None:
    text = tmp_path / "terms.md"
    text.write_text("Conditions de Norden.\n", "utf-8")
    added = run("terms", "add", str(text), "--merchant", "norden", "--language", "fr")
    assert "merchant norden (fr) version 1" in added
    assert "folder since" in added
    assert run("terms", "add", str(text), "--merchant", "norden", "--language", "fr") == added
    run("terms", "add", str(text), "--language", "fr", code=2)
    assert run("terms", "at", "2200-01-01").count(" holds") == 2
    assert "no terms were in force" in run("terms", "at", "2001-01-01")
    assert run("terms", "list").count("sha256") == 2
    (archived,) = (tmp_path / "data" / "terms-archive").glob("*.md".replace("*", _sha(added)))
    assert run("terms", "show", archived.stem) == "Conditions de Norden.\n"
    assert run("terms", "archive") == "0 deposits made\n"
    archived.chmod(0o644)
    archived.write_text("Rien.")
    assert "IS NO LONGER THERE" in run("terms", "at", "2200-01-01", code=1)


def _sha(told: str) -> str:
    return told.partition("sha256 ")[2].partition(" ")[0]


def test_a_month_is_rated_closed_checked_and_exported(run: Run, tmp_path: Path) -> None:
    assert "6.50 %" in run("accounts", "rate", "norden", "6,5")
    assert "tax: FR" in run("accounts", "rates")
    run("accounts", "rate", "norden", "51", code=2)
    assert run("accounts", "invoices", "2020-01") == "no commission in this month\n"
    assert "PROVISIONAL" in run(
        *("accounts", "export", "--period", "2020-01", "--format", "csv", "--to", str(tmp_path))
    )
    assert "2020-01 is closed: 0 transactions" in run("accounts", "close", "2020-01")
    assert "1 closed months, each as it was closed" in run("accounts", "check")
    told = run(
        *("accounts", "export", "--period", "2020-01", "--format", "fec", "--to", str(tmp_path))
    )
    assert "0 entries, final" in told
    assert (tmp_path / "123456789FEC20200131.txt").is_file()
    with pytest.raises(DomainError, match="is no month"):
        run("accounts", "close", "2020-13")
    with pytest.raises(DomainError, match="is not over"):
        run("accounts", "close", "2999-01")


def test_receivers_come_and_go(run: Run) -> None:
    told = run("events", "add", "https://crm.example/hooks", "--kind", "refund.made")
    name = told.split()[1]
    assert "whsec_" in told
    assert "refund.made" in run("events", "receivers")
    assert run("events", "list") == "no such event\n"
    assert run("events", "replay", name) == "0 events are due again\n"
    run("events", "end", name)
    assert "ended" in run("events", "receivers")
    with pytest.raises(DomainError, match="was ended"):
        run("events", "replay", name)


@pytest.mark.parametrize("act", [("show",), ("export",), ("erase", "--yes")])
def test_nobody_is_found_who_was_never_here(run: Run, act: tuple[str, ...]) -> None:
    with pytest.raises(DomainError, match="Nothing is kept"):
        run("customers", *act, "personne@example.org")


@pytest.mark.parametrize("share", ["NaN", "sNaN", "Infinity", "-1", "50.01", "1.234", "x"])
def test_a_share_that_is_none_is_refused_before_anything_is_asked(share: str) -> None:
    said = CliRunner().invoke(cli, ["accounts", "rate", "acme", "--", share])
    assert said.exit_code == 2
    assert "is no share" in said.output
