"""The way of a draft: tried out, then put in force unless the gate refuses. For CLI and API alike.

Every evaluation and every publication is in the trail with its figures. An overridden gate says so
there, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from comptoir.ranking.evaluation import (
    Advance,
    Material,
    languages_of,
    material,
    refusal,
    try_out,
    with_draft,
)
from kernel.errors import DomainError
from tenants.brand import Brand
from tenants.ranking.versions import Version, publish, published, read_version, record

if TYPE_CHECKING:
    from comptoir.installation import Installation

Progress = Callable[[str, int], AbstractContextManager[Advance]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A draft's reports, one a brand, and the version of its scope that it was compared with."""

    version: Version
    against: int | None
    reports: tuple[Mapping[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """For the API, `--json` and the trail."""
        return {
            "version": self.version.version,
            "scope": str(self.version.scope),
            "against": self.against,
            "refused": refusal(self.reports),
            "brands": list(self.reports),
        }


def evaluate(
    installation: Installation,
    number: int,
    actor: str,
    *,
    brand_id: str | None = None,
    more: Mapping[str, Material] | None = None,
    progress: Progress = lambda _label, _total: nullcontext(lambda _: None),
) -> Evaluation:
    """Try a version out and put the figures on record.

    `brand_id` limits a platform's version to one brand; `more` adds material by language.
    """
    from search_api.overview import Overviews
    from search_api.search import Shop

    with installation.database.platform() as tx:
        version = read_version(tx, number)
        live = published(tx, version.scope)
    shop = Shop(installation.engine, installation.encoder, Overviews(installation.engine))
    reports = []
    for brand in _brands(installation, version, brand_id):
        with installation.database.platform() as tx:
            materials = material(tx, brand, languages_of(version.scope, brand))
            draft = with_draft(tx, brand, version)
        materials = _with_more(materials, more or {})
        total = sum(len(each.queries()) for each in materials.values())
        with progress(f"{brand.id}: queries", total) as advance:
            reports.append(try_out(shop, brand, draft, materials, advance))
    done = Evaluation(version, live.version if live else None, tuple(reports))
    with installation.database.platform() as tx:
        record(tx, version.scope, number, "evaluate", actor, "", done.as_json())
    return done


def publish_version(
    installation: Installation,
    evaluation: Evaluation,
    actor: str,
    *,
    reason: str = "",
    override: bool = False,
) -> None:
    """Put an evaluated version in force.

    DomainError `ranking_worse` (409) where too many judged queries become worse, unless
    overridden; `reason_missing` where an override does not say why.
    """
    refused = refusal(evaluation.reports)
    if refused is not None and not override:
        raise DomainError(
            "ranking_worse",
            refused,
            hint="Look at the losers; to publish all the same, override with a reason.",
            status=409,
        )
    if override and not reason.strip():
        raise DomainError("reason_missing", "An override needs a reason; it is kept on record.")
    details = {
        "against": evaluation.against,
        "overridden": refused if override else None,
        "judged_queries": sum(each["judged_queries"] for each in evaluation.reports),
        "ndcg10": {each["brand"]: each["ndcg10"] for each in evaluation.reports},
    }
    with installation.database.platform() as tx:
        publish(
            tx,
            evaluation.version,
            actor,
            reason=reason,
            instead_of=evaluation.against,
            details=details,
        )


def _brands(installation: Installation, version: Version, brand_id: str | None) -> list[Brand]:
    asked = version.scope.brand_id or brand_id
    brands = installation.brands.brands()
    return [installation.brand(asked)] if asked is not None else list(brands.values())


def _with_more(
    materials: Mapping[str, Material], more: Mapping[str, Material]
) -> dict[str, Material]:
    """Material given from outside joins that on record; its judgements replace those held."""
    return {
        language: replace(
            held,
            judged={**held.judged, **more[language].judged},
            others={**held.others, **more[language].others},
        )
        if language in more
        else held
        for language, held in materials.items()
    }
