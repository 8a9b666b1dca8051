"""What is remembered of fetched sources, and the push API's runs and answered calls."""

from alembic import op

from kernel.db import grant

revision = "0004"
down_revision = "0003"

TABLES = """
CREATE TABLE crawlers.source_state (
    merchant_id text NOT NULL,
    url text NOT NULL,
    etag text,
    last_modified text,
    content_sha256 text,
    landed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (merchant_id, url)
);

CREATE TABLE crawlers.push_run (
    merchant_id text NOT NULL,
    name text NOT NULL,
    run_id bigint NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (merchant_id, name)
);

CREATE TABLE crawlers.answered_call (
    merchant_id text NOT NULL,
    idempotency_key text NOT NULL,
    request_sha256 text NOT NULL,
    status integer NOT NULL,
    answer json NOT NULL,
    answered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (merchant_id, idempotency_key)
);
CREATE INDEX ix_answered_call_age ON crawlers.answered_call (answered_at);
"""


def upgrade() -> None:
    op.execute("CREATE SCHEMA crawlers")
    op.execute(TABLES)
    for statement in grant("crawlers", app="read"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP SCHEMA crawlers CASCADE")
