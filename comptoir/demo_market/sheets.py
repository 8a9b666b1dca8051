"""Reads the hand-written sheets: families, wording, awkward cases. Refuses what does not fit.

In: TOML files beside this module. Out: `Family` values and plain tables, cached.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any

from comptoir.demo_market.model import LANGUAGES, Fact
from kernel.categories import categories
from kernel.pictures import COLOURS


@dataclass(frozen=True, slots=True)
class Family:
    """A product sheet. `axes` spans the variants; `steps`: cents that each next value adds."""

    id: str
    category: int
    manufacturer: str
    model: str
    mpn: str
    price_minor: int
    kind: Mapping[str, str]
    facts: Mapping[str, Fact]
    axes: Mapping[str, tuple[Fact, ...]]
    steps: Mapping[str, int]
    texts: Mapping[str, str]


def _table(name: str) -> dict[str, Any]:
    text = files("comptoir.demo_market").joinpath(name).read_text("utf-8")
    return tomllib.loads(text, parse_float=Decimal)


@lru_cache(maxsize=1)
def wording() -> Mapping[str, Any]:
    """How facts, colours and titles are said; see wording.toml."""
    return _table("wording.toml")


@lru_cache(maxsize=1)
def cases() -> Mapping[str, Any]:
    """The awkward cases placed by hand; see cases.toml."""
    return _table("cases.toml")


def _family(row: Mapping[str, Any]) -> Family:
    category = int(row["category"])
    if category not in categories():
        raise ValueError(f"{row['id']}: no category {category}")
    words = wording()["category"][str(category)]
    family = Family(
        id=row["id"],
        category=category,
        manufacturer=row["manufacturer"],
        model=row["model"],
        mpn=row["mpn"],
        price_minor=int(row["price"]),
        kind=row.get("kind", words["kind"]),
        facts=row["facts"],
        axes={key: tuple(values) for key, values in row.get("axes", {}).items()},
        steps=row.get("steps", {}),
        texts={language: row[language] for language in LANGUAGES},
    )
    _check(family)
    return family


def _check(family: Family) -> None:
    """A sheet with an unknown fact or colour is a slip of the pen: say so at once."""
    known = set(wording()["facts"]) | {"colour"}
    if unknown := (set(family.facts) | set(family.axes)) - known:
        raise ValueError(f"{family.id}: unknown facts {sorted(unknown)}")
    colours = family.axes.get("colour") or (family.facts.get("colour"),)
    if wrong := [colour for colour in colours if colour not in COLOURS]:
        raise ValueError(f"{family.id}: colours {wrong} are not among {COLOURS}")


@lru_cache(maxsize=1)
def families() -> tuple[Family, ...]:
    """All sheets, ordered by id."""
    folder = files("comptoir.demo_market").joinpath("sheets")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    rows = [row for name in names for row in _table(f"sheets/{name}")["family"]]
    found = sorted((_family(row) for row in rows), key=lambda family: family.id)
    if len({family.id for family in found}) != len(found):
        raise ValueError("two sheets share an id")
    return tuple(found)
