"""`make bench`: every measurement, or those named; prints the table of docs/benchmarks.md."""

from __future__ import annotations

import importlib
import sys

from bench.figures import Figure, table

PARTS = (
    "command_line", "catalogue", "index_build", "matching_speed", "matching_hostile", "search",
    "purchase", "cold_start", "freshness", "pushed_beside_feed",
)  # fmt: skip


def main(names: list[str]) -> None:
    """Measure one part after the other, so that none disturbs another."""
    unknown = set(names) - set(PARTS)
    if unknown:
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(PARTS)}")
    figures: list[Figure] = []
    for name in names or PARTS:
        print(f"measuring {name}", file=sys.stderr, flush=True)
        for figure in importlib.import_module(f"bench.{name}").measure():
            print(f"  {figure.name}: {figure.value}", file=sys.stderr, flush=True)
            figures.append(figure)
    print(table(figures))


if __name__ == "__main__":
    main(sys.argv[1:])
