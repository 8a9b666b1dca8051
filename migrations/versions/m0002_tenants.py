"""Brands as applied, terms of sale (insert-only), merchants' keys for the push API."""

from alembic import op

from kernel.db import APP_ROLE, PLATFORM_ROLE, brand_owned, grant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("CREATE SCHEMA tenants")
    op.execute(
        """
        CREATE TABLE tenants.brand (
            brand_id text PRIMARY KEY,
            document jsonb NOT NULL,
            document_sha256 text NOT NULL,
            revision integer NOT NULL DEFAULT 1,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    op.execute(
        """
        CREATE TABLE tenants.terms (
            brand_id text NOT NULL REFERENCES tenants.brand,
            language text NOT NULL,
            version integer NOT NULL,
            body text NOT NULL,
            body_sha256 text NOT NULL,
            published_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (brand_id, language, version)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE tenants.merchant_key (
            key_id text PRIMARY KEY,
            merchant_id text NOT NULL,
            secret_sha256 text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            revoked_at timestamptz
        )
        """
    )
    for statement in brand_owned("tenants.terms"):
        op.execute(statement)
    for statement in grant("tenants", app="read"):
        op.execute(statement)
    # Terms of sale are evidence: what was accepted once can never be changed or removed.
    op.execute(f"REVOKE UPDATE, DELETE ON tenants.terms FROM {APP_ROLE}, {PLATFORM_ROLE}")
    op.execute(f"REVOKE ALL ON tenants.merchant_key FROM {APP_ROLE}")


def downgrade() -> None:
    op.execute("DROP SCHEMA tenants CASCADE")
