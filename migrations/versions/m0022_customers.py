"""Customers: events to other systems with their deliveries, and erasing a person from what stays.

Quotes are evidence and cannot be changed; what a person may have erased from them is done by one
function, which does nothing else.
"""

from alembic import op

from kernel.db import PLATFORM_ROLE, brand_owned

revision = "0022"
down_revision = "0021"

EVENTS = """
CREATE TABLE checkout.customer_event (
    event_id text PRIMARY KEY,
    sequence bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    brand_id text NOT NULL REFERENCES tenants.brand,
    purchase_id text NOT NULL REFERENCES checkout.purchase,
    kind text NOT NULL,
    facts jsonb NOT NULL,
    occurred_at timestamptz NOT NULL
);
CREATE TABLE checkout.event_receiver (
    receiver_id text PRIMARY KEY,
    brand_id text REFERENCES tenants.brand,
    url text NOT NULL,
    secret text NOT NULL,
    kinds text[] NOT NULL,
    link_template text,
    created_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE TABLE checkout.event_delivery (
    receiver_id text NOT NULL REFERENCES checkout.event_receiver,
    event_id text NOT NULL REFERENCES checkout.customer_event,
    purchase_id text NOT NULL,
    sequence bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('due', 'sent', 'dead')),
    tries integer NOT NULL DEFAULT 0,
    next_try_at timestamptz,
    ended_at timestamptz,
    said text,
    PRIMARY KEY (receiver_id, event_id),
    CHECK ((state = 'due') = (next_try_at IS NOT NULL))
);
CREATE INDEX event_to_send ON checkout.event_delivery (next_try_at) WHERE state = 'due';
CREATE INDEX event_in_order
    ON checkout.event_delivery (receiver_id, purchase_id, sequence) WHERE state = 'due';
"""

PERSONS = """
ALTER TABLE checkout.purchase ADD COLUMN erased_at timestamptz;
CREATE INDEX purchase_of_person ON checkout.purchase (lower(contact ->> 'email'));
CREATE INDEX basket_of_person ON checkout.basket (lower(contact ->> 'email'));
CREATE FUNCTION checkout.forget_quotes(bought text[], baskets text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    DELETE FROM checkout.quote q WHERE q.basket_id = ANY(baskets)
        AND NOT EXISTS (SELECT FROM checkout.purchase p WHERE p.quote_id = q.quote_id);
    UPDATE checkout.quote SET document = document || jsonb_build_object(
        'contact_sha256', '',
        'destination', jsonb_build_object(
            'country', document -> 'destination' ->> 'country', 'postcode', '', 'city', ''))
        WHERE quote_id = ANY(bought);
END $$;
REVOKE ALL ON FUNCTION checkout.forget_quotes(text[], text[]) FROM PUBLIC;
"""


def upgrade() -> None:
    for script in (EVENTS, PERSONS):
        op.get_bind().exec_driver_sql(script.replace("%", "%%"))
    for table in ("customer_event", "event_receiver"):
        for statement in brand_owned(f"checkout.{table}"):
            op.execute(statement)
    op.execute(f"GRANT SELECT, INSERT ON checkout.customer_event TO {PLATFORM_ROLE}")
    for table in ("event_receiver", "event_delivery"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON checkout.{table} TO {PLATFORM_ROLE}")
    op.execute(
        f"GRANT EXECUTE ON FUNCTION checkout.forget_quotes(text[], text[]) TO {PLATFORM_ROLE}"
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION checkout.forget_quotes(text[], text[])")
    op.execute("DROP INDEX checkout.basket_of_person, checkout.purchase_of_person")
    op.execute("ALTER TABLE checkout.purchase DROP COLUMN erased_at")
    op.execute(
        "DROP TABLE checkout.event_delivery, checkout.event_receiver, checkout.customer_event"
    )
