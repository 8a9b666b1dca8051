"""Records that were pushed are found before those of whole feeds."""

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.execute("ALTER TABLE mdm.raw_offer ADD COLUMN pushed boolean NOT NULL DEFAULT false")
    op.execute(
        "CREATE INDEX ix_raw_offer_pushed ON mdm.raw_offer (source_id, sku) "
        "WHERE pending AND pushed"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE mdm.raw_offer DROP COLUMN pushed")
