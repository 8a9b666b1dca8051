"""The command line as a whole: every command explains itself, and no refusal is a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from comptoir.cli import COMMANDS, cli, main
from comptoir.commands.next_step import LISTED_BY
from comptoir.commands.ranking import VERSION
from comptoir.commands.review import ACT, QUESTION
from comptoir.commands.run import RUN
from tests.conftest import fresh_database
from tests.redis_server import RedisServer
from tests.redis_server import redis_server as redis_server

NOBODY = "127.0.0.1:1"


@pytest.fixture(scope="module")
def empty(postgres_url: str) -> str:
    """A database at the schema of this release, with nothing in it."""
    return fresh_database(postgres_url)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    said = CliRunner().invoke(cli, [name, "--help"])
    assert said.exit_code == 0
    assert "Usage:" in said.output


@pytest.mark.parametrize(
    "told",
    [
        *LISTED_BY.values(),
        *(f"{each.listed_by} shows" for each in (QUESTION, ACT, RUN, VERSION)),
    ],
)
def test_a_command_that_a_refusal_names_is_there(told: str) -> None:
    _, group, name = told.split()[:3]
    words = [group, name] if name.islower() else [group]
    assert CliRunner().invoke(cli, [*words, "--help"]).exit_code == 0


@pytest.mark.parametrize(
    ("words", "listed_by"),
    [
        (["run", "discard", "last"], "comptoir run list"),
        (["review", "accept", "0"], "comptoir review list"),
        (["ranking", "publish", "v2"], "comptoir ranking history"),
    ],
)
def test_a_number_that_is_none_is_told_where_to_be_found(words: list[str], listed_by: str) -> None:
    said = CliRunner().invoke(cli, words)
    assert said.exit_code == 2
    assert f"{words[-1]!r} is no such number; {listed_by} shows them." in said.output


@pytest.mark.parametrize(
    "words",
    [
        ["merchant", "key", "nobody"],
        ["merchant", "account", "nobody", "--username", "u", "--password", "p"],
        ["product", "show", "prd_none"],
        ["offer", "show", "off_none"],
    ],
)
def test_what_is_not_there_is_told_where_to_look(
    tmp_path: Path, empty: str, words: list[str]
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "comptoir.cli", *words],
        env={**os.environ, "COMPTOIR_DATA": str(tmp_path), "DATABASE_URL": empty},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    first, second = ended.stderr.splitlines()
    assert ended.returncode == 2
    assert first.startswith("comptoir: No ")
    assert second.strip().startswith("comptoir ")
    # An account of nobody's would lie there unread for ever.
    assert not list(tmp_path.rglob("*nobody*"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"postgresql://nobody:secret@{NOBODY}/none", "cannot be reached"),
        ("mysql://nobody:secret@host/none", "has to begin with postgresql://"),
        ("nonsense-secret", "has to begin with postgresql://"),
    ],
)
def test_a_database_that_is_not_there_is_said_in_two_lines(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    url: str,
    words: str,
) -> None:
    monkeypatch.setenv("COMPTOIR_DATA", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setattr(sys, "argv", ["comptoir", "merchant", "list"])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert words in said
    assert "secret" not in said
    assert len(said.splitlines()) == 2


@pytest.mark.parametrize(
    "words",
    [
        ["review", "accept", f"{10**20}"],
        ["review", "undo", f"{10**20}"],
        ["ranking", "diff", f"{10**20}"],
        ["ranking", "rollback", "--platform", "--to", f"{10**20}"],
    ],
)
def test_a_number_beyond_any_is_refused(words: list[str]) -> None:
    said = CliRunner().invoke(cli, words)
    assert said.exit_code == 2
    assert "is no such number" in said.output


def doctor(
    monkeypatch: pytest.MonkeyPatch, folder: Path, database: str, **settings: str
) -> dict[str, str]:
    """What the doctor says of each subject."""
    monkeypatch.setenv("COMPTOIR_DATA", str(folder))
    monkeypatch.setenv("DATABASE_URL", database)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    lines = CliRunner().invoke(cli, ["doctor"]).output.splitlines()
    return {line.split()[0]: line.split(maxsplit=1)[1] for line in lines}


def test_the_doctor_asks_what_it_speaks_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, postgres_url: str
) -> None:
    said = doctor(
        monkeypatch,
        tmp_path,
        postgres_url,
        REDIS_URL=f"redis://{NOBODY}/0",
        ELASTICSEARCH_URL=f"http://{NOBODY}",
        PAYMENT_PROVIDER="barter",
    )
    assert said["redis"].startswith("failing")
    assert "serve meanwhile" in said["redis"]
    assert said["engine"].startswith("failing")
    assert "search" not in said
    assert said["payment"].startswith("failing")
    assert "barter" in said["payment"]


def test_the_doctor_finds_a_redis_that_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, postgres_url: str, redis_server: RedisServer
) -> None:
    said = doctor(monkeypatch, tmp_path, postgres_url, REDIS_URL=redis_server.url)
    assert said["redis"].startswith("ok")


def test_the_doctor_says_in_one_line_that_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = doctor(monkeypatch, tmp_path, f"postgresql://nobody:secret@{NOBODY}/none")
    assert said["database"].startswith("failing")
    assert "Is" not in said
    assert "secret" not in "".join(said.values())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["merchant", "list"], "no merchant yet"),
        (["brand", "list"], "no brand yet"),
        (["index", "status"], "no brand yet"),
        (["index", "list"], "no brand yet"),
        (["index", "verify"], "no brand yet"),
        (["index", "rebuild"], "no brand yet"),
        (["accounts", "rates"], "no rate"),
        (["events", "receivers"], "no receiver"),
        (["terms", "list"], "no terms"),
        (["order", "list"], "no order yet"),
        (["quarantine"], "nothing is in quarantine"),
    ],
)
def test_an_empty_installation_says_that_it_is_empty(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, empty: str, words: list[str], said: str
) -> None:
    monkeypatch.setenv("COMPTOIR_DATA", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", empty)
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0
    assert said in result.output
