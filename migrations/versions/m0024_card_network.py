"""The network that a card payment went through, which the buyer chooses where a card has two."""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE checkout.leg ADD COLUMN card_network text")


def downgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE checkout.leg DROP COLUMN card_network")
