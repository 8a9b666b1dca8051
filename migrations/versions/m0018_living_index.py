"""Offers are found through an index beside the database, which follows mdm.offer_vector."""

from alembic import op

from kernel.db import PLATFORM_ROLE

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("DROP TABLE mdm.match_key")
    op.execute("DROP TABLE mdm.title_word")
    op.execute("CREATE UNIQUE INDEX ix_offer_vector_order ON mdm.offer_vector (stored)")


def downgrade() -> None:
    op.execute("DROP INDEX mdm.ix_offer_vector_order")
    op.execute("CREATE TABLE mdm.title_word (word text PRIMARY KEY, offers integer NOT NULL)")
    op.execute(
        "CREATE TABLE mdm.match_key (key text NOT NULL, offer_id text NOT NULL "
        "REFERENCES mdm.offer ON DELETE CASCADE, PRIMARY KEY (key, offer_id))"
    )
    op.execute("CREATE INDEX ix_match_key_offer ON mdm.match_key (offer_id)")
    # What was in them is made again when an offer is matched anew.
    op.execute(
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON mdm.title_word, mdm.match_key TO {PLATFORM_ROLE}"
    )
