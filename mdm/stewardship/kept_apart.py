"""Why offers are not with others: what the matcher noted when it decided about them. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from kernel.db import Transaction

_NOT_WITH = ": not with "


@dataclass(frozen=True, slots=True)
class KeptApart:
    """`why` as `mdm.match` puts it; `other` is the offer meant, None where it is no single one."""

    offer_id: str
    why: str
    other: str | None


def kept_apart(tx: Transaction, offer_ids: Collection[str]) -> list[KeptApart]:
    """By offer, in the order of their ids; what concerns two of these offers is left out, because
    they have come together since."""
    rows = tx.execute(
        sa.text(
            "SELECT offer_id, evidence -> 'kept_apart' AS told FROM mdm.offer "
            "WHERE offer_id = ANY(:ids) AND evidence ? 'kept_apart' ORDER BY offer_id"
        ),
        {"ids": list(offer_ids)},
    )
    found = [KeptApart(row.offer_id, *read_reason(each)) for row in rows for each in row.told]
    here = set(offer_ids)
    return [each for each in found if each.other not in here]


def read_reason(told: str) -> tuple[str, str | None]:
    """(why, the other offer) of a note of the matcher."""
    why, _, other = told.partition(_NOT_WITH)
    return why, other or None
