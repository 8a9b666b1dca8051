"""How reliably a merchant confirms orders, in per cent; unknown until enough orders are known."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE mdm.merchant ADD COLUMN quality_percent smallint "
        "CHECK (quality_percent BETWEEN 0 AND 100)"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE mdm.merchant DROP COLUMN quality_percent")
