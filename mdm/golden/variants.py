"""The group of products that differ in colour, size or capacity only. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kernel.ids import derived_id
from mdm.golden.members import Source
from mdm.match.features import is_quantity, tokens
from mdm.match.part_numbers import compact
from mdm.normalise.vocabulary import COLOUR_OF, STOP_WORDS

VARIANT_KEYS = ("colour", "capacity", "memory", "size", "keyboard")


def variant_group(best: Sequence[Source], record: Mapping[str, Any]) -> str | None:
    """A merchant's own group says so; else the title without the words of the variant, where
    there are such words."""
    groups = sorted(
        (each.member.merchant_id, each.member.facts["group"])
        for each in best
        if each.member.facts.get("group")
    )
    if groups:
        return derived_id("grp", *groups[0])
    if not any(record["attributes"].get(key) for key in VARIANT_KEYS):
        return None
    title = next(iter(record["titles"].values()))
    stem = [
        word
        for word in tokens(title)
        if word not in COLOUR_OF and word not in STOP_WORDS and not is_quantity(word)
    ]
    stem = [word for word in stem if not word.isdigit() or len(word) < 3]
    return derived_id("grp", compact(record["manufacturer"] or ""), *stem) if stem else None
