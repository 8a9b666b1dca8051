"""How complete a record is, in per cent, and what it lacks. Pure.

What a category is expected to state is what most of its products in this catalogue do state; a
category of few products expects nothing beyond what every product needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

EXPECTED_PERCENT = 50
ENOUGH_PRODUCTS = 20

IDENTIFIER, MANUFACTURER, CATEGORY, PICTURE, ATTRIBUTES = 20, 10, 10, 15, 25
TITLE, DESCRIPTION = 8, 12

# Attribute -> share of the category's products that state it, in per cent.
Expectations = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Completeness:
    """`by_language` is what a reader of that language gets; `percent` is the mean of these.

    `missing` names what to ask merchants for: `identifier`, `attributes.power`, `titles.de`...
    """

    percent: int
    by_language: Mapping[str, int]
    missing: tuple[str, ...]


def completeness(
    record: Mapping[str, Any], expected: Expectations, languages: Sequence[str]
) -> Completeness:
    """Of a stored golden record, for at least one language."""
    points, weight, missing = _facts(record, expected)
    by_language = {}
    for language in languages:
        said = points
        for name, worth in (("titles", TITLE), ("descriptions", DESCRIPTION)):
            if record[name].get(language):
                said += worth
            else:
                missing.append(f"{name}.{language}")
        by_language[language] = said * 100 // (weight + TITLE + DESCRIPTION)
    return Completeness(sum(by_language.values()) // len(by_language), by_language, tuple(missing))


def _facts(record: Mapping[str, Any], expected: Expectations) -> tuple[int, int, list[str]]:
    """(points, points there are, what is missing) of what holds in every language."""
    has_number = bool(record["mpns"] and record["manufacturer"])
    stated = {
        "identifier": (IDENTIFIER, bool(record["gtins"]) or has_number),
        "manufacturer": (MANUFACTURER, bool(record["manufacturer"])),
        "category": (CATEGORY, record["category_id"] is not None),
        "image": (PICTURE, bool(record["image_urls"])),
    }
    points = sum(worth for worth, is_there in stated.values() if is_there)
    weight = sum(worth for worth, _ in stated.values())
    missing = [name for name, (_, is_there) in stated.items() if not is_there]
    if expected:
        held = sum(share for key, share in expected.items() if record["attributes"].get(key))
        points += ATTRIBUTES * held // sum(expected.values())
        weight += ATTRIBUTES
        missing += [f"attributes.{key}" for key in expected if not record["attributes"].get(key)]
    return points, weight, missing
