"""The category tree: ids of Google's product taxonomy with our own names in three languages."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Category:
    """A node of the tree. `words` are lower-case phrases by which merchants name it."""

    id: int
    parent: int | None
    names: Mapping[str, str]
    words: tuple[str, ...]

    def name(self, language: str) -> str:
        """Name in the language, else in English."""
        return self.names.get(language, self.names["en"])


@lru_cache(maxsize=1)
def categories() -> Mapping[int, Category]:
    """All categories by id, departments before their leaves."""
    table = tomllib.loads(files("kernel").joinpath("categories.toml").read_text("utf-8"))
    return {
        int(key): Category(int(key), row.get("parent"), row["names"], tuple(row["words"]))
        for key, row in table.items()
    }


@lru_cache(maxsize=8192)
def category_path(category_id: int | None) -> tuple[int, ...]:
    """Ids from the department down to the category; empty for none or unknown."""
    path: list[int] = []
    known = categories()
    while category_id is not None and category_id in known:
        path.append(category_id)
        category_id = known[category_id].parent
    return tuple(reversed(path))
