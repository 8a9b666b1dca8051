"""The back office's ranking API: what `comptoir ranking` does, for operators with a key.

Every call carries `Authorization: Bearer cok_...`; the key's operator is who the trail names. A key
of one brand acts for that brand alone, and neither sees nor changes the platform's document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from comptoir.operator_gate import Who, admission
from comptoir.ranking import publishing, showing
from kernel.db import Transaction
from tenants.brand import Brand
from tenants.judgements import keep_judgements
from tenants.operator_keys import Operator
from tenants.ranking import versions
from tenants.ranking.document import ranking_document
from tenants.ranking.versions import Scope, Version
from tenants.registry import REFRESH_AFTER_S

if TYPE_CHECKING:
    from comptoir.installation import Installation

Reason = Annotated[str, Field(max_length=1_000)]
Language = Annotated[str, Field(pattern="^(fr|de|en)$")]
Rating = Annotated[int, Field(ge=0, le=3)]
OneLanguage = Annotated[str | None, Query(pattern="^(fr|de|en)$")]


class _Call(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ScopeCall(_Call):
    """Whose document: a brand's, a brand's in one language, or (no brand) the platform's."""

    brand: str | None = None
    locale: Language | None = None
    reason: Reason = ""


class DraftCall(ScopeCall):
    """A document to keep as a draft; see docs/guides/ranking.md for its members."""

    document: dict[str, Any]


class PublishCall(_Call):
    """`override` publishes what the gate refuses; it needs a reason."""

    reason: Reason = ""
    override: bool = False


class RollbackCall(ScopeCall):
    """`to` is a version that was in force; without it, the one before."""

    to: int | None = None


class ReasonCall(_Call):
    """Why; kept in the trail."""

    reason: Reason = ""


def build_router(installation: Installation) -> APIRouter:
    """Routes below `/v1/ranking`."""
    router = APIRouter(
        prefix="/v1/ranking",
        tags=["ranking"],
        dependencies=[Depends(admission(installation.database))],
    )
    _add_reading(router, installation)
    _add_changing(router, installation)
    return router


def _add_reading(router: APIRouter, installation: Installation) -> None:
    database = installation.database

    @router.get("/brands/{brand_id}/effective")
    def effective(brand_id: str, operator: Who, locale: OneLanguage = None) -> dict[str, Any]:
        """What is in force, each value with where it is from."""
        brand = _brand(installation, operator, brand_id)
        language = locale or brand.languages[0]
        showing.profile_of(brand, language)
        return showing.effective(brand, language)

    @router.get("/brands/{brand_id}/rules")
    def rules(brand_id: str, operator: Who, locale: OneLanguage = None) -> dict[str, Any]:
        """Rules by precedence, with those expired, unused, shadowed or conflicting."""
        brand = _brand(installation, operator, brand_id)
        language = locale or brand.languages[0]
        showing.profile_of(brand, language)
        return showing.rules_json(database, brand, language)

    @router.get("/versions/{number}")
    def version(number: int, operator: Who) -> dict[str, Any]:
        """A version with its document."""
        with database.platform() as tx:
            return showing.version_json(_version(tx, operator, number))

    @router.get("/versions/{number}/diff")
    def diff(number: int, operator: Who, against: int | None = None) -> dict[str, Any]:
        """How its document differs from another version's, or from what is in force."""
        with database.platform() as tx:
            mine = _version(tx, operator, number)
            other = (
                _version(tx, operator, against)
                if against is not None
                else versions.published(tx, mine.scope)
            )
        return {
            "against": other.version if other else None,
            "lines": showing.document_diff(other, mine),
        }

    @router.get("/history")
    def history(
        operator: Who,
        brand: str | None = None,
        locale: OneLanguage = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> dict[str, Any]:
        """Who did what, when and why, newest first; drafts that wait."""
        scope = _scope(installation, operator, brand, locale)
        with database.platform() as tx:
            live = versions.published(tx, scope)
            return {
                "published": live.version if live else None,
                "drafts": [each.version for each in versions.drafts(tx, scope)],
                "acts": [
                    showing.recorded_json(each) for each in versions.history(tx, scope, limit)
                ],
            }


def _add_changing(router: APIRouter, installation: Installation) -> None:
    database = installation.database

    @router.post("/drafts", status_code=201)
    def draft(call: DraftCall, operator: Who) -> dict[str, Any]:
        """Keep a document as a new version that is not in force."""
        document = ranking_document(call.document)
        scope = _scope(installation, operator, call.brand, call.locale)
        with database.platform() as tx:
            kept = versions.save_draft(tx, scope, document, operator.name, call.reason)
            return showing.version_json(kept)

    @router.post("/versions/{number}/evaluation")
    def evaluation(number: int, operator: Who, brand: str | None = None) -> dict[str, Any]:
        """Try a version on judged and frequent queries against what is in force."""
        with database.platform() as tx:
            _version(tx, operator, number)
        done = publishing.evaluate(installation, number, operator.name, brand_id=brand)
        return done.as_json()

    @router.post("/versions/{number}/publication")
    def publication(number: int, call: PublishCall, operator: Who) -> dict[str, Any]:
        """Put a version in force unless the gate refuses (409 `ranking_worse`)."""
        with database.platform() as tx:
            _version(tx, operator, number)
        done = publishing.evaluate(installation, number, operator.name)
        publishing.publish_version(
            installation, done, operator.name, reason=call.reason, override=call.override
        )
        return {"published": number, "within_s": REFRESH_AFTER_S, "evaluation": done.as_json()}

    @router.post("/versions/{number}/discard")
    def discard(number: int, call: ReasonCall, operator: Who) -> dict[str, Any]:
        """Put a draft away; it stays on record."""
        with database.platform() as tx:
            versions.discard(tx, _version(tx, operator, number), operator.name, call.reason)
        return {"discarded": number}

    @router.post("/rollbacks")
    def rollback(call: RollbackCall, operator: Who) -> dict[str, Any]:
        """Back to the version in force before, or to one that was in force once."""
        scope = _scope(installation, operator, call.brand, call.locale)
        with database.platform() as tx:
            back = versions.roll_back(tx, scope, operator.name, call.reason, call.to)
        return {"published": back.version if back else None, "within_s": REFRESH_AFTER_S}

    @router.put("/brands/{brand_id}/judgements/{locale}")
    def judgements(
        brand_id: str,
        locale: Language,
        operator: Who,
        ratings: Annotated[dict[str, dict[str, Rating]], Body()],
    ) -> dict[str, int]:
        """Add ratings: query -> product id -> 0 to 3."""
        brand = _brand(installation, operator, brand_id)
        with database.platform() as tx:
            return {"kept": keep_judgements(tx, brand.id, locale, ratings, operator.name)}


def _brand(installation: Installation, operator: Operator, brand_id: str) -> Brand:
    operator.require(brand_id)
    return installation.brand(brand_id)


def _scope(
    installation: Installation, operator: Operator, brand_id: str | None, locale: str | None
) -> Scope:
    operator.require(brand_id)
    if brand_id is not None:
        brand = installation.brand(brand_id)
        if locale is not None:
            showing.profile_of(brand, locale)
    return Scope(brand_id, locale)


def _version(tx: Transaction, operator: Operator, number: int) -> Version:
    """The version; as unknown as one that does not exist for an operator of another brand."""
    found = versions.read_version(tx, number)
    if operator.brand_id not in (None, found.scope.brand_id):
        raise versions.unknown_version(number)
    return found
