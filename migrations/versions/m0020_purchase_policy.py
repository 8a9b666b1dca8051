"""What the buyer wants where one merchant of several cannot deliver."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE checkout.purchase ADD COLUMN policy text NOT NULL DEFAULT 'best_effort' "
        "CHECK (policy IN ('best_effort', 'all_or_nothing'))"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE checkout.purchase DROP COLUMN policy")
