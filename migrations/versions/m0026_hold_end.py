"""Until when the provider holds the money of a leg: whoever looks into a doubt has to know."""

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.execute("ALTER TABLE checkout.leg ADD COLUMN capture_before timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE checkout.leg DROP COLUMN capture_before")
