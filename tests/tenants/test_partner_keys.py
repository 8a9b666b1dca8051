"""Keys of partners: for one brand, shown once, ended for good."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from kernel.db import Database
from tenants.partner_keys import create_partner_key, partner_of, revoke_partner_keys


def test_a_key_speaks_for_one_partner_of_one_brand(database: Database) -> None:
    with database.platform() as tx:
        key = create_partner_key(tx, "mirabelle", "price-watch")
        other = create_partner_key(tx, "taktwerk", "price-watch")
        found = partner_of(tx, key)
        assert found is not None
        assert (found.brand_id, found.partner) == ("mirabelle", "price-watch")
        assert revoke_partner_keys(tx, "mirabelle", "price-watch") == 1
        assert partner_of(tx, key) is None
        assert partner_of(tx, other) is not None


@pytest.mark.parametrize("wrong", ["", "cpk_", "cpk_x_y", "cpk_\0_y", "cpk_é_y", "c" * 10_000])
def test_a_malformed_key_speaks_for_nobody(database: Database, wrong: str) -> None:
    with database.platform() as tx:
        assert partner_of(tx, wrong) is None


def test_the_secret_is_not_stored_and_no_brand_reads_it(database: Database) -> None:
    with database.platform() as tx:
        secret = create_partner_key(tx, "mirabelle", "p").split("_", 2)[2]
        stored = tx.execute(sa.text("SELECT partner_key::text FROM tenants.partner_key")).all()
    assert not any(secret in str(row) for row in stored)
    with pytest.raises(sa.exc.ProgrammingError), database.brand("mirabelle") as tx:
        partner_of(tx, "cpk_a_b")
