"""When an offer ends, by its own word or its merchant's lifetime; the digest of what describes it.

`expired` says that the change log was told; rows where it and `expires_at` disagree are due.
"""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE mdm.offer ADD COLUMN valid_until timestamptz, "
        "ADD COLUMN expires_at timestamptz, ADD COLUMN expired boolean NOT NULL DEFAULT false, "
        "ADD COLUMN described_sha256 bytea"
    )
    op.execute(
        "UPDATE mdm.offer o SET expires_at = confirmed_at + make_interval(days => lifetime_days) "
        "FROM mdm.merchant m WHERE m.merchant_id = o.merchant_id"
    )
    op.execute("ALTER TABLE mdm.offer ALTER COLUMN expires_at SET NOT NULL")
    op.execute("CREATE INDEX ix_offer_due ON mdm.offer (expires_at) WHERE live AND NOT expired")
    op.execute("CREATE INDEX ix_offer_expired ON mdm.offer (expires_at) WHERE live AND expired")


def downgrade() -> None:
    op.execute(
        "ALTER TABLE mdm.offer DROP COLUMN described_sha256, DROP COLUMN expired, "
        "DROP COLUMN expires_at, DROP COLUMN valid_until"
    )
