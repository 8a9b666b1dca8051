"""Reads files with every format under resource limits and tells, as JSON, what came of it.

Run as a process of its own: `python -m tests.crawlers.hostile_reader FILE...`
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from crawlers import formats
from crawlers.bounded_stream import open_feed
from crawlers.feed_options import CsvMapping, FeedOptions
from mdm.raw_offer import RawOffer, Refusal

ADDRESS_SPACE = 1536 * 1024 * 1024
CPU_S = 100


def read_all(path: Path) -> dict[str, object]:
    """Every format on one file: counts of refusals by code, and the offers' keys and texts."""
    result: dict[str, object] = {}
    options = FeedOptions(mapping=CsvMapping({"sku": "id", "title": "title", "price": "price"}))
    for name, module in formats.all_formats().items():
        began = time.monotonic()
        opened = open_feed(path)
        with closing(opened.stream):
            codes: Counter[str] = Counter()
            offers = 0
            first: list[str] = []
            if opened.problem:
                codes[opened.problem.code] += 1
            for record in module.read(opened.stream, options):
                if isinstance(record, Refusal):
                    assert record.reason
                    codes[record.code] += 1
                else:
                    assert isinstance(record, RawOffer)
                    offers += 1
                    first = first or [record.sku, record.title[:200], record.price or ""]
        seconds = time.monotonic() - began
        result[name] = {"offers": offers, "codes": codes, "first": first, "seconds": seconds}
    return result


def peak_mib() -> int:
    """The most memory this program has held.

    Where the kernel says it, of the program alone: what `getrusage` tells was begun by the process
    that forked us, however large that is.
    """
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """One line of JSON: file name -> what each format made of it, and the memory it took."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    read = {path: read_all(Path(path)) for path in sys.argv[1:]}
    sys.stdout.write(json.dumps({"peak_mib": peak_mib(), "files": read}))


if __name__ == "__main__":
    main()
