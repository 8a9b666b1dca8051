"""Which terms an order was made under: every document, its hash, its language, and when.

The brand's terms are accepted by name at the click; those of the platform and of the merchants are
frozen in the quote that the click confirms. All of them are written down with the purchase, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from checkout import tables as t
from checkout.quote_document import TermsQuoted
from kernel.db import Prepared, Transaction
from tenants.brand import Brand
from tenants.terms import PLATFORM_ID, Party, Terms, terms_of

_RECORD = Prepared(t.accepted_terms.insert())
_ACCEPTED = Prepared(
    t.accepted_terms.select()
    .where(t.accepted_terms.c.purchase_id == sa.bindparam("bought"))
    .order_by(t.accepted_terms.c.party.desc(), t.accepted_terms.c.owner_id)
)


def terms_beside(
    tx: Transaction, brand: Brand, merchant_ids: Sequence[str]
) -> tuple[TermsQuoted, ...]:
    """What is in force besides the brand's own terms, each in the brand's first language."""
    owners = [(Party.PLATFORM, PLATFORM_ID), *((Party.MERCHANT, each) for each in merchant_ids)]
    return tuple(quoted_terms(terms) for terms in terms_of(tx, owners, brand.languages[0]))


def quoted_terms(terms: Terms) -> TermsQuoted:
    """The document without its text."""
    return TermsQuoted(
        terms.party.value, terms.owner_id, terms.language, terms.version, terms.sha256
    )


def record_terms(
    tx: Transaction,
    brand_id: str,
    purchase_id: str,
    accepted: Iterable[TermsQuoted],
    now: datetime,
) -> None:
    """Write down what a purchase was made under, in the purchase's own transaction."""
    rows = [
        {
            "purchase_id": purchase_id,
            "party": terms.party,
            "owner_id": terms.owner_id,
            "language": terms.language,
            "version": terms.version,
            "brand_id": brand_id,
            "sha256": terms.sha256,
            "accepted_at": now,
        }
        for terms in accepted
    ]
    _RECORD.run_each(tx, rows)


def accepted_terms(tx: Transaction, purchase_id: str) -> tuple[TermsQuoted, ...]:
    """Every document that was accepted with a purchase: the platform, the brand, merchants."""
    return tuple(
        TermsQuoted(row.party, row.owner_id, row.language, row.version, row.sha256)
        for row in _ACCEPTED.all(tx, {"bought": purchase_id})
    )
