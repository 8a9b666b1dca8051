"""The catalogue: merchants, intake, offers with evidence, products, price history, changes."""

from alembic import op

from kernel.db import grant

revision = "0003"
down_revision = "0002"

MERCHANTS_AND_INTAKE = """
CREATE TABLE mdm.merchant (
    merchant_id text PRIMARY KEY,
    name text NOT NULL,
    country text NOT NULL,
    website text,
    languages text[] NOT NULL,
    currency text NOT NULL,
    execution text NOT NULL,
    connector text,
    connector_settings jsonb NOT NULL,
    returns_days integer,
    phone text,
    source jsonb NOT NULL,
    decimal_mark text,
    lifetime_days integer NOT NULL,
    default_delivery jsonb NOT NULL,
    speaks_for text REFERENCES mdm.merchant,
    registered_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_merchant_speaks_for ON mdm.merchant (speaks_for) WHERE speaks_for IS NOT NULL;

CREATE TABLE mdm.intake_run (
    run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id text NOT NULL REFERENCES mdm.merchant,
    source text NOT NULL,
    complete boolean NOT NULL,
    state text NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'closed', 'parked', 'discarded')),
    landed integer NOT NULL DEFAULT 0,
    unchanged integer NOT NULL DEFAULT 0,
    refused integer NOT NULL DEFAULT 0,
    withdrawn integer NOT NULL DEFAULT 0,
    reason text,
    opened_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz
);
CREATE INDEX ix_intake_run_merchant ON mdm.intake_run (merchant_id, run_id);

CREATE TABLE mdm.landing (
    run_id bigint NOT NULL REFERENCES mdm.intake_run ON DELETE CASCADE,
    sku text NOT NULL,
    content_sha256 bytea NOT NULL,
    raw jsonb,
    price_minor bigint,
    currency text,
    PRIMARY KEY (run_id, sku)
);

CREATE TABLE mdm.raw_offer (
    source_id text NOT NULL REFERENCES mdm.merchant,
    sku text NOT NULL,
    feed text NOT NULL,
    content_sha256 bytea NOT NULL,
    raw jsonb NOT NULL,
    price_minor bigint,
    currency text,
    state text NOT NULL CHECK (state IN ('live', 'withdrawn')),
    pending boolean NOT NULL,
    revisit_at timestamptz,
    landed_by bigint NOT NULL REFERENCES mdm.intake_run,
    landed_at timestamptz NOT NULL,
    confirmed_at timestamptz NOT NULL,
    PRIMARY KEY (source_id, sku)
);
CREATE INDEX ix_raw_offer_pending ON mdm.raw_offer (source_id, sku) WHERE pending;
CREATE INDEX ix_raw_offer_revisit ON mdm.raw_offer (revisit_at) WHERE revisit_at IS NOT NULL;

CREATE TABLE mdm.quarantine (
    quarantine_id text PRIMARY KEY,
    merchant_id text NOT NULL REFERENCES mdm.merchant,
    sku text,
    position integer,
    code text NOT NULL,
    reason text NOT NULL,
    hint text NOT NULL,
    excerpt text NOT NULL,
    first_run bigint NOT NULL,
    last_run bigint NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_quarantine_merchant ON mdm.quarantine (merchant_id, quarantine_id);
"""

OFFERS_AND_PRODUCTS = """
CREATE TABLE mdm.product (
    product_id text PRIMARY KEY,
    version integer NOT NULL,
    state text NOT NULL CHECK (state IN ('live', 'retired')),
    golden jsonb NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE mdm.product_redirect (
    old_id text PRIMARY KEY REFERENCES mdm.product,
    new_id text NOT NULL REFERENCES mdm.product,
    redirected_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE mdm.offer (
    offer_id text PRIMARY KEY,
    source_id text NOT NULL,
    sku text NOT NULL,
    merchant_id text NOT NULL REFERENCES mdm.merchant,
    product_id text REFERENCES mdm.product,
    live boolean NOT NULL,
    identity_sha256 bytea NOT NULL,
    shown_sha256 bytea NOT NULL,
    title text NOT NULL,
    language text,
    url text,
    price_minor bigint,
    currency text NOT NULL,
    condition text NOT NULL,
    availability text NOT NULL,
    quantity integer,
    delivery jsonb NOT NULL,
    facts jsonb NOT NULL,
    evidence jsonb,
    updated_at timestamptz NOT NULL,
    confirmed_at timestamptz NOT NULL,
    UNIQUE (source_id, sku)
);
CREATE INDEX ix_offer_product ON mdm.offer (product_id) WHERE live;
CREATE INDEX ix_offer_merchant ON mdm.offer (merchant_id, offer_id);

CREATE TABLE mdm.match_key (
    key text NOT NULL,
    offer_id text NOT NULL REFERENCES mdm.offer ON DELETE CASCADE,
    PRIMARY KEY (key, offer_id)
);
CREATE INDEX ix_match_key_offer ON mdm.match_key (offer_id);

CREATE TABLE mdm.offer_vector (
    offer_id text PRIMARY KEY REFERENCES mdm.offer ON DELETE CASCADE,
    model_id text NOT NULL,
    vector bytea NOT NULL,
    stored bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX ix_offer_vector_stored ON mdm.offer_vector (model_id, stored);

CREATE TABLE mdm.title_word (
    word text PRIMARY KEY,
    offers integer NOT NULL
);

CREATE TABLE mdm.price_history (
    offer_id text NOT NULL REFERENCES mdm.offer ON DELETE CASCADE,
    observed_at timestamptz NOT NULL,
    price_minor bigint,
    currency text NOT NULL,
    availability text NOT NULL,
    PRIMARY KEY (offer_id, observed_at)
);

CREATE TABLE mdm.change_log (
    position bigint PRIMARY KEY,
    product_id text NOT NULL REFERENCES mdm.product,
    logged_at timestamptz NOT NULL DEFAULT now()
);
"""


def upgrade() -> None:
    op.execute("CREATE SCHEMA mdm")
    for script in (MERCHANTS_AND_INTAKE, OFFERS_AND_PRODUCTS):
        for statement in script.split(";\n"):
            if statement.strip():
                op.execute(statement)
    for statement in grant("mdm", app="read"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP SCHEMA mdm CASCADE")
