"""Accounting: periods that close, commission rates on record, invoices of commission.

The database says which period an entry belongs to: that of its day, or the first that is still
open. Nothing is ever written into a closed one, and nothing that is booked ever changes.
"""

from alembic import op

from kernel.db import APP_ROLE, PLATFORM_ROLE

revision = "0021"
down_revision = "0020"

TABLES = """
CREATE TABLE checkout.closed_period (
    period text PRIMARY KEY CHECK (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    closed_at timestamptz NOT NULL,
    transactions bigint NOT NULL,
    ledger_sha256 text NOT NULL,
    presentation jsonb NOT NULL
);
CREATE TABLE checkout.commission_rate (
    merchant_id text NOT NULL,
    version integer NOT NULL,
    basis_points integer NOT NULL CHECK (basis_points BETWEEN 0 AND 5000),
    vat_treatment text NOT NULL
        CHECK (vat_treatment IN ('domestic', 'reverse_charge', 'outside')),
    vat_country text,
    valid_from timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, version),
    CHECK (valid_from >= recorded_at),
    CHECK ((vat_treatment = 'domestic') = (vat_country IS NOT NULL))
);
CREATE TABLE checkout.commission_invoice (
    number text PRIMARY KEY,
    period text NOT NULL REFERENCES checkout.closed_period,
    merchant_id text NOT NULL,
    currency text NOT NULL,
    net_minor bigint NOT NULL,
    vat_minor bigint NOT NULL,
    vat_country text,
    orders integer NOT NULL,
    issued_at timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (period, merchant_id, currency, vat_country)
);
ALTER TABLE checkout.ledger_transaction ADD COLUMN period text;
UPDATE checkout.ledger_transaction
    SET period = to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM');
ALTER TABLE checkout.ledger_transaction ALTER COLUMN period SET NOT NULL;
CREATE INDEX ledger_by_period
    ON checkout.ledger_transaction (period, occurred_at, transaction_id);
"""

PERIODS = """
CREATE FUNCTION checkout.ledger_period() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last text;
BEGIN
    -- Held to the end of the transaction: a period closes between bookings, never beside one.
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('checkout.ledger_period', 0));
    SELECT max(period) INTO last FROM checkout.closed_period;
    IF NEW.period IS NULL THEN
        NEW.period := to_char(NEW.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM');
        IF NEW.period <= last THEN
            NEW.period := to_char((last || '-01')::date + interval '1 month', 'YYYY-MM');
        END IF;
    ELSIF NEW.period <= last THEN
        RAISE EXCEPTION 'period % is closed', NEW.period USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER transaction_in_open_period BEFORE INSERT ON checkout.ledger_transaction
    FOR EACH ROW EXECUTE FUNCTION checkout.ledger_period();
CREATE FUNCTION checkout.entry_period() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE own text;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('checkout.ledger_period', 0));
    SELECT period INTO own FROM checkout.ledger_transaction
        WHERE transaction_id = NEW.transaction_id;
    IF own <= (SELECT max(period) FROM checkout.closed_period) THEN
        RAISE EXCEPTION 'period % is closed', own USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER entry_in_open_period BEFORE INSERT ON checkout.ledger_entry
    FOR EACH ROW EXECUTE FUNCTION checkout.entry_period();
"""

RECORDS = (
    "ledger_transaction",
    "ledger_entry",
    "closed_period",
    "commission_rate",
    "commission_invoice",
)


def upgrade() -> None:
    for script in (TABLES, PERIODS):
        op.get_bind().exec_driver_sql(script.replace("%", "%%"))
    op.execute(f"GRANT SELECT ON checkout.closed_period TO {APP_ROLE}")
    for table in ("closed_period", "commission_rate", "commission_invoice"):
        op.execute(f"GRANT SELECT, INSERT ON checkout.{table} TO {PLATFORM_ROLE}")
    for table in RECORDS:
        op.execute(
            f"CREATE TRIGGER {table}_is_a_record BEFORE UPDATE OR DELETE OR TRUNCATE "
            f"ON checkout.{table} FOR EACH STATEMENT EXECUTE FUNCTION checkout.refuse_change()"
        )


def downgrade() -> None:
    op.execute(
        "DROP TABLE checkout.commission_invoice, checkout.commission_rate, checkout.closed_period"
    )
    for table in ("ledger_transaction", "ledger_entry"):
        op.execute(f"DROP TRIGGER {table}_is_a_record ON checkout.{table}")
    op.execute("DROP TRIGGER transaction_in_open_period ON checkout.ledger_transaction")
    op.execute("DROP TRIGGER entry_in_open_period ON checkout.ledger_entry")
    op.execute("DROP FUNCTION checkout.ledger_period(), checkout.entry_period()")
    op.execute("ALTER TABLE checkout.ledger_transaction DROP COLUMN period")
