"""The back office's API of stewardship: what `comptoir review` does, for operators with a key.

Every call carries `Authorization: Bearer cok_...` of an operator of the platform: products belong
to all brands. The key's operator is who the record names.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from comptoir.operator_gate import PlatformOperator, acting_for_platform, admission
from comptoir.stewardship.showing import (
    done_json,
    full_question,
    impact_json,
    question_json,
    record_json,
)
from kernel.errors import NotFound
from mdm.stewardship import reviews
from mdm.stewardship.acts import perform, preview
from mdm.stewardship.plans import MOST_NAMED, Asked, Kind
from mdm.stewardship.sides import read_sides
from mdm.stewardship.trail import history, read_act
from tenants.operator_keys import Operator

if TYPE_CHECKING:
    from comptoir.installation import Installation

PRINTABLE = r"^[\x20-\x7e]+$"
Id = Annotated[str, Field(max_length=80, pattern=PRINTABLE)]
Ids = Annotated[list[Id], Field(min_length=1, max_length=MOST_NAMED)]
Number = Annotated[int, Path(ge=1, le=2**62)]


class ActCall(BaseModel):
    """`sure` confirms what the impact asks to confirm; `dry_run` tells the impact alone."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=1_000)] = ""
    sure: bool = False
    dry_run: bool = False


class MergeCall(ActCall):
    """Products that are one; the oldest keeps its id."""

    products: Ids


class SplitCall(ActCall):
    """Offers that are another product than the rest."""

    offers: Ids


class MoveCall(ActCall):
    """Offers that belong to the product `to`."""

    offers: Ids
    to: Id


def build_router(installation: Installation) -> APIRouter:
    """Routes below `/v1/stewardship`."""
    router = APIRouter(
        prefix="/v1/stewardship",
        tags=["stewardship"],
        dependencies=[Depends(admission(installation.database)), Depends(acting_for_platform)],
    )
    _add_reading(router, installation)
    _add_acts(router, installation)
    return router


def _add_reading(router: APIRouter, installation: Installation) -> None:
    database = installation.database

    @router.get("/reviews")
    def queue(
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        after: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    ) -> dict[str, Any]:
        """Open questions, what is most at stake first; `after` is the last one seen."""
        with database.platform() as tx:
            last = reviews.read_question(tx, after) if after is not None else None
            found = reviews.queue(tx, limit, (last.stake, last.review_id) if last else None)
            sides = read_sides(tx, {each for row in found for each in (row.offer_id, row.against)})
            return {
                "counts": reviews.counts(tx),
                "reviews": [question_json(each, sides) for each in found],
            }

    @router.get("/reviews/{number}")
    def review(number: Number) -> dict[str, Any]:
        """A question with both offers, and what accepting it would change."""
        with database.platform() as tx:
            asked = full_question(tx, number)
            if asked["state"] == "open" and all(each["live"] for each in asked["offers"]):
                asked["if_accepted"] = impact_json(preview(tx, Asked("accept", number)))
            return asked

    @router.get("/acts")
    def acts(
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
        who: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
        product: Annotated[str | None, Query(max_length=80, pattern=PRINTABLE)] = None,
    ) -> list[dict[str, Any]]:
        """Who did what, when and why, newest first."""
        with database.platform() as tx:
            found = history(tx, limit, before=before, who=who, product_id=product)
        return [record_json(each) for each in found]

    @router.get("/acts/{number}")
    def one_act(number: Number) -> dict[str, Any]:
        """One act with everything it changed."""
        with database.platform() as tx:
            found = read_act(tx, number)
        if found is None:
            raise NotFound("act_unknown", f"There is no act {number}.")
        return record_json(found)


def _add_acts(router: APIRouter, installation: Installation) -> None:
    database = installation.database

    def act(call: ActCall, operator: Operator, asked: Asked) -> dict[str, Any]:
        with database.platform() as tx:
            if call.dry_run:
                return impact_json(preview(tx, asked))
            now = datetime.now(UTC)
            return done_json(perform(tx, asked, operator.name, call.reason, now, sure=call.sure))

    def answer(kind: Kind) -> None:
        @router.post(f"/reviews/{{number}}/{kind}", name=kind)
        def answered(number: Number, call: ActCall, operator: PlatformOperator) -> dict[str, Any]:
            return act(call, operator, Asked(kind, number))

    answer("accept")
    answer("reject")

    @router.post("/merges")
    def merge(call: MergeCall, operator: PlatformOperator) -> dict[str, Any]:
        """Make several products one."""
        return act(call, operator, Asked("merge", products=tuple(call.products)))

    @router.post("/products/{product_id}/splits")
    def split(product_id: Id, call: SplitCall, operator: PlatformOperator) -> dict[str, Any]:
        """Make two products of one."""
        asked = Asked("split", products=(product_id,), offers=tuple(call.offers))
        return act(call, operator, asked)

    @router.post("/moves")
    def move(call: MoveCall, operator: PlatformOperator) -> dict[str, Any]:
        """Give offers to another product."""
        return act(call, operator, Asked("move", products=(call.to,), offers=tuple(call.offers)))

    @router.post("/acts/{number}/undo")
    def undo(number: Number, call: ActCall, operator: PlatformOperator) -> dict[str, Any]:
        """Take an act back: offers, decisions and questions are as they were."""
        return act(call, operator, Asked("undo", act_id=number))
