"""The ids of Google's product taxonomy (version 2021-09-21), which lies within which, and on which
of the shop's shelves a thing of each stands. Ids and places are facts; names are in `names`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from kernel.categories import categories

# Departments that the shop's own tree puts together otherwise.
_ELSEWHERE = {141: 222, 5181: 166}


@lru_cache(maxsize=1)
def parents() -> Mapping[int, int]:
    """Parent of every id; 0 for a department."""
    lines = files("mdm.taxonomy").joinpath("tree.txt").read_text("utf-8").splitlines()
    return {int(id_): int(parent) for id_, parent in (line.split() for line in lines)}


@lru_cache(maxsize=8192)
def lineage(google_id: int) -> tuple[int, ...]:
    """The id and its ancestors, nearest first; empty for an id that is none."""
    known = parents()
    found = []
    while google_id in known:
        found.append(google_id)
        google_id = known[google_id]
    return tuple(found)


def shelf_of(google_id: int) -> int | None:
    """The shop's category for it: itself, else its nearest ancestor that is one."""
    for each in lineage(google_id):
        if each in categories():
            return each
        if each in _ELSEWHERE:
            return _ELSEWHERE[each]
    return None


def is_department(google_id: int) -> bool:
    """True for the widest ids, which say little."""
    return parents().get(google_id) == 0
