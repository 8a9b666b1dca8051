"""Keys of merchants: shown once, stored as a hash, ended for good."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from kernel.db import Database
from tenants.merchant_keys import create_key, revoke_keys, verify


def test_a_key_speaks_for_its_merchant_until_it_is_revoked(database: Database) -> None:
    with database.platform() as tx:
        key = create_key(tx, "maison-oscar")
        other = create_key(tx, "lumiporte")
        assert verify(tx, key) == "maison-oscar"
        assert revoke_keys(tx, "maison-oscar") == 1
        assert verify(tx, key) is None
        assert verify(tx, other) == "lumiporte"


@pytest.mark.parametrize("wrong", ["", "cmk_", "cmk_x_y", "Bearer x", "\0", "é" * 50, "c" * 10_000])
def test_a_malformed_key_speaks_for_nobody(database: Database, wrong: str) -> None:
    with database.platform() as tx:
        assert verify(tx, wrong) is None


def test_the_secret_is_not_stored(database: Database) -> None:
    with database.platform() as tx:
        secret = create_key(tx, "m").split("_", 2)[2]
        stored = tx.execute(sa.text("SELECT merchant_key::text FROM tenants.merchant_key")).all()
    assert not any(secret in str(row) for row in stored)


def test_a_brand_cannot_read_keys(database: Database) -> None:
    with pytest.raises(sa.exc.ProgrammingError), database.brand("mirabelle") as tx:
        verify(tx, "cmk_a_b")
