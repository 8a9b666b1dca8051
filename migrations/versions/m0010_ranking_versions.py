"""Ranking documents by version, the trail of acts on them, judgements, operators' keys."""

from alembic import op

from kernel.db import APP_ROLE, PLATFORM_ROLE, brand_owned

revision = "0010"
down_revision = "0009"

TABLES = """
CREATE TABLE tenants.ranking_version (
    version bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope text NOT NULL,
    brand_id text REFERENCES tenants.brand,
    locale text CHECK (locale IN ('fr', 'de', 'en')),
    document jsonb NOT NULL,
    document_sha256 text NOT NULL,
    based_on bigint REFERENCES tenants.ranking_version,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL CHECK (created_by <> ''),
    note text NOT NULL DEFAULT '',
    CHECK (CASE scope
        WHEN 'platform' THEN brand_id IS NULL AND locale IS NULL
        WHEN 'brand' THEN brand_id IS NOT NULL AND locale IS NULL
        WHEN 'locale' THEN brand_id IS NOT NULL AND locale IS NOT NULL
        ELSE false END)
);
CREATE INDEX ON tenants.ranking_version (scope, brand_id, locale, version);
CREATE TABLE tenants.ranking_act (
    act_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version bigint NOT NULL REFERENCES tenants.ranking_version,
    brand_id text REFERENCES tenants.brand,
    act text NOT NULL
        CHECK (act IN ('draft', 'discard', 'evaluate', 'publish', 'rollback', 'withdraw')),
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL CHECK (actor <> ''),
    reason text NOT NULL DEFAULT '',
    details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX ON tenants.ranking_act (version, act_id);
CREATE TABLE tenants.judgement (
    brand_id text NOT NULL REFERENCES tenants.brand,
    locale text NOT NULL CHECK (locale IN ('fr', 'de', 'en')),
    query text NOT NULL,
    product_id text NOT NULL,
    rating smallint NOT NULL CHECK (rating BETWEEN 0 AND 3),
    judged_by text NOT NULL,
    judged_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (brand_id, locale, query, product_id)
);
CREATE TABLE tenants.operator_key (
    key_id text PRIMARY KEY,
    operator text NOT NULL CHECK (operator <> ''),
    brand_id text REFERENCES tenants.brand,
    secret_sha256 text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
CREATE FUNCTION tenants.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of %.% is refused: it is a record', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
"""

RECORDS = ("ranking_version", "ranking_act")


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES.replace("%", "%%"))
    for table in ("ranking_version", "ranking_act", "judgement", "operator_key"):
        for statement in brand_owned(f"tenants.{table}"):
            op.execute(statement)
    # Not even who owns the tables changes what was done: roles have no right to, and a trigger
    # stands before everybody else.
    for table in RECORDS:
        op.execute(f"GRANT SELECT ON tenants.{table} TO {APP_ROLE}")
        op.execute(f"GRANT SELECT, INSERT ON tenants.{table} TO {PLATFORM_ROLE}")
        op.execute(
            f"CREATE TRIGGER {table}_is_a_record BEFORE UPDATE OR DELETE OR TRUNCATE "
            f"ON tenants.{table} FOR EACH STATEMENT EXECUTE FUNCTION tenants.refuse_change()"
        )
    op.execute(f"GRANT SELECT ON tenants.judgement TO {APP_ROLE}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON tenants.judgement TO {PLATFORM_ROLE}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON tenants.operator_key TO {PLATFORM_ROLE}")


def downgrade() -> None:
    op.execute(
        "DROP TABLE tenants.ranking_act, tenants.ranking_version, tenants.judgement, "
        "tenants.operator_key"
    )
    op.execute("DROP FUNCTION tenants.refuse_change()")
