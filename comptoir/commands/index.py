"""`comptoir index`: the search index of each brand, compared, mended, rebuilt and rolled back."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from comptoir.installation import Installation
    from indexer.generations import KeptIndex
    from indexer.verify import VerifyReport
    from tenants.brand import Brand

BRAND = click.option("--brand", help="Only this brand (default: every brand).")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")


@click.group()
def command() -> None:
    """Refresh, rebuild, compare, roll back or show the search index of each brand."""


@command.command()
def refresh() -> None:
    """Do what is waiting: match landed offers and bring every index up to the catalogue."""
    from comptoir.installation import Installation
    from comptoir.progress import Stopwatch
    from comptoir.worker import drain, look_around

    watch = Stopwatch()
    installation = Installation()
    # Also what was tried in vain, and waits for its next turn.
    look_around(installation)
    drain(installation, label="matching and indexing")
    click.echo(f"up to date in {watch}")


@command.command()
@BRAND
def rebuild(brand: str | None) -> None:
    """Build a new index beside the live one and switch to it; searches go on meanwhile."""
    from comptoir.installation import Installation
    from comptoir.progress import Stopwatch, bar
    from indexer.rebuild import rebuild as build

    installation = Installation()
    for one in _chosen(installation, brand):
        watch = Stopwatch()
        with bar(f"index of {one.id}", None, "products") as advance:
            built = build(
                installation.database, installation.engine, installation.encoder, one, advance
            )
        click.echo(f"{one.id}: {built.report.written} products indexed in {watch}")
        if built.report.refused:
            click.echo(
                f"{one.id}: {len(built.report.refused)} refused by the engine: "
                "comptoir index dead-letters"
            )


@command.command()
@click.option("--brand", required=True, help="The brand whose former index is to be live again.")
@click.option("--now", is_flag=True, help="Switch first, bring the index up afterwards.")
def rollback(brand: str, now: bool) -> None:
    """Go back to the index before the live one; a second time leads forward again.

    Changes made since are brought into it before the switch, so nothing is lost and shoppers see
    no old price.
    """
    from comptoir.installation import Installation
    from comptoir.progress import Stopwatch, bar
    from indexer.catch_up import IndexWork
    from indexer.generations import roll_back

    installation = Installation()
    one = installation.brand(brand)
    watch = Stopwatch()
    work = IndexWork(installation.database, installation.engine, installation.encoder, one)
    with bar(f"changes since, {one.id}", None, "products") as advance:
        done = roll_back(work, at_once=now, progress=advance)
    caught_up = done.report.written + done.report.deleted
    click.echo(
        f"{one.id}: {done.index} is live instead of {done.replaced}, "
        f"{caught_up} changes brought in, {watch}"
    )


@command.command(name="list")
@BRAND
@JSON
def list_indices(brand: str | None, as_json: bool) -> None:
    """List every index of each brand: live, the one before, and what is being built."""
    from comptoir.installation import Installation
    from indexer.generations import kept_indices

    installation = Installation()
    rows = {
        one.id: kept_indices(installation.database, installation.engine, one.id)
        for one in _chosen(installation, brand)
    }
    if as_json:
        document = {name: [asdict(row) for row in each] for name, each in rows.items()}
        click.echo(json.dumps(document, indent=2, default=str))
        return
    for name, kept in rows.items():
        for row in kept:
            click.echo(f"{name}: {_kept_line(row)}")
        if not kept:
            click.echo(f"{name}: no index; build it: comptoir index rebuild --brand {name}")


def _kept_line(row: KeptIndex) -> str:
    held = row.generation
    count = "not readable by this release" if held.count is None else f"{held.count} products"
    place = "no position" if row.position is None else f"at {row.position}, {row.behind} behind"
    letters = f", {row.dead_letters} refused" if row.dead_letters else ""
    begun = held.created_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{held.state:8} {held.index}  {count}, {place}{letters}, begun {begun}"


@command.command()
@BRAND
@click.option("--repair", is_flag=True, help="Mend what differs, then compare again.")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(0, 3600),
    default=30.0,
    show_default=True,
    help="Seconds that changes on their way to the index are waited for.",
)
@JSON
def verify(brand: str | None, repair: bool, wait_s: float, as_json: bool) -> None:
    """Compare every index with PostgreSQL, product by product. Ends with 1 when they differ.

    Missing, extra, stale and different products are counted and named. Offers may change
    meanwhile: what is on its way to the index is no difference.
    """
    from comptoir.installation import Installation
    from comptoir.progress import Stopwatch, bar
    from indexer.catch_up import IndexWork
    from indexer.verify import verify as compare

    installation = Installation()
    reports = []
    for one in _chosen(installation, brand):
        watch = Stopwatch()
        work = IndexWork(installation.database, installation.engine, installation.encoder, one)
        with bar(f"comparing {one.id}", None, "products") as advance:
            report = compare(work, repair=repair, patience_s=wait_s, progress=advance)
        reports.append(report)
        if not as_json:
            _print_report(report, str(watch), after_repair=repair)
    if as_json:
        documents = [{**asdict(report), "whole": report.is_whole} for report in reports]
        click.echo(json.dumps(documents, indent=2))
    sys.exit(0 if all(report.is_whole for report in reports) else 1)


def _print_report(report: VerifyReport, took: str, *, after_repair: bool) -> None:
    found = ", ".join(f"{count} {kind}" for kind, count in report.differences.items())
    verdict = found or "no difference"
    extras = [
        f"{report.repaired} mended" if report.repaired else "",
        f"{report.refused} of them refused by the engine" if report.refused else "",
        f"{report.pending} wait for the refresh" if report.pending else "",
    ]
    told = "".join(f", {extra}" for extra in extras if extra)
    click.echo(f"{report.brand_id}: {report.compared} products compared in {took}: {verdict}{told}")
    for row in report.examples[:20]:
        reason = f"  {row.refused}" if row.refused else ""
        click.echo(f"  {row.kind:9} {row.product_id}{reason}")
    if after_repair and sum(report.differences.values()) > report.refused:
        click.echo(
            "  not mended: the index has later versions of these than PostgreSQL, as after a "
            f"backup was restored\n  a new index: comptoir index rebuild --brand {report.brand_id}"
        )


@command.command(name="dead-letters")
@BRAND
@click.option("--retry", is_flag=True, help="Write the refused products again, as they are now.")
@JSON
def dead_letters(brand: str | None, retry: bool, as_json: bool) -> None:
    """List products that the engine refused, and why; they are tried again when they change."""
    from comptoir.installation import Installation
    from indexer.catch_up import IndexWork
    from indexer.dead_letters import every_letter

    installation = Installation()
    listed: list[dict[str, Any]] = []
    for one in _chosen(installation, brand):
        stats = installation.engine.stats(one.id)
        if stats is None:
            continue
        if retry:
            work = IndexWork(installation.database, installation.engine, installation.encoder, one)
            tried = work.retry_refused(stats.index)
            if not as_json:
                click.echo(f"{one.id}: {tried.written + tried.deleted} taken now")
        found = every_letter(installation.database, one.id, stats.index)
        listed.extend({"brand_id": one.id, **asdict(letter)} for letter in found)
    if as_json:
        click.echo(json.dumps(listed, indent=2, default=str))
        return
    for row in listed:
        click.echo(
            f"{row['brand_id']}: {row['product_id']} refused {row['count']} times, last "
            f"{row['last_seen']:%Y-%m-%d %H:%M:%S}: {row['reason']}"
        )
    if not listed:
        click.echo("nothing is refused")


@command.command()
def status() -> None:
    """Show each brand's index: products, model of the vectors, changes not yet in it."""
    from comptoir.installation import Installation
    from indexer.dead_letters import count
    from indexer.refresh import behind

    installation = Installation()
    for brand in _chosen(installation, None):
        stats = installation.engine.stats(brand.id)
        if stats is None:
            click.echo(f"{brand.id}: no index; build it: comptoir index rebuild --brand {brand.id}")
            continue
        with installation.database.platform() as tx:
            changes = behind(tx, brand.id)
            refused = count(tx, brand.id, stats.index)
        click.echo(
            f"{brand.id}: {stats.count} products in {stats.index}, vectors of {stats.model_id}, "
            f"{changes} changes behind, {refused} refused"
        )
        if stats.model_id != installation.encoder.model_id:
            click.echo(
                f"{brand.id}: the model in use is {installation.encoder.model_id}; search answers "
                f"by words alone until the worker or `comptoir index rebuild --brand {brand.id}` "
                "has built it again"
            )


def _chosen(installation: Installation, brand: str | None) -> list[Brand]:
    if brand:
        return [installation.brand(brand)]
    brands = list(installation.brands.brands().values())
    if not brands:
        click.echo("no brand yet; add one: comptoir brand apply FILE", err=True)
    return brands
