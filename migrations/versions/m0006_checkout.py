"""Baskets, quotes, purchases with their legs and step journal, webhook inbox, ledger."""

from alembic import op

from kernel.db import APP_ROLE, PLATFORM_ROLE, brand_owned, grant

revision = "0006"
down_revision = "0005"

BRAND_OWNED = (
    "basket",
    "basket_line",
    "quote",
    "purchase",
    "leg",
    "step",
    "leg_transition",
    "ledger_transaction",
    "ledger_entry",
)

# Evidence: written once, then read.
INSERT_ONLY = ("quote", "leg_transition", "ledger_transaction", "ledger_entry")

BASKET = """
CREATE TABLE checkout.basket (
    basket_id text PRIMARY KEY,
    brand_id text NOT NULL REFERENCES tenants.brand,
    contact jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE checkout.basket_line (
    basket_id text NOT NULL REFERENCES checkout.basket ON DELETE CASCADE,
    offer_id text NOT NULL,
    brand_id text NOT NULL REFERENCES tenants.brand,
    title text NOT NULL,
    quantity integer NOT NULL CHECK (quantity BETWEEN 1 AND 99),
    seen_minor bigint NOT NULL,
    seen_currency text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (basket_id, offer_id)
);
CREATE TABLE checkout.quote (
    quote_id text PRIMARY KEY,
    brand_id text NOT NULL REFERENCES tenants.brand,
    basket_id text NOT NULL,
    confirmation_token text NOT NULL UNIQUE,
    document jsonb NOT NULL,
    document_sha256 text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX quote_of_basket ON checkout.quote (basket_id, created_at);
"""

PURCHASE = """
CREATE TABLE checkout.purchase (
    purchase_id text PRIMARY KEY,
    brand_id text NOT NULL REFERENCES tenants.brand,
    order_ref text NOT NULL UNIQUE,
    confirmation_token text NOT NULL UNIQUE,
    request_sha256 text NOT NULL,
    quote_id text NOT NULL REFERENCES checkout.quote,
    basket_id text NOT NULL,
    language text NOT NULL,
    site text NOT NULL,
    contact jsonb NOT NULL,
    terms_version integer NOT NULL,
    terms_language text NOT NULL,
    terms_sha256 text NOT NULL,
    terms_accepted_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    FOREIGN KEY (brand_id, terms_language, terms_version)
        REFERENCES tenants.terms (brand_id, language, version)
);
CREATE TABLE checkout.leg (
    leg_id text PRIMARY KEY,
    brand_id text NOT NULL REFERENCES tenants.brand,
    purchase_id text NOT NULL REFERENCES checkout.purchase,
    ordinal integer NOT NULL,
    merchant_id text NOT NULL,
    merchant_name text NOT NULL,
    currency text NOT NULL,
    total_minor bigint NOT NULL CHECK (total_minor > 0),
    state text NOT NULL,
    reason text,
    reason_detail text,
    requoted_minor bigint,
    payment_id text,
    pay_url text,
    authorised_minor bigint NOT NULL DEFAULT 0,
    captured_minor bigint NOT NULL DEFAULT 0,
    handle text,
    merchant_order text,
    attention text,
    lease_owner text,
    lease_until timestamptz,
    next_try_at timestamptz,
    deadline_at timestamptz NOT NULL,
    state_since timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (purchase_id, ordinal),
    UNIQUE (purchase_id, merchant_id),
    CONSTRAINT captured_at_most_authorised CHECK (
        captured_minor BETWEEN 0 AND authorised_minor AND authorised_minor <= total_minor
    )
);
CREATE INDEX leg_to_advance ON checkout.leg (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX leg_of_payment ON checkout.leg (payment_id) WHERE payment_id IS NOT NULL;
CREATE TABLE checkout.step (
    leg_id text NOT NULL REFERENCES checkout.leg,
    name text NOT NULL,
    revision integer NOT NULL,
    attempt integer NOT NULL,
    brand_id text NOT NULL REFERENCES tenants.brand,
    owner text NOT NULL,
    idempotency_key text NOT NULL,
    request_sha256 text NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    outcome text CHECK (outcome IN ('done', 'refused', 'unknown', 'unsent')),
    response jsonb,
    PRIMARY KEY (leg_id, name, revision, attempt),
    CHECK ((outcome IS NULL) = (finished_at IS NULL))
);
CREATE TABLE checkout.leg_transition (
    leg_id text NOT NULL REFERENCES checkout.leg,
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    brand_id text NOT NULL REFERENCES tenants.brand,
    state text NOT NULL,
    reason text,
    owner text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (leg_id, ordinal)
);
"""

WEBHOOK = """
CREATE TABLE checkout.webhook_event (
    provider text NOT NULL,
    event_id text NOT NULL,
    body text NOT NULL,
    received_at timestamptz NOT NULL,
    leg_id text,
    PRIMARY KEY (provider, event_id)
);
"""

LEDGER = """
CREATE TABLE checkout.ledger_transaction (
    transaction_id text PRIMARY KEY,
    brand_id text NOT NULL REFERENCES tenants.brand,
    leg_id text NOT NULL REFERENCES checkout.leg,
    kind text NOT NULL,
    occurred_at timestamptz NOT NULL,
    UNIQUE (leg_id, kind)
);
CREATE TABLE checkout.ledger_entry (
    transaction_id text NOT NULL REFERENCES checkout.ledger_transaction,
    position integer NOT NULL,
    brand_id text NOT NULL REFERENCES tenants.brand,
    account text NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    PRIMARY KEY (transaction_id, position)
);
CREATE FUNCTION checkout.ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE entries integer;
BEGIN
    SELECT count(*) INTO entries FROM checkout.ledger_entry
        WHERE transaction_id = NEW.transaction_id;
    IF entries < 2 OR EXISTS (
        SELECT FROM checkout.ledger_entry WHERE transaction_id = NEW.transaction_id
        GROUP BY currency HAVING sum(amount_minor) <> 0
    ) THEN
        RAISE EXCEPTION 'ledger transaction % does not balance', NEW.transaction_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER entry_balances AFTER INSERT ON checkout.ledger_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION checkout.ledger_balances();
CREATE CONSTRAINT TRIGGER transaction_balances AFTER INSERT ON checkout.ledger_transaction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION checkout.ledger_balances();
"""


def upgrade() -> None:
    op.execute("CREATE SCHEMA checkout")
    for script in (BASKET, PURCHASE, WEBHOOK, LEDGER):
        op.get_bind().exec_driver_sql(script.replace("%", "%%"))
    for table in BRAND_OWNED:
        for statement in brand_owned(f"checkout.{table}"):
            op.execute(statement)
    for statement in grant("checkout", app="write"):
        op.execute(statement)
    op.execute(f"REVOKE ALL ON checkout.webhook_event FROM {APP_ROLE}")
    for table in INSERT_ONLY:
        op.execute(f"REVOKE UPDATE, DELETE ON checkout.{table} FROM {APP_ROLE}, {PLATFORM_ROLE}")


def downgrade() -> None:
    op.execute("DROP SCHEMA checkout CASCADE")
