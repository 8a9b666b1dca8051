"""Seals of what operators did: a chain of digests, so that a record that was changed shows."""

from alembic import op

from kernel.db import PLATFORM_ROLE

revision = "0027"
down_revision = "0026"

TABLE = """
CREATE TABLE tenants.record_seal (
    seal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    record text NOT NULL,
    record_id bigint NOT NULL,
    columns text[] NOT NULL,
    digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    sealed_at timestamptz NOT NULL,
    UNIQUE (record, record_id)
)
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(f"GRANT SELECT, INSERT ON tenants.record_seal TO {PLATFORM_ROLE}")
    op.execute(
        "CREATE TRIGGER record_seal_is_a_record BEFORE UPDATE OR DELETE OR TRUNCATE "
        "ON tenants.record_seal FOR EACH STATEMENT EXECUTE FUNCTION tenants.refuse_change()"
    )


def downgrade() -> None:
    op.execute("DROP TABLE tenants.record_seal")
