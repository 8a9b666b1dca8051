"""Every table that a brand owns is closed to other brands by the database itself."""

from __future__ import annotations

import sqlalchemy as sa

from kernel.db import APP_ROLE, PLATFORM_ROLE, Database

SCHEMAS = ("tenants", "mdm", "crawlers", "indexer", "checkout")
# A list of brands is not a secret between brands: hosts are public names.
SHARED_BY_DESIGN = {"tenants.brand"}


def _owned(database: Database) -> dict[str, tuple[bool, bool]]:
    statement = sa.text(
        "SELECT n.nspname || '.' || c.relname, c.relrowsecurity, c.relforcerowsecurity "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'brand_id' "
        "WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY(:schemas)"
    )
    with database.engine.connect() as connection:
        rows = connection.execute(statement, {"schemas": list(SCHEMAS)}).all()
    return {row[0]: (row[1], row[2]) for row in rows if row[0] not in SHARED_BY_DESIGN}


def test_brand_owned_tables_have_forced_row_security(database: Database) -> None:
    owned = _owned(database)
    assert len(owned) >= 5, "the purchase alone owns more tables than that"
    assert {table: flags for table, flags in owned.items() if flags != (True, True)} == {}


def test_without_a_brand_nothing_is_seen(database: Database) -> None:
    for table in _owned(database):
        with database.brand("") as tx:
            try:
                with tx.begin_nested():
                    count = tx.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()
            except sa.exc.ProgrammingError:
                continue  # not even readable by a brand
            assert count == 0, table


def test_no_role_of_ours_passes_row_security_by(database: Database) -> None:
    statement = sa.text(
        "SELECT rolname, rolbypassrls, rolsuper, rolcanlogin FROM pg_roles WHERE rolname = ANY(:r)"
    )
    with database.engine.connect() as connection:
        rows = connection.execute(statement, {"r": [APP_ROLE, PLATFORM_ROLE]}).all()
    assert sorted(tuple(row) for row in rows) == [
        (APP_ROLE, False, False, False),
        (PLATFORM_ROLE, False, False, False),
    ]
