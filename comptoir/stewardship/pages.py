"""Pages of stewardship: the queue, one question, a product's offers, the record.

Every act is a form; after it the next question is there. Scripts add keys, nothing else.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from comptoir.pages.office import AtDesk, Desk, Fields, OfficeRoute, Sent, go_to, one, page
from comptoir.stewardship import page_models as models
from kernel.db import Transaction
from kernel.errors import DomainError
from mdm.stewardship import reviews
from mdm.stewardship.acts import Done, perform, preview
from mdm.stewardship.plans import Asked, Kind
from mdm.stewardship.trail import Record, read_act

if TYPE_CHECKING:
    from comptoir.installation import Installation

Number = Annotated[int, Path(ge=1, le=2**62)]
Optional = Annotated[int | None, Query(ge=1, le=2**62)]

_PRODUCT = re.compile(r"prd_[a-z0-9]{1,40}")
_KINDS: tuple[Kind, ...] = ("merge", "split", "move", "undo")


def build_pages(installation: Installation) -> APIRouter:
    """Routes below `/stewardship`."""
    router = APIRouter(prefix="/stewardship", include_in_schema=False, route_class=OfficeRoute)
    _add_reading(router, installation)
    _add_answers(router, installation)
    _add_acts(router, installation)
    return router


def _add_reading(router: APIRouter, installation: Installation) -> None:
    database = installation.database

    @router.get("")
    def queue(
        request: Request, desk: AtDesk, after: Optional = None, done: Optional = None
    ) -> Response:
        with database.platform() as tx:
            model = models.queue_page(tx, after, _said(tx, done))
        return page(request, "steward_queue.html", desk, model)

    @router.get("/reviews/{number}")
    def review(request: Request, desk: AtDesk, number: Number, done: Optional = None) -> Response:
        with database.platform() as tx:
            said = _said(tx, done)
            model = models.review_page(tx, number, desk.operator.name, said)
        return page(request, "steward_review.html", desk, model)

    @router.get("/products/{product_id}")
    def product(request: Request, desk: AtDesk, product_id: str, done: Optional = None) -> Response:
        with database.platform() as tx:
            model = models.product_page(tx, product_id, _said(tx, done))
        return page(request, "steward_product.html", desk, model)

    @router.get("/history")
    def history(
        request: Request,
        desk: AtDesk,
        who: str = "",
        before: Optional = None,
        done: Optional = None,
    ) -> Response:
        with database.platform() as tx:
            model = models.history_page(tx, who[:100], before, _said(tx, done))
        return page(request, "steward_history.html", desk, model)


def _add_answers(router: APIRouter, installation: Installation) -> None:
    database = installation.database

    @router.post("/reviews/{number}")
    def answer(desk: AtDesk, number: Number, sent: Sent) -> Response:
        """The verdict, then the next question."""
        kind: Kind = "accept" if one(sent, "verdict") == "accept" else "reject"
        with database.platform() as tx:
            question = reviews.read_question(tx, number)
            done = _perform(tx, Asked(kind, number), desk, sent)
            return go_to(f"{_next(tx, question)}?done={done.act_id}")

    @router.post("/acts/{number}/undo")
    def undo(desk: AtDesk, number: Number, sent: Sent) -> Response:
        """Take an act back and look at its question again."""
        with database.platform() as tx:
            done = _perform(tx, Asked("undo", act_id=number), desk, sent)
            record = read_act(tx, number)
        if record is not None and record.review_id is not None:
            return go_to(f"/stewardship/reviews/{record.review_id}?done={done.act_id}")
        return go_to(f"/stewardship/history?done={done.act_id}")


def _add_acts(router: APIRouter, installation: Installation) -> None:
    database = installation.database

    @router.post("/acts")
    def act(request: Request, desk: AtDesk, sent: Sent) -> Response:
        """First the impact, then, confirmed, the act."""
        asked = _asked(sent)
        if one(sent, "step") != "do":
            with database.platform() as tx:
                impact = preview(tx, asked)
            model = models.ConfirmPage(asked.kind, impact, _again(sent), _back(asked))
            return page(request, "steward_confirm.html", desk, model)
        with database.platform() as tx:
            done = _perform(tx, asked, desk, sent)
        return go_to(f"{_back(asked)}?done={done.act_id}")


def _perform(tx: Transaction, asked: Asked, desk: Desk, sent: Fields) -> Done:
    is_sure = one(sent, "sure") == "1"
    now = datetime.now(UTC)
    return perform(tx, asked, desk.operator.name, one(sent, "why"), now, sure=is_sure)


def _next(tx: Transaction, question: reviews.Question | None) -> str:
    """The question after this one, else the first of those that are left, else the queue."""
    place = (question.stake, question.review_id) if question else None
    found = reviews.queue(tx, 1, place) or reviews.queue(tx, 1)
    return f"/stewardship/reviews/{found[0].review_id}" if found else "/stewardship"


def _asked(sent: Fields) -> Asked:
    kind = next((each for each in _KINDS if each == one(sent, "kind")), None)
    if kind is None:
        raise DomainError("act_incomplete", "Say what to do.")
    if kind == "undo":
        number = one(sent, "act")
        return Asked("undo", act_id=int(number) if number.isdigit() and len(number) < 19 else 0)
    named = " ".join([*sent.get("product", ()), *sent.get("to", ())])
    products = tuple(dict.fromkeys(_PRODUCT.findall(named)))
    if kind == "move":
        # The page's own product is named too: what is moved goes to the other one.
        products = products[-1:] if len(products) > 1 else ()
    if not products or (kind == "merge" and len(products) < 2):
        raise DomainError("act_incomplete", "Name the other product by its id.")
    offers = () if kind == "merge" else tuple(sent.get("offer", ()))
    return Asked(kind, products=products[:1] if kind == "split" else products, offers=offers)


def _again(sent: Fields) -> list[tuple[str, str]]:
    kept = ("kind", "product", "to", "offer", "act", "why")
    return [(name, value) for name in kept for value in sent.get(name, ())]


def _back(asked: Asked) -> str:
    if asked.kind == "undo":
        return "/stewardship/history"
    return f"/stewardship/products/{asked.products[0]}"


def _said(tx: Transaction, act_id: int | None) -> Record | None:
    return read_act(tx, act_id) if act_id is not None else None
