"""The tables of the schema `checkout`, as `migrations/versions` makes them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from kernel.db import schema_metadata

METADATA = schema_metadata("checkout")

Moment = sa.DateTime(timezone=True)

basket = sa.Table(
    "basket",
    METADATA,
    sa.Column("basket_id", sa.Text, primary_key=True),
    sa.Column("brand_id", sa.Text),
    sa.Column("contact", JSONB(none_as_null=True)),
    sa.Column("created_at", Moment),
    sa.Column("updated_at", Moment),
)

basket_line = sa.Table(
    "basket_line",
    METADATA,
    sa.Column("basket_id", sa.Text, primary_key=True),
    sa.Column("offer_id", sa.Text, primary_key=True),
    sa.Column("brand_id", sa.Text),
    sa.Column("title", sa.Text),
    sa.Column("quantity", sa.Integer),
    sa.Column("seen_minor", sa.BigInteger),
    sa.Column("seen_currency", sa.Text),
    sa.Column("added_at", Moment),
)

quote = sa.Table(
    "quote",
    METADATA,
    sa.Column("quote_id", sa.Text, primary_key=True),
    sa.Column("brand_id", sa.Text),
    sa.Column("basket_id", sa.Text),
    sa.Column("confirmation_token", sa.Text),
    sa.Column("document", JSONB),
    sa.Column("document_sha256", sa.Text),
    sa.Column("created_at", Moment),
    sa.Column("expires_at", Moment),
)

purchase = sa.Table(
    "purchase",
    METADATA,
    sa.Column("purchase_id", sa.Text, primary_key=True),
    sa.Column("brand_id", sa.Text),
    sa.Column("order_ref", sa.Text),
    sa.Column("confirmation_token", sa.Text),
    sa.Column("request_sha256", sa.Text),
    sa.Column("quote_id", sa.Text),
    sa.Column("basket_id", sa.Text),
    sa.Column("language", sa.Text),
    sa.Column("site", sa.Text),
    sa.Column("contact", JSONB),
    sa.Column("terms_version", sa.Integer),
    sa.Column("terms_language", sa.Text),
    sa.Column("terms_sha256", sa.Text),
    sa.Column("terms_accepted_at", Moment),
    sa.Column("erased_at", Moment),
    sa.Column("policy", sa.Text),
    sa.Column("created_at", Moment),
)

accepted_terms = sa.Table(
    "accepted_terms",
    METADATA,
    sa.Column("purchase_id", sa.Text, primary_key=True),
    sa.Column("party", sa.Text, primary_key=True),
    sa.Column("owner_id", sa.Text, primary_key=True),
    sa.Column("language", sa.Text),
    sa.Column("version", sa.Integer),
    sa.Column("brand_id", sa.Text),
    sa.Column("sha256", sa.Text),
    sa.Column("accepted_at", Moment),
)

leg = sa.Table(
    "leg",
    METADATA,
    sa.Column("leg_id", sa.Text, primary_key=True),
    sa.Column("brand_id", sa.Text),
    sa.Column("purchase_id", sa.Text),
    sa.Column("ordinal", sa.Integer),
    sa.Column("merchant_id", sa.Text),
    sa.Column("merchant_name", sa.Text),
    sa.Column("currency", sa.Text),
    sa.Column("total_minor", sa.BigInteger),
    sa.Column("state", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("reason_detail", sa.Text),
    sa.Column("requoted_minor", sa.BigInteger),
    sa.Column("payment_id", sa.Text),
    sa.Column("pay_url", sa.Text),
    sa.Column("authorised_minor", sa.BigInteger),
    sa.Column("card_network", sa.Text),
    sa.Column("capture_before", Moment),
    sa.Column("captured_minor", sa.BigInteger),
    sa.Column("refunded_minor", sa.BigInteger),
    sa.Column("order_status", sa.Text),
    sa.Column("watch_at", Moment),
    sa.Column("handle", sa.Text),
    sa.Column("merchant_order", sa.Text),
    sa.Column("attention", sa.Text),
    sa.Column("lease_owner", sa.Text),
    sa.Column("lease_until", Moment),
    sa.Column("next_try_at", Moment),
    sa.Column("deadline_at", Moment),
    sa.Column("state_since", Moment),
    sa.Column("created_at", Moment),
)

step = sa.Table(
    "step",
    METADATA,
    sa.Column("leg_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("brand_id", sa.Text),
    sa.Column("owner", sa.Text),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("request_sha256", sa.Text),
    sa.Column("started_at", Moment),
    sa.Column("finished_at", Moment),
    sa.Column("outcome", sa.Text),
    sa.Column("response", JSONB(none_as_null=True)),
)

leg_transition = sa.Table(
    "leg_transition",
    METADATA,
    sa.Column("leg_id", sa.Text, primary_key=True),
    sa.Column("ordinal", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("brand_id", sa.Text),
    sa.Column("state", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("owner", sa.Text),
    sa.Column("at", Moment),
)

refund = sa.Table(
    "refund",
    METADATA,
    sa.Column("refund_id", sa.Text, primary_key=True),
    sa.Column("brand_id", sa.Text),
    sa.Column("leg_id", sa.Text),
    sa.Column("ordinal", sa.Integer),
    sa.Column("amount_minor", sa.BigInteger),
    sa.Column("currency", sa.Text),
    sa.Column("cause", sa.Text),
    sa.Column("asked_by", sa.Text),
    sa.Column("asked_at", Moment),
    sa.Column("done_at", Moment),
)

letter = sa.Table(
    "letter",
    METADATA,
    sa.Column("letter_id", sa.Text, primary_key=True),
    sa.Column("brand_id", sa.Text),
    sa.Column("purchase_id", sa.Text),
    sa.Column("ordinal", sa.Integer),
    sa.Column("state", sa.Text),
    sa.Column("due_at", Moment),
    sa.Column("next_try_at", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("subject", sa.Text),
    sa.Column("text", sa.Text),
    sa.Column("said", sa.Text),
)

idempotent_request = sa.Table(
    "idempotent_request",
    METADATA,
    sa.Column("brand_id", sa.Text, primary_key=True),
    sa.Column("route", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("content_sha256", sa.Text),
    sa.Column("begun_at", Moment),
    sa.Column("status", sa.Integer),
    sa.Column("answer", JSONB(none_as_null=True)),
)

webhook_event = sa.Table(
    "webhook_event",
    METADATA,
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("body", sa.Text),
    sa.Column("received_at", Moment),
    sa.Column("leg_id", sa.Text),
)

ledger_transaction = sa.Table(
    "ledger_transaction",
    METADATA,
    sa.Column("transaction_id", sa.Text, primary_key=True),
    sa.Column("brand_id", sa.Text),
    sa.Column("leg_id", sa.Text),
    sa.Column("kind", sa.Text),
    sa.Column("occurred_at", Moment),
    sa.Column("period", sa.Text),
)

customer_event = sa.Table(
    "customer_event",
    METADATA,
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, sa.Identity(always=True)),
    sa.Column("brand_id", sa.Text),
    sa.Column("purchase_id", sa.Text),
    sa.Column("kind", sa.Text),
    sa.Column("facts", JSONB),
    sa.Column("occurred_at", Moment),
)

event_receiver = sa.Table(
    "event_receiver",
    METADATA,
    sa.Column("receiver_id", sa.Text, primary_key=True),
    sa.Column("brand_id", sa.Text),
    sa.Column("url", sa.Text),
    sa.Column("secret", sa.Text),
    sa.Column("kinds", ARRAY(sa.Text)),
    sa.Column("link_template", sa.Text),
    sa.Column("created_at", Moment),
    sa.Column("ended_at", Moment),
)

event_delivery = sa.Table(
    "event_delivery",
    METADATA,
    sa.Column("receiver_id", sa.Text, primary_key=True),
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("purchase_id", sa.Text),
    sa.Column("sequence", sa.BigInteger),
    sa.Column("state", sa.Text),
    sa.Column("tries", sa.Integer),
    sa.Column("next_try_at", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("said", sa.Text),
)

reconciliation = sa.Table(
    "reconciliation",
    METADATA,
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("compared_at", Moment),
    sa.Column("bookings", sa.Integer),
    sa.Column("movements", sa.Integer),
)

reconciliation_finding = sa.Table(
    "reconciliation_finding",
    METADATA,
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("difference", sa.Text),
    sa.Column("kind", sa.Text),
    sa.Column("merchant_id", sa.Text),
    sa.Column("reference", sa.Text),
    sa.Column("ours_minor", sa.BigInteger),
    sa.Column("theirs_minor", sa.BigInteger),
    sa.Column("currency", sa.Text),
    sa.Column("why", sa.Text),
    sa.Column("hint", sa.Text),
)

closed_period = sa.Table(
    "closed_period",
    METADATA,
    sa.Column("period", sa.Text, primary_key=True),
    sa.Column("closed_at", Moment),
    sa.Column("transactions", sa.BigInteger),
    sa.Column("ledger_sha256", sa.Text),
    sa.Column("presentation", JSONB),
)

commission_rate = sa.Table(
    "commission_rate",
    METADATA,
    sa.Column("merchant_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("basis_points", sa.Integer),
    sa.Column("vat_treatment", sa.Text),
    sa.Column("vat_country", sa.Text),
    sa.Column("valid_from", Moment),
    sa.Column("recorded_at", Moment),
)

commission_invoice = sa.Table(
    "commission_invoice",
    METADATA,
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("period", sa.Text),
    sa.Column("merchant_id", sa.Text),
    sa.Column("currency", sa.Text),
    sa.Column("net_minor", sa.BigInteger),
    sa.Column("vat_minor", sa.BigInteger),
    sa.Column("vat_country", sa.Text),
    sa.Column("orders", sa.Integer),
    sa.Column("issued_at", Moment),
)

ledger_entry = sa.Table(
    "ledger_entry",
    METADATA,
    sa.Column("transaction_id", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("brand_id", sa.Text),
    sa.Column("account", sa.Text),
    sa.Column("currency", sa.Text),
    sa.Column("amount_minor", sa.BigInteger),
)
