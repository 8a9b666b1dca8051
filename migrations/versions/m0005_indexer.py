"""How far each brand's search index has come in the change log."""

from alembic import op

from kernel.db import brand_owned, grant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("CREATE SCHEMA indexer")
    op.execute(
        """
        CREATE TABLE indexer.position (
            brand_id text PRIMARY KEY,
            index_name text NOT NULL,
            previous_index text,
            position bigint NOT NULL CHECK (position >= 0),
            brand_revision integer NOT NULL,
            moved_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    for statement in brand_owned("indexer.position"):
        op.execute(statement)
    for statement in grant("indexer", app="read"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP SCHEMA indexer CASCADE")
