"""What the pages of stewardship show, read in one transaction each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from comptoir.stewardship.reasons import Reason, reason
from comptoir.stewardship.wording import Said, told
from kernel.db import Transaction
from kernel.errors import DomainError, NotFound
from kernel.pictures import picture_url
from mdm.catalogue import resolve
from mdm.match.decide import ASK, MERGE
from mdm.stewardship import reviews
from mdm.stewardship.acts import preview
from mdm.stewardship.impact import Impact
from mdm.stewardship.kept_apart import kept_apart
from mdm.stewardship.plans import Asked
from mdm.stewardship.reviews import Question
from mdm.stewardship.sides import Row, Side, compared, marked, offers_of, read_sides
from mdm.stewardship.trail import Record, history, last_of

MOST_OFFERS = 200
BESIDE = 6
MOST_APART = 12
QUEUE_PAGE = 50
HISTORY_PAGE = 50


@dataclass(frozen=True, slots=True)
class OfferView:
    """One side of a question, or one offer of a product."""

    side: Side
    picture: str
    title: list[tuple[str, bool]]
    beside: Sequence[Side] = ()


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A question in the list."""

    question: Question
    left: Side
    right: Side


@dataclass(frozen=True, slots=True)
class QueuePage:
    """The queue: `last` is the row to read on from, None at the end."""

    rows: list[QueueRow]
    counts: dict[str, int]
    last: int | None
    is_first: bool
    said: Record | None


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """One question. `band` are the two thresholds, `undo` the operator's last act."""

    question: Question
    left: OfferView
    right: OfferView
    rows: list[Row]
    held_back: Reason | None
    speaks_for: list[Said]
    speaks_against: list[Said]
    band: tuple[float, float]
    impact: Impact | None
    open_count: int
    previous: int | None
    next: int | None
    next_pictures: list[str]
    undo: Record | None
    settled_by: Record | None
    said: Record | None


@dataclass(frozen=True, slots=True)
class ApartRow:
    """Why a product's offer is not with another product, or with others at large (None)."""

    reason: Reason
    other: Side | None


@dataclass(frozen=True, slots=True)
class ProductPage:
    """A product with its offers, to split, move and merge. `asked_as` is an id that led here."""

    product_id: str
    asked_as: str
    title: str
    offers: list[OfferView]
    questions: list[QueueRow]
    apart: list[ApartRow]
    acts: list[Record]
    said: Record | None


@dataclass(frozen=True, slots=True)
class ConfirmPage:
    """What an act would change, before it is done. `fields` are sent again to confirm it."""

    kind: str
    impact: Impact
    fields: list[tuple[str, str]]
    back: str


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Acts, newest first; `before` is the act to read on from."""

    records: list[Record]
    who: str
    before: int | None
    said: Record | None


def queue_page(tx: Transaction, after: int | None, said: Record | None) -> QueuePage:
    """The questions at the head of the queue, or those after one of them."""
    last = reviews.read_question(tx, after) if after is not None else None
    found = reviews.queue(tx, QUEUE_PAGE, (last.stake, last.review_id) if last else None)
    more = found[-1].review_id if len(found) == QUEUE_PAGE else None
    return QueuePage(_rows(tx, found), reviews.counts(tx), more, last is None, said)


def review_page(tx: Transaction, review_id: int, who: str, said: Record | None) -> ReviewPage:
    """NotFound `review_unknown`; DomainError `review_gone` (410) where an offer is no longer."""
    question = reviews.read_question(tx, review_id)
    if question is None:
        raise NotFound("review_unknown", f"There is no review {review_id}.")
    sides = read_sides(tx, (question.offer_id, question.against))
    if len(sides) < 2:
        raise DomainError("review_gone", "An offer of this question is no longer.", status=410)
    left, right = sides[question.offer_id], sides[question.against]
    speaks_for, speaks_against = told(question.evidence)
    following = reviews.queue(tx, 1, (question.stake, question.review_id))
    earlier = reviews.before(tx, question)
    undo = last_of(tx, who)
    is_open = question.state == "open" and left.live and right.live
    settled = [] if is_open else history(tx, 1, review_id=review_id)
    return ReviewPage(
        question=question,
        left=_compared_view(tx, left, right),
        right=_compared_view(tx, right, left),
        rows=compared(left, right),
        held_back=reason(why) if (why := question.evidence.get("held_back")) else None,
        speaks_for=speaks_for,
        speaks_against=speaks_against,
        band=(ASK, MERGE),
        impact=preview(tx, Asked("accept", review_id)) if is_open else None,
        open_count=reviews.counts(tx)["open"],
        previous=earlier.review_id if earlier else None,
        next=following[0].review_id if following else None,
        next_pictures=_pictures(tx, following),
        undo=next(iter(history(tx, 1, before=undo + 1)), None) if undo is not None else None,
        settled_by=settled[0] if settled else None,
        said=said,
    )


def product_page(tx: Transaction, product_id: str, said: Record | None) -> ProductPage:
    """NotFound `product_unknown`."""
    current = resolve(tx, product_id)
    if current is None:
        raise NotFound("product_unknown", f"No product is called {product_id!r}.")
    offers = offers_of(tx, current, MOST_OFFERS)
    questions = reviews.questions_on(tx, [each.offer_id for each in offers], 20)
    return ProductPage(
        product_id=current,
        asked_as=product_id,
        title=offers[0].product_title if offers else "",
        offers=[OfferView(each, _picture(each), [(each.title, False)]) for each in offers],
        questions=_rows(tx, questions),
        apart=_apart(tx, [each.offer_id for each in offers]),
        acts=history(tx, 10, product_id=current),
        said=said,
    )


def history_page(tx: Transaction, who: str, before: int | None, said: Record | None) -> HistoryPage:
    """Acts of one operator, or of all where `who` is empty."""
    records = history(tx, HISTORY_PAGE, before=before, who=who or None)
    more = records[-1].act_id if len(records) == HISTORY_PAGE else None
    return HistoryPage(records, who, more, said)


def _rows(tx: Transaction, questions: Sequence[Question]) -> list[QueueRow]:
    sides = read_sides(tx, {each for row in questions for each in (row.offer_id, row.against)})
    return [
        QueueRow(each, sides[each.offer_id], sides[each.against])
        for each in questions
        if each.offer_id in sides and each.against in sides
    ]


def _apart(tx: Transaction, offer_ids: Sequence[str]) -> list[ApartRow]:
    """Each reason once for each other product."""
    found = kept_apart(tx, offer_ids)
    sides = read_sides(tx, {each.other for each in found if each.other})
    rows: dict[tuple[str, str | None], ApartRow] = {}
    for each in found:
        other = sides.get(each.other) if each.other else None
        if each.other is None or other is not None:
            product = other.product_id if other else None
            rows.setdefault((each.why, product), ApartRow(reason(each.why), other))
    return list(rows.values())[:MOST_APART]


def _compared_view(tx: Transaction, side: Side, other: Side) -> OfferView:
    beside = offers_of(tx, side.product_id, BESIDE + 1) if side.product_id and side.beside else ()
    others = [each for each in beside if each.offer_id != side.offer_id][:BESIDE]
    return OfferView(side, _picture(side), marked(side.title, other.title), others)


def _picture(side: Side) -> str:
    facts: Any = side.facts
    colour = facts.get("attributes", {}).get("colour")
    return picture_url(side.pictures, facts.get("category_id"), colour)


def _pictures(tx: Transaction, following: Sequence[Question]) -> list[str]:
    sides = read_sides(tx, [each for row in following for each in (row.offer_id, row.against)])
    return [_picture(each) for each in sides.values()]
