"""Land a source: a file, an address, or the pages of a shop.

A whole feed is staged batch by batch and takes effect at its end, so a process killed in the middle
has changed nothing and running it again lands everything once. A feed that breaks off is read again
as a partial one: what was complete lands, and nothing is withdrawn.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from crawlers import formats
from crawlers.bounded_stream import OpenedFeed, open_feed
from crawlers.feed_options import FeedLimits, FeedOptions, breaks_run
from crawlers.fetch import fetch, known_state, remember
from crawlers.formats.csv_mapping import options_of, read_mapping_file
from crawlers.merchant_defaults import described_by
from crawlers.merchant_file import feed_format, feed_options, source_url
from crawlers.spider_process import run_spider
from kernel.db import Database
from kernel.errors import NotFound
from kernel.http import GuardedClient
from kernel.ids import slug
from mdm import intake
from mdm.merchants import Merchant, read_merchant, register_merchant
from mdm.raw_offer import RawOffer, Refusal

BATCH = 1_000
SAMPLE = 50
DEFAULT_SOURCE = "feed"

Record = RawOffer | Refusal
Progress = Callable[[int], None]
"""Told how many records were read so far."""


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of a source. `parked` is the reason why it did not take effect, if it did not.

    `reasons` counts refusals by code. `format` is None when the source had not changed.
    """

    landed: int = 0
    unchanged: int = 0
    refused: int = 0
    run_id: int | None = None
    parked: str | None = None
    withdrawn: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    format: str | None = None
    is_complete: bool = True
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.landed} landed, {self.unchanged} unchanged, {self.refused} refused"


@dataclass(frozen=True, slots=True)
class _Reading:
    """A file and how it is to be read."""

    path: Path
    format: str | None
    options: FeedOptions
    problem: Refusal | None = None

    def records(self) -> Iterator[Record]:
        opened = open_feed(self.path, self.options.limits)
        with closing(opened.stream):
            yield from _bounded(self._all(opened), self.options.limits)

    def _all(self, opened: OpenedFeed) -> Iterator[Record]:
        if self.format is None:
            yield opened.problem or _unknown_format(self.path.name)
            return
        yield from formats.all_formats()[self.format].read(opened.stream, self.options)
        for problem in (opened.problem, self.problem):
            if problem is not None:
                yield problem


def ingest_file(
    database: Database,
    path: Path,
    merchant_id: str,
    *,
    mapping: Path | Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    source: str = DEFAULT_SOURCE,
) -> IngestReport:
    """Land one feed file. An unknown merchant is registered as the feed suggests.

    `mapping` is the `[source]` table, or a TOML file with it, of a table with its own column names.
    `source` names the merchant's feed: offers of the same source that a complete run no longer
    lists are withdrawn.
    """
    started = time.monotonic()
    if not path.is_file():
        raise NotFound("file_missing", f"There is no file {path}")
    table = read_mapping_file(mapping) if isinstance(mapping, Path) else mapping
    merchant = _known_merchant(database, merchant_id)
    reading = _reading(path, merchant, table)
    if merchant is None:
        merchant = described_by(merchant_id, _sample(reading), table or {})
        with database.platform() as tx:
            register_merchant(tx, merchant)
        reading = _reading(path, merchant, table)
    return _land(database, merchant, reading, source, progress, started)


def ingest_source(
    database: Database,
    merchant: Merchant,
    *,
    folder: Path,
    base_url: str | None = None,
    allow_hosts: frozenset[str] = frozenset(),
    progress: Progress | None = None,
) -> IngestReport:
    """Fetch and land the feed that the merchant's `[source]` names, unless it has not changed.

    `base_url` is where a relative `path` lies; `allow_hosts` are the operator's own (`host:port`).
    """
    started = time.monotonic()
    url = source_url(merchant, base_url)
    with database.platform() as tx:
        register_merchant(tx, merchant)
        known = known_state(tx, merchant.id, url)
    with GuardedClient(allow_hosts=allow_hosts) as client:
        fetched = fetch(client, url, known, folder)
    if fetched.path is None:
        return IngestReport(seconds=time.monotonic() - started)
    reading = _reading(fetched.path, merchant, None)
    report = _land(database, merchant, reading, DEFAULT_SOURCE, progress, started)
    if report.is_complete and report.parked is None:
        with database.platform() as tx:
            remember(tx, merchant.id, url, fetched.state)
    fetched.path.unlink()
    return report


