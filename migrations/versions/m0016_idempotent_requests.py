"""Requests to the order API by their Idempotency-Key, with the answers they had."""

from alembic import op

from kernel.db import APP_ROLE, PLATFORM_ROLE, brand_owned

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE checkout.idempotent_request (
            brand_id text NOT NULL REFERENCES tenants.brand,
            route text NOT NULL,
            key text NOT NULL,
            content_sha256 text NOT NULL,
            begun_at timestamptz NOT NULL,
            status integer,
            answer jsonb,
            PRIMARY KEY (brand_id, route, key)
        )
        """
    )
    op.execute("CREATE INDEX idempotent_request_age ON checkout.idempotent_request (begun_at)")
    for statement in brand_owned("checkout.idempotent_request"):
        op.execute(statement)
    op.execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON checkout.idempotent_request "
        f"TO {APP_ROLE}, {PLATFORM_ROLE}"
    )


def downgrade() -> None:
    op.execute("DROP TABLE checkout.idempotent_request")
