"""The peer's side of `bench.matching_peer`: splink on a CSV of offers, run by an interpreter that
has splink and nothing of ours. In: id, title. Out: id, cluster at each threshold; times on stdout.

Fields are made from the title as splink's users do: tokens, model codes, rare tokens to block on.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

THRESHOLDS = (0.9, 0.99, 0.999, 0.9999, 0.99999)
_TOKEN = re.compile(r"[a-z0-9]+")
_CODE = re.compile(r"(?=.*\d)(?=.*[a-z]).{4,}")


def main(offers: Path, out: Path) -> None:
    """Cluster the offers and write a column of clusters for each threshold."""
    began = time.perf_counter(), time.process_time()
    with offers.open(encoding="utf-8", newline="") as stream:
        rows = _rows(list(csv.DictReader(stream)))
    found = _clusters(rows)
    took = {
        "seconds": time.perf_counter() - began[0],
        "cpu_seconds": time.process_time() - began[1],
    }
    with out.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", *THRESHOLDS])
        writer.writerows(
            [row["unique_id"], *(each[row["unique_id"]] for each in found)] for row in rows
        )
    print(json.dumps(took))


def _rows(offers: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    read = [(each["id"], each["title"].lower()) for each in offers]
    tokens = {number: sorted(set(_TOKEN.findall(title))) for number, title in read}
    held = Counter(token for each in tokens.values() for token in each)
    rows = []
    for number, title in read:
        shared = sorted((held[each], each) for each in tokens[number] if held[each] > 1)
        names = [name for _, name in shared[:3]] + [f"alone {number}"] * 3
        rows.append(
            {
                "unique_id": number,
                "title": title,
                "tokens": tokens[number],
                "codes": [each for each in tokens[number] if _CODE.fullmatch(each)],
                "first": title.split(" ", 1)[0],
                "rarest": names[0],
                "second": names[1],
                "third": names[2],
            }
        )
    return rows


def _clusters(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    import pyarrow as pa  # type: ignore[import-not-found]
    import splink.comparison_library as cl  # type: ignore[import-not-found]
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on  # type: ignore[import-not-found]

    blocks = [block_on(name) for name in ("rarest", "second", "third")]
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.JaroWinklerAtThresholds("title", [0.95, 0.88, 0.8]),
            cl.ArrayIntersectAtSizes("tokens", [8, 6, 4, 2]),
            cl.ArrayIntersectAtSizes("codes", [2, 1]),
            cl.ExactMatch("first"),
        ],
        blocking_rules_to_generate_predictions=blocks,
    )
    linker = Linker(DuckDBAPI().register(pa.Table.from_pylist(rows)), settings)
    linker.training.estimate_probability_two_random_records_match([block_on("rarest")], recall=0.6)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("rarest"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("third"))
    scored = linker.inference.predict(threshold_match_probability=min(THRESHOLDS))
    found = []
    for least in THRESHOLDS:
        table = linker.clustering.cluster_pairwise_predictions_at_threshold(scored, least)
        found.append({row["unique_id"]: row["cluster_id"] for row in table.as_record_list()})
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