def crawl_source(
    database: Database,
    merchant: Merchant,
    *,
    folder: Path,
    base_url: str | None = None,
    allow_hosts: frozenset[str] = frozenset(),
    progress: Progress | None = None,
) -> IngestReport:
    """Crawl the shop whose sitemap the merchant's `[source]` names, and land what its pages state.

    A crawl that did not see the whole shop withdraws nothing.
    """
    started = time.monotonic()
    with database.platform() as tx:
        register_merchant(tx, merchant)
    folder.mkdir(parents=True, exist_ok=True)
    lines = folder / f"{merchant.id}.jsonl"
    problem = run_spider(
        source_url(merchant, base_url),
        lines,
        allow_hosts=allow_hosts,
        bounds=merchant.source,
        progress=progress,
    )
    reading = _Reading(lines, "offer_lines", feed_options(merchant), problem)
    report = _land(database, merchant, reading, "crawl", None, started)
    lines.unlink()
    return report


def _known_merchant(database: Database, merchant_id: str) -> Merchant | None:
    with database.platform() as tx:
        try:
            return read_merchant(tx, slug(merchant_id))
        except NotFound:
            return None


def _reading(path: Path, merchant: Merchant | None, table: Mapping[str, Any] | None) -> _Reading:
    options = feed_options(merchant) if merchant is not None else FeedOptions()
    declared = feed_format(merchant) if merchant is not None else None
    if table is not None:
        options = options_of(table, "mapping", options)
    if options.mapping is not None:
        declared = "csv_mapping"
    return _Reading(path, declared or _detected(path, options), options)


def _detected(path: Path, options: FeedOptions) -> str | None:
    opened = open_feed(path, options.limits)
    with closing(opened.stream):
        return formats.detect(opened.stream, path.name)


def _unknown_format(name: str) -> Refusal:
    known = ", ".join(formats.all_formats())
    return Refusal(
        "feed_unknown_format",
        f"{name} is in no format that is known here",
        hint=f"Known are {known}; a table with its own column names needs a mapping.",
    )


def _sample(reading: _Reading) -> list[RawOffer]:
    return [each for each in islice(reading.records(), SAMPLE) if isinstance(each, RawOffer)]


def _bounded(records: Iterator[Record], limits: FeedLimits) -> Iterator[Record]:
    """The records, until there are too many of them or too many are refused."""
    refused = 0
    for count, record in enumerate(records, 1):
        refused += isinstance(record, Refusal)
        if count > limits.records:
            yield Refusal("feed_too_many_records", f"there are more than {limits.records} records")
            return
        if refused > limits.refusals:
            yield Refusal(
                "feed_too_many_refusals",
                f"more than {limits.refusals} records were refused; the rest is not read",
                hint="The reasons listed so far probably have one cause: correct it first.",
            )
            return
        yield record


def _land(
    database: Database,
    merchant: Merchant,
    reading: _Reading,
    source: str,
    progress: Progress | None,
    started: float,
) -> IngestReport:
    report, broken = _run(database, merchant, reading, source, progress, complete=True)
    if broken:
        report, _ = _run(database, merchant, reading, source, progress, complete=False)
    return replace(report, seconds=time.monotonic() - started)


def _run(
    database: Database,
    merchant: Merchant,
    reading: _Reading,
    source: str,
    progress: Progress | None,
    *,
    complete: bool,
) -> tuple[IngestReport, bool]:
    """One run over the whole file. (report, True) when a complete run turned out to be partial."""
    with database.platform() as tx:
        run_id = intake.open_run(tx, merchant.id, source, complete=complete)
    reasons: Counter[str] = Counter()
    count, broken = 0, False
    records = reading.records()
    while batch := list(islice(records, BATCH)):
        broken = broken or any(isinstance(each, Refusal) and breaks_run(each) for each in batch)
        with database.platform() as tx:
            landing = intake.submit(tx, run_id, batch)
        reasons.update(refusal.code for refusal in landing.refusals)
        count += len(batch)
        if progress is not None:
            progress(count)
    if broken and complete:
        with database.platform() as tx:
            intake.discard_run(tx, run_id)
        return IngestReport(run_id=run_id), True
    with database.platform() as tx:
        summary = intake.close_run(tx, run_id)
    parked = summary.reason if summary.state == "parked" else None
    return (
        IngestReport(
            landed=summary.landed,
            unchanged=summary.unchanged,
            refused=summary.refused,
            run_id=run_id,
            parked=parked,
            withdrawn=summary.withdrawn,
            reasons=dict(reasons),
            format=reading.format,
            is_complete=complete,
        ),
        False,
    )
