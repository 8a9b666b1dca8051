"""After the order: what a merchant says became of it, and money that goes back."""

from alembic import op

from kernel.db import APP_ROLE, PLATFORM_ROLE, brand_owned

revision = "0014"
down_revision = "0013"

REFUND = """
ALTER TABLE checkout.leg
    ADD COLUMN refunded_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN order_status text,
    ADD COLUMN watch_at timestamptz,
    ADD CONSTRAINT refunded_at_most_captured CHECK (refunded_minor BETWEEN 0 AND captured_minor);
CREATE INDEX leg_to_watch ON checkout.leg (watch_at) WHERE watch_at IS NOT NULL;
CREATE TABLE checkout.refund (
    refund_id text PRIMARY KEY,
    brand_id text NOT NULL REFERENCES tenants.brand,
    leg_id text NOT NULL REFERENCES checkout.leg,
    ordinal integer NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL,
    cause text NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    done_at timestamptz,
    UNIQUE (leg_id, ordinal)
);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(REFUND)
    for statement in brand_owned("checkout.refund"):
        op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON checkout.refund TO {APP_ROLE}, {PLATFORM_ROLE}")


def downgrade() -> None:
    op.execute("DROP TABLE checkout.refund")
    op.execute("DROP INDEX checkout.leg_to_watch")
    op.execute(
        "ALTER TABLE checkout.leg DROP CONSTRAINT refunded_at_most_captured, "
        "DROP COLUMN refunded_minor, DROP COLUMN order_status, DROP COLUMN watch_at"
    )
