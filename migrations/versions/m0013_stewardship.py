"""What stewards are asked and have said: reviews, decisions on pairs, acts and their effects.

With them the sessions of operators who work in the back office's pages.
"""

from alembic import op

from kernel.db import APP_ROLE, PLATFORM_ROLE

revision = "0013"
down_revision = "0012"

# Pairs name offers by id without a reference to them: a word on a pair outlives both offers.
TABLES = """
CREATE TABLE mdm.review (
    review_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    offer_id text NOT NULL,
    against text NOT NULL CHECK (against <> offer_id),
    probability real NOT NULL CHECK (probability BETWEEN 0 AND 1),
    evidence jsonb NOT NULL,
    stake double precision NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'decided', 'lapsed')),
    asked_at timestamptz NOT NULL,
    settled_at timestamptz
);
CREATE UNIQUE INDEX ix_review_pair
    ON mdm.review (least(offer_id, against), greatest(offer_id, against));
CREATE INDEX ix_review_stake ON mdm.review (stake DESC, review_id) WHERE state = 'open';
CREATE INDEX ix_review_offer ON mdm.review (offer_id);
CREATE INDEX ix_review_against ON mdm.review (against);

CREATE TABLE mdm.stewardship_act (
    act_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('accept', 'reject', 'merge', 'split', 'move', 'undo')),
    who text NOT NULL CHECK (who <> ''),
    why text NOT NULL DEFAULT '',
    at timestamptz NOT NULL,
    review_id bigint REFERENCES mdm.review,
    undoes bigint REFERENCES mdm.stewardship_act,
    asked jsonb NOT NULL
);
CREATE INDEX ix_stewardship_act_undoes ON mdm.stewardship_act (undoes) WHERE undoes IS NOT NULL;
CREATE INDEX ix_stewardship_act_review ON mdm.stewardship_act (review_id, act_id);
CREATE INDEX ix_stewardship_act_who ON mdm.stewardship_act (who, act_id);

CREATE TABLE mdm.stewardship_effect (
    act_id bigint PRIMARY KEY REFERENCES mdm.stewardship_act,
    at timestamptz NOT NULL,
    placed jsonb NOT NULL,
    begun bigint[] NOT NULL,
    ended bigint[] NOT NULL,
    settled jsonb NOT NULL,
    note text NOT NULL DEFAULT ''
);

CREATE TABLE mdm.match_decision (
    decision_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    low_id text NOT NULL,
    high_id text NOT NULL CHECK (high_id > low_id),
    verdict text NOT NULL CHECK (verdict IN ('same', 'different')),
    in_force boolean NOT NULL DEFAULT true,
    act_id bigint NOT NULL REFERENCES mdm.stewardship_act
);
CREATE UNIQUE INDEX ix_match_decision_pair ON mdm.match_decision (low_id, high_id) WHERE in_force;
CREATE INDEX ix_match_decision_high ON mdm.match_decision (high_id) WHERE in_force;

CREATE TABLE tenants.operator_session (
    session_sha256 text PRIMARY KEY,
    key_id text NOT NULL REFERENCES tenants.operator_key,
    began_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL
);
CREATE INDEX ix_operator_session_ends ON tenants.operator_session (ends_at);

ALTER TABLE mdm.product ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE mdm.product_redirect ADD COLUMN why text NOT NULL DEFAULT '';
CREATE INDEX ix_offer_product_gone ON mdm.offer (product_id) WHERE NOT live;

CREATE FUNCTION mdm.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of %.% is refused: it is a record', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
"""

RECORDS = ("stewardship_act", "stewardship_effect")


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES.replace("%", "%%"))
    for table in RECORDS:
        op.execute(f"GRANT SELECT, INSERT ON mdm.{table} TO {PLATFORM_ROLE}")
        op.execute(
            f"CREATE TRIGGER {table}_is_a_record BEFORE UPDATE OR DELETE OR TRUNCATE "
            f"ON mdm.{table} FOR EACH STATEMENT EXECUTE FUNCTION mdm.refuse_change()"
        )
    for table in ("review", "match_decision"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON mdm.{table} TO {PLATFORM_ROLE}")
    for table in (*RECORDS, "review", "match_decision"):
        op.execute(f"REVOKE ALL ON mdm.{table} FROM {APP_ROLE}")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON tenants.operator_session TO {PLATFORM_ROLE}")


def downgrade() -> None:
    op.execute(
        "DROP TABLE mdm.match_decision, mdm.stewardship_effect, mdm.stewardship_act, mdm.review"
    )
    op.execute("DROP TABLE tenants.operator_session")
    op.execute("DROP FUNCTION mdm.refuse_change()")
    op.execute("DROP INDEX mdm.ix_offer_product_gone")
    op.execute("ALTER TABLE mdm.product_redirect DROP COLUMN why")
    op.execute("ALTER TABLE mdm.product DROP COLUMN created_at")
