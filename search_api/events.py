"""What became of an answer: clicks, ways out to a merchant, articles put into the basket.

In: a batch that names an answer by its `query_id`. Refused on the spot: ids that were not ours or
are a day old, products and places that cannot be. Kept without waiting; the writer compares the
place with the log. Events are analytics: when the queue is full they are dropped and counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from indexer.engine import WINDOW
from search_api.answering import QueryLog
from search_api.json_body import StrictBody, read_body
from search_api.query_id import QueryIds, read_mark
from tenants.query_log import EventKind, QueryEvent

MOST_EVENTS = 50
_PRODUCT = re.compile(r"^[A-Za-z0-9_-]{1,64}$")

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:/-]{1,100}$")]


class EventBody(StrictBody):
    """One event. `position` counts from 1 over the whole list: page 2 of 24 begins with 25."""

    kind: EventKind
    query_id: Annotated[str, Field(max_length=60)]
    product_id: Annotated[str, Field(pattern=_PRODUCT.pattern)]
    position: Annotated[int, Field(strict=True, ge=1, le=WINDOW)]
    offer_id: Id | None = None


class EventsBody(StrictBody):
    """A batch; the moment of an event is the moment it arrives."""

    events: Annotated[tuple[EventBody, ...], Field(min_length=1, max_length=MOST_EVENTS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedEvent:
    """An event that was not taken: its place in the batch and why."""

    index: int
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsAnswer:
    """How many were taken, which were refused, how many were dropped because too much came."""

    accepted: int
    dropped: int
    refused: tuple[RefusedEvent, ...]


def take_events(raw: bytes, brand_id: str, ids: QueryIds, log: QueryLog) -> EventsAnswer:
    """Read a batch and hand it to the log. DomainError where the batch is malformed."""
    body = read_body(raw, EventsBody)
    now = datetime.now(UTC)
    refused: list[RefusedEvent] = []
    accepted = dropped = 0
    for index, event in enumerate(body.events):
        if not ids.is_known(event.query_id, brand_id):
            refused.append(RefusedEvent(index=index, code="query_unknown"))
        elif log.happened(_event(event, brand_id, now)):
            accepted += 1
        else:
            dropped += 1
    return EventsAnswer(accepted=accepted, dropped=dropped, refused=tuple(refused))


def _event(event: EventBody, brand_id: str, now: datetime) -> QueryEvent:
    return QueryEvent(
        brand_id=brand_id,
        query_id=event.query_id,
        kind=event.kind,
        product_id=event.product_id,
        position=event.position,
        happened_at=now,
        offer_id=event.offer_id or "",
    )


def note_visit(
    mark: str,
    kind: EventKind,
    product_id: str,
    brand_id: str,
    ids: QueryIds,
    log: QueryLog,
    offer_id: str = "",
) -> bool:
    """Keep what a link's mark says, where it is one of ours: the pages' way, without scripts."""
    read = read_mark(mark)
    if read is None or not ids.is_known(read[0], brand_id) or not _PRODUCT.match(product_id):
        return False
    event = QueryEvent(
        brand_id=brand_id,
        query_id=read[0],
        kind=kind,
        product_id=product_id,
        position=read[1],
        happened_at=datetime.now(UTC),
        offer_id=offer_id,
    )
    return log.happened(event)
