"""Acts of stewards: accept, reject, merge, split, move, undo. Each is one transaction.

An act is written down with who and why, and takes effect at once; while a feed is being matched it
waits its turn and takes effect after it, in the order of the acts. What it changed is written down
too, so that it can be taken back. The same act again changes nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from kernel.db import Transaction, advisory_lock
from kernel.errors import DomainError
from kernel.jobs import Job, defer
from mdm.catalogue import log_changes
from mdm.products import move_offers
from mdm.stewardship.decisions import lift, rule, swap_force
from mdm.stewardship.impact import Impact, impact_of
from mdm.stewardship.plans import Asked, Effect, Plan, plan_of
from mdm.stewardship.reviews import claim, put_states, read_question, settle
from mdm.stewardship.trail import standing_like

CARRY_OUT = Job("mdm.carry_out_acts", "mdm", lock="mdm.carry_out_acts")

MATCHING = "mdm.match"
"""Whoever moves offers between products holds this lock: matching does, for a whole batch."""
PATIENCE_S = 0.4
# An act may be committed after younger ones: so many numbers back one is looked for.
_AT_ONCE = 1_000
_TRY_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Done:
    """An act as done. `waits`: it takes effect after the feed that is being matched just now.
    `repeated`: it had been done before, nothing was changed."""

    act_id: int
    kind: str
    moved: int = 0
    products: tuple[str, ...] = ()
    waits: bool = False
    repeated: bool = False


def preview(tx: Transaction, asked: Asked) -> Impact:
    """What the act would change."""
    return impact_of(tx, plan_of(tx, asked))


def perform(
    tx: Transaction, asked: Asked, who: str, why: str, now: datetime, *, sure: bool = False
) -> Done:
    """Do it, or say why not. `sure` confirms what the impact says has to be confirmed.

    DomainError `act_needs_confirmation`, `review_settled`, `act_waits` (409), and those of plans.
    """
    _require_words(who, why)
    is_free = _is_free(tx)
    if is_free:
        _carry_out_waiting(tx, now)
    before = standing_like(tx, asked.kind, asked.as_json())
    _require_open(tx, asked, before)
    if before is not None and (asked.kind in ("accept", "reject", "undo") or not is_free):
        return Done(before, asked.kind, repeated=True)
    if not is_free and asked.kind == "undo":
        # What it takes back may be waiting itself: they take effect one after the other.
        return _let_wait(tx, _write_down(tx, asked, who, why, now), asked)
    plan = plan_of(tx, asked)
    if before is not None and not plan.moves:
        return Done(before, asked.kind, repeated=True)
    impact = impact_of(tx, plan)
    if impact.needs_confirmation and not sure:
        raise _to_confirm(impact)
    act_id = _write_down(tx, asked, who, why, now)
    if not is_free:
        return _let_wait(tx, act_id, asked)
    return _carry_out(tx, act_id, asked, plan, impact, now)


def _let_wait(tx: Transaction, act_id: int, asked: Asked) -> Done:
    if asked.review_id is not None and not claim(tx, asked.review_id):
        raise _settled(asked.review_id)
    defer(tx, CARRY_OUT, once=CARRY_OUT.name)
    return Done(act_id, asked.kind, waits=True)


def carry_out_waiting(tx: Transaction, now: datetime) -> int:
    """The job: let acts that wait take effect, oldest first; answers how many."""
    advisory_lock(tx, MATCHING)
    return _carry_out_waiting(tx, now)


def _carry_out_waiting(tx: Transaction, now: datetime) -> int:
    rows = tx.execute(
        sa.text(
            "SELECT act_id, kind, asked FROM mdm.stewardship_act a "
            "WHERE act_id > (SELECT coalesce(max(act_id), 0) FROM mdm.stewardship_effect) - :near "
            "AND NOT EXISTS (SELECT FROM mdm.stewardship_effect e WHERE e.act_id = a.act_id) "
            "ORDER BY act_id"
        ),
        {"near": _AT_ONCE},
    ).all()
    for row in rows:
        try:
            with tx.begin_nested():
                asked = Asked.from_json(row.kind, row.asked)
                plan = plan_of(tx, asked)
                _carry_out(tx, row.act_id, asked, plan, impact_of(tx, plan), now)
        except DomainError as error:
            # What it was about has gone meanwhile: it is on record, and has no effect.
            _write_effect(tx, row.act_id, Effect({}), now, error.message)
    return len(rows)


def _carry_out(
    tx: Transaction, act_id: int, asked: Asked, plan: Plan, impact: Impact, now: datetime
) -> Done:
    placed = _placed(tx, plan)
    changed = move_offers(tx, plan.moves, now, f"act {act_id}") if plan.moves else []
    places = _placed(tx, plan)
    settled: dict[int, str] = {}
    if plan.takes_back is None:
        ended = lift(tx, impact.overruled)
        begun = rule(tx, act_id, plan.same, "same") + rule(tx, act_id, plan.different, "different")
        for ones, others in plan.answered:
            settled = settle(tx, ones, others, asked.review_id) | settled
        if asked.review_id is not None:
            settled[asked.review_id] = "open"
    else:
        begun, ended = list(plan.takes_back.ended), list(plan.takes_back.begun)
        swap_force(tx, ended, begun)
        settled = put_states(tx, plan.takes_back.settled or {})
    effect = Effect(
        {each: (was, places[each]) for each, was in placed.items() if was != places[each]},
        tuple(begun),
        tuple(ended),
        settled,
    )
    _write_effect(tx, act_id, effect, now)
    log_changes(tx, changed)
    return Done(act_id, asked.kind, len(effect.placed), tuple(changed))


def _placed(tx: Transaction, plan: Plan) -> dict[str, str]:
    rows = tx.execute(
        sa.text("SELECT offer_id, product_id FROM mdm.offer WHERE offer_id = ANY(:ids)"),
        {"ids": list(plan.moves)},
    )
    return {row.offer_id: row.product_id for row in rows}


def _is_free(tx: Transaction) -> bool:
    """Take the lock of the matching, unless it is held for longer than a person likes to wait."""
    until = time.monotonic() + PATIENCE_S
    statement = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
    while not tx.execute(statement, {"name": MATCHING}).scalar_one():
        if time.monotonic() > until:
            return False
        time.sleep(_TRY_EVERY_S)
    return True


def _require_words(who: str, why: str) -> None:
    if not 1 <= len(who.strip()) <= 100 or not who.isprintable():
        raise DomainError("operator_name", "An operator's name has 1 to 100 characters.")
    if len(why) > 1_000 or "\0" in why:
        raise DomainError("reason_too_long", "A reason has 1,000 characters at most.")


def _require_open(tx: Transaction, asked: Asked, before: int | None) -> None:
    """A question is answered once: the other answer comes after the first is taken back."""
    if asked.review_id is None or before is not None:
        return
    question = read_question(tx, asked.review_id)
    if question is not None and question.state != "open":
        raise _settled(asked.review_id)


def _settled(review_id: int) -> DomainError:
    return DomainError(
        "review_settled",
        f"Review {review_id} is answered, or no longer open.",
        hint="`comptoir review history` tells by which act; undo that one first.",
        status=409,
    )


def _to_confirm(impact: Impact) -> DomainError:
    said = []
    if impact.twice:
        said.append(f"{', '.join(impact.twice)} would have two offers of one product")
    if impact.overruled:
        said.append(f"{len(impact.overruled)} earlier decisions say the contrary")
    return DomainError(
        "act_needs_confirmation",
        f"This has to be confirmed: {'; '.join(said)}.",
        hint="Say that you are sure (`--sure`, or `sure` in the call) if it is meant.",
        status=409,
    )


def _write_down(tx: Transaction, asked: Asked, who: str, why: str, now: datetime) -> int:
    row: dict[str, Any] = {
        "kind": asked.kind,
        "who": who.strip(),
        "why": why.strip(),
        "at": now,
        "review": asked.review_id,
        "undoes": asked.act_id,
        "asked": orjson.dumps(asked.as_json(), option=orjson.OPT_SORT_KEYS).decode(),
    }
    statement = sa.text(
        "INSERT INTO mdm.stewardship_act (kind, who, why, at, review_id, undoes, asked) VALUES "
        "(:kind, :who, :why, :at, :review, :undoes, CAST(:asked AS jsonb)) RETURNING act_id"
    )
    return int(tx.execute(statement, row).scalar_one())


def _write_effect(
    tx: Transaction, act_id: int, effect: Effect, now: datetime, note: str = ""
) -> None:
    tx.execute(
        sa.text(
            "INSERT INTO mdm.stewardship_effect (act_id, at, placed, begun, ended, settled, note) "
            "VALUES (:act, :at, CAST(:placed AS jsonb), :begun, :ended, "
            "CAST(:settled AS jsonb), :note)"
        ),
        {
            "act": act_id,
            "at": now,
            "placed": orjson.dumps(effect.placed).decode(),
            "begun": list(effect.begun),
            "ended": list(effect.ended),
            "settled": orjson.dumps(effect.settled or {}, option=orjson.OPT_NON_STR_KEYS).decode(),
            "note": note,
        },
    )
