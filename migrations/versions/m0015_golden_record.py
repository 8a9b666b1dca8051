"""Priorities of sources, expectations of categories, the taxonomy's memory, sales on record."""

from alembic import op

from kernel.db import APP_ROLE, PLATFORM_ROLE

revision = "0015"
down_revision = "0014"

TABLES = """
CREATE TABLE mdm.source_priority (
    merchant_id text NOT NULL REFERENCES mdm.merchant,
    field text NOT NULL CHECK (field <> ''),
    rank smallint NOT NULL CHECK (rank BETWEEN -100 AND 100),
    PRIMARY KEY (merchant_id, field)
);

CREATE TABLE mdm.category_expectation (
    category_id integer NOT NULL,
    attribute text NOT NULL,
    products integer NOT NULL CHECK (products > 0),
    stating integer NOT NULL CHECK (stating BETWEEN 0 AND products),
    PRIMARY KEY (category_id, attribute)
);

CREATE TABLE mdm.category_mapping (
    source_id text NOT NULL REFERENCES mdm.merchant,
    category_text text NOT NULL CHECK (category_text <> ''),
    google_id integer,
    percent smallint NOT NULL CHECK (percent BETWEEN 0 AND 100),
    decided_by text NOT NULL CHECK (decided_by IN ('steward', 'names', 'titles', 'meaning')),
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (source_id, category_text)
);

CREATE TABLE mdm.category_name (
    google_id integer NOT NULL,
    language text NOT NULL,
    path text NOT NULL,
    PRIMARY KEY (language, google_id)
);

CREATE TABLE mdm.sale (
    sale_id text PRIMARY KEY,
    offer_id text NOT NULL,
    product_id text NOT NULL REFERENCES mdm.product,
    grade text NOT NULL,
    price_minor bigint NOT NULL CHECK (price_minor > 0),
    currency text NOT NULL,
    sold_at timestamptz NOT NULL
);
CREATE INDEX ix_sale_product ON mdm.sale (product_id, sold_at);
CREATE INDEX ix_sale_offer ON mdm.sale (offer_id);

CREATE TABLE mdm.curation_act (
    act_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    who text NOT NULL CHECK (who <> ''),
    why text NOT NULL DEFAULT '',
    subject text NOT NULL CHECK (subject IN ('source_priority', 'category_mapping')),
    key text NOT NULL,
    before jsonb,
    after jsonb
);
CREATE INDEX ix_curation_act_key ON mdm.curation_act (subject, key, act_id);

ALTER TABLE mdm.offer ADD COLUMN described_at timestamptz;
CREATE INDEX ix_offer_category ON mdm.offer (source_id, (facts ->> 'category_text')) WHERE live;
"""

KEPT = ("source_priority", "category_expectation", "category_mapping", "category_name", "sale")


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES.replace("%", "%%"))
    for table in KEPT:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON mdm.{table} TO {PLATFORM_ROLE}")
    op.execute(f"GRANT SELECT, INSERT ON mdm.curation_act TO {PLATFORM_ROLE}")
    op.execute(
        "CREATE TRIGGER curation_act_is_a_record BEFORE UPDATE OR DELETE OR TRUNCATE "
        "ON mdm.curation_act FOR EACH STATEMENT EXECUTE FUNCTION mdm.refuse_change()"
    )
    for table in (*KEPT, "curation_act"):
        op.execute(f"REVOKE ALL ON mdm.{table} FROM {APP_ROLE}")


def downgrade() -> None:
    op.execute("DROP INDEX mdm.ix_offer_category")
    op.execute("ALTER TABLE mdm.offer DROP COLUMN described_at")
    op.execute(
        "DROP TABLE mdm.curation_act, mdm.sale, mdm.category_name, mdm.category_mapping, "
        "mdm.category_expectation, mdm.source_priority"
    )
