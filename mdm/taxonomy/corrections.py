"""A steward's word on a merchant's category: kept, on record, and put into effect on its offers.

The offers concerned are read again by the job that follows every intake: their identity stays what
it was, so nothing is matched anew and no product changes its id.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from kernel.db import Transaction
from kernel.errors import DomainError, NotFound
from kernel.jobs import defer
from mdm.curation import Act, Signature, record_act
from mdm.intake import MATCH_LANDED
from mdm.taxonomy.memory import forget, remember, remembered_categories
from mdm.taxonomy.placement import STEWARD, Placement
from mdm.taxonomy.tree import parents


def correct(
    tx: Transaction, source_id: str, text: str, google_id: int | None, signed: Signature
) -> int:
    """The category belongs to this id; None: to nothing of the taxonomy. Answers how many offers
    will be placed anew. DomainError `category_unknown`, NotFound `category_text_unknown`."""
    if google_id is not None and google_id not in parents():
        raise DomainError(
            "category_unknown",
            f"{google_id} is no id of Google's product taxonomy",
            hint="Find one: comptoir taxonomy find WORDS",
        )
    before = remembered_categories(tx, source_id).get(text)
    if before is None and not _is_used(tx, source_id, text):
        raise NotFound("category_text_unknown", f"{source_id} has no category {text!r}")
    after = Placement(google_id, STEWARD, "steward")
    remember(tx, source_id, text, after, signed.at)
    _record(tx, f"{source_id} {text}", before, after, signed)
    return take_effect(tx, [(source_id, text)])


def take_back(tx: Transaction, source_id: str, text: str, signed: Signature) -> int:
    """Forget what was said about a category. Answers how many offers will be placed anew."""
    before = remembered_categories(tx, source_id).get(text)
    if before is None:
        raise NotFound("category_text_unknown", f"Nothing was said about {text!r} of {source_id}")
    forget(tx, source_id, text)
    _record(tx, f"{source_id} {text}", before, None, signed)
    return take_effect(tx, [(source_id, text)])


def take_effect(tx: Transaction, categories: Iterable[tuple[str, str]]) -> int:
    """Have the offers of these (source, text) read again. Answers how many."""
    count = 0
    for source_id, text in categories:
        count += tx.execute(
            sa.text(
                "UPDATE mdm.raw_offer r SET pending = true FROM mdm.offer o "
                "WHERE o.live AND o.source_id = :source AND o.facts ->> 'category_text' = :text "
                "AND r.source_id = o.source_id AND r.sku = o.sku AND r.state = 'live'"
            ),
            {"source": source_id, "text": text},
        ).rowcount
    if count:
        defer(tx, MATCH_LANDED, once=MATCH_LANDED.name)
    return count


def _is_used(tx: Transaction, source_id: str, text: str) -> bool:
    statement = sa.text(
        "SELECT EXISTS (SELECT FROM mdm.offer WHERE live AND source_id = :source "
        "AND facts ->> 'category_text' = :text)"
    )
    return bool(tx.execute(statement, {"source": source_id, "text": text}).scalar_one())


def _record(
    tx: Transaction,
    key: str,
    before: Placement | None,
    after: Placement | None,
    signed: Signature,
) -> None:
    act = Act(
        signed.at, signed.who, signed.why, "category_mapping", key, _told(before), _told(after)
    )
    record_act(tx, act)


def _told(found: Placement | None) -> dict[str, object] | None:
    if found is None:
        return None
    return {"google_id": found.google_id, "percent": found.percent, "by": found.by}
