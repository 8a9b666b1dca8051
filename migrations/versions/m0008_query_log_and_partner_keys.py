"""Logged queries, their events, the key that signs their ids; keys of partners for the export."""

from alembic import op

from kernel.db import APP_ROLE, PLATFORM_ROLE, brand_owned

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE tenants.logged_query (
            brand_id text NOT NULL,
            query_id text NOT NULL,
            asked_at timestamptz NOT NULL,
            door text NOT NULL,
            language text NOT NULL,
            words text NOT NULL,
            filters jsonb NOT NULL,
            sort text NOT NULL,
            first_position integer NOT NULL CHECK (first_position >= 1),
            products text[] NOT NULL,
            total integer NOT NULL,
            relaxation text,
            ranking_version integer NOT NULL,
            PRIMARY KEY (brand_id, query_id)
        )
        """
    )
    op.execute("CREATE INDEX ON tenants.logged_query (brand_id, language, asked_at)")
    op.execute("CREATE INDEX ON tenants.logged_query (asked_at)")
    op.execute(
        """
        CREATE TABLE tenants.query_event (
            brand_id text NOT NULL,
            query_id text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('click', 'offer_out', 'add_to_basket')),
            product_id text NOT NULL,
            offer_id text NOT NULL DEFAULT '',
            position integer NOT NULL,
            happened_at timestamptz NOT NULL,
            PRIMARY KEY (brand_id, query_id, kind, product_id, offer_id),
            FOREIGN KEY (brand_id, query_id) REFERENCES tenants.logged_query ON DELETE CASCADE
        )
        """
    )
    op.execute(
        """
        CREATE TABLE tenants.query_log_key (
            one boolean PRIMARY KEY DEFAULT true CHECK (one),
            secret bytea NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE tenants.partner_key (
            key_id text PRIMARY KEY,
            brand_id text NOT NULL,
            partner text NOT NULL,
            secret_sha256 text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            revoked_at timestamptz
        )
        """
    )
    for statement in brand_owned("tenants.partner_key"):
        op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON tenants.partner_key TO {PLATFORM_ROLE}")
    for table in ("tenants.logged_query", "tenants.query_event"):
        for statement in brand_owned(table):
            op.execute(statement)
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {APP_ROLE}")
        op.execute(f"GRANT SELECT, INSERT, DELETE ON {table} TO {PLATFORM_ROLE}")
    op.execute(f"GRANT SELECT, INSERT ON tenants.query_log_key TO {PLATFORM_ROLE}")


def downgrade() -> None:
    op.execute("DROP TABLE tenants.query_event, tenants.logged_query, tenants.query_log_key")
    op.execute("DROP TABLE tenants.partner_key")
