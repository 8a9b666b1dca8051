"""How well merchants' categories and titles are placed in Google's taxonomy.

`python -m bench.taxonomy FOLDER`, FOLDER holding `taxonomy/` (Google's files, as merchants in seven
languages whose categories bear Google's names) and `matching/` (titles whose category is known).
Right: the id itself or one that lies above it; on the shelf: the shop's category is the same.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from kernel.embedding.encoder import load_encoder
from mdm.taxonomy.mapping import nearest_names
from mdm.taxonomy.names import own_names
from mdm.taxonomy.placement import NAMED, by_path, by_title
from mdm.taxonomy.tree import lineage, parents, shelf_of

COSINES = (0.5, 0.6, 0.7, 0.8, 0.9)
# Category of a set -> shelf of the shop.
PRICERUNNER = {
    "Mobile Phones": 267, "CPUs": 292, "Fridges": 686, "TVs": 404, "Dishwashers": 680,
}  # fmt: skip
WDC = {"cameras": 152, "computers": 328, "shoes": 187, "watches": 201}


def main(arguments: list[str] | None = None) -> None:
    """Print the tables of docs/benchmarks.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    _categories(folder / "taxonomy")
    _titles(folder / "matching")


def _categories(folder: Path) -> None:
    named = {each.google_id for each in own_names()}
    encoder = load_encoder()
    print(f"own names: {len(own_names())} of {len(named)} ids")
    for file in sorted(folder.glob("google_*.txt.gz")):
        rows = list(_google(file))
        paths = [path.replace("/", " ") for _, path in rows]
        told = [by_path(path) for path in paths]
        placed = [
            (google_id, found)
            for (google_id, _), found in zip(rows, told, strict=True)
            if found is not None and found.percent >= NAMED
        ]
        near = list(
            zip((google_id for google_id, _ in rows), nearest_names(paths, encoder), strict=True)
        )
        of_ours = [(google_id, best) for google_id, (best, _) in near if google_id in named]
        exact = sum(google_id == best for google_id, best in of_ours)
        print(f"\n{file.name}: {len(rows)} paths")
        print(f"  by name: {len(placed)} placed, {_right(placed):.3f} right")
        print(f"  by meaning, {len(of_ours)} ids that we name: {exact / len(of_ours):.3f} exact")
        for cosine in COSINES:
            sure = [(google_id, best) for google_id, (best, how) in near if how >= cosine]
            right = sum(best in lineage(google_id) for google_id, best in sure) / len(sure)
            shelf = sum(shelf_of(best) == shelf_of(google_id) for google_id, best in sure)
            print(
                f"  cosine >= {cosine}: {len(sure) / len(near):.3f} of all, {right:.3f} right, "
                f"{shelf / len(sure):.3f} on the shelf"
            )


def _right(placed: Iterable[tuple[int, object]]) -> float:
    pairs = list(placed)
    hits = sum(
        getattr(found, "google_id", None) in lineage(google_id) for google_id, found in pairs
    )
    return hits / max(len(pairs), 1)


def _titles(folder: Path) -> None:
    print("\ntitles: set, category, titles, placed, on the shelf of those placed")
    for name, category, shelf, titles in _sets(folder):
        found = Counter[str]()
        for title in titles:
            placed = by_title(title)
            found["placed"] += placed is not None
            found["right"] += placed is not None and placed.category_id in shelf
        print(
            f"  {name:12} {category:14} {len(titles):6} {found['placed'] / len(titles):.3f} "
            f"{found['right'] / max(found['placed'], 1):.3f}"
        )


def _sets(folder: Path) -> Iterator[tuple[str, str, set[int], list[str]]]:
    by_category: dict[str, list[str]] = {}
    for row in _rows(folder / "pricerunner_dev.csv.gz"):
        by_category.setdefault(row["category_label"].strip(), []).append(row["product_title"])
    for label, titles in sorted(by_category.items()):
        key = next(known for known in PRICERUNNER if known.lower() in label.lower())
        yield "PriceRunner", label, {PRICERUNNER[key]}, titles
    names = [row["name"] for row in _rows(folder / "altosight_dev.csv.gz")]
    yield "Altosight", "memory", {3387, 3712}, names
    for category, shelf in WDC.items():
        file = folder / f"wdc_lspc_{category}_train_medium.txt.gz"
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            sides = [side for line in lines for side in line.split("\t")[:2]]
        titles = sorted({re.sub(r"^COL title VAL|@\w+", " ", side).strip() for side in sides})
        yield "WDC LSPC", category, {shelf}, titles


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def _google(file: Path) -> Iterator[tuple[int, str]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            google_id, dash, path = line.rstrip("\n").partition(" - ")
            if dash and int(google_id) in parents():
                yield int(google_id), path


if __name__ == "__main__":
    main()
