"""nDCG@10 of the vectors alone on judged product queries. In: a folder with a product list and
graded judgements. Out: raw and condensed means. These titles and queries are never learnt from."""

from __future__ import annotations

import csv
import gzip
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PRODUCTS, JUDGEMENTS = "icecat_products.jsonl.gz", "judgements.csv"
_CUT, _DEPTH = 10, 200


@dataclass(frozen=True, slots=True)
class Judged:
    """Products in file order; `grades` by query and product id, 0 to 3."""

    product_ids: tuple[str, ...]
    titles: tuple[str, ...]
    grades: Mapping[str, Mapping[str, int]]

    def scorable(self) -> list[str]:
        """The queries with at least one relevant product, in order."""
        return sorted(q for q, grades in self.grades.items() if any(grades.values()))


def read_judged(folder: Path) -> Judged:
    """Raises ValueError where one of the two files is missing."""
    for name in (PRODUCTS, JUDGEMENTS):
        if not (folder / name).is_file():
            raise ValueError(f"{folder} holds no {name}")
    with gzip.open(folder / PRODUCTS, "rt", encoding="utf-8") as lines:
        products = [json.loads(line) for line in lines]
    grades: dict[str, dict[str, int]] = {}
    with (folder / JUDGEMENTS).open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            grades.setdefault(row["query"], {})[row["docid"]] = int(row["rating"])
    ids, titles = (tuple(str(p[key]) for p in products) for key in ("id", "title"))
    return Judged(ids, titles, grades)


def judged_figures(
    encode: Callable[[Sequence[str]], NDArray[np.float32]], judged: Judged
) -> dict[str, Any]:
    """Linear gain, cut at 10. Raw: what nobody judged counts 0. Condensed: it is dropped, in a list
    200 deep. `judged_at_10`: how much of the first ten was judged at all."""
    import numpy as np

    queries = judged.scorable()
    cosine = encode(queries) @ encode(judged.titles).T
    raw, condensed, known = [], [], []
    for row, query in zip(cosine, queries, strict=True):
        grades = judged.grades[query]
        nearest = np.argsort(-row, kind="stable")[:_DEPTH]
        found = [grades.get(judged.product_ids[i]) for i in nearest]
        ideal = gain(sorted(grades.values(), reverse=True))
        raw.append(gain(g or 0 for g in found[:_CUT]) / ideal)
        condensed.append(gain([g for g in found if g is not None][:_CUT]) / ideal)
        known.append(np.mean([g is not None for g in found[:_CUT]]))
    return {
        "queries": len(queries),
        "ndcg_at_10_raw": round(float(np.mean(raw)), 4),
        "ndcg_at_10_condensed": round(float(np.mean(condensed)), 4),
        "judged_at_10": round(float(np.mean(known)), 4),
    }


def gain(grades: Iterable[int]) -> float:
    """Discounted cumulative gain of the first ten grades."""
    first = list(grades)[:_CUT]
    return math.fsum(g / math.log2(place + 2) for place, g in enumerate(first))
