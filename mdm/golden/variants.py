"""The groups of products that differ in colour, size or capacity only. Pure.

Two products are variants of one thing where they share any of their groups: merchants sell
different choices of the variants, so one merchant's word alone would leave some of them out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kernel.ids import derived_id
from mdm.golden.members import Source
from mdm.match.features import is_quantity, tokens
from mdm.match.part_numbers import compact
from mdm.normalise.vocabulary import COLOUR_OF, STOP_WORDS

VARIANT_KEYS = ("colour", "capacity", "memory", "size", "keyboard", "content")
_MOST_GROUPS = 20


def variant_groups(best: Sequence[Source], record: Mapping[str, Any]) -> list[str]:
    """Each merchant's own group, sorted, then the one that the title makes; none of a thing that
    comes in one form."""
    stated = sorted(
        {
            (each.member.merchant_id, each.member.facts["group"])
            for each in best
            if each.member.facts.get("group")
        }
    )
    groups = [derived_id("grp", *each) for each in stated[:_MOST_GROUPS]]
    by_title = _by_title(record)
    return groups if by_title is None else [*groups, by_title]


def _by_title(record: Mapping[str, Any]) -> str | None:
    """The title without the words of the variant, in whatever order it has them; None where
    nothing says that there are others."""
    values = [value for key in VARIANT_KEYS if (value := record["attributes"].get(key))]
    if not values:
        return None
    said = {word for value in values for word in tokens(value)}
    stem = {
        word
        for word in tokens(next(iter(record["titles"].values())))
        if word not in COLOUR_OF
        and word not in STOP_WORDS
        and word not in said
        and not is_quantity(word)
    }
    return derived_id("grp", compact(record["manufacturer"] or ""), *sorted(stem)) if stem else None
