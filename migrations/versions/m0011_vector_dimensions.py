"""The size of every match vector beside the model that made it."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    # A number of a vector is kept in two bytes.
    op.execute(
        "ALTER TABLE mdm.offer_vector ADD COLUMN dimensions integer "
        "GENERATED ALWAYS AS (octet_length(vector) / 2) STORED"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE mdm.offer_vector DROP COLUMN dimensions")
