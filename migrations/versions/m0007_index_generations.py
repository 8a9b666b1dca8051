"""A position for each index of a brand, not one for the brand; what an engine refused."""

from alembic import op

from kernel.db import brand_owned, grant

revision = "0007"
down_revision = "0006"

UP = """
ALTER TABLE indexer.position DROP CONSTRAINT position_pkey;
ALTER TABLE indexer.position DROP COLUMN previous_index;
ALTER TABLE indexer.position ADD COLUMN live boolean NOT NULL DEFAULT true;
ALTER TABLE indexer.position ADD COLUMN begun_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE indexer.position ADD COLUMN published_at timestamptz DEFAULT now();
ALTER TABLE indexer.position ADD PRIMARY KEY (brand_id, index_name);
CREATE UNIQUE INDEX position_live ON indexer.position (brand_id) WHERE live;
CREATE TABLE indexer.dead_letter (
    brand_id text NOT NULL,
    index_name text NOT NULL,
    product_id text NOT NULL,
    reason text NOT NULL,
    version bigint NOT NULL,
    first_seen timestamptz NOT NULL DEFAULT now(),
    last_seen timestamptz NOT NULL DEFAULT now(),
    count integer NOT NULL DEFAULT 1 CHECK (count > 0),
    PRIMARY KEY (brand_id, index_name, product_id)
)
"""

DOWN = """
DROP TABLE indexer.dead_letter;
DELETE FROM indexer.position WHERE NOT live;
DROP INDEX indexer.position_live;
ALTER TABLE indexer.position DROP CONSTRAINT position_pkey;
ALTER TABLE indexer.position DROP COLUMN live;
ALTER TABLE indexer.position DROP COLUMN begun_at;
ALTER TABLE indexer.position DROP COLUMN published_at;
ALTER TABLE indexer.position ADD COLUMN previous_index text;
ALTER TABLE indexer.position ADD PRIMARY KEY (brand_id)
"""


def upgrade() -> None:
    for statement in UP.split(";\n"):
        op.execute(statement)
    for statement in (*brand_owned("indexer.dead_letter"), *grant("indexer", app="read")):
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN.split(";\n"):
        op.execute(statement)
