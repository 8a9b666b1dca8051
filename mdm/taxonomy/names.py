"""What categories are called: our own names and words, and those an operator has loaded.

A name is looked up without case, accents, punctuation and `and`. One name may mean several ids;
what stands above it in a merchant's path tells them apart.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from kernel.categories import categories
from mdm.normalise.text import folded
from mdm.taxonomy.tree import lineage

LANGUAGES = ("en", "fr", "de")
MAX_SEGMENTS = 12

_SEGMENT = re.compile(r"\s*[>|»/]\s*")
_WORD = re.compile(r"[^\W_]+")
_AND = frozenset(("and", "et", "und", "y", "e", "en", "i"))


@dataclass(frozen=True, slots=True)
class Named:
    """A name of an id, in a language."""

    google_id: int
    language: str
    name: str


class NameIndex:
    """Ids by name."""

    def __init__(self, names: Iterable[Named]) -> None:
        found: dict[str, set[int]] = defaultdict(set)
        for each in names:
            found[key_of(each.name)].add(each.google_id)
        found.pop("", None)
        self._ids: Mapping[str, tuple[int, ...]] = {
            key: tuple(sorted(ids)) for key, ids in found.items()
        }

    def ids(self, name: str) -> tuple[int, ...]:
        """All ids of that name."""
        return self._ids.get(key_of(name), ())

    def along(self, segments: Sequence[str]) -> int | None:
        """The id of the last segment that its ancestors' names agree with best."""
        candidates = self.ids(segments[-1]) if segments else ()
        if len(candidates) < 2:
            return candidates[0] if candidates else None
        above = {id_ for segment in segments[:-1] for id_ in self.ids(segment)}
        return min(
            candidates,
            key=lambda each: (
                -len(above.intersection(lineage(each)[1:])),
                len(lineage(each)),
                each,
            ),
        )


def key_of(name: str) -> str:
    """`Photo & Optics` -> `photo optics`."""
    return " ".join(word for word in _WORD.findall(folded(name)) if word not in _AND)


def segments_of(path: str) -> list[str]:
    """The parts of a merchant's path, department first."""
    return [part for part in _SEGMENT.split(path) if part.strip()][:MAX_SEGMENTS]


@lru_cache(maxsize=1)
def own_names() -> tuple[Named, ...]:
    """The shop's shelves, then what else we have words for."""
    found = [
        Named(each.id, language, name)
        for each in categories().values()
        for language, name in each.names.items()
    ]
    found += [Named(each.id, "", word) for each in categories().values() for word in each.words]
    for line in files("mdm.taxonomy").joinpath("names.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        id_, *columns = line.split(" | ")
        for language, column in zip(LANGUAGES, columns, strict=True):
            found += [
                Named(int(id_), language, name.strip())
                for name in column.split(";")
                if name.strip()
            ]
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=1)
def own_index() -> NameIndex:
    """Ids by our own names."""
    return NameIndex(own_names())
