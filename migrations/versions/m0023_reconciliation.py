"""What the books say against what payment providers say: each day's comparison and its findings."""

from alembic import op

from kernel.db import PLATFORM_ROLE

revision = "0023"
down_revision = "0022"

TABLES = """
CREATE TABLE checkout.reconciliation (
    provider text NOT NULL,
    day date NOT NULL,
    compared_at timestamptz NOT NULL,
    bookings integer NOT NULL,
    movements integer NOT NULL,
    PRIMARY KEY (provider, day)
);
CREATE TABLE checkout.reconciliation_finding (
    provider text NOT NULL,
    day date NOT NULL,
    number integer NOT NULL,
    difference text NOT NULL
        CHECK (difference IN ('missing_here', 'missing_there', 'other_amount')),
    kind text NOT NULL,
    merchant_id text NOT NULL,
    reference text NOT NULL,
    ours_minor bigint,
    theirs_minor bigint,
    currency text NOT NULL,
    why text NOT NULL,
    hint text NOT NULL,
    PRIMARY KEY (provider, day, number),
    FOREIGN KEY (provider, day) REFERENCES checkout.reconciliation ON DELETE CASCADE
);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)
    for table in ("reconciliation", "reconciliation_finding"):
        op.execute(f"GRANT SELECT, INSERT, DELETE ON checkout.{table} TO {PLATFORM_ROLE}")


def downgrade() -> None:
    op.execute("DROP TABLE checkout.reconciliation_finding, checkout.reconciliation")
