"""`comptoir ingest`: a feed file of a merchant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from comptoir.installation import Installation
    from crawlers.ingest import IngestReport
    from mdm.quarantine import Quarantined


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--merchant", required=True, help="Merchant id; an unknown one is registered.")
@click.option(
    "--mapping",
    help="For tables with their own column names: a TOML file, or a name from crawlers/mappings.",
)
@click.option(
    "--land-only", is_flag=True, help="Leave matching and indexing to the worker, or to later."
)
def command(file: Path, merchant: str, mapping: str | None, land_only: bool) -> None:
    """Load FILE, a full feed: Google Merchant, Heureka, BMEcat, ACP, or a table with a mapping.

    Plain, gzip or zip. What is refused goes to quarantine with its reason; offers of an earlier
    load that FILE no longer lists are withdrawn. The same file again changes nothing.
    """
    from comptoir.installation import Installation
    from comptoir.progress import Stopwatch
    from comptoir.worker import drain

    installation = Installation()
    report = _land(installation, file, merchant, mapping)
    try:
        if not land_only and report.parked is None:
            watch = Stopwatch()
            drain(installation, label="matching and indexing")
            click.echo(f"matched and indexed in {watch}", err=True)
    finally:
        # What has landed has landed, whatever kept it from the index.
        finish(installation, report, merchant)


def _land(
    installation: Installation, file: Path, merchant: str, mapping: str | None
) -> IngestReport:
    from comptoir.progress import counted
    from crawlers.ingest import ingest_file

    with counted(f"reading {file.name}", "records") as progress:
        return ingest_file(
            installation.database,
            file,
            merchant,
            mapping=mapping_file(mapping) if mapping else None,
            progress=progress,
        )


def mapping_file(name: str) -> Path:
    """A file as given, else the mapping of that name that comes with this release."""
    import crawlers
    from kernel.errors import NotFound

    given = Path(name)
    if given.is_file():
        return given
    shipped = Path(crawlers.__file__).parent / "mappings"
    if (shipped / f"{name}.toml").is_file():
        return shipped / f"{name}.toml"
    known = ", ".join(sorted(path.stem for path in shipped.glob("*.toml")))
    raise NotFound("mapping_missing", f"There is no mapping {name}", hint=f"Shipped: {known}.")


def finish(installation: Installation, report: IngestReport, merchant: str) -> None:
    """Tell what became of a source; the counts are the last line of standard output.

    Ends the command with status 1 where nothing could be taken from the source.
    """
    if report.withdrawn:
        click.echo(f"{report.withdrawn} offers are no longer in the feed and were withdrawn")
    for code, count in sorted(report.reasons.items(), key=lambda row: -row[1]):
        click.echo(f"refused {count:6}  {code}")
    for refused in _about_the_whole(installation, report, merchant):
        click.secho(f"{refused.code}: {refused.reason}", fg="red")
        if refused.hint:
            click.echo(f"    -> {refused.hint}")
    if report.reasons:
        click.echo(f"reasons and remedies: comptoir quarantine --merchant {merchant}")
    if not report.is_complete:
        click.echo("the feed was not read to its end: nothing was withdrawn")
    if report.parked is not None:
        click.secho(f"parked, nothing was changed: {report.parked}", fg="red")
        ways = "release", "discard"
        click.echo("    -> " + " or ".join(f"comptoir run {way} {report.run_id}" for way in ways))
    click.echo(str(report))
    if report.parked is not None or (report.refused and not report.landed + report.unchanged):
        sys.exit(1)


def _about_the_whole(
    installation: Installation, report: IngestReport, merchant: str
) -> list[Quarantined]:
    """Refusals of this run that are about the feed rather than about one record of it."""
    from mdm.quarantine import list_quarantine

    codes = {code for code in report.reasons if code.startswith("feed_")}
    if not codes:
        return []
    with installation.database.platform() as tx:
        return list_quarantine(tx, merchant, 5, last_run=report.run_id, codes=codes)
