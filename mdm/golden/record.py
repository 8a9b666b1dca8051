"""The golden record in its stored form, put together field by field. Pure.

Scalars are what survives (`survivorship`), identifiers are united, texts are chosen by language.
`provenance` names the offer behind every value, `conflicts` what else was stated and by whom. The
same offers in any order give the same record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

from mdm.golden.members import Member, Priorities, Source, best_first
from mdm.golden.pictures import pictures
from mdm.golden.survivorship import Record, Stated
from mdm.golden.texts import descriptions, titles
from mdm.golden.variants import variant_groups
from mdm.match.part_numbers import compact
from mdm.normalise.grades import ATTRIBUTES as GRADE_FIELDS
from mdm.normalise.text import folded

MAX_IDENTIFIERS = 200


def golden_record(
    members: Sequence[Member], priorities: Priorities | None = None
) -> dict[str, Any]:
    """The record of at least one member; `priorities` are the operator's, by merchant and field."""
    best = best_first(members)
    made = Record(priorities or {}, {}, {})
    record: dict[str, Any] = {
        "titles": titles(made, best),
        "descriptions": descriptions(made, best),
        "manufacturer": made.survivor("manufacturer", _plainly(best, "manufacturer", compact)),
        "gtins": _united(made, best, "gtins", lambda facts: facts.get("gtins", ())),
        "mpns": _united(made, best, "mpns", lambda facts: _listed(facts.get("mpn"))),
        "shop_numbers": _united(made, best, "shop_numbers", _shop_numbers),
        "category_id": made.survivor("category_id", _categories(best)),
        "attributes": _attributes(made, best),
    }
    record["google_category_id"] = _google_category(best, record["category_id"])
    record["image_urls"], shown_by = pictures(best, made.priorities)
    if shown_by is not None:
        made.provenance["image_urls"] = shown_by
    record["variant_groups"] = variant_groups(best, record)
    record["provenance"] = made.provenance
    record["conflicts"] = made.conflicts
    return record


def _plainly(
    best: Sequence[Source], name: str, sameness: Callable[[Any], Hashable]
) -> list[Stated]:
    return [
        (each, sameness(value), value, 100)
        for each in best
        if (value := each.member.facts.get(name))
    ]


def _categories(best: Sequence[Source]) -> list[Stated]:
    """A category counts as much as it is certain."""
    return [
        (each, category_id, category_id, each.member.facts.get("category_percent", 100))
        for each in best
        if (category_id := each.member.facts.get("category_id"))
    ]


def _google_category(best: Sequence[Source], category_id: int | None) -> int | None:
    """The pivot's id of the best offer on the shelf that was chosen."""
    return next(
        (
            each.member.facts["google_category_id"]
            for each in best
            if each.member.facts.get("category_id") == category_id
            and each.member.facts.get("google_category_id")
        ),
        None,
    )


def _attributes(made: Record, best: Sequence[Source]) -> dict[str, str]:
    stated: dict[str, list[Stated]] = {}
    for each in best:
        for key, value in each.member.facts.get("attributes", {}).items():
            # How well one piece is kept is not a fact of the product.
            if key in GRADE_FIELDS:
                continue
            stated.setdefault(key, []).append((each, folded(value), value, 100))
    return {key: made.survivor(f"attributes.{key}", stated[key]) for key in sorted(stated)}


def _united(
    made: Record,
    best: Sequence[Source],
    name: str,
    values_of: Callable[[Mapping[str, Any]], Sequence[str]],
) -> list[str]:
    """All values, those that most offers state first."""
    first: dict[str, str] = {}
    votes: Counter[str] = Counter()
    for member, value in _each(best, values_of):
        votes[value] += 1
        first.setdefault(value, member.offer_id)
    order = {value: place for place, value in enumerate(first)}
    values = sorted(first, key=lambda value: (-votes[value], order[value]))[:MAX_IDENTIFIERS]
    if values:
        made.provenance[name] = first[values[0]]
    return values


def _each(
    best: Sequence[Source], values_of: Callable[[Mapping[str, Any]], Sequence[str]]
) -> Iterator[tuple[Member, str]]:
    for source in best:
        for value in dict.fromkeys(values_of(source.member.facts)):
            yield source.member, value


def _listed(value: str | None) -> tuple[str, ...]:
    return (value,) if value else ()


def _shop_numbers(facts: Mapping[str, Any]) -> Sequence[str]:
    """Bar codes for use within a shop: no identity, yet people type them in."""
    problems = (each.partition(":") for each in facts.get("gtin_problems", ()))
    return [number for problem, _, number in problems if problem == "restricted" and number]
