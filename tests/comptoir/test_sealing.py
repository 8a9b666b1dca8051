"""What operators did is sealed: whatever is done to a record behind the platform's back shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from comptoir.cli import cli
from comptoir.sealing import BEGINNING, seal_records, verify_records
from kernel.db import Database
from tests.conftest import fresh_database

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ACT = (
    "INSERT INTO mdm.curation_act (at, who, why, subject, key, before, after) VALUES "
    "(now(), :who, 'because', 'category_mapping', :key, NULL, '{\"id\": 328, \"sure\": 0.25}')"
)


@pytest.fixture
def fresh(postgres_url: str) -> Iterator[Database]:
    opened = Database(fresh_database(postgres_url))
    yield opened
    opened.close()


def act(database: Database, *keys: str) -> None:
    with database.platform() as tx:
        for key in keys:
            tx.execute(sa.text(ACT), {"who": "Ann", "key": key})


def seal(database: Database) -> tuple[int, str]:
    with database.platform() as tx:
        return seal_records(tx, NOW)


def fault(database: Database, known_head: str | None = None) -> str | None:
    with database.platform() as tx:
        return verify_records(tx, known_head).fault


def as_owner(database: Database, *statements: str) -> None:
    """By somebody who may take the refusal of changes away, and does."""
    with database.engine.begin() as connection:
        for table in ("mdm.curation_act", "tenants.record_seal"):
            connection.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        for statement in statements:
            connection.execute(sa.text(statement))


def test_every_record_is_sealed_once_in_a_chain(fresh: Database) -> None:
    assert seal(fresh) == (0, BEGINNING)
    act(fresh, "a", "b")
    count, first = seal(fresh)
    assert count == 2
    assert seal(fresh) == (0, first)
    act(fresh, "c")
    with fresh.platform() as tx:
        assert verify_records(tx).unsealed == 1
    count, second = seal(fresh)
    assert (count, second == first) == (1, False)
    with fresh.platform() as tx:
        proof = verify_records(tx, first)
    assert (proof.sealed, proof.unsealed, proof.head, proof.fault) == (3, 0, second, None)


ATTACKS: dict[str, Callable[[Database], None]] = {
    "changed": lambda db: as_owner(db, "UPDATE mdm.curation_act SET who = 'Bob' WHERE key = 'b'"),
    "moved in time": lambda db: as_owner(
        db, "UPDATE mdm.curation_act SET at = at - interval '1 s' WHERE key = 'b'"
    ),
    "gone": lambda db: as_owner(db, "DELETE FROM mdm.curation_act WHERE key = 'b'"),
    "swapped": lambda db: as_owner(
        db,
        "UPDATE mdm.curation_act SET key = CASE key WHEN 'b' THEN 'c' ELSE 'b' END "
        "WHERE key IN ('b', 'c')",
    ),
    "its seal gone too": lambda db: as_owner(
        db,
        "DELETE FROM tenants.record_seal WHERE record_id = 2",
        "DELETE FROM mdm.curation_act WHERE key = 'b'",
    ),
}


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_a_record_that_was_tampered_with_is_named(fresh: Database, attack: str) -> None:
    act(fresh, "a", "b", "c", "d")
    seal(fresh)
    assert fault(fresh) is None
    ATTACKS[attack](fresh)
    found = fault(fresh)
    assert found is not None
    # Where the seal is gone as well, the one after it no longer follows on what is before it.
    assert found.startswith(f"mdm.curation_act {3 if attack.startswith('its') else 2},"), found


def test_seals_made_anew_lack_the_head_that_the_log_has_told(fresh: Database) -> None:
    act(fresh, "a", "b", "c")
    _, told = seal(fresh)
    as_owner(
        fresh,
        "UPDATE mdm.curation_act SET who = 'Bob' WHERE key = 'b'",
        "DELETE FROM tenants.record_seal",
    )
    seal(fresh)
    assert fault(fresh) is None
    found = fault(fresh, told)
    assert found is not None
    assert told in found


def test_what_is_no_tampering_is_not_taken_for_it(fresh: Database) -> None:
    """A record that was long in being committed, and a column that a later release adds."""
    act(fresh, "a", "b")
    as_owner(fresh, "SELECT setval('mdm.curation_act_act_id_seq', 9)")
    act(fresh, "j")
    seal(fresh)
    as_owner(fresh, "SELECT setval('mdm.curation_act_act_id_seq', 2)")
    act(fresh, "c")
    assert seal(fresh)[0] == 1
    as_owner(fresh, "ALTER TABLE mdm.curation_act ADD COLUMN source text DEFAULT 'page'")
    assert fault(fresh) is None


def test_nobody_changes_a_seal(fresh: Database) -> None:
    act(fresh, "a")
    seal(fresh)
    for statement in (
        "UPDATE tenants.record_seal SET record_id = 2",
        "DELETE FROM tenants.record_seal",
    ):
        for use in (fresh.platform, fresh.engine.begin):
            with pytest.raises(sa.exc.DBAPIError), use() as tx:
                tx.execute(sa.text(statement))
    assert fault(fresh) is None


def test_the_command_proves_or_ends_with_an_error(
    fresh: Database, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("DATABASE_URL", fresh.url)
    monkeypatch.setenv("COMPTOIR_DATA", str(tmp_path_factory.mktemp("data")))
    act(fresh, "a", "b")
    assert "2 records sealed" in CliRunner().invoke(cli, ["audit", "seal"]).output
    proven = CliRunner().invoke(cli, ["audit", "verify"])
    assert proven.exit_code == 0
    assert "2 records, each as it was sealed" in proven.output
    head = proven.output.split()[-1]
    assert CliRunner().invoke(cli, ["audit", "verify", "--head", head]).exit_code == 0
    ATTACKS["changed"](fresh)
    refused = CliRunner().invoke(cli, ["audit", "verify"])
    assert refused.exit_code == 1
    assert "mdm.curation_act 2" in refused.output


def test_however_many_wait_all_are_told_and_sealed(
    fresh: Database, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("DATABASE_URL", fresh.url)
    monkeypatch.setenv("COMPTOIR_DATA", str(tmp_path_factory.mktemp("data")))
    monkeypatch.setattr("comptoir.sealing.AT_ONCE", 2)
    act(fresh, "a", "b", "c", "d", "e")
    assert "5 wait" in CliRunner().invoke(cli, ["audit", "verify"]).output
    assert "5 records sealed" in CliRunner().invoke(cli, ["audit", "seal"]).output
    assert "5 records, each as it was sealed" in CliRunner().invoke(cli, ["audit", "verify"]).output
