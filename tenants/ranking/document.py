"""The ranking document of one scope (platform, brand or locale), checked whole before it counts.

In: a parsed TOML or JSON table. Out: a `RankingDocument` that holds what the scope states and
nothing else. A wrong key or value is refused by name (DomainError `ranking_invalid`).
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from kernel.errors import DomainError
from tenants.ranking.profile import LadderStep, OfferOrder, PlacementList, QueryMatch, RuleKind

MOST_BYTES = 1_000_000
"""UTF-8 of one document's canonical JSON."""

Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=50)]
Word = Annotated[str, Field(min_length=1, max_length=80, pattern=r"\S")]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
ProductId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Key = Annotated[str, Field(min_length=1, max_length=120)]
CategoryId = Annotated[int, Field(ge=1, le=10_000_000)]
Place = Annotated[int, Field(ge=1, le=50)]
Language = Annotated[str, Field(pattern=r"^(fr|de|en)$")]
Sentence = Annotated[str, Field(min_length=1, max_length=1_000)]
# A redirect stays in the shop: no rule can send anybody to another host.
LocalPath = Annotated[
    str, Field(pattern=r"^/([\x21-\x2e\x30-\x5b\x5d-\x7e][\x21-\x5b\x5d-\x7e]{0,500})?$")
]

Words = Annotated[tuple[Word, ...], Field(strict=False, min_length=1, max_length=30)]
ProductIds = Annotated[tuple[ProductId, ...], Field(strict=False, max_length=200)]
Keys = Annotated[tuple[Key, ...], Field(strict=False, max_length=100)]
CategoryIds = Annotated[tuple[CategoryId, ...], Field(strict=False, max_length=100)]
Moment = Annotated[AwareDatetime, Field(strict=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class FieldWeightsTable(_Table):
    """See `profile.FieldWeights`."""

    title: Weight | None = None
    manufacturer: Weight | None = None
    model: Weight | None = None
    category: Weight | None = None
    attributes: Weight | None = None
    description: Weight | None = None
    codes: Weight | None = None
    code_prefixes: Weight | None = None
    other_language: Share | None = None


class LadderTable(_Table):
    """See `profile.Ladder`."""

    steps: Annotated[tuple[LadderStep, ...], Field(strict=False, max_length=6)] | None = None
    required_share: Share | None = None
    few: Annotated[int, Field(ge=0, le=200)] | None = None
    meaning_floor: Share | None = None


class ProductWeightsTable(_Table):
    """See `profile.ProductWeights`."""

    vector: Share | None = None
    vector_partial: Share | None = None
    in_stock: Share | None = None
    offer_count: Share | None = None
    accessory: Share | None = None


class OfferWeightsTable(_Table):
    """See `profile.OfferWeights`."""

    order: OfferOrder | None = None
    total_price: Share | None = None
    delivery_days: Share | None = None
    merchant_quality: Share | None = None
    condition: Share | None = None


class SynonymTable(_Table):
    """See `profile.Synonym`."""

    words: Words
    replacements: Words
    two_way: bool = False
    weight: Annotated[float, Field(gt=0, le=1)] = 0.9


class WhenTable(_Table):
    """See `profile.When`."""

    query: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")] | None = None
    match: QueryMatch = "all_words"
    categories: CategoryIds = ()


class TargetTable(_Table):
    """See `profile.Target`."""

    products: ProductIds = ()
    manufacturers: Keys = ()
    categories: CategoryIds = ()
    merchants: Keys = ()


class NarrowTable(_Table):
    """See `profile.RuleFilter`."""

    categories: CategoryIds = ()
    manufacturers: Keys = ()
    merchants: Keys = ()
    availabilities: Keys = ()


class RuleTable(_Table):
    """See `profile.Rule`. `enabled = false` keeps a rule in the document without its effect."""

    id: Id
    kind: RuleKind
    when: WhenTable = WhenTable()
    target: TargetTable = TargetTable()
    weight: Annotated[float, Field(gt=0, le=1)] | None = None
    position: Place | None = None
    url: LocalPath | None = None
    narrow: NarrowTable = NarrowTable()
    valid_from: Moment | None = None
    valid_to: Moment | None = None
    locale: Language | None = None
    note: Annotated[str, Field(max_length=500)] = ""
    enabled: bool = True
    changed_at: Moment | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        given = {
            "target": self.target != TargetTable(),
            "weight": self.weight is not None,
            "position": self.position is not None,
            "url": self.url is not None,
            "narrow": self.narrow != NarrowTable(),
        }
        needed, allowed = _RULE_MEMBERS[self.kind]
        for member, is_given in given.items():
            if member in needed and not is_given:
                raise ValueError(f"a rule of kind {self.kind} needs {member}")
            if is_given and member not in (*needed, *allowed):
                raise ValueError(f"a rule of kind {self.kind} has no {member}")
        if self.kind == "pin" and not self.target.products:
            raise ValueError("a pin names its products: target.products")
        if self.kind == "redirect" and self.when.query is None:
            raise ValueError("a redirect needs when.query")
        _require_rising(self.valid_from, self.valid_to)
        return self


_RULE_MEMBERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "boost": (("target",), ("weight",)),
    "bury": (("target",), ("weight",)),
    "pin": (("target",), ("position",)),
    "hide": (("target",), ()),
    "redirect": (("url",), ()),
    "filter": (("narrow",), ()),
}


class PlacementTable(_Table):
    """See `profile.Placement`. There is no member that hides the mark."""

    id: Id
    shown_in: PlacementList
    merchant_id: Key
    paid_by: Annotated[str, Field(min_length=1, max_length=120, pattern=r"\S")]
    products: ProductIds = ()
    position: Place = 1
    when: WhenTable = WhenTable()
    valid_from: Moment | None = None
    valid_to: Moment | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.shown_in == "results" and not self.products:
            raise ValueError("a paid place in the results names its products")
        _require_rising(self.valid_from, self.valid_to)
        return self


class PaidTable(_Table):
    """See `profile.PaidPolicy`."""

    allowed: bool | None = None
    slots: Annotated[int, Field(ge=1, le=5)] | None = None
    listing: bool | None = None
    placements: Annotated[tuple[PlacementTable, ...], Field(strict=False, max_length=200)] = ()


class RankingDocument(_Table):
    """What one scope states. Whatever is absent is inherited."""

    field_weights: FieldWeightsTable = FieldWeightsTable()
    ladder: LadderTable = LadderTable()
    product_weights: ProductWeightsTable = ProductWeightsTable()
    offer_weights: OfferWeightsTable = OfferWeightsTable()
    synonyms: Annotated[tuple[SynonymTable, ...], Field(strict=False, max_length=5_000)] = ()
    rules: Annotated[tuple[RuleTable, ...], Field(strict=False, max_length=2_000)] = ()
    paid: PaidTable = PaidTable()
    ties: Annotated[Mapping[Language, Sentence], Field(strict=False)] = {}

    @model_validator(mode="after")
    def _ids_once(self) -> Self:
        for name, ids in (
            ("rules", [rule.id for rule in self.rules]),
            ("paid.placements", [placement.id for placement in self.paid.placements]),
        ):
            twice = sorted({each for each in ids if ids.count(each) > 1})
            if twice:
                raise ValueError(f"{name}: {', '.join(twice)} is there twice")
        return self

    def as_json(self) -> dict[str, Any]:
        """What the scope states, as it is stored; reads back to the same document."""
        return self.model_dump(mode="json", exclude_defaults=True)


def ranking_document(table: Mapping[str, Any]) -> RankingDocument:
    """Check a table. DomainError `ranking_invalid` names every wrong key (at most ten)."""
    try:
        document = RankingDocument.model_validate(table)
    except ValidationError as error:
        raise _refusal(error) from error
    if len(json.dumps(document.as_json(), ensure_ascii=False).encode()) > MOST_BYTES:
        raise DomainError("ranking_invalid", f"ranking document: longer than {MOST_BYTES:,} bytes")
    return document


def brand_starting_document(table: Mapping[str, Any]) -> RankingDocument:
    """The `[ranking]` table of a brand's file, earlier keys (`results`, `offers`) included."""
    rest = {key: value for key, value in table.items() if key not in ("results", "offers")}
    if table.get("results", "relevance") != "relevance":
        raise DomainError("ranking_invalid", "[ranking] results: only relevance")
    order = table.get("offers", "total_price")
    if order != "total_price":
        raise DomainError("ranking_invalid", "[ranking] offers: only total_price")
    weights = {
        name: rest.pop(old)
        for old, name in (
            ("vector_weight", "vector"),
            ("in_stock_weight", "in_stock"),
            ("offer_count_weight", "offer_count"),
        )
        if old in rest
    }
    if weights:
        rest["product_weights"] = {**weights, **rest.get("product_weights", {})}
    return ranking_document(rest)


def read_ranking_file(path: Path) -> RankingDocument:
    """A document from a TOML file, or a JSON file by its ending."""
    try:
        text = path.read_text("utf-8")
        table = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise DomainError("ranking_file", f"{path} cannot be read: {error}") from error
    if not isinstance(table, Mapping):
        raise DomainError("ranking_file", f"{path}: expected a table")
    return ranking_document(table)


def ranking_hash(document: RankingDocument) -> str:
    """SHA-256 of the document's canonical JSON."""
    text = json.dumps(document.as_json(), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _require_rising(valid_from: Any, valid_to: Any) -> None:
    if valid_from is not None and valid_to is not None and valid_to <= valid_from:
        raise ValueError("valid_to is not after valid_from")


def _refusal(error: ValidationError) -> DomainError:
    lines = [
        f"{'.'.join(str(part) for part in row['loc']) or 'document'}: "
        f"{row['msg'].removeprefix('Value error, ')}"
        for row in error.errors(include_url=False, include_context=False)[:10]
    ]
    return DomainError("ranking_invalid", f"ranking document: {'; '.join(lines)}")
