"""The back office's API of master data: what `comptoir product`, `taxonomy` and `argus` do.

Every call carries `Authorization: Bearer cok_...` of an operator of the platform: master data
belong to all brands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from comptoir.master_data.records import change_priority, record_json
from comptoir.operator_gate import PlatformOperator, acting_for_platform, admission
from mdm.golden.priorities import read_priorities

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


def build_router(installation: Installation) -> APIRouter:
    """Routes below `/v1/master-data`."""
    router = APIRouter(
        prefix="/v1/master-data",
        tags=["master data"],
        dependencies=[Depends(admission(installation.database)), Depends(acting_for_platform)],
    )
    _add_records(router, installation)
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
