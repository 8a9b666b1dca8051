"""Questions, impacts and acts as JSON for the API and as lines for the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from comptoir.stewardship.reasons import reason
from kernel.db import Transaction
from kernel.errors import NotFound
from kernel.money import Money
from mdm.stewardship.acts import Done
from mdm.stewardship.impact import Impact
from mdm.stewardship.reviews import Question, read_question
from mdm.stewardship.sides import Side, compared, read_sides
from mdm.stewardship.trail import Record


def question_json(question: Question, sides: dict[str, Side]) -> dict[str, Any]:
    """A question with both offers, as far as they are known."""
    return {
        "id": question.review_id,
        "state": question.state,
        "probability": round(question.probability, 4),
        "stake": question.stake,
        "asked_at": question.asked_at.isoformat(),
        "evidence": question.evidence,
        "offers": [
            side_json(sides[each])
            for each in (question.offer_id, question.against)
            if each in sides
        ],
    }


def full_question(tx: Transaction, review_id: int) -> dict[str, Any]:
    """One question with what its offers state. NotFound `review_unknown`."""
    question = read_question(tx, review_id)
    if question is None:
        raise NotFound("review_unknown", f"There is no review {review_id}.")
    sides = read_sides(tx, (question.offer_id, question.against))
    pair = [sides[each] for each in (question.offer_id, question.against) if each in sides]
    facts = compared(*pair) if len(pair) == 2 else []
    return {
        **question_json(question, sides),
        "held_back": reason(why).english if (why := question.evidence.get("held_back")) else None,
        "facts": [
            {"key": row.key, "values": [row.left, row.right], "differs": row.differs}
            for row in facts
        ],
    }


def side_json(side: Side) -> dict[str, Any]:
    """One offer."""
    return {
        "offer": side.offer_id,
        "product": side.product_id,
        "other_offers": side.beside,
        "live": side.live,
        "title": side.title,
        "merchant": side.merchant_name,
        "price": _price(side.price),
        "condition": side.condition,
        "gtins": list(side.gtins),
        "url": side.url,
    }


def impact_json(impact: Impact) -> dict[str, Any]:
    """What an act would change."""
    return {
        "offers_moved": len(impact.moved),
        "prices_moved": impact.prices_moved,
        "needs_confirmation": impact.needs_confirmation,
        "merchants_twice": list(impact.twice),
        "overruled": [list(each) for each in impact.overruled],
        "products": [
            {
                "product": each.product_id,
                "title": each.title,
                "offers": [each.offers_before, each.offers_after],
                "lowest": [_price(each.lowest_before), _price(each.lowest_after)],
                "ends": each.ends,
            }
            for each in impact.changes
        ],
        "moved": [each.offer_id for each in impact.moved],
    }


def impact_lines(impact: Impact) -> Iterator[str]:
    """The same, to be read before one says yes."""
    yield f"{len(impact.moved)} offers move, {impact.prices_moved} lowest prices change"
    for each in impact.changes:
        ends = "  ends" if each.ends else ""
        yield (
            f"  {each.product_id}  {each.offers_before} -> {each.offers_after} offers, lowest "
            f"{each.lowest_before or 'no price'} -> {each.lowest_after or 'no price'}{ends}  "
            f"{each.title[:50]}"
        )
    for merchant in impact.twice:
        yield f"  to confirm: {merchant} would have two offers of one product"
    if impact.overruled:
        yield f"  to confirm: {len(impact.overruled)} earlier decisions say the contrary"


def done_json(done: Done) -> dict[str, Any]:
    """What came of an act."""
    return {
        "act": done.act_id,
        "kind": done.kind,
        "offers_moved": done.moved,
        "products": list(done.products),
        "waits": done.waits,
        "repeated": done.repeated,
    }


def done_line(done: Done) -> str:
    """The same in one line."""
    if done.repeated:
        return f"act {done.act_id} had done this before: nothing changed"
    if done.waits:
        return f"act {done.act_id} ({done.kind}) takes effect after the feed being matched now"
    return f"act {done.act_id} ({done.kind}): {done.moved} offers moved"


def record_json(record: Record) -> dict[str, Any]:
    """An act on record."""
    return {
        "act": record.act_id,
        "kind": record.kind,
        "who": record.who,
        "why": record.why,
        "at": record.at.isoformat(),
        "review": record.review_id,
        "undoes": record.undoes,
        "undone_by": record.undone_by,
        "asked": dict(record.asked),
        "took_effect_at": record.took_effect_at.isoformat() if record.took_effect_at else None,
        "placed": {offer: list(way) for offer, way in record.placed.items()},
        "decisions": {"begun": record.begun, "ended": record.ended},
        "note": record.note,
    }


def record_line(record: Record) -> str:
    """The same in one line."""
    what = {
        "accept": f"review {record.review_id}: the same product",
        "reject": f"review {record.review_id}: different products",
        "undo": f"act {record.undoes} taken back",
    }.get(record.kind, ", ".join(map(str, record.asked.get("products", ()))))
    after = f"; taken back by act {record.undone_by}" if record.undone_by else ""
    after += "" if record.took_effect_at else "; waits"
    why = f' "{record.why}"' if record.why else ""
    return (
        f"{record.act_id:>6}  {record.at:%Y-%m-%d %H:%M}  {record.who}  {record.kind} {what}, "
        f"{len(record.placed)} offers moved{why}{after}"
    )


def _price(price: Money | None) -> dict[str, Any] | None:
    return None if price is None else price.as_json()
