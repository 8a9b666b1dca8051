"""The contract of `Idempotency-Key` for our own API: the same request has one effect, one answer.

The same key with the same content: the same answer again. With other content: 422. While the first
is still at work: 409 with Retry-After. An answer of 500 and above is never kept, so that trying
again does the work; what a killed process held is free again after LEASE_S. Kept for KEPT_H.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from checkout import tables as t
from checkout.deps import CheckoutDeps
from checkout.quote_document import sha256_of
from kernel.errors import DomainError

KEPT_H = 48
LEASE_S = 90
RETRY_AFTER_S = 2
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was given: status and JSON body."""

    status: int
    body: Any
    is_replayed: bool = False


class InFlight(DomainError):
    """The first request of this key has no answer yet."""

    def __init__(self) -> None:
        super().__init__(
            "idempotency_in_flight",
            "The first request with this Idempotency-Key is still at work.",
            hint=f"Send the same request again after {RETRY_AFTER_S} seconds.",
            status=409,
        )
        self.retry_after_s = RETRY_AFTER_S


def once(
    deps: CheckoutDeps, brand_id: str, route: str, key: str, content: Any, work: Callable[[], Kept]
) -> Kept:
    """Do the work, or give the answer that it had; an empty key does the work each time.

    `content` is the request as JSON. Raises DomainError `idempotency_key_invalid`,
    `idempotency_conflict`, InFlight, and whatever the work raises.
    """
    if not key:
        return work()
    if not _KEY.fullmatch(key):
        raise DomainError(
            "idempotency_key_invalid",
            "An Idempotency-Key is 1 to 255 visible ASCII characters.",
            status=400,
        )
    digest = sha256_of({"content": content})
    known = _take(deps, brand_id, route, key, digest)
    if known is not None:
        return known
    try:
        answer = work()
    except BaseException:
        _let_go(deps, brand_id, route, key)
        raise
    _keep(deps, brand_id, route, key, answer)
    return answer


def _take(deps: CheckoutDeps, brand_id: str, route: str, key: str, digest: str) -> Kept | None:
    """None where the work is ours now."""
    now = deps.clock()
    with deps.database.brand(brand_id) as tx:
        tx.execute(
            t.idempotent_request.delete().where(
                t.idempotent_request.c.begun_at < now - timedelta(hours=KEPT_H)
            )
        )
        made = tx.execute(
            insert(t.idempotent_request)
            .values(brand_id=brand_id, route=route, key=key, content_sha256=digest, begun_at=now)
            .on_conflict_do_nothing()
            .returning(t.idempotent_request.c.key)
        ).one_or_none()
        if made is not None:
            return None
        row = tx.execute(
            t.idempotent_request.select().where(*_is(route, key)).with_for_update()
        ).one_or_none()
        if row is not None and row.content_sha256 != digest:
            raise _conflict()
        if row is not None and row.status is not None:
            return Kept(row.status, row.answer, is_replayed=True)
        if row is None or now - row.begun_at < timedelta(seconds=LEASE_S):
            raise InFlight
        # Whoever began it has ended without an answer: go on in its place.
        tx.execute(t.idempotent_request.update().where(*_is(route, key)).values(begun_at=now))
    return None


def _keep(deps: CheckoutDeps, brand_id: str, route: str, key: str, answer: Kept) -> None:
    if answer.status >= 500:
        _let_go(deps, brand_id, route, key)
        return
    with deps.database.brand(brand_id) as tx:
        tx.execute(
            t.idempotent_request.update()
            .where(*_is(route, key))
            .values(status=answer.status, answer=answer.body)
        )


def _let_go(deps: CheckoutDeps, brand_id: str, route: str, key: str) -> None:
    with deps.database.brand(brand_id) as tx:
        tx.execute(t.idempotent_request.delete().where(*_is(route, key)))


def _is(route: str, key: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Row security adds the brand."""
    return t.idempotent_request.c.route == route, t.idempotent_request.c.key == key


def _conflict() -> DomainError:
    return DomainError(
        "idempotency_conflict",
        "This Idempotency-Key was used for another request.",
        hint="Use a new key for a new request. Nothing was done.",
        status=422,
    )
