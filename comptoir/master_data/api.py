"""The back office's API of master data: what `comptoir product`, `taxonomy` and `argus` do.

Every call carries `Authorization: Bearer cok_...` of an operator of the platform: master data
belong to all brands.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from comptoir.master_data.argus import argus_json, argus_svg, read_argus
from comptoir.master_data.categories import found_by
from comptoir.master_data.records import change_priority, record_json
from comptoir.operator_gate import PlatformOperator, acting_for_platform, admission
from mdm.curation import Signature, acts_on
from mdm.golden.priorities import read_priorities
from mdm.taxonomy.corrections import correct, take_back
from mdm.taxonomy.mapping import waiting_categories

if TYPE_CHECKING:
    from comptoir.installation import Installation

Reason = Annotated[str, Field(max_length=1_000)]


class PriorityCall(BaseModel):
    """How far a source is believed about a field; `rank` null takes it back."""

    model_config = ConfigDict(extra="forbid")

    merchant: str
    field: str
    rank: int | None
    reason: Reason = ""


class CorrectionCall(BaseModel):
    """Where a merchant's category belongs; `google_id` null: to nothing of the taxonomy."""

    model_config = ConfigDict(extra="forbid")

    merchant: str
    category: Annotated[str, Field(min_length=1, max_length=300)]
    google_id: int | None
    reason: Reason = ""


class TakeBackCall(BaseModel):
    """What was said about a merchant's category is to be forgotten."""

    model_config = ConfigDict(extra="forbid")

    merchant: str
    category: Annotated[str, Field(min_length=1, max_length=300)]
    reason: Reason = ""


def build_router(installation: Installation) -> APIRouter:
    """Routes below `/v1/master-data`."""
    router = APIRouter(
        prefix="/v1/master-data",
        tags=["master data"],
        dependencies=[Depends(admission(installation.database)), Depends(acting_for_platform)],
    )
    _add_records(router, installation)
    _add_taxonomy(router, installation)
    _add_argus(router, installation)
    return router


def _add_records(router: APIRouter, installation: Installation) -> None:
    database = installation.database

    @router.get("/products/{product_id}")
    def product(product_id: str) -> dict[str, Any]:
        """Each value with who states it, who states otherwise, and what is missing."""
        with database.platform() as tx:
            return record_json(tx, product_id)

    @router.get("/priorities")
    def priorities() -> list[dict[str, Any]]:
        """Ranks of sources by field."""
        with database.platform() as tx:
            ranks = read_priorities(tx)
        return [
            {"merchant": merchant, "field": field, "rank": rank}
            for (merchant, field), rank in sorted(ranks.items())
        ]

    @router.put("/priorities")
    def put_priority(call: PriorityCall, operator: PlatformOperator) -> dict[str, int]:
        """Set or take back a rank; the records that it may change are merged anew."""
        with database.platform() as tx:
            changed = change_priority(
                tx, call.merchant, call.field, call.rank, operator.name, call.reason
            )
        return {"products": changed}


def _add_taxonomy(router: APIRouter, installation: Installation) -> None:
    database = installation.database

    @router.get("/categories/waiting")
    def waiting(limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> list[dict[str, Any]]:
        """Categories that are not sure, those of most offers first, with what is proposed."""
        with database.platform() as tx:
            return [asdict(each) for each in waiting_categories(tx, limit)]

    @router.get("/categories/history")
    def history(limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> list[dict[str, Any]]:
        """Who corrected what, newest first."""
        with database.platform() as tx:
            return [asdict(act) for act in acts_on(tx, "category_mapping", limit)]

    @router.get("/categories/find")
    def find(words: Annotated[str, Query(min_length=1, max_length=300)]) -> list[dict[str, Any]]:
        """Ids of the taxonomy by words, the nearest in meaning first."""
        return [
            {"google_id": google_id, "path": path, "nearness": round(nearness, 3)}
            for google_id, path, nearness in found_by(words, installation.encoder)
        ]

    @router.put("/categories")
    def correct_category(call: CorrectionCall, operator: PlatformOperator) -> dict[str, int]:
        """Say where a merchant's category belongs; its offers are placed anew by the worker."""
        signed = Signature(operator.name, call.reason, datetime.now(UTC))
        with database.platform() as tx:
            offers = correct(tx, call.merchant, call.category, call.google_id, signed)
        return {"offers": offers}

    @router.post("/categories/forget")
    def forget_category(call: TakeBackCall, operator: PlatformOperator) -> dict[str, int]:
        """Take back what was said about a merchant's category."""
        signed = Signature(operator.name, call.reason, datetime.now(UTC))
        with database.platform() as tx:
            return {"offers": take_back(tx, call.merchant, call.category, signed)}


def _add_argus(router: APIRouter, installation: Installation) -> None:
    database = installation.database

    @router.get("/products/{product_id}/argus")
    def argus(product_id: str, currency: str | None = None) -> dict[str, Any]:
        """Value by grade with its interval and sample; null where too little is known."""
        with database.platform() as tx:
            return argus_json(read_argus(tx, product_id, currency))

    @router.get("/products/{product_id}/argus.svg")
    def drawing(product_id: str, currency: str | None = None) -> Response:
        """The same as a drawing that reads as a table."""
        with database.platform() as tx:
            svg = argus_svg(read_argus(tx, product_id, currency))
        return Response(svg, media_type="image/svg+xml")
