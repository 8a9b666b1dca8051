"""Letters to buyers: due, sent or refused, with what was written."""

from alembic import op

from kernel.db import APP_ROLE, PLATFORM_ROLE, brand_owned

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE checkout.letter (
            letter_id text PRIMARY KEY,
            brand_id text NOT NULL REFERENCES tenants.brand,
            purchase_id text NOT NULL REFERENCES checkout.purchase,
            ordinal integer NOT NULL,
            state text NOT NULL CHECK (state IN ('due', 'sent', 'refused')),
            due_at timestamptz NOT NULL,
            next_try_at timestamptz,
            ended_at timestamptz,
            subject text,
            text text,
            said text,
            UNIQUE (purchase_id, ordinal),
            CHECK ((state = 'due') = (next_try_at IS NOT NULL))
        )
        """
    )
    op.execute(
        "CREATE INDEX letter_to_send ON checkout.letter (next_try_at) WHERE next_try_at IS NOT NULL"
    )
    for statement in brand_owned("checkout.letter"):
        op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON checkout.letter TO {APP_ROLE}, {PLATFORM_ROLE}")


def downgrade() -> None:
    op.execute("DROP TABLE checkout.letter")
