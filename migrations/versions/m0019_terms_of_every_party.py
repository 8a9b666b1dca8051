"""Terms of sale of the platform, of brands and of merchants; what was archived; what was accepted.

The terms of brands become one kind of three, with a moment from which each version is in force.
"""

from alembic import op

from kernel.db import APP_ROLE, PLATFORM_ROLE, brand_owned

revision = "0019"
down_revision = "0018"

TERMS = """
ALTER TABLE checkout.purchase
    DROP CONSTRAINT purchase_brand_id_terms_language_terms_version_fkey;
ALTER TABLE tenants.terms DROP CONSTRAINT terms_brand_id_fkey;
ALTER TABLE tenants.terms DROP CONSTRAINT terms_pkey;
ALTER TABLE tenants.terms RENAME COLUMN brand_id TO owner_id;
ALTER TABLE tenants.terms
    ADD COLUMN party text NOT NULL DEFAULT 'brand'
        CHECK (party IN ('platform', 'brand', 'merchant')),
    ADD COLUMN valid_from timestamptz;
UPDATE tenants.terms SET valid_from = published_at;
DROP POLICY tenants_terms_brand ON tenants.terms;
DROP POLICY tenants_terms_platform ON tenants.terms;
ALTER TABLE tenants.terms
    ALTER COLUMN party DROP DEFAULT,
    ALTER COLUMN valid_from SET NOT NULL,
    ADD CONSTRAINT never_in_force_before_published CHECK (valid_from >= published_at),
    ADD PRIMARY KEY (party, owner_id, language, version);
CREATE TABLE tenants.terms_deposit (
    party text NOT NULL,
    owner_id text NOT NULL,
    language text NOT NULL,
    version integer NOT NULL,
    place text NOT NULL,
    receipt text NOT NULL,
    deposited_at timestamptz NOT NULL,
    PRIMARY KEY (party, owner_id, language, version, place),
    FOREIGN KEY (party, owner_id, language, version) REFERENCES tenants.terms
);
CREATE TABLE checkout.accepted_terms (
    purchase_id text NOT NULL REFERENCES checkout.purchase,
    party text NOT NULL,
    owner_id text NOT NULL,
    language text NOT NULL,
    version integer NOT NULL,
    brand_id text NOT NULL REFERENCES tenants.brand,
    sha256 text NOT NULL,
    accepted_at timestamptz NOT NULL,
    PRIMARY KEY (purchase_id, party, owner_id),
    FOREIGN KEY (party, owner_id, language, version) REFERENCES tenants.terms
);
INSERT INTO checkout.accepted_terms
    SELECT purchase_id, 'brand', brand_id, terms_language, terms_version, brand_id,
           terms_sha256, terms_accepted_at
    FROM checkout.purchase;
CREATE FUNCTION checkout.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of %.% is refused: it is a record', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
"""

RECORDS = {
    "tenants.terms": "tenants",
    "tenants.terms_deposit": "tenants",
    "checkout.accepted_terms": "checkout",
}


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TERMS.replace("%", "%%"))
    # A brand's shop reads its own terms, and those of the platform and of every merchant.
    op.execute(
        f"CREATE POLICY tenants_terms_brand ON tenants.terms TO {APP_ROLE} USING "
        "(party <> 'brand' OR owner_id = current_setting('app.brand_id', true))"
    )
    op.execute(
        f"CREATE POLICY tenants_terms_platform ON tenants.terms TO {PLATFORM_ROLE} "
        "USING (true) WITH CHECK (true)"
    )
    for statement in brand_owned("checkout.accepted_terms"):
        op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT ON checkout.accepted_terms TO {APP_ROLE}, {PLATFORM_ROLE}")
    op.execute(f"GRANT SELECT, INSERT ON tenants.terms_deposit TO {PLATFORM_ROLE}")
    # Evidence: not even who owns the tables changes or removes what is in them.
    for table, schema in RECORDS.items():
        op.execute(
            f"CREATE TRIGGER {table.partition('.')[2]}_is_a_record "
            f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change()"
        )


def downgrade() -> None:
    op.execute("DROP TABLE checkout.accepted_terms, tenants.terms_deposit")
    op.execute("DROP FUNCTION checkout.refuse_change()")
    op.execute("DROP TRIGGER terms_is_a_record ON tenants.terms")
    op.execute("DROP POLICY tenants_terms_brand ON tenants.terms")
    op.execute("DROP POLICY tenants_terms_platform ON tenants.terms")
    op.execute("DELETE FROM tenants.terms WHERE party <> 'brand'")
    op.execute(
        "ALTER TABLE tenants.terms DROP CONSTRAINT never_in_force_before_published, "
        "DROP CONSTRAINT terms_pkey, DROP COLUMN party, DROP COLUMN valid_from"
    )
    op.execute("ALTER TABLE tenants.terms RENAME COLUMN owner_id TO brand_id")
    op.execute(
        "ALTER TABLE tenants.terms ADD PRIMARY KEY (brand_id, language, version), "
        "ADD FOREIGN KEY (brand_id) REFERENCES tenants.brand"
    )
    op.execute(
        "ALTER TABLE checkout.purchase ADD FOREIGN KEY (brand_id, terms_language, terms_version) "
        "REFERENCES tenants.terms (brand_id, language, version)"
    )
    for statement in brand_owned("tenants.terms")[2:]:
        op.execute(statement)
