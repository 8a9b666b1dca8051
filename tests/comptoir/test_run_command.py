"""`comptoir run` as an operator types it: what looks wrong waits until a person has looked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from comptoir.cli import cli
from tests.conftest import fresh_database


@pytest.fixture
def operator(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Somebody at an installation that has nothing yet."""
    monkeypatch.setenv("COMPTOIR_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DATABASE_URL", fresh_database(postgres_url))
    return CliRunner()


def feed(folder: Path, count: int) -> str:
    """So many offers of `acme`."""
    rows = [
        f"K{number},Kettle {number} l,https://acme.example/{number},39.90 EUR,in stock,new"
        for number in range(count)
    ]
    path = folder / "feed.csv"
    path.write_text("\n".join(["id,title,link,price,availability,condition", *rows]))
    return str(path)


def test_a_parked_run_is_named_counted_and_decided_on(operator: CliRunner, tmp_path: Path) -> None:
    def types(*words: str) -> tuple[int, str]:
        said = operator.invoke(cli, list(words))
        return said.exit_code, said.output

    load = ("ingest", "--merchant", "acme", "--land-only")
    assert types(*load, feed(tmp_path, 40))[0] == 0
    assert types("run", "list", "--parked") == (0, "no run waits for a person\n")

    status, said = types(*load, feed(tmp_path, 3))
    assert status == 1
    (first,) = re.findall(r"comptoir run release (\d+) or comptoir run discard \1\n", said)
    status, said = types("run", "list", "--parked")
    assert status == 1
    assert "37 of 40 offers vanished" in said
    assert "1 wait for a person: comptoir run list --parked" in types("doctor")[1]
    assert " discarded " in types("run", "discard", first)[1]
    assert types("run", "list", "--parked")[0] == 0

    status, said = types(*load, feed(tmp_path, 3))
    (second,) = re.findall(r"comptoir run release (\d+)", said)
    status, said = types("run", "release", second)
    assert status == 0, said
    assert "37 withdrawn" in said
    assert [line.split()[0] for line in types("run", "list")[1].splitlines()] == [
        second, first, "1"
    ]  # fmt: skip


def test_nobody_is_told_that_a_merchant_who_is_not_there_has_no_refusals(
    operator: CliRunner,
) -> None:
    assert operator.invoke(cli, ["quarantine"]).output == "nothing is in quarantine\n"
    refused = operator.invoke(cli, ["quarantine", "--merchant", "nobody"]).exception
    assert "nobody" in str(refused)
