"""Our matcher beside splink on the same offers, in one run.

    uv venv PEER && uv pip install --python PEER/bin/python splink pyarrow
    python -m bench.matching_peer OFFERS.csv.gz CLUSTERS.csv.gz PEER/bin/python

Splink is given fields made from the titles, trains itself without labels, and is told at the
threshold that the truth likes best; ours at the thresholds it ships with.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kernel.embedding.encoder import load_encoder
from mdm.evaluation.metrics import bcubed, pair_figures
from mdm.evaluation.plain_form import read_clusters, read_offers
from mdm.evaluation.run import evaluate_clusters

PROGRAM = Path(__file__).with_name("splink_peer.py")


def main(offers_file: Path, clusters_file: Path, python: str) -> None:
    """Print one line for each."""
    offers = read_offers(offers_file)
    truth = read_clusters(clusters_file, {each.sku for each in offers})
    ours = evaluate_clusters(offers, truth, load_encoder())
    print(
        f"ours    pair F1 {ours['pair_f1']:.3f} (P {ours['pair_precision']:.3f}, "
        f"R {ours['pair_recall']:.3f}), B-cubed {ours['bcubed_f1']:.3f}, {ours['seconds']:.0f} s"
    )
    with tempfile.TemporaryDirectory() as name:
        given, told = Path(name) / "offers.csv", Path(name) / "clusters.csv"
        with given.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["id", "title"])
            writer.writerows([each.sku, each.title] for each in offers)
        run = subprocess.run(
            [python, str(PROGRAM), str(given), str(told)],
            check=True,
            capture_output=True,
            text=True,
        )
        with told.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
    seconds = json.loads(run.stdout.splitlines()[-1])["seconds"]
    thresholds = [name for name in rows[0] if name != "id"]
    best = max((_figures(rows, each, truth), each) for each in thresholds)
    (f1, precision, recall, cubed), threshold = best
    print(
        f"splink  pair F1 {f1:.3f} (P {precision:.3f}, R {recall:.3f}), B-cubed {cubed:.3f}, "
        f"{seconds:.0f} s, at its best threshold of {', '.join(thresholds)}: {threshold}"
    )


def _figures(
    rows: list[dict[str, str]], threshold: str, truth: Mapping[str, str]
) -> tuple[float, float, float, float]:
    found = {row["id"]: row[threshold] for row in rows}
    pairs = pair_figures(found, truth)
    return pairs.f1, pairs.precision, pairs.recall, bcubed(found, truth).f1


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
