"""Roles and the job queue."""

from alembic import op

from kernel.db import APP_ROLE, PLATFORM_ROLE, grant
from kernel.jobs import schema_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    for role in (APP_ROLE, PLATFORM_ROLE):
        op.execute(
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN "
            f"CREATE ROLE {role} NOLOGIN NOBYPASSRLS; END IF; END $$"
        )
        # A superuser may have granted it before, to a login role that may grant nothing itself.
        op.execute(
            f"DO $$ BEGIN IF NOT pg_has_role(CURRENT_USER, '{role}', 'SET') THEN "
            f"GRANT {role} TO CURRENT_USER; END IF; END $$"
        )
    op.get_bind().exec_driver_sql(schema_sql().replace("%", "%%"))
    for statement in grant("public", app="write"):
        op.execute(statement)


def downgrade() -> None:
    op.execute(
        "DO $$ DECLARE item record; BEGIN "
        "FOR item IN SELECT oid::regclass AS name FROM pg_class WHERE relkind = 'r' "
        "AND relname LIKE 'procrastinate_%' LOOP "
        "EXECUTE 'DROP TABLE IF EXISTS ' || item.name || ' CASCADE'; END LOOP; "
        "FOR item IN SELECT oid::regprocedure AS name FROM pg_proc "
        "WHERE proname LIKE 'procrastinate_%' LOOP "
        "EXECUTE 'DROP FUNCTION IF EXISTS ' || item.name || ' CASCADE'; END LOOP; "
        "FOR item IN SELECT oid::regtype AS name FROM pg_type WHERE typname LIKE 'procrastinate_%' "
        "AND (typtype = 'e' OR EXISTS (SELECT FROM pg_class c WHERE c.oid = typrelid "
        "AND c.relkind = 'c')) LOOP "
        "EXECUTE 'DROP TYPE IF EXISTS ' || item.name || ' CASCADE'; END LOOP; END $$"
    )
